"""What a row says: a recipient, or a rule that it breaks.

Columns that mean something (upper and lower case, spaces, hyphens and underscores are alike):

    patient_id                             Hero's id, digits
    nhs_number and dob                     registers the patient through PDS first
    forename, surname, dob and postcode    the same, without an NHS number
    practice_group_id                      the practice that the row is sent for; where there is such a column, fill it
    recipient_contact_detail               a phone number (sms) or an address (email) to use in place of the record's

A row uses the first of the three ways that it has filled. All other columns are for the text.
On the batch route every row needs nhs_number and dob, and recipient_contact_detail cannot be used.

A date of birth is `YYYY-MM-DD`, or day first: `DD/MM/YYYY`, `DD-MM-YYYY`, `DD.MM.YYYY`, `DD-Mon-YYYY`. The month
is never guessed, and a year has four digits.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Final, Literal

import attrs

from hero_async.bulk.errors import InputError, MissingExtraError
from hero_async.bulk.template import Template
from hero_async.fields import normalise_nhs_number
from hero_async.hiding import hidden

Channel = Literal["sms", "email", "nhs_app", "hero"]
Route = Literal["personal", "batch"]

_ALIASES: Final[Mapping[str, tuple[str, ...]]] = {
    "patient_id": ("hero_patient_id",),
    "nhs_number": ("nhsnumber", "nhs_no"),
    "dob": ("date_of_birth", "birth_date"),
    "forename": ("first_name", "given_name"),
    "surname": ("last_name", "family_name"),
    "postcode": ("post_code", "postal_code"),
    "practice_group_id": (),
    "recipient_contact_detail": (),
}
_MONTHS: Final = {
    name: number
    for number, name in enumerate(
        ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), start=1
    )
}
_ISO = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
_DAY_FIRST = re.compile(r"([0-9]{1,2})([/.-])([0-9]{1,2})\2([0-9]{4})")
_DAY_MONTH_NAME = re.compile(r"([0-9]{1,2})[ /-]([A-Za-z]{3})[ /-]([0-9]{4})")
_EMAIL = re.compile(r"[^@\s<>,;:\"()\[\]\\]+@[^@\s<>,;:\"()\[\]\\.]+(?:\.[^@\s<>,;:\"()\[\]\\.]+)+")
_PRACTICE = re.compile(r"[!-~]{1,128}")

RULES: Final[Mapping[str, str]] = {
    "columns": "has another number of cells than the first line",
    "identity_missing": "needs patient_id, or nhs_number and dob, or forename, surname, dob and postcode",
    "patient_id_not_digits": "patient_id: must be digits only",
    "nhs_number_missing": "nhs_number: is needed on the batch route",
    "nhs_number": "nhs_number: must be ten digits with a right check digit",
    "dob_missing": "dob: is needed with an nhs_number",
    "dob_format": "dob: must be a date as YYYY-MM-DD or DD/MM/YYYY",
    "dob_future": "dob: lies in the future",
    "practice_group_id_missing": "practice_group_id: is empty",
    "practice_group_id_format": "practice_group_id: must be an id without spaces",
    "phone": "recipient_contact_detail: must be a phone number that can exist; without +, of the United Kingdom",
    "email": "recipient_contact_detail: must be an e-mail address",
    "field_empty": "is empty, and the text needs it",
    "duplicate_person": "is the same person as an earlier line",
    "reference_missing": "reference: is empty",
}
"""The rules a row can break, in words. The keys are the reasons in the journal and the results."""


@attrs.frozen
class BadRow:
    """A row that will not be sent, and why. No value of it."""

    line: int
    """The line of the file where the row starts, from 1; of other recipients, the position."""

    rule: str
    """A key of `RULES`."""

    column: str | None = None
    """The column that the text needs, for "field_empty"."""

    first_line: int | None = None
    """The earlier line of the same person, for "duplicate_person"."""

    @property
    def reason(self) -> str:
        """The code as it stands in the journal: "nhs_number", "field_empty:first_name"."""
        return self.rule if self.column is None else f"{self.rule}:{self.column}"

    def __str__(self) -> str:
        words = RULES[self.rule]
        if self.column is not None:
            words = f"{self.column}: {words}"
        if self.first_line is not None:
            words = f"is the same person as line {self.first_line}"
        return f"line {self.line}: {words}"


@hidden
@attrs.define(repr=False, eq=False)
class Recipient:
    """Whom a row is for."""

    practice: str
    patient_id: str | None = None
    nhs_number: str | None = None
    dob: date | None = None
    forename: str | None = None
    surname: str | None = None
    postcode: str | None = None
    contact: str | None = None

    @property
    def marks(self) -> tuple[str, ...] | None:
        """What tells the person apart before Hero's id is known; None where the row has nothing but that id."""
        if self.nhs_number is not None:
            return ("nhs", self.nhs_number)
        if self.surname is None or self.forename is None or self.postcode is None or self.dob is None:
            return None
        names = (" ".join(name.casefold().split()) for name in (self.forename, self.surname))
        return ("name", *names, self.dob.isoformat(), "".join(self.postcode.upper().split()))

    def __repr__(self) -> str:
        return "Recipient(***)"


