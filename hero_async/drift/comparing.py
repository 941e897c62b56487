"""The two sides, put beside each other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Final, Literal, get_args, get_origin

import attrs

from hero_async.calls import AnyOperation
from hero_async.drift import declared
from hero_async.drift.described import Argument, Description, Endpoint, NotOpenAPI, clean, route
from hero_async.drift.forms import ANYTHING, Field, Form, Shape
from hero_async.drift.known import why_known
from hero_async.pages import Page

Change = Literal["gone", "added", "moved", "retyped", "values", "required", "optional", "deprecated", "unshown"]
Side = Literal["", "request", "answer"]


@attrs.frozen
class Difference:
    """One thing that is not as the SDK has it."""

    change: Change
    """"gone", "added", "moved", "retyped", "values" (of a closed set), "required", "optional" (no longer required),
    "deprecated", or "unshown" (the description does not say)."""

    where: str
    """The operation by its SDK name, or by verb and path; then names joined by dots, an item as `[]`."""

    side: Side
    """Whether it is in what is sent or in what comes back; empty when it is the operation itself."""

    says: str
    """What differs, in words."""

    breaks: bool
    """Whether a call that works by the SDK may fail by the description."""

    why: str = ""
    """Why it is so, if it was known when this SDK was made."""


@attrs.frozen
class Report:
    """What a description says otherwise than the SDK."""

    compared: int
    """How many operations are in both."""

    differences: tuple[Difference, ...]
    """What was not known when this SDK was made."""

    known: tuple[Difference, ...]
    """What was, with reasons."""

    @property
    def breaks(self) -> bool:
        """Whether something would break."""
        return any(one.breaks for one in self.differences)


_NOTHING: Final[frozenset[str]] = frozenset()
_TEXTS: Final = frozenset({"text", "digits", "date", "moment", "choice"})
_SENT_AS: Final[Mapping[str, frozenset[str]]] = {
    "text": _TEXTS,  # whether a text keeps a rule is the caller's affair
    "digits": frozenset({"text", "digits"}),
    "NHS number": frozenset({"text", "digits"}),
    "date": frozenset({"text", "date"}),
    "moment": frozenset({"text", "moment"}),
    "int": frozenset({"int", "number"}),
    "number": frozenset({"number"}),
    "bool": frozenset({"bool"}),
    "choice": frozenset({"text", "choice"}),
    "list": frozenset({"list"}),
    "mapping": frozenset({"mapping", "object"}),
    "object": frozenset({"object", "mapping"}),
}
"""By the SDK's kind: what a description must take for it."""

_ON_A_LINE: Final[Mapping[str, frozenset[str]]] = {
    "text": frozenset({"int", "number", "list"}),
    "digits": frozenset({"int", "number", "list"}),
    "NHS number": frozenset({"int", "number"}),
    "int": frozenset({"text", "digits", "list"}),
    "number": frozenset({"text", "list"}),
    "bool": frozenset({"text"}),
    "date": frozenset({"list"}),
    "moment": frozenset({"list"}),
    "choice": frozenset({"list"}),
}
"""The same in a path or a query, where all is text, and one value is a list of one."""

_READ_FROM: Final[Mapping[str, frozenset[str]]] = {
    "text": _TEXTS | {"int", "number"},
    "digits": _TEXTS | {"int", "number"},
    "NHS number": _TEXTS | {"int", "number"},
    "choice": _TEXTS,
    "int": frozenset({"int"}),
    "number": frozenset({"int", "number"}),
    "bool": frozenset({"bool"}),
    "date": frozenset({"date", "moment"}),
    "moment": frozenset({"date", "moment"}),
    "list": frozenset({"list"}),
    "mapping": frozenset({"mapping"}),
    "object": frozenset({"object", "mapping"}),
}
"""By the SDK's kind: from what it is read without fail."""


@attrs.frozen
class _Found:
    """A difference within a value, and where from there."""

    change: Change
    path: str
    says: str
    breaks: bool
    kinds: tuple[str, str] = ("", "")

    def below(self, step: str) -> _Found:
        return attrs.evolve(self, path=step + self.path)


