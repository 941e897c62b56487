"""The contract, read with no help of the SDK: operations, parameters, schemas, and samples made from schemas."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import attrs
import yaml

_HERE = Path(__file__).parent.parent / "contract"
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

Schema = dict[str, Any]


@cache
def contract() -> dict[str, Any]:
    with (_HERE / "openapi.yaml").open(encoding="utf-8") as file:
        return yaml.load(file, Loader=_LOADER)  # noqa: S506  # a safe loader, in C where there is one


@cache
def table() -> dict[str, dict[str, str]]:
    """operations.csv, by SDK name."""
    with (_HERE / "operations.csv").open(encoding="utf-8", newline="") as file:
        return {row["sdk"]: row for row in csv.DictReader(file)}


@attrs.frozen
class Documented:
    """One operation of the contract."""

    verb: str
    path: str
    node: dict[str, Any]

    @property
    def reference(self) -> str:
        return self.node["externalDocs"]["url"]

    @property
    def statuses(self) -> set[str]:
        return set(self.node["responses"])

    @property
    def parameters(self) -> dict[str, dict[str, Any]]:
        return {parameter["name"]: parameter for parameter in self.node.get("parameters", [])}

    @property
    def body(self) -> Schema | None:
        """The request body's schema; of several forms one that holds them all."""
        if "requestBody" not in self.node:
            return None
        schema = resolve(self.node["requestBody"]["content"]["application/json"]["schema"])
        forms = [resolve(form) for form in schema.get("anyOf", [schema])]
        required = set.intersection(*(set(form.get("required", ())) for form in forms))
        properties = {name: of for form in reversed(forms) for name, of in form["properties"].items()}
        return {"type": "object", "properties": properties, "required": sorted(required)}

    @property
    def answer(self) -> Schema | None:
        """The schema of the 2xx answer; None where the contract knows none."""
        [good] = [self.node["responses"][status] for status in self.statuses if status.startswith("2")]
        if "content" not in good:
            return None
        schema = good["content"]["application/json"]["schema"]
        return schema if set(schema) - {"x-unknown"} else None


@cache
def documented() -> dict[str, Documented]:
    """Every operation of openapi.yaml, by SDK name."""
    found = {}
    for path, verbs in contract()["paths"].items():
        for verb, node in verbs.items():
            found[node["x-sdk"]] = Documented(verb.upper(), path, node)
    return found


def resolve(schema: Schema) -> Schema:
    while "$ref" in schema:
        schema = contract()["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return schema


def without_null(schema: Schema) -> tuple[Schema, bool]:
    """The schema of what is not null, and whether null is allowed."""
    schema = resolve(schema)
    kind = schema.get("type")
    if isinstance(kind, list) and "null" in kind:
        rest = [one for one in kind if one != "null"]
        values = {"enum": [value for value in schema["enum"] if value is not None]} if "enum" in schema else {}
        return {**schema, "type": rest[0] if len(rest) == 1 else rest, **values}, True
    forms = schema.get("anyOf", [])
    rest = [form for form in forms if form != {"type": "null"}]
    if len(rest) < len(forms):
        assert len(rest) == 1
        return resolve(rest[0]), True
    return schema, False


_WRITTEN = {"dob": "1990-12-31", "reserved_until": "2026-03-15T09:30:00Z"}
"""How the API's own samples write texts whose format the contract does not tell."""


def sample(schema: Schema | None, *, full: bool, extra: bool = False, name: str = "") -> Any:
    """An answer that fits: with all fields or only those required (null where null is allowed).

    With `extra` every object has a field more, and every enum a value that no one knows.
    """
    if schema is None:
        return {}
    schema, nullable = without_null(schema)
    if nullable and not full:
        return None
    if "anyOf" in schema:
        return sample(schema["anyOf"][0], full=full, extra=extra)
    if "enum" in schema:
        return "brand-new" if extra else schema["enum"][0]
    match schema.get("type"):
        case "object":
            wanted = schema.get("properties", {}) if full else schema.get("required", ())
            made = {one: sample(schema["properties"][one], full=full, extra=extra, name=one) for one in wanted}
            is_open = "additionalProperties" not in schema
            return made | ({"brand_new": {"a": [1]}} if extra and is_open else {})
        case "array":
            return [sample(schema.get("items", {}), full=full, extra=extra)] if full else []
        case "number" | "integer":
            return 7
        case "boolean":
            return True
        case "string" if name in _WRITTEN:
            return _WRITTEN[name]
        case "string" if schema.get("format") == "date-time":
            return "2026-03-15T09:30:00Z"
        case "string":
            return "15" if schema.get("pattern") else "text"
        case _:
            return "anything"


def examples() -> Iterator[tuple[str, str, Any]]:
    """Every example of a request body, answer or parameter: SDK name, place, value."""
    for name, operation in documented().items():
        for parameter in operation.node.get("parameters", []):
            if "example" in parameter:
                yield name, f"parameter {parameter['name']}", parameter["example"]
        media = operation.node.get("requestBody", {}).get("content", {}).get("application/json", {})
        if "example" in media:
            yield name, "request", media["example"]
        for status, response in operation.node["responses"].items():
            media = response.get("content", {}).get("application/json", {})
            if "example" in media:
                yield name, f"answer {status}", media["example"]


def request_examples() -> Iterator[tuple[str, str, Any]]:
    """Every `examples` entry of a field or parameter of a request: SDK name, wire name, value."""
    for name, operation in documented().items():
        for wire, parameter in operation.parameters.items():
            schema = resolve(parameter["schema"])
            for holder in (schema, resolve(schema.get("items", {}))):
                for value in holder.get("examples", ()):
                    yield name, wire, value
        for wire, field in (operation.body or {"properties": {}})["properties"].items():
            for value in resolve(field).get("examples", ()):
                yield name, wire, value
