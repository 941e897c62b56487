"""Who may call, what is refused, and how."""

import subprocess
import sys

import pytest

from hero_async import OPERATIONS
from hero_async.sandbox import Quirks, Sandbox
from hero_async.sandbox.serving import HANDLERS, served_by

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    "headers, status",
    [
        ({"x-api-key": None}, 401),
        ({"x-practice-group-id": None}, 401),
        ({"x-api-key": "another"}, 401),
        ({"x-practice-group-id": "3"}, 403),
    ],
)
async def test_a_request_that_is_not_signed_right_is_refused_and_nothing_is_sent(raw, headers, status):
    answer = await raw.send(headers=headers)
    assert (answer.status, answer.json["statusCode"], answer.json["error"]) == (status, status, True)
    assert raw.sandbox.ledger.messages == ()
    assert [arrival.status for arrival in raw.sandbox.ledger.requests] == [status]


async def test_every_practice_group_of_the_key_may_be_named(raw):
    assert (await raw.send(headers={"x-practice-group-id": "2"})).status == 200
    (message,) = raw.sandbox.ledger.messages
    assert message.practice_group_id == "2"


GOOD = {"patient_id": "100001", "message_type": "sms", "message_string": "x"}
PERSON = {"dob": "1980-02-29", "first_name": "A", "last_name": "B", "mobile": "07700 900000"}
SMS = {"name": "n", "channel": "SMS", "content": "c"}
WHO = {"nhs_number": "9990000018", "dob": None}

BAD = [
    ("/v1/messages/send", GOOD | {"patient_id": "12a"}, ["patient_id"]),
    ("/v1/messages/send", GOOD | {"patient_id": 12}, ["patient_id"]),
    ("/v1/messages/send", GOOD | {"patient_id": "\u0661\u0662"}, ["patient_id"]),
    ("/v1/messages/send", GOOD | {"message_type": "SMS"}, ["message_type"]),
    ("/v1/messages/send", GOOD | {"message_string": ""}, ["message_string"]),
    ("/v1/messages/send", GOOD | {"write_to_record": "true"}, ["write_to_record"]),
    ("/v1/messages/send", GOOD | {"write_to_record": None}, ["write_to_record"]),
    ("/v1/messages/send", GOOD | {"encrypted": 1}, ["encrypted"]),
    ("/v1/messages/send", GOOD | {"assignee_id": "7"}, ["assignee_id"]),
    ("/v1/messages/send", GOOD | {"assignee_id": True}, ["assignee_id"]),
    ("/v1/messages/send", GOOD | {"fallback_message_type": "hero"}, ["fallback_message_type"]),
    ("/v1/messages/send", GOOD | {"send_at": "tomorrow"}, ["send_at"]),
    ("/v1/messages/send", GOOD | {"send_at": "2026-01-01"}, ["send_at"]),
    ("/v1/messages/send", {key: GOOD[key] for key in ("patient_id", "message_type")}, ["message_string"]),
    ("/v1/messages/send", [GOOD], []),
    ("/v1/patients/register_pds", {"dob": None}, ["nhs_number"]),
    ("/v1/patients/register_pds", {"nhs_number": "9990000018"}, ["dob"]),
    ("/v1/patients/register_pds", {"nhs_number": "9990000019", "dob": "1980-01-01"}, ["nhs_number"]),
    ("/v1/patients/register_pds", {"nhs_number": "9990000018", "dob": "1980-02-30"}, ["dob"]),
    ("/v1/patients/register_pds", {"nhs_number": "9990000018", "dob": "01/02/1980"}, ["dob"]),
    ("/v1/patients/register_pds", {"forename": "A", "surname": "B", "dob": "1980-01-01"}, ["postcode"]),
    ("/v1/patients/register", PERSON | {"title": "Wizard"}, ["title"]),
    ("/v1/patients/register", PERSON | {"mobile": ""}, ["mobile"]),
    ("/v1/patients/register", PERSON | {"dob": None}, ["dob"]),
    ("/v1/batch_message", SMS | {"recipients": []}, ["recipients"]),
    ("/v1/batch_message", SMS | {"recipients": "all"}, ["recipients"]),
    (
        "/v1/batch_message",
        SMS | {"recipients": [WHO, {"nhs_number": "1", "dob": None}]},
        ["recipients", 1, "nhs_number"],
    ),
    ("/v1/batch_message", SMS | {"recipients": [WHO, 7]}, ["recipients", 1]),
    ("/v1/batch_message", SMS | {"channel": "sms", "recipients": [WHO]}, ["channel"]),
    ("/v1/batch_message", SMS | {"channel": "EMAIL", "recipients": [WHO]}, ["subject"]),
]


