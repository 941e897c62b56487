"""An operation as Python sees it: signature, help, names, pickle; bound to a client, and on the class."""

from __future__ import annotations

import asyncio
import inspect
import pickle
import pydoc
import re
from collections.abc import Coroutine
from operator import attrgetter
from typing import Any

import pytest
from core_support import CANARY, least, name_of

from hero_async import OPERATIONS, AsyncHero, Pages
from hero_async import operations as op
from hero_async.api.batch_messages import BatchMessages
from hero_async.api.messages import Messages, SentMessage
from hero_async.calls import AnyOperation
from hero_async.operations import Listing, Resource
from hero_async.resources import Async, Mode, Resources
from hero_async.transport import Attempt, Reply
from hero_sync import Hero, SyncPages

every_operation = pytest.mark.parametrize("operation", OPERATIONS, ids=name_of)
SETTINGS: dict[str, Any] = {"api_key": "key", "practice_group_id": "1", "environment": "staging"}


def on_class(operation: AnyOperation) -> Any:
    hero = AsyncHero(**SETTINGS)
    subject, _, method = operation.name.partition(".")
    return getattr(type(getattr(hero, subject)), method)


@every_operation
def test_an_operation_is_found_by_its_name(operation: AnyOperation) -> None:
    assert attrgetter(operation.name)(AsyncHero(**SETTINGS)).operation is operation
    assert attrgetter(operation.name)(Hero(**SETTINGS)).operation is operation
    assert on_class(operation) is operation


@every_operation
@pytest.mark.parametrize("client", [AsyncHero, Hero])
def test_the_signature_is_the_one_that_was_written(operation: AnyOperation, client: Any) -> None:
    written = inspect.signature(operation.function, eval_str=True)
    bound = attrgetter(operation.name)(client(**SETTINGS))
    unbound: Any = operation
    assert inspect.signature(unbound) == written
    assert next(iter(written.parameters)) == "self"
    assert inspect.signature(bound) == written.replace(parameters=list(written.parameters.values())[1:])
    assert list(inspect.signature(bound).parameters) == list(operation.parameters)
    assert not any(isinstance(of.annotation, str) for of in inspect.signature(bound).parameters.values())


@every_operation
def test_names_and_docs_are_those_of_the_method(operation: AnyOperation) -> None:
    bound = attrgetter(operation.name)(AsyncHero(**SETTINGS))
    for one in (operation, bound):
        assert one.__name__ == operation.name.rpartition(".")[2]
        assert one.__qualname__ == operation.function.__qualname__
        assert one.__module__ == operation.function.__module__
        assert inspect.getdoc(one) == inspect.getdoc(operation.function)
        assert repr(one) == f"<operation {operation.name}: {operation.verb} {operation.path}>"
        assert callable(one)


@every_operation
def test_help_shows_signature_and_docs(operation: AnyOperation) -> None:
    bound = attrgetter(operation.name)(AsyncHero(**SETTINGS))
    for one in (operation, bound):
        text = pydoc.plain(pydoc.render_doc(one))
        assert (inspect.getdoc(operation.function) or "").splitlines()[0] in text
        heading = re.search(rf"^{operation.function.__name__}\((.*)\)", text, re.MULTILINE)
        assert heading is not None
        assert all(re.search(rf"\b{name}: ", heading[1]) for name in operation.parameters)
        assert ("self" in heading[1]) is (one is operation)


def test_help_of_a_resource_shows_its_operations() -> None:
    text = pydoc.plain(pydoc.render_doc(AsyncHero(**SETTINGS).messages))
    assert re.search(r"^ \|  send\(self, \*, patient_id", text, re.MULTILINE)
    assert "There is no idempotency key" in text


@every_operation
def test_an_operation_travels_as_itself(operation: AnyOperation) -> None:
    assert pickle.loads(pickle.dumps(operation)) is operation  # noqa: S301  # our own bytes


@every_operation
def test_an_operation_on_the_class_needs_a_client(operation: AnyOperation) -> None:
    unbound: Any = on_class(operation)
    with pytest.raises(TypeError, match=rf"^{operation.name}\(\) needs a client: hero.{operation.name}\(…\)$"):
        unbound(**least(operation))


