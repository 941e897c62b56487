"""Every operation, called in both worlds; and every example of the contract, sent or read."""

from __future__ import annotations

import json
import re
from datetime import datetime
from operator import attrgetter
from typing import Any

import pytest
from api_hints import arguments, from_json, is_page
from api_reference import documented, examples, request_examples, resolve, sample
from api_scripted import Script, async_world, blocking_world

from hero_async import NULL, OPERATIONS, InvalidArgumentError
from hero_async.codec import read

each = pytest.mark.parametrize("operation", OPERATIONS, ids=attrgetter("name"))
BY_NAME = {operation.name: operation for operation in OPERATIONS}


def method(hero: Any, name: str) -> Any:
    return attrgetter(name)(hero)


@each
@pytest.mark.parametrize("full", [True, False], ids=["all arguments", "fewest arguments"])
def test_an_operation_is_called_alike_in_both_worlds(operation, full):
    contract = documented()[operation.name]
    made = arguments(operation, full=full)
    answer = (200, sample(contract.answer, full=True))
    scripts = [Script(answer), Script(answer)]
    values = [
        world(script, lambda hero: method(hero, operation.name)(**made))
        for world, script in zip((async_world, blocking_world), scripts, strict=True)
    ]
    assert values[0] == values[1]
    assert scripts[0].seen == scripts[1].seen
    [seen] = scripts[0].seen
    path, _, query = seen.target.partition("?")
    assert seen.verb == contract.verb
    assert path == contract.path.format(id="text", gmc_number="text")
    keys = {pair.partition("=")[0] for pair in query.split("&")} if query else set()
    wires = {of.wire for of in operation.parameters.values() if of.name in made and of.place == "query"}
    assert keys == wires
    if contract.body is None:
        assert seen.body is None
    else:
        assert seen.body.keys() == {
            of.wire for of in operation.parameters.values() if of.name in made and of.place == "body"
        }


@each
def test_the_raw_answer_holds_the_value_and_the_body(operation):
    answer = sample(documented()[operation.name].answer, full=True)
    made = arguments(operation, full=False)
    response = async_world(Script((200, answer)), lambda hero: method(hero, operation.name).raw(**made))
    assert json.loads(response.body) == answer
    assert response.value == read(response.body, operation.into)


@pytest.mark.parametrize("operation", [one for one in OPERATIONS if one.idempotent is False], ids=attrgetter("name"))
def test_what_is_not_safe_to_repeat_arrives_once(operation):
    script = Script((500, {}))
    made = arguments(operation, full=False)
    with pytest.raises(Exception, match="500"):
        async_world(script, lambda hero: method(hero, operation.name)(**made))
    assert len(script.seen) == 1


EXAMPLES = list(examples())


@pytest.mark.parametrize("name, place, value", EXAMPLES, ids=[f"{name} {place}" for name, place, _ in EXAMPLES])
def test_an_example_of_the_contract_is_sent_or_read(name, place, value):
    operation = BY_NAME[name]
    if place.startswith("answer"):
        assert read(json.dumps(value).encode(), operation.into) is not None
        return
    by_wire = {of.wire: of for of in operation.parameters.values() if of.place != "path"}
    fields = {place.removeprefix("parameter "): value} if place.startswith("parameter") else value
    made = {by_wire[wire].name: from_json(by_wire[wire].hint, one) for wire, one in fields.items()}
    made |= dict.fromkeys(operation.in_path, "15")
    script = Script((200, sample(documented()[name].answer, full=True)))
    async_world(script, lambda hero: method(hero, name)(**made))
    [seen] = script.seen
    if place == "request":
        assert seen.body == value | ({"start_time": MIDNIGHT} if value.get("start_time") == DAY else {})
    else:
        assert "=" in seen.target


DAY, MIDNIGHT = "1989-04-11", "1989-04-11T00:00:00Z"
"""The site's placeholder for any date, which a moment cannot be: it is sent as that day's midnight."""

FIELD_EXAMPLES = list(request_examples())


@pytest.mark.parametrize(
    "name, wire, value", FIELD_EXAMPLES, ids=[f"{name} {wire}" for name, wire, _ in FIELD_EXAMPLES]
)
def test_an_example_of_a_field_passes_its_check(name, wire, value):
    parameter = next(of for of in BY_NAME[name].parameters.values() if of.wire == wire)
    if wire == "nhs_number":
        with pytest.raises(Exception, match="check digit"):  # the sample is no NHS number, as the guides say
            parameter.check(value)
    elif wire.endswith("[]"):
        assert parameter.check([value]) == [value]
    else:
        sent = parameter.check(from_json(parameter.hint, value))
        assert sent == (MIDNIGHT if wire == "start_time" and value == DAY else value)


def test_the_contract_has_examples_of_each_kind():
    assert len(EXAMPLES) > 10
    assert len(FIELD_EXAMPLES) > 15


@each
def test_a_missing_argument_is_a_wrong_call(operation):
    required = [name for name, parameter in operation.parameters.items() if parameter.required]
    made = arguments(operation, full=False)
    for name in required:
        with pytest.raises(TypeError, match=name):
            operation.make((), {key: value for key, value in made.items() if key != name})


@each
def test_an_unknown_argument_is_a_wrong_call(operation):
    with pytest.raises(TypeError, match="brand_new"):
        operation.make((), arguments(operation, full=False) | {"brand_new": 1})


