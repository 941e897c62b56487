"""What the sandbox answers, judged by openapi-core; asked by the real client over the real network."""

from __future__ import annotations

import json
from collections.abc import Iterator
from operator import attrgetter
from typing import Any

import attrs
import contract_judge as judge
import pytest
from contract_draws import arguments
from contract_scene import NARROWER, Scene
from differences import ANSWERS, Difference, unexplained
from hypothesis import HealthCheck, Phase, given, settings

from hero_async import OPERATIONS, BadRequestError
from hero_async.calls import AnyOperation
from hero_async.sandbox import Quirks
from hero_async.sandbox.serving import served_by

each = pytest.mark.parametrize("operation", OPERATIONS, ids=attrgetter("name"))


@pytest.fixture(scope="module")
def scene() -> Iterator[Scene]:
    with Scene() as scene:
        yield scene


@pytest.fixture(autouse=True)
def usual(scene: Scene) -> Iterator[None]:
    yield
    scene.sandbox.quirks = Quirks()


def few(operation: AnyOperation, examples: int = 3) -> Any:
    """Run with a few drawn sets of arguments. They are not shrunk: the sandbox remembers."""

    def run(check: Any) -> None:
        settings(
            max_examples=examples,
            phases=[Phase.generate],
            deadline=None,
            database=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
        )(given(arguments(operation, NARROWER))(check))()

    return run


def objections(operation: AnyOperation, made: dict[str, Any], response: Any) -> list[Any]:
    call = operation.make((), made)
    request = judge.Request(operation.verb, call.target, {}, call.body)
    return judge.of_answer(request, response.status, response.headers, response.body)


@each
@pytest.mark.parametrize("unshown", ["small", "empty"])
def test_a_good_answer_fits_the_contract(operation, unshown, scene):
    scene.sandbox.quirks = Quirks(unshown=unshown)

    @few(operation, 3 if unshown == "small" else 1)
    def check(drawn):
        made = scene.real(operation, drawn)
        response = scene.call(operation.name, made)
        assert unexplained(ANSWERS, operation.name, objections(operation, made, response)) == []


@pytest.mark.parametrize("difference", ANSWERS, ids=attrgetter("operation"))
def test_a_known_difference_is_there(difference: Difference, scene):
    name, made = difference.shown_by
    [operation] = [one for one in OPERATIONS if one.name == name]
    found = objections(operation, made, scene.call(name, made))
    assert any(difference.covers(name, one.field, one.rule) for one in found)


def test_a_list_of_batches_that_is_one_object_fits_the_contract(scene):
    scene.batch()
    scene.sandbox.quirks = Quirks(batch_list="object")
    [operation] = [one for one in OPERATIONS if one.name == "batch_messages.list"]
    assert objections(operation, {}, scene.call(operation.name, {})) == []


def test_the_judge_sees_what_is_wrong_with_an_answer(scene):
    [operation] = [one for one in OPERATIONS if one.name == "admins.update"]
    made = {"id": "1401"}
    response = scene.call("admins.update", made)
    assert objections(operation, made, response) == []
    for body, rule in ((b"{}", "required"), (b'{"admin_id":5}', "type"), (b"[]", "type"), (b"", "MissingData")):
        found = objections(operation, made, attrs.evolve(response, body=body))
        assert [one.rule.startswith(rule) for one in found] == [True], body
    assert [one.rule for one in objections(operation, made, attrs.evolve(response, status=418))] == ["ResponseNotFound"]


RULED = [one for one in OPERATIONS if (served := served_by(one.name)) is not None and served.rule is not None]
"""Those that take anything but an id."""


@pytest.mark.parametrize("operation", RULED, ids=attrgetter("name"))
def test_a_bad_request_is_answered_in_the_documented_shape(operation, scene):
    path = operation.path.replace("{id}", "1")
    is_read = operation.verb in ("GET", "DELETE")
    required = operation.name in ("customers.list", "customers.default")  # any text is good there, but none is not
    query = {of.wire: "\x00?" for of in operation.parameters.values() if of.place == "query" and not required}
    with pytest.raises(BadRequestError) as refused:
        scene.hero.request(operation.verb, path, query=query, json=None if is_read else ["not an object"])
    assert judge.of_json(json.loads(refused.value.body), "ValidationErrorResponse") == []
    assert refused.value.issues
    contract = judge.contract()["paths"][operation.path][operation.verb.lower()]
    if "400" in contract["responses"]:
        request = judge.Request(operation.verb, path, {}, b"[]")
        headers = {"content-type": "application/json"}
        assert judge.of_answer(request, 400, headers, refused.value.body) == []


IDS = [one for one in OPERATIONS if one.in_path]
"""Operations on one thing."""


@pytest.mark.parametrize("operation", IDS, ids=attrgetter("name"))
def test_an_unknown_id_is_a_404(operation, scene):
    @few(operation, 2)
    def check(drawn):
        made = scene.real(operation, drawn) | {operation.in_path[0]: "123456789"}
        assert scene.status(operation.name, made) == 404


@pytest.mark.parametrize("operation", IDS, ids=attrgetter("name"))
def test_a_thing_of_another_practice_group_is_a_404(operation, scene):
    if operation.name == "hca_consultants.get":  # consultants are no practice group's
        return
    if operation.name.startswith("patients."):
        return  # below: the seeded ones are in every practice group

    @few(operation, 1)
    def check(drawn):
        made = scene.real(operation, drawn)
        assert scene.status(operation.name, made, scene.other) == 404
        assert scene.status(operation.name, made) in (200, 201)


@pytest.mark.parametrize("operation", [one for one in IDS if one.name.startswith("patients.")], ids=attrgetter("name"))
def test_a_registered_patient_of_another_practice_group_is_a_404(operation, scene):
    @few(operation, 1)
    def check(drawn):
        made = scene.real(operation, drawn)
        assert scene.status(operation.name, made, scene.other) == 404
        assert scene.status(operation.name, made) == 200
