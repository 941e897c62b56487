"""What became of a batch's recipients, where the server shows it. It changes no state: what was accepted is sent.

The reference does not show the fields of a recipient and of a send. Read, where they are there: `id`, `recipient_id`,
`nhs_number`, `patient_id` and `status`. Who cannot be matched with a row is left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, cast

from hero_async.bulk.batch_worker import Teller
from hero_async.bulk.chunks import Chunk, Note
from hero_async.bulk.identity import Hasher
from hero_async.errors import HeroError
from hero_async.fields import normalise_nhs_number

if TYPE_CHECKING:
    from hero_async.client import AsyncHero

_FAILED: Final = {
    "ENRICHMENT_ERROR": "recipient_enrichment_error",
    "INVALID_PAYLOAD": "recipient_invalid_payload",
    "ERROR": "message_error",
}
"""States of a recipient or a send that a person should know of. Only what the reference lists is kept."""

_PAGE: Final = 200

_Who = tuple[bytes | None, bytes | None]


class Collector(Teller):
    """Asks what became of one chunk after the other."""

    __slots__ = ()

    async def run(self, chunk: Chunk) -> None:
        """Wait until a batch is COMPLETED, and keep what its lists show. What cannot be had is left for a later run."""
        self._take(chunk)
        sender = self._sender
        reader = sender.reader(chunk.practice)
        with self._scope:
            try:
                await reader.batch_messages.wait(chunk.batch_id or "", timeout=sender.collect)
                notes = await _notes(reader, chunk, sender.hold.hasher)
            except HeroError:
                return
            try:
                await sender.hold.note(chunk.id, notes, done=True)
            except Exception as error:  # noqa: BLE001  # raised by the run, when the other calls under way have ended
                sender.fail(error)


async def _notes(reader: AsyncHero, chunk: Chunk, hasher: Hasher) -> list[Note]:
    batches, batch_id = reader.batch_messages, chunk.batch_id or ""
    people: dict[str, _Who] = {}
    found: dict[_Who, Note] = {}
    async for recipient in batches.recipients(batch_id, page_size=_PAGE):
        who = _who(recipient.raw, chunk.practice, hasher)
        if who is not None:
            people[_text(recipient.raw, "id") or ""] = who
            found[who] = Note(*who, None, _FAILED.get(_text(recipient.raw, "status") or ""))
    async for message in batches.messages(batch_id, page_size=_PAGE):
        who = people.get(_text(message.raw, "recipient_id") or "-") or _who(message.raw, chunk.practice, hasher)
        if who is not None:
            failed = _FAILED.get(_text(message.raw, "status") or "")
            earlier = found.get(who)
            message_id = _text(message.raw, "id")
            found[who] = Note(*who, message_id, failed or (earlier.reason if earlier else None))
    return [note for note in found.values() if note.message_id or note.reason]


def _who(raw: object, practice: str, hasher: Hasher) -> _Who | None:
    number = _text(raw, "nhs_number")
    if number is not None:
        try:
            return hasher.person(practice, "nhs", normalise_nhs_number(number)), None
        except ValueError:
            return None
    patient_id = _text(raw, "patient_id")
    return None if patient_id is None else (None, hasher.patient(practice, patient_id))


def _text(raw: object, name: str) -> str | None:
    """A field as text, if it is one that could be an id or a state."""
    value = cast("Mapping[str, object]", raw).get(name) if isinstance(raw, dict) else None
    text = str(value) if isinstance(value, (str, int)) and not isinstance(value, bool) else ""
    return text if 0 < len(text) <= 128 and text.isprintable() else None
