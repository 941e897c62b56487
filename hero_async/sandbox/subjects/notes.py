"""Notes on episodes. Not confirmed: that both fields are needed, and who writes (here the first admin)."""

from __future__ import annotations

from typing import Any

from hero_async.sandbox import rules
from hero_async.sandbox.serving import Call, missing, note, serves
from hero_async.sandbox.subjects.episodes import Work


@serves("notes.create", rules.record({"episode_id": rules.text(least=1), "description": rules.text()}))
def create(call: Call) -> object:
    """Keep a note with its episode; its ids are numbers."""
    episode = call.state.of(Work).episodes(call).get(call.body["episode_id"])
    if episode is None:
        raise missing("episode")
    admin = call.practice.admins[0]
    written: dict[str, Any] = {
        "id": int(call.state.new_id()),
        "description": call.body["description"],
        "admin": {
            "id": int(admin.id),
            "first_name": admin.first_name,
            "last_name": admin.last_name,
            "full_name": admin.full_name,
        },
        "created_at": call.now,
    }
    if call.practice_group_id.isascii() and call.practice_group_id.isdigit():
        written["practice_group_id"] = int(call.practice_group_id)
    episode.notes.append(written)
    note(call, "notes.create", str(written["id"]))
    return written
