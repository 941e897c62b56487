"""The description's side: OpenAPI 3 as it was parsed, read with patience. Nothing outside of it is fetched."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date
from functools import partial
from itertools import islice, product
from typing import Any, Final, cast
from urllib.parse import unquote, urlsplit

import attrs

from hero_async.drift.forms import ANYTHING, Field, Form, Shape

_VERBS: Final = ("get", "post", "put", "patch", "delete")
_MOST_FORMS: Final = 64
_MOST_HOPS: Final = 64
_LONGEST: Final = 120
_DIGITS: Final = (r"^\d+$", r"^[0-9]+$")
_OWN_HEADERS: Final = frozenset({"accept", "authorization", "content-type", "x-api-key", "x-practice-group-id"})
_KINDS: Final = {"boolean": "bool", "integer": "int", "number": "number", "array": "list", "object": "object"}


class NotOpenAPI(ValueError):
    """It is no description that can be compared. Says why."""


@attrs.frozen(eq=False)
class Argument:
    """A parameter or a field of a body."""

    place: str
    required: bool
    shape: Shape
    deprecated: bool


@attrs.frozen(eq=False)
class Endpoint:
    """An operation of the description."""

    verb: str
    path: str
    operation_id: str
    deprecated: bool
    arguments: Mapping[tuple[str, str], Argument]
    """By place and name on the wire. A parameter of the path is named by its position: the template may rename it."""

    headers: tuple[str, ...]
    """Required headers and cookies that the SDK does not send by itself."""

    body_kind: str
    """"object", "none", or what else it is."""

    answer: Shape | None
    """What a 2xx holds; None where none is shown."""

    @property
    def route(self) -> tuple[str, str]:
        """Verb and path, names of path parameters left out."""
        return route(self.verb, self.path)


def route(verb: str, path: str) -> tuple[str, str]:
    """Verb and path, names of path parameters left out."""
    return verb, re.sub(r"\{[^{}]*\}", "{}", path)


def clean(node: object) -> str:
    """A name of the description, fit for a terminal. What is no name is empty: its text might have no end."""
    text = _text(node)
    shown = "".join(one if one.isprintable() else f"\\u{ord(one):04x}" for one in text[:_LONGEST])
    return shown if len(text) <= _LONGEST else f"{shown}…"


def _text(node: object) -> str:
    """YAML reads 200, 3.1, no and 2026-01-05 as other things than text."""
    try:
        return str(node) if isinstance(node, str | int | float | date) else ""
    except ValueError:  # a number of more digits than Python wants to write
        return ""


def _mapping(node: object) -> dict[str, Any]:
    """A node that should be a mapping: empty if it is none."""
    given = cast("dict[Any, Any]", node) if isinstance(node, dict) else {}
    return {clean(key): value for key, value in given.items()}


def _list(node: object) -> list[Any]:
    return cast("list[Any]", node) if isinstance(node, list) else []


@attrs.define(eq=False)
class _Part:
    """One alternative of a schema, before it is a form."""

    kind: str | None = None
    choices: frozenset[str] | None = None
    properties: Mapping[str, Any] | None = None
    required: frozenset[str] = frozenset()
    items: Any = None

    def with_(self, other: _Part) -> _Part | None:
        """What fits both; None when nothing does."""
        kinds = {kind for kind in (self.kind, other.kind) if kind is not None}
        if kinds == {"int", "number"}:
            kinds = {"int"}
        if kinds == {"text", "choice"}:
            kinds = {"choice"}
        if len(kinds) > 1:
            return None
        choices = self.choices if other.choices is None else other.choices
        if self.choices is not None and other.choices is not None:
            choices = self.choices & other.choices
        shown = [part for part in (self.properties, other.properties) if part is not None]
        return _Part(
            kind=next(iter(kinds), None),
            choices=choices,
            properties={name: of for part in reversed(shown) for name, of in part.items()} if shown else None,
            required=self.required | other.required,
            items=self.items if self.items is not None else other.items,
        )


class Description:
    """An OpenAPI 3 description.

    Raises:
        NotOpenAPI: It is none.
    """

    def __init__(self, document: object) -> None:
        self._document = document
        top = _mapping(document)
        if not isinstance(document, dict):
            raise NotOpenAPI("is not an OpenAPI description: it holds no mapping")
        if "swagger" in top:
            raise NotOpenAPI("is a Swagger 2 description: convert it to OpenAPI 3 first")
        if not _text(top.get("openapi")).startswith("3"):
            raise NotOpenAPI("is not an OpenAPI 3 description: it has no 'openapi: 3…'")
        if not isinstance(top.get("paths"), dict):
            raise NotOpenAPI("has no paths")
        self._paths = _mapping(top["paths"])
        self._prefix = _prefix(_list(top.get("servers")))
        self._parts: dict[int, tuple[Any, list[_Part]]] = {}
        self._shapes: dict[int, tuple[Any, Shape]] = {}
        self.unfollowed: set[str] = set()
        """References that lead out of the file, or nowhere."""

    def endpoints(self) -> Iterator[Endpoint]:
        """Every operation."""
        for path, node in self._paths.items():
            item = self._resolved(node)
            for verb in _VERBS:
                if isinstance(item.get(verb), dict):
                    yield self._endpoint(verb.upper(), self._prefix + path, item, _mapping(item[verb]))

    def _endpoint(self, verb: str, path: str, item: Mapping[str, Any], node: Mapping[str, Any]) -> Endpoint:
        arguments: dict[tuple[str, str], Argument] = {}
        headers: dict[str, None] = {}
        places = re.findall(r"\{([^{}]*)\}", path)
        for one in map(self._resolved, [*_list(item.get("parameters")), *_list(node.get("parameters"))]):
            place, name = _text(one.get("in")), clean(one.get("name"))
            required = one.get("required") is True
            if place in ("header", "cookie") and required and name.lower() not in _OWN_HEADERS:
                headers[f"{place} {name}"] = None
            if place == "path" and name in places:
                name = str(places.index(name))
            if place in ("path", "query"):
                schema = one["schema"] if "schema" in one else self._json_schema(one)
                shape = self.shape(schema)
                is_old = one.get("deprecated") is True or shape.deprecated
                arguments[place, name] = Argument(place, required or place == "path", shape, is_old)
        for index in range(len(places)):
            arguments.setdefault(("path", str(index)), Argument("path", True, Shape(()), False))
        kind, body = self._body(node)
        return Endpoint(
            verb=verb,
            path=clean(path),
            operation_id=clean(node.get("operationId")),
            deprecated=node.get("deprecated") is True,
            arguments=arguments | body,
            headers=tuple(headers),
            body_kind=kind,
            answer=self._answer(node),
        )

    def _body(self, node: Mapping[str, Any]) -> tuple[str, dict[tuple[str, str], Argument]]:
        """What kind of body, and its fields: of several forms all fields, and what each of them requires."""
        if "requestBody" not in node:
            return "none", {}
        body = self._resolved(node["requestBody"])
        schema = self._json_schema(body)
        if schema is _NO_JSON:
            return "not JSON", {}
        shape = self.shape(schema)
        shown = [form.fields for form in shape.forms if form.kind == "object" and form.fields is not None]
        if not shown:
            return str(shape), {}
        names = {name: field for fields in reversed(shown) for name, field in fields.items()}
        return "object", {
            ("body", name): Argument(
                "body",
                all(name in fields and fields[name].required for fields in shown),
                field.shape,
                field.shape.deprecated,
            )
            for name, field in names.items()
        }

    def _answer(self, node: Mapping[str, Any]) -> Shape | None:
        responses = _mapping(node.get("responses"))
        good = sorted(status for status in responses if re.fullmatch(r"2(\d\d|XX)", status)) or ["default"]
        schema = self._json_schema(self._resolved(responses.get(good[0])))
        return None if schema is _NO_JSON else self.shape(schema)

    def _json_schema(self, node: Mapping[str, Any]) -> Any:
        for kind, media in _mapping(node.get("content")).items():
            plain = kind.partition(";")[0].strip().lower()
            if plain in ("application/json", "*/*", "application/*") or plain.endswith("+json"):
                return self._resolved(media).get("schema", {})
        return _NO_JSON

    def shape(self, schema: Any) -> Shape:
        """A schema as a shape."""
        if id(schema) not in self._shapes:
            parts = self._alternatives(schema)
            forms = tuple(self._form(part) for part in parts if part.kind != "null")
            is_old = self._resolved(schema).get("deprecated") is True
            made = Shape(forms, nullable=any(part.kind == "null" for part in parts), deprecated=is_old)
            self._shapes[id(schema)] = (schema, made)  # the schema is kept, so that its id stays its own
        return self._shapes[id(schema)][1]

    def _form(self, part: _Part) -> Form:
        if part.kind == "object" or (part.kind is None and part.properties is not None):
            if part.properties is None and _mapping(part.items):
                return Form("mapping", make_items=partial(self.shape, part.items))
            if part.properties is None:
                return Form("object")
            return Form(
                "object",
                fields={
                    name: Field(name in part.required, partial(self.shape, of)) for name, of in part.properties.items()
                },
            )
        if part.kind == "list":
            return Form("list", make_items=partial(self.shape, part.items) if part.items is not None else None)
        return Form(part.kind or ANYTHING, choices=part.choices or frozenset())

    def _alternatives(self, schema: Any) -> list[_Part]:
        """A schema taken apart. One that is looked at already, and so holds itself, adds nothing."""
        key = id(schema)
        if key in self._parts:
            return self._parts[key][1]
        self._parts[key] = (schema, [])
        node = _mapping(schema)
        parts = _own_parts(node)
        if "$ref" in node:
            parts = _fitting(parts, self._alternatives(self._follow(node["$ref"])))
        for one in _list(node.get("allOf")):
            parts = _fitting(parts, self._alternatives(one))
        for name in ("anyOf", "oneOf"):
            either = [part for one in _list(node.get(name)) for part in self._alternatives(one)]
            parts = _fitting(parts, either)
        if node.get("nullable") is True and all(part.kind != "null" for part in parts):
            parts = [*parts, _Part("null")]  # OpenAPI 3.0: means the whole, whatever else stands beside it
        self._parts[key] = (schema, parts)
        return parts

    def _resolved(self, node: object) -> dict[str, Any]:
        """A node, or what its `$ref` leads to."""
        for _ in range(_MOST_HOPS):
            found = _mapping(node)
            if "$ref" not in found:
                return found
            node = self._follow(found["$ref"])
        return {}

    def _follow(self, reference: Any) -> Any:
        if not isinstance(reference, str) or not (reference == "#" or reference.startswith("#/")):
            self.unfollowed.add(clean(reference))
            return None
        node: Any = self._document
        for step in reference[2:].split("/") if reference != "#" else ():
            name = unquote(step).replace("~1", "/").replace("~0", "~")
            if isinstance(node, dict) and name in node:
                node = cast("dict[str, Any]", node)[name]
            else:
                self.unfollowed.add(clean(reference))
                return None
        return node


_NO_JSON: Final = object()


def _prefix(servers: list[Any]) -> str:
    """What all servers' addresses put before every path."""
    paths: set[str] = set()
    for server in servers:
        try:
            paths.add(urlsplit(_text(_mapping(server).get("url"))).path.rstrip("/"))
        except ValueError:
            paths.add("")
    [prefix, *others] = paths or {""}
    return "" if others or "{" in prefix else clean(prefix)


