"""The project's own copy of the contract, and how far an operation is from it."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import yaml  # type: ignore[import-untyped]  # it has no types

from hero_async.calls import AnyOperation

FOLDER = Path(__file__).parent.parent / "contract"


@cache
def table() -> Mapping[str, Mapping[str, str]]:
    """operations.csv, by SDK name."""
    with (FOLDER / "operations.csv").open(newline="") as file:
        return {row["sdk"]: row for row in csv.DictReader(file)}


@cache
def document() -> Mapping[str, Any]:
    """openapi.yaml."""
    loaded: Mapping[str, Any] = yaml.safe_load((FOLDER / "openapi.yaml").read_bytes())
    return loaded


@cache
def described() -> Mapping[str, tuple[str, str, Mapping[str, Any]]]:
    """Verb, path and description of each operation, by operationId."""
    return {
        operation["operationId"]: (verb.upper(), path, {**operation, "parameters": [*_parameters(item, operation)]})
        for path, item in document()["paths"].items()
        for verb, operation in item.items()
        if isinstance(operation, dict) and "operationId" in operation
    }


def _parameters(item: Mapping[str, Any], operation: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for parameter in [*item.get("parameters", []), *operation.get("parameters", [])]:
        yield resolve(parameter)


def resolve(node: Any) -> Any:
    """What a `$ref` points to."""
    while isinstance(node, Mapping) and "$ref" in node:
        found: Any = document()
        for part in node["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        node = found
    return node


def schema_of(node: Any) -> Any:
    """The JSON schema of a request or an answer, or None."""
    return resolve(node or {}).get("content", {}).get("application/json", {}).get("schema")


def alternatives(schema: Any) -> list[Mapping[str, Any]]:
    """The object schemas that one schema allows."""
    schema = resolve(schema)
    either = schema.get("anyOf") or schema.get("oneOf")
    return [one for part in either for one in alternatives(part)] if either else [schema]


def fields(operation: AnyOperation) -> dict[tuple[str, str], Mapping[str, Any]]:
    """Every parameter of the contract, by place and wire name, with its schema."""
    _, _, description = described()[operation.operation_id]
    found = {(one["in"], one["name"]): resolve(one.get("schema", {})) for one in description["parameters"]}
    body = schema_of(description.get("requestBody"))
    for schema in alternatives(body) if body is not None else []:
        for name, of in schema.get("properties", {}).items():
            found["body", name] = resolve(of)
    return found


def required(operation: AnyOperation) -> set[str]:
    """The wire names that the contract asks for in any case."""
    _, _, description = described()[operation.operation_id]
    names = {one["name"] for one in description["parameters"] if one.get("required")}
    body = schema_of(description.get("requestBody"))
    if body is not None:
        names |= set.intersection(*(set(schema.get("required", [])) for schema in alternatives(body)))
    return names


def reference(operation: AnyOperation) -> str:
    """The operation's page."""
    url: str = described()[operation.operation_id][2]["externalDocs"]["url"]
    return url


def closed_set(hint: Any) -> set[Any] | None:
    """The values that a hint allows, if it is closed. Of a list, those of its items."""
    if get_origin(hint) is Literal:
        return set(get_args(hint))
    inner = (closed_set(part) for part in get_args(hint) if part is not type(None))
    return next((found for found in inner if found is not None), None)


def documented_arguments(docstring: str) -> set[str]:
    """The names under `Args:` in a docstring."""
    found = re.search(r"^ *Args:\n(.*?)(?:\n\s*\n|\Z)", docstring, re.DOTALL | re.MULTILINE)
    if not found:
        return set()
    lines = found[1].splitlines()
    indent = len(lines[0]) - len(lines[0].lstrip())
    return {match[1] for line in lines if (match := re.match(rf" {{{indent}}}(\w+): \S", line))}


def differences(operation: AnyOperation) -> list[str]:
    """Where an operation is not what the contract says."""
    row = table().get(operation.name)
    if row is None or row["operation_id"] not in described():
        return ["name"]
    told = {
        "operation_id": (operation.operation_id, row["operation_id"]),
        "verb": (operation.verb, row["method"]),
        "path": (operation.path, row["path"]),
        "evidence": (operation.evidence, row["evidence"]),
        "idempotent": (operation.idempotent, {"yes": True, "no": False}[row["idempotent"]]),
    }
    wrong = [name for name, (ours, theirs) in told.items() if ours != theirs]
    if wrong:
        return wrong
    verb, path, description = described()[operation.operation_id]
    same = (verb, path, description["x-sdk"], description["x-evidence"], description["x-idempotent"])
    if same != (operation.verb, operation.path, operation.name, operation.evidence, operation.idempotent):
        wrong.append("openapi")
    parameters = operation.parameters.values()
    if {(one.place, one.wire) for one in parameters} != set(fields(operation)):
        wrong.append("parameters")
    if {one.wire for one in parameters if one.required} != required(operation):
        wrong.append("required")
    wrong += [f"values of {name}" for name in _other_values(operation)]
    docstring = operation.__doc__ or ""
    if documented_arguments(docstring) != set(operation.parameters):
        wrong.append("Args")
    if f"Reference: {reference(operation)}" not in (line.strip() for line in docstring.splitlines()):
        wrong.append("Reference")
    return wrong


def _other_values(operation: AnyOperation) -> Iterator[str]:
    contract = fields(operation)
    for parameter in operation.parameters.values():
        schema = contract.get((parameter.place, parameter.wire), {})
        values = schema.get("enum") or resolve(schema.get("items", {})).get("enum")
        ours = closed_set(parameter.hint)
        theirs = {value for value in values if value is not None} if values else None
        if ours != theirs:
            yield parameter.name
