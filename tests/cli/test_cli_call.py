"""Any operation by its name: JSON out, one line of error, no value in it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import attrs
import pytest
from cli_support import KEY, Hero

from hero_async import OPERATIONS
from hero_async.sandbox import RateLimited, Reset, Sandbox, Status


def test_the_answer_is_the_body_as_it_came(hero: Hero, sandbox: Sandbox) -> None:
    patient = sandbox.patients[3]
    sandbox.quirks = attrs.evolve(sandbox.quirks, extra_fields=True)
    ran = hero("call", "patients.register_pds", "--nhs-number", patient.nhs_number, f"--dob={patient.dob}")
    assert (ran.code, ran.err) == (0, "")
    assert ran.json["patient_id"] == patient.patient_id
    assert "sandbox_extra" in ran.json  # no model stands between the server and the user


def test_arguments_are_converted_and_sent(hero: Hero, sandbox: Sandbox) -> None:
    patient = sandbox.patients[0]
    ran = hero(
        *("call", "messages.send", "--patient-id", patient.patient_id, "--message-type", "sms"),
        *("--message-string=-- see you at 9", "--write-to-record", "--send-at", "2026-03-01T10:00:00+01:00"),
    )
    assert ran.code == 0
    assert [message.text for message in sandbox.ledger.messages] == ["-- see you at 9"]
    assert ran.json["write_to_record"] is True
    assert ran.json["send_at"] == "2026-03-01T09:00:00Z"


def test_nested_arguments_are_json(hero: Hero, sandbox: Sandbox, tmp_path: Path) -> None:
    people = [{"nhs_number": one.nhs_number, "dob": str(one.dob)} for one in sandbox.patients[:2]]
    file = tmp_path / "people.json"
    file.write_text(json.dumps(people))
    ran = hero(
        *("call", "batch_messages.create", "--name", "flu", "--channel", "SMS", "--content", "Hello"),
        *("--recipients", f"@{file}"),
    )
    assert ran.code == 0
    assert sandbox.ledger.batches[0].recipients == 2


def test_a_list_gives_its_first_page_or_all_items_by_line(hero: Hero, sandbox: Sandbox) -> None:
    sandbox.quirks = attrs.evolve(sandbox.quirks, default_page_size=2)
    name = sandbox.patients[0].first_name
    wanted = {one.patient_id for one in sandbox.patients if one.first_name == name}
    first = hero("call", "patients.list", "--first-name", name)
    assert len(first.json["data"]) == 2
    every = hero("call", "patients.list", "--first-name", name, "--all")
    found = [json.loads(line)["hero_id"] for line in every.out.splitlines()]
    assert len(found) == len(wanted) == 4
    assert {*found} == wanted


def test_dashes_and_underscores_name_the_same_operation(hero: Hero, sandbox: Sandbox) -> None:
    assert hero("call", "access-tokens.create").json["access_token"]


def test_list_names_every_operation(hero: Hero) -> None:
    assert [one["name"] for one in hero("call", "--list", "--json").json] == [one.name for one in OPERATIONS]
    shown = hero("call", "--list").out
    assert all(one.name in shown for one in OPERATIONS)
    assert max(map(len, shown.splitlines())) <= 80


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_every_operation_has_help_that_fits_into_80_columns(hero: Hero, operation: object) -> None:
    name: str = getattr(operation, "name")  # noqa: B009  # typed as object: any operation
    ran = hero("call", name, "--help")
    assert ran.code == 0
    assert max(map(len, ran.out.splitlines())) <= 80
    for parameter in getattr(operation, "parameters"):  # noqa: B009
        assert re.search(rf"^--{parameter.replace('_', '-')}( \*)? ", ran.out, re.MULTILINE)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["messages.sned"], "OPERATION: there is no operation 'messages.sned' (hint: did you mean messages.send?)"),
        (["nothing"], "'hero call --list' shows them"),
        (["messages.get"], "--id: is missing"),
        (["messages.get", "77"], "arguments of messages.get are given by name"),
        (["messages.get", "--id"], "--id: needs a value"),
        (["messages.get", "--idd", "7"], "--idd: messages.get has no such argument (hint: did you mean --id?)"),
        (["messages.get", "--id", "7", "--all"], "--all: is for operations that list; messages.get does not"),
        (["messages.get", "--id", ".."], "id: must be 1 to 256 characters"),
        (["patients.register_pds", "--dob", "5/6/1980", "--nhs-number", "1"], "--dob: must be YYYY-MM-DD or null"),
        (["patients.register_pds", "--dob", "1980-06-05"], "needs nhs_number and dob"),
        (["patients.list", "--nhs-number", "9434765918"], "nhs_number: must be an NHS number"),
        (["patients.list"], "needs first_name; or last_name"),
    ],
)
def test_a_call_that_cannot_be_made_is_one_line_and_sends_nothing(
    hero: Hero, sandbox: Sandbox, words: list[str], said: str
) -> None:
    ran = hero("call", *words)
    assert (ran.code, ran.out) == (2, "")
    assert said in ran.error
    assert "9434765918" not in ran.err
    assert "5/6/1980" not in ran.err
    assert sandbox.ledger.requests == ()


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (Status(401), "the key was not accepted"),
        (Status(403), "the key may not do this"),
        (Status(404), "there is no such thing"),
        (Status(503), "it may have been processed: look before you repeat it"),
        (Reset(after_processing=True), "it may have been processed: look before you repeat it"),
        (Status(200, body=b"nonsense"), "cannot be read"),
    ],
    ids=str,
)
def test_an_error_of_the_api_is_one_line_and_code_1(hero: Hero, sandbox: Sandbox, fault: object, said: str) -> None:
    sandbox.faults.add("messages.send", fault)  # type: ignore[arg-type]  # a Fault, as the table has it
    patient = sandbox.patients[0]
    ran = hero(
        *("call", "messages.send", "--patient-id", patient.patient_id, "--message-type", "sms"),
        *("--message-string", "Your result is in"),
    )
    assert (ran.code, ran.out) == (1, "")
    assert said in ran.error
    assert "Traceback" not in ran.err
    assert "result" not in ran.err
    assert KEY not in ran.err
    assert len(sandbox.ledger.requests) == 1  # never repeated


def test_a_refusal_of_the_rate_limit_is_waited_for(hero: Hero, sandbox: Sandbox) -> None:
    sandbox.faults.add("messages.send", RateLimited(retry_after=0))
    ran = hero(
        *("call", "messages.send", "--patient-id", sandbox.patients[0].patient_id),
        *("--message-type", "sms", "--message-string", "Hello"),
    )
    assert ran.code == 0
    assert len(sandbox.ledger.messages) == 1


def test_a_key_comes_from_a_file_and_never_from_the_command_line(
    hero: Hero, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("HERO_API_KEY")
    file = tmp_path / "key"
    file.write_text(KEY + "\n")
    assert hero("call", "access_tokens.create", "--api-key-file", file).code == 0
    ran = hero("call", "access_tokens.create", "--api-key", KEY)
    assert ran.code == 2
    assert KEY not in ran.err


def test_without_a_key_the_line_says_how_to_give_one(
    hero: Hero, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HERO_API_KEY")
    ran = hero("call", "access_tokens.create")
    assert ran.code == 2
    assert "HERO_API_KEY" in ran.error
    assert "--api-key-file" in ran.error