def plain_name(name: str) -> str:
    """A column's name for comparing: case, spaces, hyphens and underscores do not matter."""
    return re.sub(r"[\s_-]+", "_", name.strip().casefold())


def read_dob(text: str, today: date) -> date | str:
    """A date of birth, or the key of the rule that it breaks."""
    if found := _ISO.fullmatch(text):
        year, month, day = int(found[1]), int(found[2]), int(found[3])
    elif found := _DAY_FIRST.fullmatch(text):
        year, month, day = int(found[4]), int(found[3]), int(found[1])
    elif found := _DAY_MONTH_NAME.fullmatch(text):
        year, month, day = int(found[3]), _MONTHS.get(found[2].lower(), 0), int(found[1])
    else:
        return "dob_format"
    try:
        dob = date(year, month, day)
    except ValueError:
        return "dob_format"
    return dob if dob <= today else "dob_future"


def is_email(text: str) -> bool:
    """Whether a text has the shape of an address."""
    return len(text) <= 254 and _EMAIL.fullmatch(text) is not None


def phone_check() -> Callable[[str], bool]:
    """A check for phone numbers; without a country code they are of the United Kingdom.

    Raises:
        MissingExtraError: The package phonenumberslite is not installed.
    """
    try:
        import phonenumbers
    except ImportError:
        raise MissingExtraError(
            "checking recipient_contact_detail needs the package phonenumberslite: pip install 'hero-health[cli]'"
        ) from None

    def check(text: str) -> bool:
        try:
            number = phonenumbers.parse(text, "GB")
        except phonenumbers.NumberParseException:
            return False
        return phonenumbers.is_valid_number(number) or _is_for_tests(number.country_code, number.national_number)

    return check


def _is_for_tests(country: int | None, number: int | None) -> bool:
    """Ofcom's range for drama, 07700 900000 to 900999: never given to anyone, so the package does not know it."""
    return country == 44 and number is not None and 7700900000 <= number <= 7700900999