@every_operation
def test_build_is_the_same_from_the_class_and_from_both_clients(operation: AnyOperation) -> None:
    arguments = least(operation)
    calls = [
        one.build(**arguments)
        for one in (
            on_class(operation),
            attrgetter(operation.name)(AsyncHero(**SETTINGS)),
            attrgetter(operation.name)(Hero(**SETTINGS)),
        )
    ]
    assert len({(call.target, call.body, call.operation.name) for call in calls}) == 1


@every_operation
def test_what_a_call_gives_before_it_is_awaited(operation: AnyOperation) -> None:
    sent: list[Attempt] = []

    async def transport(attempt: Attempt) -> Reply:
        sent.append(attempt)
        return Reply(500, {}, b"")

    async def start() -> None:
        async with AsyncHero(**SETTINGS, transport=transport) as hero:
            begun = attrgetter(operation.name)(hero)(**least(operation))
            if isinstance(operation, Listing):
                assert isinstance(begun, Pages)
                assert repr(begun) == "Pages(***)"
            else:
                assert isinstance(begun, Coroutine)
                begun.close()

    asyncio.run(start())
    assert sent == []
    if isinstance(operation, Listing):
        pages = attrgetter(operation.name)(Hero(**SETTINGS, transport=transport))(**least(operation))
        assert isinstance(pages, SyncPages)
        assert repr(pages) == "SyncPages(***)"
        assert sent == []


def test_a_bound_operation_is_made_once_a_client() -> None:
    one, other = AsyncHero(**SETTINGS), AsyncHero(**SETTINGS)
    assert one.messages is one.messages
    assert one.messages.send is one.messages.send
    assert one.messages.send is not other.messages.send
    assert repr(one.messages) == "<Messages>"


def test_a_view_has_resources_of_its_own() -> None:
    hero = AsyncHero(**SETTINGS)
    first = hero.messages
    view = hero.with_options(practice_group_id="2")
    assert view.messages is not first
    assert view.settings.practice_group_id == "2"
    assert hero.settings.practice_group_id == "1"
    assert hero.messages is first


def test_a_listing_asks_for_another_page_with_the_same_arguments() -> None:
    call = BatchMessages.recipients.build("77", page_size=5, status="CREATED")
    assert call.target == "/v1/batch_message/77/recipients?page_size=5&status=CREATED"
    other = BatchMessages.recipients.page(call, 3)
    assert other.target == "/v1/batch_message/77/recipients?page_size=5&status=CREATED&page_index=3"
    assert BatchMessages.recipients.page(call, None) is call
    assert BatchMessages.recipients.page(other, 3) is other
    assert BatchMessages.recipients.page(other, 4).target.endswith("page_index=4")
    assert BatchMessages.recipients.is_paged


def test_a_call_holds_but_does_not_show_what_it_sends() -> None:
    call = Messages.send.build(patient_id="1", message_type="sms", message_string=CANARY)
    assert CANARY.encode() in (call.body or b"")
    assert CANARY not in f"{call} {call!r}"


def test_the_idempotence_of_a_verb_is_not_guessed() -> None:
    declared = {name: getattr(op, name)("/v1/x", id="x") for name in ("get", "post", "put", "patch", "delete")}

    def function(self: Any) -> SentMessage:
        raise NotImplementedError

    told = {name: declare(function).idempotent for name, declare in declared.items()}
    assert told == {"get": True, "post": False, "put": False, "patch": False, "delete": False}


# Flows


class Greetings(Resource[Mode]):
    """A subject made for this test."""

    @op.flow
    async def greet(self: Greetings[Async], name: str, *, times: int = 1) -> str:
        """Say hello.

        Args:
            name: To whom.
            times: How often.
        """
        return " ".join([f"hello {name}"] * times)


def test_a_flow_keeps_signature_and_docs() -> None:
    resources: Resources[Async] = AsyncHero(**SETTINGS)
    bound = Greetings(resources).greet
    assert str(inspect.signature(bound)) == "(name: str, *, times: int = 1) -> str"
    assert inspect.getdoc(bound) == inspect.getdoc(Greetings.greet)
    assert bound.__name__ == "greet"
    assert "Say hello." in pydoc.plain(pydoc.render_doc(bound))


def test_a_flow_runs_in_both_worlds() -> None:
    async def run() -> str:
        async with AsyncHero(**SETTINGS) as hero:
            return await Greetings(hero).greet("you", times=2)

    assert asyncio.run(run()) == "hello you hello you"
    with Hero(**SETTINGS) as hero:
        assert Greetings(hero).greet("you") == "hello you"
