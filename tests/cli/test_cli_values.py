"""From the text of an argument to a value, by the parameter's hint; no refusal quotes the text."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from hero_async import NULL, OPERATIONS
from hero_async.api.batch_messages import BatchMessages, BatchRecipientByNhsNumber
from hero_async.api.messages import Messages
from hero_async.api.patients import Patients
from hero_async.cli.values import BadValue, describe, read_value

SEND = Messages.send.parameters
TRACE = Patients.register_pds.parameters
RECIPIENTS = BatchMessages.create.parameters["recipients"].hint
DAY = date(1990, 2, 20)


@pytest.mark.parametrize(
    ("hint", "text", "value"),
    [
        (SEND["message_string"].hint, "@home", "@home"),
        (SEND["message_string"].hint, "007", "007"),
        (SEND["message_type"].hint, "sms", "sms"),
        (SEND["write_to_record"].hint, "true", True),
        (SEND["write_to_record"].hint, "False", False),
        (SEND["encrypted"].hint, "true", True),
        (SEND["encrypted"].hint, "aes", "aes"),
        (SEND["assignee_id"].hint, "12", 12.0),
        (SEND["send_at"].hint, "2026-03-01T09:00:00Z", datetime(2026, 3, 1, 9, tzinfo=UTC)),
        (SEND["send_at"].hint, "tomorrow", "tomorrow"),
        (TRACE["dob"].hint, "1990-02-20", DAY),
        (TRACE["dob"].hint, "null", NULL),
        (TRACE["nhs_number"].hint, "999 834 3593", "999 834 3593"),
        (int | None, "-3", -3),
        (Sequence[str], "a", ["a"]),
        (Sequence[int] | None, "[1, 2]", [1, 2]),
        (dict[str, Any], '{"a": 1}', {"a": 1}),
        (
            RECIPIENTS,
            '[{"nhs_number": "9998343593", "dob": "1990-02-20"}, {"nhs_number": "9998739462", "dob": null}]',
            [
                BatchRecipientByNhsNumber(nhs_number="9998343593", dob=DAY),
                BatchRecipientByNhsNumber(nhs_number="9998739462", dob=NULL),
            ],
        ),
    ],
)
def test_a_text_becomes_what_the_operation_takes(hint: Any, text: str, value: Any) -> None:
    read = read_value([text], hint)
    assert read == value
    assert type(read) is type(value)


def test_an_argument_given_twice_is_a_list_where_a_list_is_meant() -> None:
    assert read_value(["a", "b"], Sequence[str]) == ["a", "b"]
    with pytest.raises(BadValue, match=r"^is given more than once$"):
        read_value(["a", "b"], SEND["message_string"].hint)


@pytest.mark.parametrize(
    ("hint", "text", "rule"),
    [
        (SEND["write_to_record"].hint, "Jane", "must be true|false"),
        (SEND["assignee_id"].hint, "Jane", "must be number"),
        (SEND["send_at"].hint, "2026-03-01T09:00:00", "must have a time zone, such as 2026-03-01T09:00:00Z"),
        (TRACE["dob"].hint, "20/02/1990", "must be YYYY-MM-DD or null"),
        (int | None, "3.5", "must be whole number"),
        (RECIPIENTS, "Jane", "must be JSON; @FILE reads a file"),
        (RECIPIENTS, "[Jane", "must be JSON; @FILE reads a file"),
        (RECIPIENTS, "@/nowhere/Jane.json", "the file cannot be read: No such file or directory"),
        (RECIPIENTS, '"Jane"', "must be a list at $"),
        (RECIPIENTS, '{"nhs_number": "Jane"}', "must be a list at $"),
        (RECIPIENTS, '[{"nhs_number": 9998343593, "dob": null}]', "must be text at $[0].nhs_number"),
        (RECIPIENTS, '[{"nhs_number": "Jane"}]', "a field is missing at $[0].dob"),
        (RECIPIENTS, '[{"nhs_number": "1", "dob": "Jane"}]', "must be YYYY-MM-DD or null at $[0].dob"),
        (RECIPIENTS, '[{"nhs_number": "1", "dob": null, "Jane": 1}]', "has a field that is not known at $[0]"),
        (Sequence[str], '["Jane", 5]', "must be text at $[1]"),
        (Sequence[int], '["Jane"]', "must be whole number at $[0]"),
    ],
)
def test_a_text_that_does_not_fit_is_refused_by_its_rule(hint: Any, text: str, rule: str) -> None:
    with pytest.raises(BadValue) as refused:
        read_value([text], hint)
    assert str(refused.value) == rule
    assert refused.value.__context__ is None
    assert "Jane" not in str(refused.value)


def test_json_is_read_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "recipients.json"
    file.write_text('[{"nhs_number": "9998343593", "dob": "1990-02-20"}]')
    [recipient] = read_value([f"@{file}"], RECIPIENTS)
    assert recipient.dob == DAY


@pytest.mark.parametrize(
    ("operation", "name"),
    [(operation, name) for operation in OPERATIONS for name in operation.parameters],
    ids=lambda value: getattr(value, "name", value),
)
def test_every_argument_of_every_operation_can_be_described(operation: Any, name: str) -> None:
    assert "<" not in describe(operation.parameters[name].hint)