@pytest.mark.parametrize("path, body, where", BAD, ids=[f"{path}-{where}" for path, _, where in BAD])
async def test_a_bad_body_is_answered_in_the_documented_shape_and_nothing_is_done(raw, path, body, where):
    answer = await raw("POST", path, json=body)
    assert answer.status == 400
    assert answer.json.keys() == {"error", "statusCode", "message"}
    assert (answer.json["error"], answer.json["statusCode"]) == (True, 400)
    assert [issue["path"] for issue in answer.json["message"]] == [where]
    for issue in answer.json["message"]:
        assert issue.keys() == {"code", "expected", "path"}
        assert isinstance(issue["code"], str)
        assert isinstance(issue["expected"], str)
    assert (raw.sandbox.ledger.messages, raw.sandbox.ledger.batches) == ((), ())


async def test_every_issue_is_told_at_once(raw):
    answer = await raw("POST", "/v1/messages/send", json={"patient_id": 1})
    assert sorted(issue["path"][0] for issue in answer.json["message"]) == [
        "message_string",
        "message_type",
        "patient_id",
    ]


@pytest.mark.parametrize("data", [b"{", b"", b'"\xff"', b"[" * 100_000])
async def test_a_body_that_is_no_json_is_a_400(raw, data):
    answer = await raw("POST", "/v1/messages/send", data=data, headers={"content-type": "application/json"})
    assert (answer.status, answer.json["message"][0]["path"]) == (400, [])


async def test_json_under_another_content_type_is_not_read(raw):
    answer = await raw("POST", "/v1/messages/send", data=b"{}", headers={"content-type": "text/plain"})
    assert (answer.status, answer.json["message"][0]["expected"]) == (400, "object")


@pytest.mark.parametrize("query", [{"page_size": "many"}, {"page_index": "-1"}, {"status": "SENT"}])
async def test_a_bad_query_is_a_400(raw, query):
    answer = await raw("GET", "/v1/batch_message", params=query)
    assert (answer.status, [issue["path"] for issue in answer.json["message"]]) == (400, [list(query)])


async def test_a_body_over_the_limit_is_a_413(raw):
    raw.sandbox.quirks = Quirks(max_body_bytes=200)
    assert (await raw.send()).status == 200
    assert (await raw.send(message_string="x" * 200)).status == 413
    assert len(raw.sandbox.ledger.messages) == 1


async def test_a_path_that_no_operation_has_is_a_404_and_is_noted(raw):
    assert (await raw("DELETE", "/v1/messages/send")).status == 404
    assert (await raw("GET", "/v9/other")).json["statusCode"] == 404
    assert [arrival.operation for arrival in raw.sandbox.ledger.requests] == ["unknown", "unknown"]


async def test_an_operation_without_a_handler_is_a_501(raw, connect, monkeypatch):
    assert served_by("access_tokens.create")
    monkeypatch.delitem(HANDLERS, "access_tokens.create")
    async with Sandbox(patients=1) as sandbox, connect(sandbox) as other:
        answer = await other("POST", "/v1/access_token")
        assert (answer.status, answer.json["statusCode"]) == (501, 501)
        assert sandbox.ledger.count("access_tokens.create", status=501) == 1


async def test_every_operation_is_served_and_nothing_else(raw):
    assert [operation.name for operation in OPERATIONS if served_by(operation.name) is None] == []
    assert HANDLERS.keys() == {operation.name for operation in OPERATIONS}
    assert len(HANDLERS) == 82


def test_a_subject_that_is_not_there_serves_nothing():
    assert served_by("crystal_balls.ask") is None


def test_a_subject_that_cannot_be_read_is_not_taken_for_one_that_is_not_there(monkeypatch):
    monkeypatch.setitem(sys.modules, "msgspec", None)
    monkeypatch.delitem(sys.modules, "hero_async.sandbox.subjects.access_tokens", raising=False)
    monkeypatch.delitem(HANDLERS, "access_tokens.create", raising=False)
    with pytest.raises(ModuleNotFoundError, match="msgspec"):
        served_by("access_tokens.create")


def test_no_subject_is_read_before_it_is_asked_for():
    code = (
        "import asyncio, sys\n"
        "from hero_async.sandbox import Sandbox\n"
        "async def main():\n"
        "    async with Sandbox(patients=1): pass\n"
        "asyncio.run(main())\n"
        "assert not [name for name in sys.modules if name.startswith('hero_async.sandbox.subjects.')]\n"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True, timeout=60)


async def test_an_access_token_is_its_own_each_time(raw):
    first = (await raw("POST", "/v1/access_token")).json["access_token"]
    second = (await raw("POST", "/v1/access_token")).json["access_token"]
    assert first != second
    assert first.count(".") == 2
