"""Records carry what their text says as attributes, and nothing else of a call."""

import logging

import pytest
from scripted import PERSON, SMS, answer, loses

from hero_async import APIConnectionError

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("no_waiting")]


def fields(record):
    return {name: value for name, value in vars(record).items() if name.startswith("hero_")}


async def test_every_line_has_its_fields(server, connect, caplog):
    caplog.set_level(logging.DEBUG, "hero_async")
    hero = connect(api_key="canary")
    server.script(answer(429, headers=[("Retry-After", "20")]), loses("reset", processed=True))
    with pytest.raises(APIConnectionError) as failure:
        await hero.messages.send(**{**SMS, "message_string": "canary"})
    refused, cooling, again, lost, doubt = [one for one in caplog.records if one.name == "hero_async"]
    call = {"hero_operation": "messages.send", "hero_call_id": failure.value.call_id}
    first, second = {**call, "hero_attempt": 1}, {**call, "hero_attempt": 2}
    timed = fields(refused)
    assert timed.pop("hero_ms") >= 0
    assert timed == {**first, "hero_outcome": "status 429", "hero_delivery": "no"}
    waited = fields(cooling).pop("hero_wait")
    assert fields(cooling) == {"hero_operation": "messages.send", "hero_outcome": "status 429", "hero_wait": waited}
    assert fields(again) == {**first, "hero_outcome": "status 429", "hero_wait": waited}
    assert fields(lost)["hero_attempt"] == 2
    assert fields(doubt) == {**second, "hero_outcome": fields(lost)["hero_outcome"], "hero_delivery": "unknown"}
    assert doubt.levelno == logging.WARNING
    assert "canary" not in str([vars(one) for one in caplog.records])


async def test_what_may_be_repeated_is_no_warning(server, hero, caplog):
    caplog.set_level(logging.INFO, "hero_async")
    server.script(answer(500))
    await hero.patients.register_pds(**PERSON)
    assert [one.levelname for one in caplog.records] == ["INFO"]
