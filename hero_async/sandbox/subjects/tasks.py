"""Tasks: those of the episodes. Not confirmed: the fields after `patient`, and that an assignee may be unknown."""

from __future__ import annotations

from hero_async.sandbox import rules
from hero_async.sandbox.serving import Call, missing, note, serves
from hero_async.sandbox.state import midnight
from hero_async.sandbox.subjects.episodes import PRIORITY, STATUS, Task, Work


def _wanted(call: Call) -> Task:
    task = call.state.of(Work).task(call, call.path["id"])
    if task is None:
        raise missing("task")
    return task


@serves("tasks.get")
def get(call: Call) -> object:
    """Show a task with its patient."""
    task = _wanted(call)
    patient = call.state.people.get(call.practice_group_id, task.patient_id)
    return {
        "id": task.id,
        "type_label": task.type_label,
        "status": task.status,
        "details": task.details,
        "category": task.category,
        "patient": {
            "id": task.patient_id,
            "uid": None,
            "ehr_partner_id": patient.ehr_partner_id if patient is not None else None,
            "emis_id": None,
            "deceased_at": None,
            "dob": midnight(patient.dob) if patient is not None else None,
        },
        "priority": task.priority,
        "assignee_type": task.assignee_type,
        "assignee_id": task.assignee_id,
    }


_UPDATE = rules.record(
    {},
    {
        "status": STATUS,
        "priority": PRIORITY,
        "assignee_type": rules.one_of("admin", "admin_team"),
        "assignee_id": rules.text(pattern=r"\d+"),
    },
)


@serves("tasks.update", _UPDATE)
def update(call: Call) -> object:
    """Change a task. What is left out stays."""
    task = _wanted(call)
    for name in ("status", "priority", "assignee_type", "assignee_id"):
        if name in call.body:
            setattr(task, name, call.body[name])
    note(call, "tasks.update", task.id)
    return {"data": {"id": task.id}}
