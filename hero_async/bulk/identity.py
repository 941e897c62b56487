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


class Hasher:
    """The keyed hashes of one outbox: BLAKE2b, 16 bytes."""

    __slots__ = ("_patient", "_person", "_row")

    def __init__(self, key: bytes) -> None:
        if len(key) != KEY_BYTES:
            raise ValueError(f"the key must be {KEY_BYTES} bytes")
        # Keyed once and copied for each hash: half the work.
        self._person = blake2b(digest_size=_SIZE, key=key, person=b"hero-person")
        self._patient = blake2b(digest_size=_SIZE, key=key, person=b"hero-patient")
        self._row = blake2b(digest_size=_SIZE, key=key, person=b"hero-row")

    def __repr__(self) -> str:
        return "Hasher(***)"

    def person(self, practice: str, *marks: str) -> bytes:
        """A person as the input names them: by NHS number, or by name, date of birth and postcode."""
        made = self._person.copy()
        made.update("\x1f".join((practice, *marks)).encode())
        return made.digest()

    def patient(self, practice: str, patient_id: str) -> bytes:
        """A person as Hero names them."""
        made = self._patient.copy()
        made.update(f"{practice}\x1f{patient_id.lstrip('0')}".encode())
        return made.digest()

    def row(self, cells: Sequence[str]) -> bytes:
        """A row, whole."""
        made = self._row.copy()
        made.update("\x1f".join(cells).encode())
        return made.digest()
