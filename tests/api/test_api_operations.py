"""Every operation of the contract is declared, under its name, with the parameters that the contract has."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from operator import attrgetter
from typing import Any, Literal, get_args, get_origin

import attrs
import pytest
from api_hints import choices, is_model, marks, plain, rule_words
from api_reference import Documented, Schema, documented, resolve, table, without_null

from hero_async import OPERATIONS
from hero_async.calls import AnyOperation
from hero_async.drift import known
from hero_async.fields import Id, Null

each = pytest.mark.parametrize("operation", OPERATIONS, ids=attrgetter("name"))

NEVER_EMPTY = re.compile(r"\w+\.\w+\.(id|\w+_id|\w+_ids\[\]|\w+_id\[\]\[\]|url)")
"""Ids and addresses, where the contract has no minLength: an empty one would widen a search, or name nothing."""


def kind(hint: Any) -> str:
    """A hint of one arm, in the words of `contract_kind`."""
    if get_origin(plain(hint)) is Literal:
        return "one of " + ", ".join(map(str, get_args(plain(hint))))
    if get_origin(plain(hint)) is Sequence:
        return "list"
    if is_model(plain(hint)):
        return "object"
    if get_origin(plain(hint)) is Mapping:
        return "mapping"
    if hint == Id:
        return "digits"
    if "NHS number" in rule_words(hint):
        return "NHS number"
    names = {str: "text", int: "int", float: "number", bool: "bool", date: "date", datetime: "moment", Null: "null"}
    return names[plain(hint)]


def contract_kind(schema: Schema) -> str:
    if "enum" in schema:
        return "one of " + ", ".join(schema["enum"])
    named = schema.get("type", "list" if "items" in schema else "anyOf")
    if isinstance(named, list):
        return " | ".join(contract_kind({"type": one}) for one in named)
    if named == "string":
        if schema.get("pattern") == r"^\d+$":
            return "digits"
        return {"date-time": "moment", "date": "date"}.get(schema.get("format", ""), "text")
    if named == "object" and isinstance(schema.get("additionalProperties"), dict):
        return "mapping"
    return {"number": "number", "integer": "int", "boolean": "bool", "array": "list", "object": "object"}[named]


def compare(hint: Any, schema: Schema, where: str) -> Iterator[str]:
    schema, nullable = without_null(schema)
    found, _ = choices(hint)
    if nullable is not (Null in found):
        yield f"{where}: {'cannot' if nullable else 'can'} be NULL"
    found = [one for one in found if one is not Null]
    if "anyOf" in schema and all(form.get("type") == "array" for form in schema["anyOf"]):
        schema = schema["anyOf"][0]  # recipients: only the first form is known
    ours, theirs = " | ".join(map(kind, found)), contract_kind(schema)
    if ours != theirs:
        yield f"{where}: {ours}, not {theirs}"
    [first, *_] = found
    if get_origin(plain(first)) is Sequence:
        yield from compare_items(get_args(plain(first))[0], schema["items"], f"{where}[]")
    elif is_model(plain(first)):
        yield from compare_fields(plain(first), schema, where)
    elif plain(first) is str and kind(first) == "text":
        is_non_empty = "must not be empty" in rule_words(first)
        if is_non_empty is not (schema.get("minLength") == 1 or bool(NEVER_EMPTY.fullmatch(where))):
            yield f"{where}: {'must not' if is_non_empty else 'may'} be empty"


def compare_items(hint: Any, schema: Schema, where: str) -> Iterator[str]:
    if "anyOf" in schema:  # customers' sources: one form is known, the other is a mapping
        found, _ = choices(hint)
        assert [kind(one) for one in found] == ["object", "mapping"]
        hint, schema = found[0], schema["anyOf"][0]
    yield from compare(hint, schema, where)


def compare_fields(model: Any, schema: Schema, where: str) -> Iterator[str]:
    fields = {field.name: field for field in attrs.fields(attrs.resolve_types(model, include_extras=True))}
    for name in fields.keys() ^ schema["properties"].keys():
        yield f"{where}.{name}: only in {'the SDK' if name in fields else 'the contract'}"
    for name in fields.keys() & schema["properties"].keys():
        if (fields[name].default is attrs.NOTHING) is not (name in schema.get("required", ())):
            yield f"{where}.{name}: required differs"
        yield from compare(fields[name].type, schema["properties"][name], f"{where}.{name}")


def compare_operation(operation: AnyOperation, contract: Documented) -> Iterator[str]:
    body = contract.body or {"properties": {}, "required": []}
    theirs = {(wire, of["in"]): (of.get("required", False), of["schema"]) for wire, of in contract.parameters.items()}
    theirs |= {(wire, "body"): (wire in body["required"], of) for wire, of in body["properties"].items()}
    ours = {(parameter.wire, parameter.place): parameter for parameter in operation.parameters.values()}
    for wire, place in ours.keys() ^ theirs.keys():
        yield f"{operation.name}.{wire}: only in {'the SDK' if (wire, place) in ours else 'the contract'}"
    for key in ours.keys() & theirs.keys():
        parameter, (required, schema) = ours[key], theirs[key]
        if parameter.required is not required:
            yield f"{operation.name}.{parameter.wire}: required differs"
        if parameter.place != "path":  # path values have a rule of their own
            yield from compare(parameter.hint, schema, f"{operation.name}.{parameter.wire}")


def test_the_contract_and_its_table_agree():
    assert documented().keys() == table().keys()
    assert len(table()) == 82


def test_every_operation_is_declared_and_no_other():
    assert {operation.name for operation in OPERATIONS} == table().keys()


@each
def test_an_operation_is_declared_as_the_table_says(operation):
    row = table()[operation.name]
    assert operation.verb == row["method"]
    assert operation.path == row["path"]
    assert operation.operation_id == row["operation_id"]
    assert operation.evidence == row["evidence"]
    assert operation.idempotent is (row["idempotent"] == "yes")


def test_parameters_agree_with_the_contract_but_for_known_differences():
    found = {line for operation in OPERATIONS for line in compare_operation(operation, documented()[operation.name])}
    assert found == {*known.lines("request")}


@each
def test_a_parameter_is_named_as_on_the_wire_in_snake_case(operation):
    for parameter in operation.parameters.values():
        snake = re.sub(r"(?<=[a-z])[A-Z]", lambda letter: "_" + letter[0].lower(), parameter.wire.removesuffix("[]"))
        assert parameter.name == snake


@each
def test_an_operation_sends_a_body_where_the_contract_has_one(operation):
    assert operation.plan.has_body is (documented()[operation.name].body is not None)


@each
def test_only_path_values_may_be_positional(operation):
    kinds = {name: parameter.kind for name, parameter in operation.plan.signature.parameters.items()}
    keyword_only = {name for name, of in kinds.items() if of is inspect.Parameter.KEYWORD_ONLY}
    assert kinds.keys() - keyword_only == set(operation.in_path)


@each
def test_the_docstring_says_each_parameter_and_the_reference(operation):
    text = inspect.getdoc(operation)
    assert text.endswith(f"\n\nReference: {documented()[operation.name].reference}")
    told = re.search(r"\nArgs:\n(.*?)(?:\n\n|\Z)", text, re.DOTALL)
    names = re.findall(r"^    (\w+): \S", told[1], re.MULTILINE) if told else []
    assert names == list(operation.parameters)


@each
def test_the_docstring_says_which_statuses_are_special(operation):
    text = inspect.getdoc(operation)
    told = text.partition("\nRaises:\n")[2]
    statuses = documented()[operation.name].statuses
    assert ("NotFoundError:" in told) is ("404" in statuses)
    assert ("PermissionDeniedError:" in told) is ("403" in statuses)


@each
def test_what_is_inferred_is_said_to_be(operation):
    if operation.evidence == "inferred":
        assert re.search(r"not confirmed|inferred", inspect.getdoc(operation))


def test_closed_sets_are_compared_at_all():
    """The comparison above sees an enum that differs, a field too many and a wrong place."""
    send = next(operation for operation in OPERATIONS if operation.name == "messages.send")
    contract = documented()["messages.send"]
    body = resolve(contract.node["requestBody"]["content"]["application/json"]["schema"])
    changed = {
        **body,
        "required": ["patient_id"],
        "properties": {**body["properties"], "message_type": {"type": "string", "enum": ["pigeon"]}, "new": {}},
    }
    node = {**contract.node, "requestBody": {"content": {"application/json": {"schema": changed}}}}
    found = set(compare_operation(send, Documented(contract.verb, contract.path, node)))
    assert "messages.send.message_type: one of hero, sms, email, nhs_app, not one of pigeon" in found
    assert "messages.send.new: only in the contract" in found
    assert "messages.send.message_string: required differs" in found


def test_the_types_of_signatures_have_marks():
    assert marks(Id)