class _Values:
    """Compares values of requests, or of answers. What was compared once is remembered: schemas share others."""

    def __init__(self, side: Side, *, on_a_line: bool = False) -> None:
        self._is_request = side == "request"
        self._on_a_line = on_a_line
        self._done: dict[tuple[Any, Any], tuple[_Found, ...]] = {}

    def compare(self, ours: Shape, theirs: Shape) -> tuple[_Found, ...]:
        if (ours, theirs) not in self._done:
            self._done[ours, theirs] = ()  # a schema that holds itself is compared once
            self._done[ours, theirs] = tuple(self._shapes(ours, theirs))
        return self._done[ours, theirs]

    def _shapes(self, ours: Shape, theirs: Shape) -> Iterator[_Found]:
        if self._is_request and ours.nullable and not theirs.nullable and not theirs.is_open:
            yield _Found("retyped", "", "null is not taken, which the SDK can send", breaks=True)
        if self._is_request and theirs.nullable and not ours.nullable and not ours.is_open:
            yield _Found("retyped", "", "null is taken, which the SDK does not send", breaks=False)
        if not self._is_request and theirs.nullable and not ours.nullable and not ours.is_open:
            yield _Found("retyped", "", "may be null, which the SDK does not read", breaks=True)
        if ours.is_bare:
            if not theirs.is_bare:
                yield _retyped(str(ours), str(theirs), breaks=not (ours.is_open or self._fits(ours, theirs)))
        elif theirs.is_open:
            yield _Found("unshown", "", f"its type is not shown, the SDK has {ours}", breaks=False)
        else:
            if self._kinds(ours) != self._kinds(theirs):
                yield _retyped(str(ours), str(theirs), breaks=not self._fits(ours, theirs))
            yield from self._choices(ours, theirs)
            yield from self._inner(ours, theirs)

    def _kinds(self, shape: Shape) -> set[str]:
        """The kinds; in an answer digits are text."""
        return {"text" if kind == "digits" and not self._is_request else kind for kind in shape.kinds}

    def _fits(self, ours: Shape, theirs: Shape) -> bool:
        if self._is_request:
            return all(self._taken_for(kind).intersection(theirs.kinds) for kind in ours.kinds)
        readable = _NOTHING.union(*(_READ_FROM[kind] for kind in ours.kinds))
        return readable.issuperset(theirs.kinds)

    def _taken_for(self, kind: str) -> frozenset[str]:
        return _SENT_AS[kind] | (_ON_A_LINE.get(kind, _NOTHING) if self._on_a_line else _NOTHING)

    def _choices(self, ours: Shape, theirs: Shape) -> Iterator[_Found]:
        here = _NOTHING.union(*(form.choices for form in ours.of_kind("choice")))
        there = _NOTHING.union(*(form.choices for form in theirs.of_kind("choice")))
        if not here or not there:
            return
        if gone := here - there:
            breaks = self._is_request and "text" not in theirs.kinds
            yield _Found("values", "", f"no longer {_listed(gone)}", breaks=breaks)
        if added := there - here:
            refused = self._is_request and "text" not in ours.kinds
            says = f"also {_listed(added)}" + (", which the SDK refuses to send" if refused else "")
            yield _Found("values", "", says, breaks=False)

    def _inner(self, ours: Shape, theirs: Shape) -> Iterator[_Found]:
        """What lists, mappings and objects hold. Of a request each form must be taken; of an answer, each be read."""
        for kind in ("list", "mapping", "object"):
            here, there = ours.of_kind(kind), theirs.of_kind(kind)
            if here and there:
                seen: dict[_Found, None] = {}
                for one in _shown(here if self._is_request else there):
                    seen |= dict.fromkeys(self._nearest(one, there if self._is_request else here))
                yield from seen

    def _nearest(self, one: Form, others: list[Form]) -> tuple[_Found, ...]:
        """The differences from the form that is nearest. What shows nothing is never: it would hide differences."""
        pairs = ((one, other) if self._is_request else (other, one) for other in _shown(others))
        return min((tuple(self._forms(*pair)) for pair in pairs), key=_distance)

    def _forms(self, ours: Form, theirs: Form) -> Iterator[_Found]:
        if ours.items is not None and theirs.items is not None:
            step = "[]" if ours.kind == "list" else ".*"
            yield from (found.below(step) for found in self.compare(ours.items, theirs.items))
        if ours.fields is not None:
            if theirs.fields is None:
                yield _Found("unshown", "", "its fields are not shown", breaks=False)
            else:
                yield from self._fields(ours.fields, theirs.fields)

    def _fields(self, ours: Mapping[str, Field], theirs: Mapping[str, Field]) -> Iterator[_Found]:
        for name in ours.keys() | theirs.keys():
            field, other, step = ours.get(name), theirs.get(name), f".{name}"
            if other is None and field is not None:
                yield _gone(step, breaks=self._is_request or field.required)
            elif other is not None and field is None:
                yield _added(step, required=self._is_request and other.required)
            elif field is not None and other is not None:
                yield from (one.below(step) for one in self._requirement(field.required, other.required))
                yield from (one.below(step) for one in self.compare(field.shape, other.shape))
                if other.shape.deprecated:
                    yield _Found("deprecated", step, "is deprecated", breaks=False)

    def _requirement(self, ours: bool, theirs: bool) -> Iterator[_Found]:
        if theirs and not ours:
            says = "is required" if self._is_request else "is always there"
            yield _Found("required", "", f"{says}, the SDK has it optional", breaks=self._is_request)
        if ours and not theirs:
            says = "is not required" if self._is_request else "may be missing"
            yield _Found("optional", "", f"{says}, the SDK requires it", breaks=not self._is_request)

    def argument(self, parameter: Any, other: Argument) -> Iterator[_Found]:
        """A parameter of the SDK against the description's. Its path starts at the parameter."""
        if parameter.place != "path":  # a path value is required by its nature
            yield from self._requirement(parameter.required, other.required)
        yield from self.compare(declared.shape(parameter.hint, sent=True), other.shape)
        if other.deprecated:
            yield _Found("deprecated", "", "is deprecated", breaks=False)


