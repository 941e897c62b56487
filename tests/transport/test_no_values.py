"""Keys, names, numbers and texts appear in no log, error, span or traceback, whatever goes wrong."""

import asyncio
import logging
from datetime import date

import pytest
from scripted import ScriptedServer, answer, head, loses, says, turns
from showing import Watch

import hero_sync
from hero_async import APIStatusError, AsyncHero, ConfigurationError, HeroError, InvalidArgumentError
from hero_async.api.batch_messages import BatchRecipientByNhsNumber

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("no_waiting")]

KEY = "canary-key-5d41402a"
ID = "770077007700"
NAME = "Canaryname"
TEXT = "canary text of a message"
PHONE = "07700900123"
NHS = "9990000018"
HEADER = "canary-header"
BORN = date(1931, 7, 19)
CANARIES = [KEY, ID, NAME, TEXT, PHONE, NHS, HEADER, BORN.isoformat(), "1931, 7, 19"]

ECHO = f'{{"message_id": null, "patient_id": "{ID}", "content": "{TEXT}", "name": "{NAME}", "of": "{NHS} {PHONE}"}}'
ISSUES = (
    f'{{"error": true, "statusCode": 400, "message": [{{"code": "{TEXT}", "expected": "{NAME}",'
    f' "path": ["{NHS}", "{NAME}", 7, "dob"]}}]}}'
)
WATCH = Watch(CANARIES)
found_in, check, shown_by_rich = WATCH.found_in, WATCH.check, WATCH.shown_by_rich


def calls(hero):
    """Every operation, with a canary wherever one fits."""
    person = {"nhs_number": NHS, "dob": BORN, "forename": NAME, "surname": NAME, "postcode": PHONE}
    recipient = BatchRecipientByNhsNumber(nhs_number=NHS, dob=BORN)
    return [
        lambda: hero.messages.send(
            patient_id=ID, message_type="sms", message_string=TEXT, recipient_contact_detail=PHONE
        ),
        lambda: hero.messages.send.raw(patient_id=ID, message_type="sms", message_string=TEXT),
        lambda: hero.messages.get(ID),
        lambda: hero.patients.register_pds(**person),
        lambda: hero.patients.register(dob=BORN, first_name=NAME, last_name=NAME, mobile=PHONE, nhs_number=NHS),
        lambda: hero.patients.list(first_name=NAME, nhs_number=NHS).first(),
        lambda: hero.patients.list(last_name=NAME).collect(),
        lambda: hero.batch_messages.create(name=NAME, channel="SMS", content=TEXT, recipients=[recipient]),
        lambda: hero.request("POST", f"/v1/{ID}", query={"name": NAME}, json={"text": TEXT}),
    ]


ANSWERS = {
    "good": answer(),
    "400 with issues": answer(400, ISSUES.encode()),
    "401": answer(401, ECHO.encode()),
    "404": answer(404, ECHO.encode()),
    "429": answer(429, ECHO.encode()),
    "500": answer(500, ECHO.encode(), [("X-Request-Id", f"{NAME} {TEXT}")]),
    "a redirect": answer(302, b"", [("Location", f"https://{NAME}.example/?{NHS}")]),
    "unreadable": answer(200, ECHO.encode()),
    "no JSON": answer(200, TEXT.encode()),
    "cut": says(head(200, length=5000) + ECHO.encode()),
    "garbage": says(f"{TEXT} {NHS}\r\n\r\n".encode()),
    "garbage in a header": says(f"HTTP/1.1 200 OK\r\nX {NAME}\r\n\r\n".encode()),
    "reset": loses("reset", processed=True),
}


@pytest.fixture
def everything_is_logged(caplog):
    """All loggers at DEBUG; asyncio's too."""
    caplog.set_level(logging.DEBUG)
    yield
    records = caplog.get_records("call")  # `records` alone are those of the teardown: none
    for record in records:
        assert not found_in(record.getMessage() + repr(record.args) + str(record.exc_info)), record.name


@pytest.fixture
def client(connect):
    return lambda **options: connect(**{"api_key": KEY, "headers": {"X-Trace": HEADER}, **options})


@pytest.mark.parametrize("step", ANSWERS.values(), ids=ANSWERS)
async def test_no_value_is_shown_whatever_the_server_answers(server, client, step, everything_is_logged, caplog):
    asyncio.get_running_loop().set_debug(True)
    server.otherwise = step
    hero = client()
    errors = []
    for call in calls(hero):
        try:
            value = await call()
        except (HeroError, TypeError) as error:
            errors.append(error)
        else:
            assert type(value) is dict or set(found_in(repr(value))) <= {ID}  # an id may stand in a repr
    assert len(server.arrivals) >= 9
    assert any(record.name == "hero_async" for record in caplog.records)
    assert bool(errors) or step is ANSWERS["good"]
    for error in errors:
        check(error)
    assert not found_in(
        repr(hero)
        + repr(hero.settings)
        + repr(hero.messages.send.build(patient_id=ID, message_type="sms", message_string=TEXT))
    )


async def test_no_value_is_shown_when_nothing_can_be_reached(client, closed_port, everything_is_logged):
    for base_url in (f"http://127.0.0.1:{closed_port}", "https://canaryname.invalid"):
        for call in calls(client(base_url=base_url, retries=0)):
            with pytest.raises(HeroError) as raised:
                await call()
            check(raised.value)


async def test_no_value_is_shown_of_an_answer_over_the_cap(server, client, everything_is_logged):
    server.otherwise = answer(200, ECHO.encode() * 10)
    for call in calls(client(max_response_bytes=len(ECHO))):
        with pytest.raises(HeroError) as raised:
            await call()
        check(raised.value)


