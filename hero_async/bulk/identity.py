"""Who a row is for, and what a row was, as keyed hashes: equal for the same person, and no way back.

A bare hash of an NHS number can be undone by trying all of them. So the hash has a key, and the key does not lie
in the outbox but in a file beside it (mode 0600, ending in `-key`): a copy of the outbox alone tells nothing of
who was written to. Whoever can read both files can test a guess; `purge` destroys both.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from typing import Final

KEY_BYTES: Final = 32
_SIZE: Final = 16
_PERSON: Final = b"hero-person"
_PATIENT: Final = b"hero-patient"
_ROW: Final = b"hero-row"


class Hasher:
    """The keyed hashes of one outbox: BLAKE2b, 16 bytes."""

    __slots__ = ("_key",)

    def __init__(self, key: bytes) -> None:
        if len(key) != KEY_BYTES:
            raise ValueError(f"the key must be {KEY_BYTES} bytes")
        self._key = key

    def __repr__(self) -> str:
        return "Hasher(***)"

    def person(self, practice: str, *marks: str) -> bytes:
        """A person as the input names them: by NHS number, or by name, date of birth and postcode."""
        return self._hash(_PERSON, practice, *marks)

    def patient(self, practice: str, patient_id: str) -> bytes:
        """A person as Hero names them."""
        return self._hash(_PATIENT, practice, patient_id.lstrip("0"))

    def row(self, cells: Sequence[str]) -> bytes:
        """A row, whole."""
        return self._hash(_ROW, *cells)

    def _hash(self, kind: bytes, *parts: str) -> bytes:
        text = "\x1f".join(parts)
        return blake2b(text.encode("utf-8"), digest_size=_SIZE, key=self._key, person=kind).digest()
