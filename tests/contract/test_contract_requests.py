"""What the client really sends, judged by openapi-core: at least fifty drawn calls of every operation."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from operator import attrgetter
from typing import Any

import contract_judge as judge
import pytest
from contract_draws import arguments
from contract_judge import Objection, Request
from differences import REQUESTS, Difference, unexplained
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hero_async import OPERATIONS, APIConnectionError, AsyncHero
from hero_async.pages import Pages
from hero_async.transport import Attempt, Loss

each = pytest.mark.parametrize("operation", OPERATIONS, ids=attrgetter("name"))

LEAST = 50


class Recorder:
    """Carries nothing anywhere: keeps what would have left."""

    def __init__(self) -> None:
        self.sent: list[Request] = []

    async def __call__(self, attempt: Attempt) -> Loss:
        await attempt.leave()
        self.sent.append(Request(attempt.verb, attempt.target, attempt.headers, attempt.body))
        return Loss("it was recorded", "wait")


Send = Callable[..., Request]


@pytest.fixture(scope="module")
def send() -> Iterator[Send]:
    """Call an operation and get the one request that left."""
    recorder = Recorder()
    with asyncio.Runner() as runner:
        hero = AsyncHero(
            api_key="test-key", practice_group_id="42", environment="staging", retries=0, transport=recorder
        )

        async def call(name: str, given: dict[str, Any], practice: str) -> None:
            view = hero.with_options(practice_group_id=practice)
            made = attrgetter(name)(view)(**given)
            with pytest.raises(APIConnectionError):
                await (made.first() if isinstance(made, Pages) else made)

        def request(name: str, given: dict[str, Any], practice: str = "42") -> Request:
            recorder.sent.clear()
            runner.run(call(name, given, practice))
            [sent] = recorder.sent
            return sent

        yield request
        runner.run(hero.close())


@each
def test_every_request_that_can_be_made_fits_the_contract(operation, send):
    judged = 0

    @settings(
        max_examples=LEAST,
        deadline=None,
        database=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
    )
    @given(arguments(operation), st.from_regex(r"[0-9]{1,9}", fullmatch=True))
    def check(drawn: dict[str, Any], practice: str) -> None:
        nonlocal judged
        request = send(operation.name, drawn, practice)
        assert unexplained(REQUESTS, operation.name, judge.of_request(request, operation.name)) == []
        assert judge.operation_of(request) == operation.name
        assert (request.body is not None) == (request.content_type == "application/json")
        judged += 1

    check()
    assert judged >= LEAST


@pytest.mark.parametrize("difference", REQUESTS, ids=lambda one: f"{one.operation} {one.field}")
def test_a_known_difference_is_there(difference: Difference, send):
    name, arguments = difference.shown_by
    objections = judge.of_request(send(name, arguments), name)
    assert any(difference.covers(name, one.field, one.rule) for one in objections)
    assert unexplained(REQUESTS, name, objections) == []


def test_the_list_of_differences_stays_short():
    assert len({difference.why for difference in REQUESTS}) <= 6


def request(verb: str, target: str, body: bytes | None = None, **headers: str) -> Request:
    signed = {"x-api-key": "k", "x-practice-group-id": "42"} | headers
    return Request(verb, target, signed | ({"content-type": "application/json"} if body is not None else {}), body)


GOOD = b'{"patient_id":"1","message_type":"sms","message_string":"x"%s}'


@pytest.mark.parametrize(
    "name, wrong, objection",
    [
        ("messages.send", request("POST", "/v1/messages/send", GOOD % b',"task_id":5'), Objection("task_id", "type")),
        ("messages.send", request("POST", "/v1/messages/send", GOOD % b',"new":5'), Objection("new", "undeclared")),
        ("messages.send", request("POST", "/v1/messages/send", b"{}"), Objection("", "required")),
        ("messages.send", request("POST", "/v1/messages/send"), Objection("", "MissingRequiredRequestBody")),
        ("messages.send", request("POST", "/v1/message/send", GOOD % b""), Objection("", "PathNotFound")),
        ("messages.get", request("PUT", "/v1/messages/5"), Objection("", "OperationNotFound")),
        ("forms.list", request("GET", "/v1/forms?reply_form=perhaps"), Objection("reply_form", "CastError")),
        ("forms.list", request("GET", "/v1/forms?form_type=x"), Objection("form_type", "enum")),
        ("forms.list", request("GET", "/v1/forms?new=1"), Objection("new", "undeclared")),
        ("episodes.list", request("GET", "/v1/episodes?status[]=x"), Objection("status[][]", "enum")),
        ("customers.list", request("GET", "/v1/invoicing/customers"), Objection("query", "MissingRequiredParameter")),
        (
            "invoices.create",
            request("POST", "/v1/invoicing/invoices", b'{"issuer_id":"1","coupons":[{"id":"1","x":2}]}'),
            Objection("coupons[].x", "undeclared"),
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_judge_sees_what_is_wrong(name, wrong, objection):
    assert objection in judge.of_request(wrong, name)


def test_the_judge_wants_both_credentials():
    unsigned = Request("GET", "/v1/coupons", {"x-api-key": "k"}, None)
    unsigned.path = "/v1/invoicing/coupons"
    assert [one.rule for one in judge.of_request(unsigned, "coupons.list")] == ["SecurityNotFound"]


def test_the_contract_is_valid_openapi():
    judge.validate()
