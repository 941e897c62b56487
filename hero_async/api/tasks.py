"""Tasks of the practice's staff."""

from __future__ import annotations

from datetime import date
from typing import Literal

from hero_async import operations as op
from hero_async.fields import Id, OpenEnum, PrivateTime, Ref, model
from hero_async.operations import Resource
from hero_async.resources import Mode

TaskStatusChoice = Literal["open", "closed", "in_progress"]
TaskPriorityChoice = Literal["lowest", "low", "medium", "high", "highest"]


class TaskStatus(OpenEnum):
    """How far a task is."""

    OPEN = "open"
    CLOSED = "closed"
    IN_PROGRESS = "in_progress"


@model
class TaskPatient:
    """The patient of a task. The reference is cut after `dob`: further fields are not confirmed."""

    id: Ref
    """Hero id, digits."""

    dob: date | None
    """Date of birth."""

    uid: Ref | None = None
    """A second id; what it is for is not documented."""

    ehr_partner_id: str | None = None
    """Id of the patient in the connected EHR."""

    emis_id: str | None = None
    """Id of the patient in EMIS."""

    deceased_at: PrivateTime | None = None
    """When the patient died."""


@model
class Task:
    """A task. The reference is cut after `patient`: further fields are not confirmed."""

    id: Ref
    """Id of the task, digits."""

    type_label: str
    """What kind of task it is, for people."""

    status: TaskStatus
    """How far it is."""

    category: str
    """Its category; the values are not documented."""

    patient: TaskPatient
    """The patient."""

    details: str | None = None
    """What is to be done."""


@model
class UpdateTaskData:
    """A task that was changed."""

    id: Ref
    """Id of the task, digits."""


@model
class UpdateTask:
    """The answer to changing a task: it is wrapped, where that of `tasks.get` is not."""

    data: UpdateTaskData
    """The task."""


class Tasks(Resource[Mode]):
    """Tasks of the practice's staff."""

    @op.get("/v2/tasks/{id}", id="getTask")
    def get(self, id: str) -> Task:
        """Get one task with its patient.

        Args:
            id: Id of the task.

        Reference: https://developer.herohealth.net/apis/public-api/openapi/task
        """
        ...

    @op.patch("/v1/tasks/{id}", id="updateTask")
    def update(
        self,
        id: str,
        *,
        status: TaskStatusChoice | None = None,
        priority: TaskPriorityChoice | None = None,
        assignee_type: Literal["admin", "admin_team"] | None = None,
        assignee_id: Id | None = None,
    ) -> UpdateTask:
        """Change a task. What is left out stays.

        Args:
            id: Id of the task.
            status: How far it is.
            priority: How urgent it is.
            assignee_type: What `assignee_id` names; spelled otherwise than for episodes.
            assignee_id: Id of the admin or admin team, digits.

        Reference: https://developer.herohealth.net/apis/public-api/openapi/task
        """
        ...
