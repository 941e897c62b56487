"""Keyed hashes: equal for the same person, and no way back."""

from __future__ import annotations

from hashlib import blake2b

import pytest

from hero_async.bulk.identity import Hasher

KEY = bytes(range(32))


def test_they_are_blake2b_with_the_key_and_a_purpose_each() -> None:
    hasher = Hasher(KEY)
    expected = blake2b(b"42\x1fnhs\x1f9990000018", digest_size=16, key=KEY, person=b"hero-person").digest()
    assert hasher.person("42", "nhs", "9990000018") == expected
    assert hasher.patient("42", "7") == blake2b(b"42\x1f7", digest_size=16, key=KEY, person=b"hero-patient").digest()
    assert hasher.row(["a", "é"]) == blake2b("a\x1fé".encode(), digest_size=16, key=KEY, person=b"hero-row").digest()


def test_practice_person_purpose_and_key_make_a_difference() -> None:
    hasher = Hasher(KEY)
    found = {
        hasher.person("1", "7"),
        hasher.person("2", "7"),
        hasher.person("1", "8"),
        hasher.patient("1", "7"),
        hasher.row(["1", "7"]),
        hasher.row(["17"]),
        Hasher(bytes(32)).person("1", "7"),
    }
    assert len(found) == 7
    assert hasher.person("1", "7") == Hasher(KEY).person("1", "7")


def test_zeros_in_front_of_an_id_make_no_other_patient() -> None:
    assert Hasher(KEY).patient("1", "007") == Hasher(KEY).patient("1", "7")


def test_the_key_has_its_length_and_is_not_shown() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        Hasher(b"short")
    assert repr(Hasher(KEY)) == "Hasher(***)"
