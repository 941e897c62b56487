"""What a row says, rule by rule."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import date
from typing import Any

import pytest
from bulk_support import NHS_NUMBERS
from hypothesis import given
from hypothesis import strategies as st
from nhs_number import NhsNumber, is_valid

from hero_async.bulk.errors import InputError, MissingExtraError
from hero_async.bulk.rows import RULES, BadRow, Layout, Recipient, is_email, read_dob
from hero_async.bulk.template import Template

TODAY = date(2026, 1, 5)


def layout(columns: Sequence[str], text: str = "Hello", **changes: Any) -> Layout:
    given: dict[str, Any] = {"channel": "sms", "practice": "1", "today": TODAY}
    return Layout(columns, Template(text), **given | changes)


def read(columns: str, cells: str, text: str = "Hello", **changes: Any) -> Recipient | BadRow:
    return layout(columns.split("|"), text, **changes).read(7, cells.split("|"))


def test_the_test_numbers_are_of_the_range_for_tests_and_right() -> None:
    for number in NHS_NUMBERS:
        assert is_valid(number)
        assert NhsNumber(number).region_comment.startswith("Not to be issued")


@pytest.mark.parametrize(
    ("columns", "cells", "rule"),
    [
        ("patient_id", "12a", "patient_id_not_digits"),
        ("patient_id", "-12", "patient_id_not_digits"),
        ("patient_id", "١٢", "patient_id_not_digits"),
        ("patient_id", "", "identity_missing"),
        ("patient_id|x", "1", "columns"),
        ("patient_id|x", "1|2|3", "columns"),
        ("nhs_number|dob", "9990000019|1980-01-01", "nhs_number"),
        ("nhs_number|dob", "999000001|1980-01-01", "nhs_number"),
        ("nhs_number|dob", "999000001x|1980-01-01", "nhs_number"),
        ("patient_id|nhs_number|dob", "1|9990000019|", "nhs_number"),
        ("nhs_number|dob", "9990000018|", "dob_missing"),
        ("nhs_number|dob", "9990000018|1980-13-01", "dob_format"),
        ("nhs_number|dob", "9990000018|31/02/1980", "dob_format"),
        ("nhs_number|dob", "9990000018|1/2/80", "dob_format"),
        ("nhs_number|dob", "9990000018|2026-01-06", "dob_future"),
        ("nhs_number|dob", "|1980-01-01", "identity_missing"),
        ("forename|surname|dob|postcode", "A||1980-01-01|ZZ99 9ZZ", "identity_missing"),
        ("forename|surname|dob|postcode", "A|B||ZZ99 9ZZ", "identity_missing"),
        ("patient_id|practice_group_id", "1|", "practice_group_id_missing"),
        ("patient_id|practice_group_id", "1|4 2", "practice_group_id_format"),
        ("patient_id|recipient_contact_detail", "1|07700 90000", "phone"),
        ("patient_id|recipient_contact_detail", "1|sample@example.com", "phone"),
    ],
)
def test_a_row_that_breaks_a_rule(columns: str, cells: str, rule: str) -> None:
    found = read(columns, cells)
    assert found == BadRow(7, rule)
    assert str(found).startswith("line 7: ")
    for cell in cells.split("|"):
        assert len(cell) < 3 or cell not in str(found) + repr(found)


@pytest.mark.parametrize("cell", ["", "  ", "\t"])
def test_an_empty_cell_that_the_text_needs_makes_a_bad_row(cell: str) -> None:
    found = read("patient_id|First Name", f"1|{cell}", "Dear {first_name}")
    assert found == BadRow(7, "field_empty", column="first_name")
    assert str(found) == "line 7: first_name: is empty, and the text needs it"


def test_an_empty_cell_that_the_text_does_not_need_is_fine() -> None:
    assert isinstance(read("patient_id|first_name|notes", "1|Ann|", "Dear {first_name}"), Recipient)


@pytest.mark.parametrize(
    "columns",
    [
        "patient_id",
        "Patient ID",
        "PATIENT-ID",
        " patient_id ",
        "Patient  Id",
        "hero_patient_id",
    ],
)
def test_common_spellings_of_a_column_are_understood(columns: str) -> None:
    found = read(columns, " 12 ")
    assert isinstance(found, Recipient)
    assert found.patient_id == "12"


def test_the_three_ways_to_name_a_person() -> None:
    columns = "patient_id|NHS Number|Date of Birth|First name|Last name|Post code"
    by_id = read(columns, "12|||||")
    by_number = read(columns, "|999 000 0018|01/02/1980|||")
    by_name = read(columns, "||01-Feb-1980|Ann|Sample|zz99 9zz")
    assert isinstance(by_id, Recipient)
    assert isinstance(by_number, Recipient)
    assert isinstance(by_name, Recipient)
    assert (by_id.patient_id, by_id.nhs_number) == ("12", None)
    assert (by_number.patient_id, by_number.nhs_number, by_number.dob) == (None, "9990000018", date(1980, 2, 1))
    assert (by_name.forename, by_name.surname, by_name.dob) == ("Ann", "Sample", date(1980, 2, 1))


def test_a_name_is_the_same_person_however_it_is_spaced_and_cased() -> None:
    columns = "forename|surname|dob|postcode"
    one = read(columns, "Ann|Sample|1980-02-01|ZZ99 9ZZ")
    two = read(columns, " ANN |sample|01/02/1980|zz999zz")
    other = read(columns, "Ann|Sample|1980-02-02|ZZ99 9ZZ")
    assert isinstance(one, Recipient)
    assert isinstance(two, Recipient)
    assert isinstance(other, Recipient)
    assert one.marks == two.marks != other.marks


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ("first_name|notes", "needs a column patient_id, or nhs_number and dob"),
        ("nhs_number|first_name", "needs a column patient_id"),
        ("forename|surname|dob", "needs a column patient_id"),
        ("patient_id|a|A", "columns 2 and 3 have the same name"),
        ("patient_id|first name|first_name", "columns 2 and 3 have the same name"),
        ("nhs_number|date_of_birth|birth_date", "columns 2 and 3 could both be dob"),
    ],
)
def test_columns_that_cannot_be_used(columns: str, words: str) -> None:
    with pytest.raises(InputError, match=words) as failure:
        layout(columns.split("|"))
    assert failure.value.line == 1


def test_a_column_of_the_very_name_beats_its_other_spellings() -> None:
    found = read("nhs_number|dob|date_of_birth", "9990000018|1980-01-01|nonsense")
    assert isinstance(found, Recipient)
    assert found.dob == date(1980, 1, 1)


def test_a_field_that_no_column_has_is_refused_by_its_name_and_no_column_is_quoted() -> None:
    with pytest.raises(InputError, match="no column called 'first_nam'") as failure:
        layout(["patient_id", "9990000018"], "Dear {first_nam}")
    assert "9990000018" not in str(failure.value)


def test_a_client_without_a_practice_needs_the_column() -> None:
    with pytest.raises(InputError, match="needs a column practice_group_id"):
        layout(["patient_id"], practice=None)
    found = read("patient_id|practice_group_id", "1|42", practice=None)
    assert isinstance(found, Recipient)
    assert found.practice == "42"


@pytest.mark.parametrize("channel", ["hero", "nhs_app"])
def test_a_contact_is_refused_for_a_channel_that_has_none(channel: str) -> None:
    with pytest.raises(InputError, match="is for the channels sms and email"):
        layout(["patient_id", "recipient_contact_detail"], channel=channel)


@pytest.mark.parametrize(
    ("channel", "cell", "contact"),
    [
        ("sms", "07700 900123", "07700 900123"),
        ("sms", "+44 7700 900123", "+44 7700 900123"),
        ("sms", "+33 6 12 34 56 78", "+33 6 12 34 56 78"),
        ("sms", "  ", None),
        ("email", "sample@example.com", "sample@example.com"),
    ],
)
def test_a_contact_is_taken_as_it_is(channel: str, cell: str, contact: str | None) -> None:
    found = read("patient_id|recipient_contact_detail", f"1|{cell}", channel=channel)
    assert isinstance(found, Recipient)
    assert found.contact == contact


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("a@example.com", True),
        ("a.b+c@mail.example.co.uk", True),
        ("a@example", False),
        ("a@@example.com", False),
        ("a b@example.com", False),
        ("Sample <a@example.com>", False),
        ("a@example.com, b@example.com", False),
        ("@example.com", False),
        ("a@.com", False),
        ("a@example..com", False),
        ("a" * 250 + "@example.com", False),
    ],
)
def test_the_shape_of_an_address(text: str, right: bool) -> None:
    assert is_email(text) is right


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("1980-02-01", date(1980, 2, 1)),
        ("01/02/1980", date(1980, 2, 1)),
        ("1/2/1980", date(1980, 2, 1)),
        ("01-02-1980", date(1980, 2, 1)),
        ("01.02.1980", date(1980, 2, 1)),
        ("01-Feb-1980", date(1980, 2, 1)),
        ("1 feb 1980", date(1980, 2, 1)),
        ("29/02/1980", date(1980, 2, 29)),
        ("29/02/1981", "dob_format"),
        ("13/13/1980", "dob_format"),
        ("02/13/1980", "dob_format"),  # month first is never guessed
        ("01/02-1980", "dob_format"),
        ("01-Fex-1980", "dob_format"),
        ("19800201", "dob_format"),
        ("0000-01-01", "dob_format"),
        ("1980-02-01T00:00:00", "dob_format"),
        ("2026-01-05", TODAY),
        ("2026-01-06", "dob_future"),
    ],
)
def test_a_date_of_birth(text: str, found: date | str) -> None:
    assert read_dob(text, TODAY) == found


@given(st.dates(max_value=TODAY, min_value=date(1000, 1, 1)))
def test_every_date_is_read_back_in_each_form(day: date) -> None:
    for form in ("%Y-%m-%d", "%d/%m/%Y", "%d.%m.%Y", "%d-%m-%Y"):
        assert read_dob(day.strftime(form), TODAY) == day


@given(st.text())
def test_no_text_of_a_date_raises(text: str) -> None:
    assert isinstance(read_dob(text, TODAY), date | str)


@given(st.lists(st.text(), min_size=6, max_size=6))
def test_any_cells_are_a_recipient_or_a_bad_row_with_a_known_rule(cells: list[str]) -> None:
    names = ["patient_id", "nhs_number", "dob", "forename", "surname", "postcode"]
    found = layout(names).read(2, cells)
    assert isinstance(found, Recipient) or found.rule in RULES
    assert repr(found) == "Recipient(***)" or isinstance(found, BadRow)


def test_without_the_package_for_phones_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "phonenumbers", None)
    with pytest.raises(MissingExtraError, match=r"hero-health\[cli\]"):
        layout(["patient_id", "recipient_contact_detail"])
    layout(["patient_id"])
