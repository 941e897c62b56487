"""What openapi-core, a validator that no one here wrote, says of a request or an answer.

It is strict with requests: a field that the contract does not name is an error. Every error is told by field and
rule, without the value.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import attrs
import yaml
from differences import UNSHOWN_FORMS
from jsonschema import ValidationError
from openapi_core import Config, OpenAPI
from openapi_core.datatypes import RequestParameters
from openapi_core.templating.paths.finders import APICallPathFinder
from werkzeug.datastructures import Headers, ImmutableMultiDict

PATH = Path(__file__).with_name("openapi.yaml")
SERVER = "https://api.staging.htech.app"

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@cache
def contract() -> dict[str, Any]:
    """The project's copy of the contract."""
    with PATH.open(encoding="utf-8") as file:
        return yaml.load(file, Loader=_LOADER)  # noqa: S506  # a safe loader, in C where there is one


@cache
def names() -> Mapping[tuple[str, str], str]:
    """SDK names by verb and path template."""
    return {
        (verb.upper(), path): node["x-sdk"]
        for path, verbs in contract()["paths"].items()
        for verb, node in verbs.items()
    }


@cache
def property_names() -> frozenset[str]:
    """Every field that any schema of the contract has."""

    def found(node: Any) -> Iterator[str]:
        if isinstance(node, dict):
            yield from node.get("properties", {})
            for part in node.values():
                yield from found(part)
        elif isinstance(node, list):
            for part in node:
                yield from found(part)

    return frozenset(found(contract()))


@cache
def _judge(extra_fields: str) -> OpenAPI:
    # The contract itself is validated by a test of its own: that takes seconds.
    return OpenAPI.from_dict(
        _tightened(), config=Config(spec_validator_cls=None, additional_properties_default_policy=extra_fields)
    )


def _tightened() -> dict[str, Any]:
    """The contract, with what `differences.UNSHOWN_FORMS` names taken out, and with objects of which no field is
    shown left open though extra fields are forbidden."""

    def opened(node: Any) -> Any:
        if isinstance(node, list):
            return [opened(part) for part in node]
        if not isinstance(node, dict):
            return node
        is_bare = node.get("type") == "object" and "properties" not in node and "additionalProperties" not in node
        return {name: opened(part) for name, part in node.items()} | ({"additionalProperties": True} if is_bare else {})

    made: dict[str, Any] = opened(contract())
    for schema, field, form in UNSHOWN_FORMS:
        del made["components"]["schemas"][schema]["properties"][field]["anyOf"][form]
    return made


class Request:
    """A request, as openapi-core wants it."""

    def __init__(self, verb: str, target: str, headers: Mapping[str, str], body: bytes | None) -> None:
        path, _, query = target.partition("?")
        pairs = parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query), errors="strict")
        self.method = verb.lower()
        self.host_url = SERVER
        self.path = path
        self.body = body
        self.content_type = Headers(dict(headers)).get("content-type", "")
        self.parameters = RequestParameters(query=ImmutableMultiDict(pairs), header=Headers(dict(headers)))


@attrs.frozen
class Answer:
    """An answer, as openapi-core wants it."""

    status_code: int
    headers: Headers
    content_type: str
    data: bytes | None


@attrs.frozen
class Objection:
    """One thing that does not fit the contract."""

    field: str
    """Where: names joined by dots, an item as `[]`; empty for the whole."""

    rule: str
    """What: the schema's keyword, or the name of openapi-core's error."""


def _objections(errors: Iterator[Exception]) -> Iterator[Objection]:
    for error in errors:
        name = getattr(error, "name", "")
        found = getattr(error.__cause__, "schema_errors", ())
        if not found:
            yield Objection(name, type(error.__cause__ or error).__name__)
        for inner in found:
            for leaf in _leaves(inner):
                yield from _told(leaf, name)


def _leaves(error: ValidationError) -> Iterator[ValidationError]:
    """The error itself; of alternatives, what is wrong with the one that fits best."""
    branches: dict[Any, list[ValidationError]] = {}
    for inner in error.context or ():
        branches.setdefault(inner.relative_schema_path[0], []).append(inner)
    best = min(branches.values(), key=len, default=None)
    if best is None:
        yield error
    else:
        for inner in best:
            yield from _leaves(inner)


def _told(error: ValidationError, name: str) -> Iterator[Objection]:
    where = name
    for step in error.absolute_path:
        where += "[]" if isinstance(step, int) else f".{step}" if where else step
    if error.message.startswith("Additional properties"):
        for extra in error.instance.keys() - error.schema.get("properties", {}).keys():
            yield Objection(f"{where}.{extra}" if where else extra, "undeclared")
    else:
        yield Objection(where, str(error.validator))


def of_request(request: Request, operation: str) -> list[Objection]:
    """What is wrong with a request for an operation."""
    return [*_objections(_judge("forbid").iter_request_errors(request)), *_undeclared(request, operation)]


def _undeclared(request: Request, operation: str) -> list[Objection]:
    """Query parameters that the contract does not have: openapi-core lets them pass."""
    [node] = [node for verbs in contract()["paths"].values() for node in verbs.values() if node["x-sdk"] == operation]
    declared = {parameter["name"] for parameter in node.get("parameters", []) if parameter["in"] == "query"}
    return [Objection(name, "undeclared") for name in request.parameters.query if name not in declared]


def operation_of(request: Request) -> str:
    """The SDK name of the operation that openapi-core finds for a request."""
    found = APICallPathFinder(_judge("forbid").spec).find(request.method, request.host_url + request.path)
    return str(found.operation["x-sdk"])


def of_answer(request: Request, status: int, headers: Mapping[str, str], body: bytes) -> list[Objection]:
    """What is wrong with the answer to a request. A status that the contract does not have is wrong."""
    given = Headers(dict(headers))
    answer = Answer(status, given, given.get("content-type", "").partition(";")[0], body or None)
    return list(_objections(_judge("allow").iter_response_errors(request, answer)))


def of_json(value: Any, schema: str) -> list[str]:
    """What is wrong with a value, by a named schema of the contract."""
    from openapi_schema_validator import OAS31Validator

    validator = OAS31Validator({**contract(), "$ref": f"#/components/schemas/{schema}"})
    return [error.message for error in validator.iter_errors(json.loads(json.dumps(value)))]


def validate() -> None:
    """Raise what is wrong with the contract itself."""
    OpenAPI.from_dict(contract())