@each
def test_a_value_of_a_wrong_type_is_refused_without_being_quoted(operation):
    for name in operation.parameters:
        made = arguments(operation, full=True) | {name: object()}
        with pytest.raises(InvalidArgumentError, match=rf"\b{name}\b") as refused:
            operation.make((), made)
        assert "object at" not in str(refused.value)


@pytest.mark.parametrize("operation", [one for one in OPERATIONS if one.in_path], ids=attrgetter("name"))
@pytest.mark.parametrize("value", ["", ".", "..", "a\x00b", "x" * 257])
def test_a_path_value_leads_to_no_other_route(operation, value):
    [name] = operation.in_path
    with pytest.raises(InvalidArgumentError, match=name):
        operation.make((), arguments(operation, full=False) | {name: value})


@pytest.mark.parametrize(
    "name, changes, words",
    [
        ("messages.send", {"message_type": "pigeon"}, "message_type: must be one of"),
        ("messages.send", {"patient_id": "abc"}, "patient_id: must be an id"),
        ("messages.send", {"message_string": ""}, "message_string: must not be empty"),
        ("tasks.update", {"assignee_id": "12a"}, "assignee_id: must be an id"),
        ("tasks.update", {"status": "done"}, "status: must be one of"),
        ("episodes.list", {"status": ["open", "done"]}, r"status\[1\]: must be one of"),
        ("episodes.list", {"assignee_id": "12"}, "assignee_id: must be a list"),
        ("patients.list", {"nhs_number": "9990000019"}, "nhs_number: must be an NHS number"),
        ("patients.list", {"first_name": None}, "needs first_name; or last_name; or"),
        ("patients.register", {"title": "Wizard"}, "title: must be one of"),
        ("patients.merge", {"patient_id": ""}, "patient_id: must be an id"),
        ("invoices.create", {"patient_id": None}, "needs patient_id; or appointment_id"),
        ("invoices.create", {"invoice_items_attributes": [{"quantity": 1}]}, r"invoice_items_attributes\[0\]: must be"),
        ("admins.list", {"page_index": "0"}, "page_index: must be a whole number"),
        ("webhooks.create", {"headers": {"x": 1}}, "headers: must be text"),
        ("webhooks.create", {"event_type": "appointment.created"}, "event_type: must be one of"),
        ("customers.create", {"sources": ["card"]}, r"sources\[0\]: must be a CardSource, or must be a mapping"),
    ],
)
def test_bad_input_is_refused_in_words(name, changes, words):
    operation = BY_NAME[name]
    with pytest.raises(InvalidArgumentError, match=words):
        operation.make((), arguments(operation, full=False) | changes)


def test_a_naive_time_is_refused():
    operation = BY_NAME["appointments.create"]
    naive = datetime(2026, 3, 15, 9, 30)  # noqa: DTZ001  # that is the point
    with pytest.raises(InvalidArgumentError, match="start_time: must be an aware datetime"):
        operation.make((), arguments(operation, full=False) | {"start_time": naive})


def test_brackets_and_camel_case_are_kept_on_the_wire():
    call = BY_NAME["episodes.list"].make((), {"status": ["open", "closed"], "page_index": 2})
    assert call.target == "/v1/episodes?status[]=open&status[]=closed&page_index=2"
    call = BY_NAME["automated_messages.list"].make((), {"order_by": "createdAt", "order_descending": True})
    assert call.target == "/v2/automated_messages?orderBy=createdAt&order_descending=true"


def test_null_is_sent_and_what_is_left_out_is_not():
    call = BY_NAME["admins.update"].make((), {"id": "3", "external_prescriber_id": NULL})
    assert call.body == b'{"external_prescriber_id":null}'
    assert BY_NAME["admins.update"].make((), {"id": "3"}).body == b"{}"


LISTS = [one for one in OPERATIONS if is_page(one.into)]
PAGED = [one for one in LISTS if "page_index" in one.parameters]


def item_of(operation: Any) -> Any:
    schema = documented()[operation.name].answer
    if schema is None:
        return {"id": "15"}
    items = resolve(schema)["properties"].get("data", {"items": schema})
    return sample(items["items"], full=True)


@pytest.mark.parametrize("operation", [one for one in LISTS if one not in PAGED], ids=attrgetter("name"))
def test_a_list_without_page_parameters_is_one_page(operation):
    script = Script((200, {"data": [item_of(operation)], "count": 100}))
    made = arguments(operation, full=False)
    items = async_world(script, lambda hero: method(hero, operation.name)(**made).collect())
    assert len(items) == 1
    assert len(script.seen) == 1


@pytest.mark.parametrize("operation", PAGED, ids=attrgetter("name"))
@pytest.mark.parametrize("world", [async_world, blocking_world])
def test_a_list_with_page_parameters_is_read_to_its_end(operation, world):
    item = item_of(operation)
    script = Script(*((200, {"data": [item] * size, "count": 1}) for size in (3, 2, 0)))
    made = arguments(operation, full=False)
    items = world(script, lambda hero: method(hero, operation.name)(**made, page_size=3).collect())
    assert len(items) == 5
    pages = [re.findall(r"page_index=(\w+)", seen.target) for seen in script.seen]
    assert pages == [[], ["1"], ["2"]]
    assert all("page_size=3" in seen.target for seen in script.seen)