def _retyped(ours: str, theirs: str, *, breaks: bool) -> _Found:
    return _Found("retyped", "", f"is {theirs}, the SDK has {ours}", breaks, (ours, theirs))


def _gone(step: str, *, breaks: bool) -> _Found:
    return _Found("gone", step, "is gone", breaks)


def _added(step: str, *, required: bool) -> _Found:
    if required:
        return _Found("required", step, "is new and required", breaks=True)
    return _Found("added", step, "is new", breaks=False)


def _shown(forms: list[Form]) -> list[Form]:
    """Those of which more is said than that they are objects; all if there are none."""
    return [form for form in forms if not form.is_bare] or forms


def _distance(found: Sequence[_Found]) -> tuple[int, int, int]:
    return sum(one.change == "unshown" for one in found), sum(one.breaks for one in found), len(found)


def _listed(values: Iterable[str]) -> str:
    names = sorted(values)
    return ", ".join(repr(name) for name in names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")


def compare(document: object) -> Report:
    """Compare a description with this SDK.

    Args:
        document: An OpenAPI 3 description, parsed from YAML or JSON. References that lead out of it are not followed.

    Raises:
        NotOpenAPI: It is no such description.
    """
    from hero_async.registry import OPERATIONS

    try:
        return _Comparison(Description(document)).report(OPERATIONS)
    except RecursionError:
        pass
    raise NotOpenAPI("is nested too deeply")


class _Comparison:
    def __init__(self, description: Description) -> None:
        self._description = description
        self._sent = {
            "path": _Values("request", on_a_line=True),
            "query": _Values("request", on_a_line=True),
            "body": _Values("request"),
        }
        self._read = _Values("answer")

    def report(self, operations: tuple[AnyOperation, ...]) -> Report:
        endpoints = list(self._description.endpoints())
        pairs = _matched(operations, endpoints)
        found: list[Difference] = []
        for operation in operations:
            if operation.name in pairs:
                found += self._operation(operation, pairs[operation.name])
            else:
                found.append(
                    Difference("gone", operation.name, "", f"{operation.verb} {operation.path} is gone", breaks=True)
                )
        matched = {id(endpoint) for endpoint in pairs.values()}
        for endpoint in endpoints:
            if id(endpoint) not in matched:
                where = f"{endpoint.verb} {endpoint.path}"
                found.append(Difference("added", where, "", "is new, the SDK does not have it", breaks=False))
        for reference in sorted(self._description.unfollowed):
            found.append(Difference("unshown", reference, "", "is not in the file and was not read", breaks=False))
        return Report(
            compared=len(pairs),
            differences=tuple(sorted((one for one in found if not one.why), key=_order)),
            known=tuple(sorted((one for one in found if one.why), key=_order)),
        )

    def _operation(self, operation: AnyOperation, endpoint: Endpoint) -> Iterator[Difference]:
        name = operation.name
        if endpoint.route != route(operation.verb, operation.path):
            says = f"is {endpoint.verb} {endpoint.path}, the SDK has {operation.verb} {operation.path}"
            yield Difference("moved", name, "", says, breaks=True)
        if endpoint.deprecated:
            yield Difference("deprecated", name, "", "is deprecated", breaks=False)
        for header in endpoint.headers:
            yield Difference("required", name, "request", f"{header} is required, the SDK does not send it", True)
        if operation.plan.has_body and endpoint.body_kind not in ("object", "none", ANYTHING):
            yield Difference("retyped", name, "request", f"the body is {endpoint.body_kind}, not an object", True)
        for one in self._arguments(operation, endpoint):
            yield _told(name, "request", one)
        for one in self._answer(operation.into, endpoint.answer):
            yield _told(name, "answer", one)

    def _arguments(self, operation: AnyOperation, endpoint: Endpoint) -> Iterator[_Found]:
        theirs = dict(endpoint.arguments)
        is_shown = endpoint.body_kind in ("object", "none")
        for parameter in operation.parameters.values():
            in_path = parameter.place == "path"
            wire = str(operation.in_path.index(parameter.name)) if in_path else parameter.wire
            step = f".{parameter.wire}"
            other = theirs.pop((parameter.place, wire), None)
            if other is not None:
                compared = self._sent[parameter.place].argument(parameter, other)
                yield from (one.below(step) for one in compared)
                continue
            places = [place for place, name in theirs if name == parameter.wire]
            if places:
                del theirs[places[0], parameter.wire]
                yield _Found("moved", step, f"is in the {places[0]}, the SDK sends it in the {parameter.place}", True)
            elif parameter.place != "body" or is_shown:
                yield _gone(step, breaks=True)
        for (place, name), other in theirs.items():
            step = f".path[{name}]" if place == "path" else f".{name}"
            yield _added(step, required=other.required)

    def _answer(self, into: Any, theirs: Shape | None) -> Iterator[_Found]:
        is_page = get_origin(into) is Page
        ours = declared.shape(get_args(into)[0] if is_page else into, sent=False)
        if theirs is None:
            if not ours.is_open:
                yield _Found("unshown", "", "no JSON answer is shown", breaks=False)
        elif is_page:
            yield from self._page(ours, theirs)
        else:
            yield from self._read.compare(ours, theirs)

    def _page(self, ours: Shape, theirs: Shape) -> Iterator[_Found]:
        """A page is read from an object with `data`, from a list, and from one object."""
        compare = partial(self._read.compare, ours)
        for form in theirs.forms:
            data = (form.fields or {}).get("data")
            lists = data.shape.of_kind("list") if data is not None else [form] if form.kind == "list" else []
            for one in lists:
                if one.items is not None:
                    yield from (found.below("[]") for found in compare(one.items))
            if data is not None and not lists and not data.shape.is_open:
                yield _Found("retyped", ".data", f"is {data.shape}, the SDK has list", breaks=True)
            if form.kind == "object" and data is None:
                yield _retyped("Page", "object", breaks=False)
                yield from (found.below("[]") for found in compare(Shape((form,))))
            if data is not None:
                for name in (form.fields or {}).keys() - _ENVELOPE:
                    yield _added(f".{name}", required=False)
            elif form.kind not in ("list", "object", ANYTHING):
                yield _retyped("Page", form.kind, breaks=True)
        if theirs.nullable:
            yield _Found("retyped", "", "may be null, which the SDK does not read", breaks=True)


_ENVELOPE: Final = frozenset({"data", "count", "page_index"})


def _told(operation: str, side: Side, found: _Found) -> Difference:
    where = clean(operation + found.path)
    return Difference(found.change, where, side, found.says, found.breaks, why_known(side, where, *found.kinds))


def _order(difference: Difference) -> tuple[Any, ...]:
    return (not difference.breaks, difference.where, difference.side, difference.change, difference.says)


def _matched(operations: tuple[AnyOperation, ...], endpoints: list[Endpoint]) -> dict[str, Endpoint]:
    """Which endpoint each operation is: by route and id, else by route, else by id. Each endpoint once."""
    pairs: dict[str, Endpoint] = {}
    free = dict.fromkeys(endpoints)
    for by_route, by_id in ((True, True), (True, False), (False, True)):
        there: dict[tuple[Any, Any], Endpoint] = {}
        for endpoint in free:
            key = (endpoint.route if by_route else "", endpoint.operation_id.lower() if by_id else "")
            there.setdefault(key, endpoint)
        for operation in operations:
            key = (
                route(operation.verb, operation.path) if by_route else "",
                operation.operation_id.lower() if by_id else "",
            )
            if operation.name not in pairs and key in there:
                pairs[operation.name] = endpoint = there.pop(key)
                del free[endpoint]
    return pairs