class Layout:
    """Where a file keeps what, read once from its first line.

    Raises:
        InputError: A column is missing or ambiguous, or the text names a column that is not there.
        MissingExtraError: A column needs a package that is not installed.
    """

    __slots__ = ("_at", "_contact", "_dob_at", "_in_batches", "_needed", "_practice", "_today", "render", "width")

    def __init__(
        self,
        columns: Sequence[str],
        template: Template,
        *,
        channel: Channel,
        practice: str | None,
        today: date,
        extra_columns: Sequence[str] = (),
        route: Route = "personal",
    ) -> None:
        places = _places(columns)
        self.width: int = len(columns)
        self._today = today
        self._at = {role: place for role in _ALIASES if (place := _find(role, places)) is not None}
        self._dob_at = self._at.get("dob")
        self._practice = practice
        self._in_batches = route == "batch"
        self._check_columns(practice)
        self._contact = self._contact_check(channel)
        self._needed = [(name, _field_place(name, places)) for name in template.fields]
        self.render: Callable[[Sequence[str]], str] = template.bind(lambda name: _field_place(name, places))
        for name in extra_columns:
            if plain_name(name) not in places:
                raise InputError(f"needs a column {name}", line=1)

    def _check_columns(self, practice: str | None) -> None:
        ways = (("patient_id",), ("nhs_number", "dob"), ("forename", "surname", "dob", "postcode"))
        if self._in_batches:
            if "nhs_number" not in self._at or "dob" not in self._at:
                raise InputError("needs the columns nhs_number and dob on the batch route", line=1)
            if "recipient_contact_detail" in self._at:
                raise InputError("recipient_contact_detail cannot be used on the batch route", line=1)
        elif not any(all(role in self._at for role in way) for way in ways):
            raise InputError(
                "needs a column patient_id, or nhs_number and dob, or forename, surname, dob and postcode", line=1
            )
        if practice is None and "practice_group_id" not in self._at:
            raise InputError("needs a column practice_group_id, because the client has no practice_group_id", line=1)

    def _contact_check(self, channel: Channel) -> tuple[Callable[[str], bool], str] | None:
        if "recipient_contact_detail" not in self._at:
            return None
        if channel == "sms":
            return phone_check(), "phone"
        if channel == "email":
            return is_email, "email"
        raise InputError(f"recipient_contact_detail is for the channels sms and email, not {channel}", line=1)

    def _cell(self, role: str, cells: Sequence[str]) -> str:
        place = self._at.get(role)
        return "" if place is None else cells[place].strip()

    def read(self, line: int, cells: Sequence[str]) -> Recipient | BadRow:
        """The recipient of a row, or the rule that the row breaks."""
        if len(cells) != self.width:
            return BadRow(line, "columns")
        for name, place in self._needed:
            if not cells[place] or cells[place].isspace():
                return BadRow(line, "field_empty", column=name)
        practice = self._practice or ""
        if "practice_group_id" in self._at:
            practice = self._cell("practice_group_id", cells)
            if not practice:
                return BadRow(line, "practice_group_id_missing")
            if not _PRACTICE.fullmatch(practice):
                return BadRow(line, "practice_group_id_format")
        who = Recipient(practice)
        broken = self._read_identity(who, cells) or self._read_contact(who, cells)
        return who if broken is None else BadRow(line, broken)

    def _read_identity(self, who: Recipient, cells: Sequence[str]) -> str | None:
        nhs_number = self._cell("nhs_number", cells)
        if nhs_number:
            try:
                who.nhs_number = normalise_nhs_number(nhs_number)
            except ValueError:
                return "nhs_number"
        patient_id = self._cell("patient_id", cells)
        if patient_id:
            if not (patient_id.isascii() and patient_id.isdigit()):
                return "patient_id_not_digits"
            who.patient_id = patient_id
            if not self._in_batches:
                return None
        if self._in_batches and who.nhs_number is None:
            return "nhs_number_missing"
        return self._read_person(who, cells)

    def _read_person(self, who: Recipient, cells: Sequence[str]) -> str | None:
        if who.nhs_number is None:
            who.forename = self._cell("forename", cells)
            who.surname = self._cell("surname", cells)
            who.postcode = self._cell("postcode", cells)
            if not (who.forename and who.surname and who.postcode):
                return "identity_missing"
        text = "" if self._dob_at is None else cells[self._dob_at].strip()
        if not text:
            return "identity_missing" if who.nhs_number is None else "dob_missing"
        dob = read_dob(text, self._today)
        if isinstance(dob, str):
            return dob
        who.dob = dob
        return None

    def _read_contact(self, who: Recipient, cells: Sequence[str]) -> str | None:
        if self._contact is None:
            return None
        text = self._cell("recipient_contact_detail", cells)
        if not text:
            return None
        is_right, rule = self._contact
        if not is_right(text):
            return rule
        who.contact = text
        return None


def _places(columns: Sequence[str]) -> dict[str, int]:
    places: dict[str, int] = {}
    for place, column in enumerate(columns):
        name = plain_name(column)
        if not name:
            continue
        if name in places:
            raise InputError(f"columns {places[name] + 1} and {place + 1} have the same name", line=1)
        places[name] = place
    return places


def _find(role: str, places: Mapping[str, int]) -> int | None:
    if role in places:
        return places[role]
    found = [places[alias] for alias in _ALIASES[role] if alias in places]
    if len(found) > 1:
        one, two = sorted(found)[:2]
        raise InputError(f"columns {one + 1} and {two + 1} could both be {role}; name one of them {role}", line=1)
    return found[0] if found else None


def _field_place(name: str, places: Mapping[str, int]) -> int:
    place = places.get(plain_name(name))
    if place is None:
        raise InputError(f"text: the recipients have no column called {name!r}")
    return place
