"""Every operation of the SDK is the one of the contract; whatever drifts is found by itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any, Literal, get_args, get_origin

import attrs
import jsonschema  # type: ignore[import-untyped]  # it has no types
import msgspec
import pytest
from core_contract import (
    alternatives,
    closed_set,
    described,
    differences,
    document,
    documented_arguments,
    resolve,
    schema_of,
    table,
)
from core_support import least, most, name_of

from hero_async import OPERATIONS
from hero_async import operations as op
from hero_async.api.batch_messages import BatchMessage
from hero_async.api.messages import SentMessage
from hero_async.calls import AnyOperation
from hero_async.fields import Answer, NonEmpty, OpenEnum, arms
from hero_async.operations import Resource
from hero_async.pages import Page
from hero_async.resources import Mode

every_operation = pytest.mark.parametrize("operation", OPERATIONS, ids=name_of)


def test_the_two_copies_of_the_contract_agree() -> None:
    assert len(table()) == len(described()) == 82
    for name, row in table().items():
        verb, path, description = described()[row["operation_id"]]
        assert (verb, path) == (row["method"], row["path"])
        assert description["x-sdk"] == name
        assert description["x-evidence"] == row["evidence"]
        assert description["x-idempotent"] is (row["idempotent"] == "yes")


def test_the_main_job_is_there() -> None:
    names = {operation.name for operation in OPERATIONS}
    assert names >= {
        "access_tokens.create",
        "batch_messages.create",
        "batch_messages.get",
        "batch_messages.list",
        "batch_messages.messages",
        "batch_messages.recipients",
        "batch_messages.send",
        "messages.get",
        "messages.send",
        "patients.list",
        "patients.register",
        "patients.register_pds",
    }


def test_no_operation_is_there_twice() -> None:
    assert len({operation.name for operation in OPERATIONS}) == len(OPERATIONS)
    assert len({operation.operation_id for operation in OPERATIONS}) == len(OPERATIONS)
    assert len({(operation.verb, operation.path) for operation in OPERATIONS}) == len(OPERATIONS)
    assert [operation.name for operation in OPERATIONS] == sorted(operation.name for operation in OPERATIONS)


@every_operation
def test_an_operation_is_what_the_contract_says(operation: AnyOperation) -> None:
    assert differences(operation) == []


# The comparison itself finds what drifts


def variant(**changes: Any) -> list[str]:
    """The differences of `messages.get`, changed."""

    class Messages(Resource[Mode]):
        def get(self, id: str) -> SentMessage:
            """Get one message.

            Args:
                id: Id of the message.

            Reference: https://developer.herohealth.net/apis/public-api/openapi/messages/getmessage
            """
            raise NotImplementedError

    function: Callable[..., Any] = changes.pop("function", Messages.get)
    if "doc" in changes:
        function.__doc__ = changes.pop("doc")(function.__doc__)
    options = {
        "verb": "GET",
        "path": "/v1/messages/{id}",
        "operation_id": "getMessage",
        "idempotent": True,
        "evidence": "sampled",
        "needs": (),
        **changes,
    }
    made = AnyOperation(function, **options)
    made.__set_name__(Messages, options.get("name", "get"))
    return differences(made)


def with_another_parameter(self: Any, id: str, *, verbose: bool | None = None) -> SentMessage:
    """Get one message.

    Args:
        id: Id of the message.
        verbose: Not in the contract.

    Reference: https://developer.herohealth.net/apis/public-api/openapi/messages/getmessage
    """
    raise NotImplementedError


def test_what_does_not_drift_is_not_reported() -> None:
    assert variant() == []


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"verb": "POST"}, ["verb"]),
        ({"path": "/v2/messages/{id}"}, ["path"]),
        ({"operation_id": "getMessages"}, ["operation_id"]),
        ({"idempotent": False}, ["idempotent"]),
        ({"evidence": "documented"}, ["evidence"]),
        ({"function": with_another_parameter}, ["parameters"]),
        ({"doc": lambda text: text.replace("id: Id", "Id")}, ["Args"]),
        ({"doc": lambda text: text.replace("getmessage", "getmessages")}, ["Reference"]),
        ({"doc": lambda text: None}, ["Args", "Reference"]),
    ],
    ids=lambda value: ",".join(value),
)
def test_what_drifts_is_reported(changes: dict[str, Any], found: list[str]) -> None:
    assert variant(**changes) == found


def test_a_closed_set_that_drifts_is_reported() -> None:
    class BatchMessages(Resource[Mode]):
        @op.listing("/v1/batch_message", id="listBatchMessages", evidence="sampled")
        def list(
            self,
            *,
            page_size: int | None = None,
            page_index: int | None = None,
            status: Literal["CREATED", "ENRICHED"] | None = None,
        ) -> Page[BatchMessage]:
            """List.

            Args:
                page_size: Size.
                page_index: Index.
                status: Status.

            Reference: https://developer.herohealth.net/apis/public-api/openapi/messages/listbatchmessages
            """
            raise NotImplementedError

    assert differences(BatchMessages.list) == ["values of status"]


def test_a_requirement_that_drifts_is_reported() -> None:
    class Messages(Resource[Mode]):
        @op.get("/v1/messages/{id}", id="getMessage", evidence="sampled")
        def get(self, id: str | None = None) -> SentMessage:
            """Get.

            Args:
                id: Id.

            Reference: https://developer.herohealth.net/apis/public-api/openapi/messages/getmessage
            """
            raise NotImplementedError

    assert differences(Messages.get) == ["required"]


# What goes out is what the contract's own schemas allow, by a validator that is not ours


@every_operation
@pytest.mark.parametrize("arguments", [least, most], ids=["least", "most"])
def test_a_body_is_right_by_the_schema_of_the_contract(
    operation: AnyOperation, arguments: Callable[[AnyOperation], dict[str, Any]]
) -> None:
    call = operation.make((), arguments(operation))
    schema = schema_of(described()[operation.operation_id][2].get("requestBody"))
    if schema is None:
        assert call.body is None
        return
    jsonschema.validate(
        msgspec.json.decode(call.body or b"null"),
        {**schema, "components": document()["components"]},
        cls=jsonschema.Draft202012Validator,
    )


# Models


NAMED = {
    "FormResponse": "FormResponse",  # a response by its nature: `Form` is another schema
    "PracticeGroup": "PracticeGroupDetails",  # `PracticeGroup` is the resource
    "SendMessageResponse": "SentMessage",
}
"""Models that are not named as their schema, less `Response`."""

IN_PART = {"PracticeGroupDetails"}
"""Answers whose fields the contract has from an illustration only: read from `raw` by properties."""


def leaves(hint: Any) -> list[Any]:
    """The models of an answer, in the order of their union."""
    if get_origin(hint) is Page:
        return leaves(get_args(hint)[0])
    return list(arms(hint))


@every_operation
def test_the_models_of_an_answer_are_those_of_the_contract(operation: AnyOperation) -> None:
    responses = described()[operation.operation_id][2]["responses"]
    schema = schema_of(next(of for status, of in responses.items() if status.startswith("2")))
    models = leaves(operation.into)
    if schema is None:  # nothing is documented: whatever comes is taken
        assert all(model is None or model is type(None) or issubclass(model, Answer) for model in models)
        return
    whole = resolve(schema)
    if get_origin(operation.into) is Page and "data" in whole.get("properties", {}):
        schema = whole["properties"]["data"]["items"]
    for model, of in zip(models, alternatives(schema), strict=True):
        compare(model, of)
    names = [part["$ref"].rpartition("/")[2] for part in resolve(schema).get("anyOf", [schema]) if "$ref" in part]
    assert all(
        NAMED.get(name, name.removesuffix("Response")) == of.__name__ for name, of in zip(names, models, strict=False)
    )


def compare(model: Any, schema: Any) -> None:
    """A model against an object schema: the same fields, required where it says so, and so on inside."""
    if isinstance(model, type) and issubclass(model, Answer):
        shown = schema.get("properties", {})
        assert bool(shown) is (model.__name__ in IN_PART), f"{model.__name__}: the contract shows its fields"
        assert all(isinstance(getattr(model, name), property) for name in shown)
        return
    attrs.resolve_types(model, include_extras=True)
    properties = schema.get("properties", {})
    fields = [field for field in attrs.fields(model) if field.init]  # others the model makes by itself
    assert {field.name for field in fields} == set(properties), model.__name__
    for field in fields:
        must = field.name in schema.get("required", [])
        assert (field.default is attrs.NOTHING) is must, f"{model.__name__}.{field.name}"
        of = resolve(properties[field.name])
        for arm in arms(field.type):
            if isinstance(arm, type) and attrs.has(arm):
                compare(arm, alternatives(of)[0])
            if isinstance(arm, type) and issubclass(arm, OpenEnum):
                listed = next(one["enum"] for one in alternatives(of) if "enum" in one)
                assert {member.value for member in arm} == {value for value in listed if value is not None}


# The readers that the comparison is made of


def test_the_arguments_of_a_docstring() -> None:
    text = """First line.

        Args:
            one: What it is.
                still: the same.
            two: Another.

        Returns:
            three: no argument.
        """
    assert documented_arguments(text) == {"one", "two"}
    assert documented_arguments("No arguments.") == set()


def test_closed_sets_are_found_inside_unions_and_lists() -> None:
    assert closed_set(Literal["a", "b"] | None) == {"a", "b"}
    assert closed_set(Sequence[Literal["a"]] | None) == {"a"}
    assert closed_set(str | None) is None
    assert closed_set(NonEmpty) is None
    assert closed_set(date | None) is None