def _own_parts(node: Mapping[str, Any]) -> list[_Part]:
    """What a schema says itself, a part for each of its types."""
    named = node.get("type")
    types: list[Any] = _list(named) or [named]
    values = [*_list(node.get("enum")), *([node["const"]] if "const" in node else [])]
    parts = [_typed(kind, node, values) for kind in types if kind != "null"]
    if "null" in types or None in values:
        parts.append(_Part("null"))
    return parts


def _typed(named: Any, node: Mapping[str, Any], values: list[Any]) -> _Part:
    choices = frozenset(clean(value) for value in values if value is not None)
    if named == "string" or (named is None and choices):
        return _Part("choice", choices) if choices else _Part(_kind_of_text(node))
    kind = _KINDS.get(named) if isinstance(named, str) else None
    if kind == "list" or (kind is None and "items" in node):
        return _Part("list", items=node.get("items"))
    if kind == "object" or "properties" in node:
        shown = _mapping(node["properties"]) if "properties" in node else None
        required = frozenset(clean(name) for name in _list(node.get("required")))
        return _Part("object", None, shown, required, node.get("additionalProperties"))
    if kind is None:
        return _Part(required=frozenset(clean(name) for name in _list(node.get("required"))))
    return _Part(kind)


def _kind_of_text(node: Mapping[str, Any]) -> str:
    if node.get("pattern") in _DIGITS:
        return "digits"
    return {"date-time": "moment", "date": "date"}.get(_text(node.get("format")), "text")


def _fitting(parts: list[_Part], others: list[_Part]) -> list[_Part]:
    """Every pair of alternatives that can be true at once. So many that no one means them are cut off."""
    if not others:
        return parts
    pairs = (one.with_(other) for one, other in product(parts, others))
    return list(islice((part for part in pairs if part is not None), _MOST_FORMS)) or parts
