"""Episodes: six for each practice group, of its first patients, with a task each or two; the sandbox has no call that
makes one, as the reference shows none.

Not confirmed: the second version of the list (here like the first), what can be changed (here status and priority)
and what that answers, the order without `order_by` (oldest first), and that notes are shown with their episode.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import islice
from typing import Any

import attrs

from hero_async.hiding import hidden
from hero_async.sandbox import rules
from hero_async.sandbox.practice import SEEDED_AT
from hero_async.sandbox.serving import Call, everything, missing, note, page, serves, unshown
from hero_async.sandbox.state import midnight
from hero_async.sandbox.synthetic import SyntheticPatient

STATUS = rules.one_of("open", "closed", "in_progress")
PRIORITIES = ("lowest", "low", "medium", "high", "highest")
PRIORITY = rules.one_of(*PRIORITIES)

_KINDS = (
    ("Medication review", "medication", "Repeat prescription is due for a review"),
    ("Test result", "results", "Tell the patient about a blood test"),
    ("Document", "documents", "File a letter from the hospital"),
)
_MOST = 6
_SEXES = {"Male": "male", "Female": "female", "Other": "other"}


@hidden
@attrs.define(repr=False)
class Task:
    """Something to do for a patient."""

    id: str
    patient_id: str
    type_label: str
    category: str
    details: str
    status: str = "open"
    priority: str = "medium"
    assignee_type: str | None = None
    assignee_id: str | None = None


@hidden
@attrs.define(repr=False)
class Episode:
    """Tasks for one patient."""

    id: str
    patient_id: str
    created_at: datetime
    priority: str
    status: str
    assignee_id: str | None
    """An admin; None: it is unassigned."""

    tasks: list[Task]
    notes: list[dict[str, Any]] = attrs.field(factory=list[dict[str, Any]])


class Work:
    """The episodes of every practice group, made when one is first asked for."""

    def __init__(self) -> None:
        self._episodes: dict[str, dict[str, Episode]] = {}

    def episodes(self, call: Call) -> dict[str, Episode]:
        """The practice group's episodes by id, oldest first."""
        found = self._episodes.get(call.practice_group_id)
        if found is None:
            patients = islice(call.state.people.all(call.practice_group_id), _MOST)
            made = [_make(call, number, patient) for number, patient in enumerate(patients)]
            found = self._episodes[call.practice_group_id] = {episode.id: episode for episode in made}
        return found

    def task(self, call: Call, id: str) -> Task | None:
        """The practice group's task with this id."""
        return next((task for episode in self.episodes(call).values() for task in episode.tasks if task.id == id), None)


