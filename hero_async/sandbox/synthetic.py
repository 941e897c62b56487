"""People who do not exist, the same ones for the same seed.

NHS numbers start with 999, the range that is never given to a patient; phone numbers are from Ofcom's range
for drama (07700 900000 to 900999), mail addresses at example.com, and every surname says that it is a test.
"""

from __future__ import annotations

from datetime import date, timedelta
from random import Random

import attrs

from hero_async.fields import Ref, describe
from hero_async.hiding import hidden

MOST = 900_000
"""How many patients the 999 range yields at least."""

_PREFIXES = 1_000_000
_FIRST_ID = 100_001
_FORENAMES = ("Sample", "Specimen", "Example", "Mockup", "Placeholder", "Fictional", "Imaginary", "Pretend")
_TITLES = ("Mr", "Mrs", "Ms", "Mx", "Dr")
_SEXES = ("Male", "Female", "Not specified", "Other")
_OLDEST = date(1930, 1, 1)
_BIRTH_DAYS = (date(2007, 12, 31) - _OLDEST).days
_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"


@hidden
@attrs.frozen(kw_only=True, repr=False)
class SyntheticPatient:
    """A patient of the sandbox."""

    patient_id: Ref
    """Hero's id, digits; the same in every practice group."""

    nhs_number: str | None
    """Ten digits, 999 range. None only for someone whom `patients.register` made without one."""

    dob: date
    first_name: str
    last_name: str
    mobile: str
    email: str | None = None
    postcode: str | None = None
    title: str | None = None
    sex: str | None = None

    draw: float = 1.0
    """The seed's draw, 0 to 1: below `Quirks.login_url_share` PDS does not settle who this is."""

    __repr__ = describe


def check_digit(nine: str) -> int | None:
    """The tenth digit of an NHS number (modulus 11), or None where no number begins so."""
    digit = -sum(int(character) * (10 - place) for place, character in enumerate(nine)) % 11
    return None if digit == 10 else digit


def is_nhs_number(text: str) -> bool:
    """Whether the text, without spaces and hyphens, is an NHS number with a right check digit."""
    plain = plain_nhs_number(text)
    digits = len(plain) == 10 and plain.isascii() and plain.isdigit()
    return digits and str(check_digit(plain[:9])) == plain[9]


def plain_nhs_number(text: str) -> str:
    """An NHS number without spaces and hyphens."""
    return text.replace(" ", "").replace("-", "")


def make_patients(count: int, seed: int) -> tuple[SyntheticPatient, ...]:
    """So many patients, none twice."""
    chance = Random(seed)
    # An odd step that is no multiple of 5 visits each of the million prefixes once.
    step = chance.randrange(100_000, 900_000) * 10 + 7
    place = chance.randrange(_PREFIXES)
    made: list[SyntheticPatient] = []
    while len(made) < count:
        place = (place + step) % _PREFIXES
        nine = f"999{place:06d}"
        digit = check_digit(nine)
        if digit is not None:
            made.append(_person(len(made), f"{nine}{digit}", chance))
    return tuple(made)


def _person(index: int, nhs_number: str, chance: Random) -> SyntheticPatient:
    code = _code(index)
    return SyntheticPatient(
        patient_id=str(_FIRST_ID + index),
        nhs_number=nhs_number,
        dob=_OLDEST + timedelta(days=chance.randrange(_BIRTH_DAYS)),
        first_name=_FORENAMES[index % len(_FORENAMES)],
        last_name=f"XXTESTPATIENT-{code}",
        mobile=f"07700 900{index % 1000:03d}",
        email=f"patient-{code.lower()}@example.com",
        postcode="ZZ99 9ZZ",
        title=_TITLES[index % len(_TITLES)],
        sex=_SEXES[index % len(_SEXES)],
        draw=chance.random(),
    )


def _code(index: int) -> str:
    letters = ""
    for _ in range(5):
        index, place = divmod(index, len(_LETTERS))
        letters = _LETTERS[place] + letters
    return letters
