"""Attachment links. Not confirmed: that a file without data and without an id is a 400, and that an unknown id of
an EHR file is a 404."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from hero_async.sandbox import rules
from hero_async.sandbox.rules import Issue, Path
from hero_async.sandbox.serving import Call, missing, serves
from hero_async.sandbox.subjects.links import LIMITS, make
from hero_async.sandbox.subjects.patient_records import attachment_owner

_FIELDS = rules.record(
    {},
    {
        "ehr_file_id": rules.text(least=1),
        "file_data": rules.text(),
        "file_name": rules.text(),
        "patient_id": rules.text(least=1),
        **LIMITS,
    },
)


def _create(value: Any, path: Path, issues: list[Issue]) -> None:
    _FIELDS(value, path, issues)
    if rules.is_object(value) and "ehr_file_id" not in value and "file_data" not in value:
        issues.append(rules.issue("invalid_type", "string", (*path, "file_data")))


@serves("attachment_links.create", _create)
def create(call: Call) -> object:
    """Make a link to a file; the file itself is not kept."""
    file_id = call.body.get("ehr_file_id")
    if file_id is not None and attachment_owner(call, file_id) is None:
        raise missing("file")
    link = make(call, "attachment", {"file_name": call.body.get("file_name")})
    return {"attachment_link": link.url, "attachment_uuid": str(UUID(int=int(link.id), version=4))}