def _make(call: Call, number: int, patient: SyntheticPatient) -> Episode:
    practice = call.practice
    first = 801 + 2 * number
    tasks = [
        Task(practice.make_id(offset), patient.patient_id, *_KINDS[offset % len(_KINDS)])
        for offset in range(first, first + 1 + number % 2)
    ]
    return Episode(
        id=practice.make_id(701 + number),
        patient_id=patient.patient_id,
        created_at=SEEDED_AT + timedelta(hours=number),
        priority=PRIORITIES[number % len(PRIORITIES)],
        status=("open", "in_progress", "closed")[number % 3],
        assignee_id=practice.admins[number // 2].id if number % 2 == 0 else None,
        tasks=tasks,
    )


_LIST = rules.query(
    rules.PAGING,
    repeated={
        "assignee_type[]": rules.one_of("Admin", "AdminTeam", "Unassigned"),
        "status[]": STATUS,
        "priority[]": PRIORITY,
        "order_by[]": rules.one_of("created_at", "priority"),
    },
)


@serves("episodes.list", _LIST)
def listing(call: Call) -> object:
    """The episodes that every filter fits. `order_descending[]` is read as "true" or anything else."""
    kinds, people = call.several("assignee_type[]"), call.several("assignee_id[]")
    found = [
        episode
        for episode in call.state.of(Work).episodes(call).values()
        if episode.status in (call.several("status[]") or (episode.status,))
        and episode.priority in (call.several("priority[]") or (episode.priority,))
        and _assignee_type(episode) in (kinds or (_assignee_type(episode),))
        and (not people or episode.assignee_id in people)
    ]
    keys = call.several("order_by[]")
    downwards = call.several("order_descending[]")
    for place in reversed(range(len(keys))):  # a sort keeps the order of equals: the last key goes first
        key = _by_priority if keys[place] == "priority" else _by_age
        found.sort(key=key, reverse=downwards[place : place + 1] == ["true"])
    return page(call, found, lambda episode: _show_item(episode, call))


def _by_priority(episode: Episode) -> float:
    return PRIORITIES.index(episode.priority)


def _by_age(episode: Episode) -> float:
    return episode.created_at.timestamp()


def _assignee_type(episode: Episode) -> str:
    return "Admin" if episode.assignee_id is not None else "Unassigned"


@serves("episodes.list_v2")
def list_v2(call: Call) -> object:
    """All episodes, on one page."""
    return everything(call.state.of(Work).episodes(call).values(), lambda episode: _show_item(episode, call))


def _show_item(episode: Episode, call: Call) -> object:
    patient = call.state.people.get(call.practice_group_id, episode.patient_id)
    return {
        "id": episode.id,
        "status": episode.status,
        "priority": episode.priority,
        "assignees": _assignees(episode, call),
        "tasks": [{"id": task.id, "type_label": task.type_label, "status": task.status} for task in episode.tasks],
        "patient": _patient(patient) if patient is not None else None,
        "created_at": episode.created_at,
    }


def _assignees(episode: Episode, call: Call) -> list[dict[str, str | None]]:
    admin = call.practice.admin(episode.assignee_id) if episode.assignee_id is not None else None
    return [{"type": _assignee_type(episode), "name": admin.full_name if admin is not None else None}]


def _patient(patient: SyntheticPatient) -> dict[str, object]:
    shown: dict[str, object] = {
        "ehr_partner_id": patient.ehr_partner_id,
        "emis_id": None,
        "deceased_at": None,
        "dob": midnight(patient.dob),
    }
    if patient.title is not None:  # no null among the titles here
        shown["title"] = patient.title
    return shown


def _wanted(call: Call) -> Episode:
    episode = call.state.of(Work).episodes(call).get(call.path["id"])
    if episode is None:
        raise missing("episode")
    return episode


@serves("episodes.get")
def get(call: Call) -> object:
    """Show an episode with its tasks and notes."""
    episode = _wanted(call)
    patient = call.state.people.get(call.practice_group_id, episode.patient_id)
    return {
        "id": episode.id,
        "status": episode.status,
        "priority": episode.priority,
        "assignees": _assignees(episode, call),
        "tasks": [_show_task(task, patient) for task in episode.tasks] if patient is not None else [],
        "notes": episode.notes,
    }


def _show_task(task: Task, patient: SyntheticPatient) -> object:
    details = patient.details
    address = {
        "line1": details.get("address_line_1"),
        "line2": details.get("address_line_2"),
        "line3": details.get("address_line_3"),
        "town": "Sandford",
        "county": details.get("county"),
        "country": details.get("country", "England"),
        "postcode": patient.postcode or "ZZ99 9ZZ",
    }
    person = {
        **_patient(patient),
        "uid": None,
        "dob": patient.dob.isoformat(),
        "first_name": patient.first_name,
        "last_name": patient.last_name,
        "sex": _SEXES.get(patient.sex or "", "unspecified"),
        "nhs_number": patient.nhs_number,
        "email": patient.email,
        "mobile": patient.mobile,
        "last_sync_at": None,
        "full_name": f"{patient.first_name} {patient.last_name}",
        "contact_emails": [patient.email] if patient.email is not None else None,
        "registered_practitioner_name": None,
        "notes": None,
        "membership_scheme_names": None,
        "address": address,
    }
    return {
        "id": task.id,
        "type_label": task.type_label,
        "status": task.status,
        "priority": task.priority,
        "details": task.details,
        "category": task.category,
        "patient": person,
    }


@serves("episodes.update", rules.perhaps(rules.record({}, {"status": STATUS, "priority": PRIORITY})))
def update(call: Call) -> object:
    """Change status and priority, if they are given."""
    episode = _wanted(call)
    episode.status = call.body.get("status", episode.status)
    episode.priority = call.body.get("priority", episode.priority)
    note(call, "episodes.update", episode.id)
    return unshown(call, {"id": episode.id})