@pytest.mark.parametrize("part", [b"", head(200, length=5000) + ECHO.encode()])
async def test_no_value_is_shown_of_a_call_that_is_cut_off(server, client, loop_time, part, everything_is_logged):
    async def drip(peer, arrival):
        await peer.send(part)
        await turns()
        await peer.send(ECHO.encode() if part else b"")
        await peer.gone()

    server.otherwise = drip
    hero = client()
    for number, call in enumerate(calls(hero)):
        task = asyncio.ensure_future(call())
        await server.has_arrived(len(server.arrivals) + 1)
        await turns(60)
        if number % 2:
            loop_time.advance(31)
        else:
            task.cancel()
        await asyncio.wait([task])
        try:
            task.result()
        except (HeroError, asyncio.CancelledError) as error:
            check(error)
        else:
            pytest.fail("it was not cut off")


async def test_no_value_is_shown_when_a_guard_raises(client, everything_is_logged):
    async def guard():
        raise OSError("disk full")

    hero = client()
    for build in (
        lambda: hero.messages.send.build(patient_id=ID, message_type="sms", message_string=TEXT),
        lambda: hero.patients.register_pds.build(nhs_number=NHS, dob=BORN),
        lambda: hero.patients.list.build(first_name=NAME),
    ):
        with pytest.raises(OSError, match="disk full") as raised:
            await hero.execute(build(), guard=guard)
        check(raised.value)


async def test_no_value_is_shown_of_arguments_that_are_refused(client, everything_is_logged):
    hero = client()
    for call in (
        lambda: hero.messages.send(patient_id=NAME, message_type="sms", message_string=TEXT),
        lambda: hero.messages.send(patient_id=ID, message_type=TEXT, message_string=TEXT),
        lambda: hero.messages.send.build(patient_id=ID, message_type="sms", message_string=7, task_id=TEXT),
        lambda: hero.patients.register_pds(nhs_number="999" + PHONE, dob=BORN),
        lambda: hero.patients.register_pds(forename=NAME),
        lambda: hero.messages.get(f"../{NAME}\n"),
        lambda: hero.request("GET", f"/v1/../{NAME}"),
        lambda: hero.request("GET", "/v1/x", query={"a": object(), "b": NAME}),
    ):
        with pytest.raises(InvalidArgumentError) as raised:
            call()
        check(raised.value)


async def test_no_key_is_shown_when_a_new_one_is_refused(server, client, everything_is_logged, tmp_path):
    server.otherwise = answer(401)
    path = tmp_path / "key"
    path.write_text(f"{KEY} {KEY}")
    for source in (lambda: KEY, lambda: f"{KEY}\n{KEY}", lambda: KEY.encode(), path):
        with pytest.raises((APIStatusError, ConfigurationError)) as raised:
            await client(api_key=source).messages.get("1")
        check(raised.value)


@pytest.mark.parametrize("cls", [AsyncHero, hero_sync.Hero])
@pytest.mark.parametrize(
    "wrong",
    [
        {"base_url": "ftp://x"},
        {"environment": "moon"},
        {"timeout": -1},
        {"api_key": f"{KEY}\n"},
        {"headers": {"x-api-key": HEADER}},
        {"proxy": f"ftp://{NAME}:{KEY}@x"},
        {"practice_group_id": "1 2"},
    ],
    ids=lambda wrong: next(iter(wrong)),
)
def test_no_key_is_shown_when_a_client_cannot_be_made(cls, wrong):
    options = {"api_key": KEY, "practice_group_id": "1", "headers": {"X-Trace": HEADER}, **wrong}
    if not {"base_url", "environment"} & wrong.keys():
        options["environment"] = "staging"
    with pytest.raises(ConfigurationError) as raised:
        cls(**options)
    check(raised.value)


def blocking_errors(server):
    """What goes wrong in the blocking world."""
    with server.running_in_thread(), hero_sync.Hero(api_key=KEY, practice_group_id="1", base_url=server.url) as hero:
        person = {"nhs_number": NHS, "dob": BORN}
        for call in (
            lambda: hero.messages.send(patient_id=ID, message_type="sms", message_string=TEXT),
            lambda: hero.patients.register_pds.raw(**person),
            lambda: hero.patients.register(dob=BORN, first_name=NAME, last_name=NAME, mobile=PHONE),
            lambda: hero.patients.list(first_name=NAME).first(),
            lambda: next(iter(hero.patients.list(first_name=NAME))),
            lambda: hero.request("POST", f"/v1/{ID}", query={"name": NAME}, json={"text": TEXT}, into=list),
        ):
            with pytest.raises(HeroError) as raised:
                call()
            yield raised.value


@pytest.fixture
def outside():
    """A server that runs on a thread of its own when it is told to."""
    return asyncio.run(made())


async def made():
    return ScriptedServer()


@pytest.mark.parametrize("step", [answer(500, ECHO.encode()), answer(200, TEXT.encode())])
def test_no_value_is_shown_in_the_blocking_world(outside, step):
    outside.otherwise = step
    for error in blocking_errors(outside):
        check(error)


@pytest.mark.parametrize("step", [answer(500, ECHO.encode()), answer(200, TEXT.encode())])
def test_no_value_is_shown_by_rich(outside, step):
    outside.otherwise = step
    shown = [text for error in blocking_errors(outside) for text in shown_by_rich(error)]
    assert shown
    assert [text for text in shown if found_in(text)] == []
