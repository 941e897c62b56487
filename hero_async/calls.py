"""From arguments to an inert call: the signature of an operation is read once, then checks and sorts arguments."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from typing import Any, Final, Generic, Literal, Protocol, TypeVar, cast, get_args, get_type_hints
from urllib.parse import quote

import attrs

from hero_async.arguments import Refused, check_for, wire_name
from hero_async.codec import encode
from hero_async.errors import InvalidArgumentError
from hero_async.fields import Body, Query
from hero_async.hiding import hidden

Evidence = Literal["documented", "sampled", "inferred"]
Verb = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
Place = Literal["path", "query", "body"]

T_co = TypeVar("T_co", covariant=True)


@hidden
@attrs.frozen(repr=False)
class Response(Generic[T_co]):
    """An answer with all that came with it."""

    status: int
    """The HTTP status."""

    headers: Mapping[str, str]
    """The headers; look-ups ignore case."""

    body: bytes
    """The body as it was read, decompressed."""

    value: T_co
    """The body, decoded."""

    attempts: int
    """How many attempts it took."""

    call_id: str
    """Our id of the call, as it stands in the log."""

    request_id: str | None
    """The server's id of the request, if it sent one."""

    elapsed: float
    """Seconds from the call to the end of the body, waits included."""

    def __repr__(self) -> str:
        return f"Response(status={self.status}, attempts={self.attempts}, {len(self.body)} bytes)"


class Route(Protocol):
    """What the pipeline needs to know of an operation."""

    @property
    def name(self) -> str: ...
    @property
    def verb(self) -> str: ...
    @property
    def path(self) -> str: ...
    @property
    def idempotent(self) -> bool: ...
    @property
    def in_path(self) -> tuple[str, ...]: ...
    @property
    def wire_names(self) -> frozenset[str]: ...


@attrs.frozen
class Custom:
    """A request that the SDK does not know: `hero.request`. Its path is not told to logs: it may hold values."""

    verb: str
    idempotent: bool
    name: str = "request"
    path: str = "(custom)"
    in_path: tuple[str, ...] = ("any",)
    wire_names: frozenset[str] = frozenset()


@hidden
@attrs.define(repr=False, eq=False)
class Call(Generic[T_co]):
    """A call that is ready to be sent, and inert: `await hero.execute(call)`.

    It holds patient data, so its repr shows none of it.
    """

    operation: Route
    """What is called."""

    target: str
    """Path and query, encoded."""

    body: bytes | None
    """The JSON body, or None."""

    arguments: Mapping[str, Any]
    """The arguments as they were given."""

    into: Any
    """The type of the answer."""

    def __repr__(self) -> str:
        return f"Call({self.operation.name!r})"


@attrs.frozen
class Parameter:
    """One parameter of an operation."""

    name: str
    """Its name in Python."""

    wire: str
    """Its name on the wire."""

    place: Place
    """Where it goes."""

    required: bool
    """Whether a call without it is refused."""

    hint: Any
    """Its type, annotations included."""

    check: Callable[[Any], Any] = attrs.field(repr=False)
    """Checks a value and gives what is sent; raises `Refused`."""


_PLACEHOLDER = re.compile(r"\{(\w+)\}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_SLASH = re.compile(r"[/\\]")
_LONGEST_PATH_VALUE = 256


@attrs.frozen
class Plan:
    """What the signature says, read once, at the first call."""

    parameters: Mapping[str, Parameter]
    table: Mapping[str, tuple[Place, str, Callable[[Any], Any], bool]]
    """By name: place, wire name (in the path: the placeholder), check, and whether it is required."""

    required: int
    """How many are required."""

    has_body: bool
    """Whether a body is always sent, `{}` when all is left out: a POST, PUT or PATCH with fields of a body has one."""

    into: Any
    signature: inspect.Signature


class AnyOperation:
    """What all operations have, whatever they answer."""

    def __init__(
        self,
        function: Callable[..., Any],
        *,
        verb: Verb,
        path: str,
        operation_id: str,
        idempotent: bool,
        evidence: Evidence,
        needs: tuple[tuple[str, ...], ...],
    ) -> None:
        self.function = function
        self.verb: Final = verb
        self.path: Final = path
        self.operation_id: Final = operation_id
        self.idempotent: Final = idempotent
        self.evidence: Final[Evidence] = evidence
        self.needs: Final = needs
        """Groups of arguments, one of which must be complete."""
        self.name: str = function.__name__
        self.in_path: Final[tuple[str, ...]] = tuple(_PLACEHOLDER.findall(path))
        self._plan: Plan | None = None
        self.__doc__ = function.__doc__
        self.__name__: str = function.__name__
        self.__qualname__: str = function.__qualname__
        self.__module__ = function.__module__

    def __set_name__(self, owner: type, name: str) -> None:
        subject = re.sub(r"(?<!^)(?=[A-Z])", "_", owner.__name__).lower()
        self.name = f"{subject}.{name}"

    def __repr__(self) -> str:
        return f"<operation {self.name}: {self.verb} {self.path}>"

    def __reduce__(self) -> tuple[Any, ...]:
        return _find, (self.name,)

    @property
    def __signature__(self) -> inspect.Signature:
        return inspect.signature(self.function, eval_str=True)

    @property
    def plan(self) -> Plan:
        """The signature, read."""
        if self._plan is None:
            self._plan = self._read()
        return self._plan

    @property
    def parameters(self) -> Mapping[str, Parameter]:
        """The parameters by their Python names."""
        return self.plan.parameters

    @property
    def into(self) -> Any:
        """The type of the answer."""
        return self.plan.into

    @property
    def wire_names(self) -> frozenset[str]:
        """Every name that this operation uses on the wire, those of nested models included."""
        names = {parameter.wire for parameter in self.parameters.values()}
        for parameter in self.parameters.values():
            names |= _nested_names(parameter.hint)
        return frozenset(names)

    def _read(self) -> Plan:
        hints = get_type_hints(self.function, include_extras=True)
        signature = inspect.signature(self.function)
        own = list(signature.parameters.values())[1:]
        parameters: dict[str, Parameter] = {}
        for parameter in own:
            hint = hints[parameter.name]
            parameters[parameter.name] = Parameter(
                name=parameter.name,
                wire=wire_name(parameter.name, hint),
                place=self._place(parameter.name, hint),
                required=parameter.default is parameter.empty,
                hint=hint,
                check=check_for(hint),
            )
        return Plan(
            parameters=parameters,
            table={
                p.name: (p.place, f"{{{p.name}}}" if p.place == "path" else p.wire, p.check, p.required)
                for p in parameters.values()
            },
            required=sum(parameter.required for parameter in parameters.values()),
            has_body=self.verb in ("POST", "PUT", "PATCH") and any(p.place == "body" for p in parameters.values()),
            into=hints["return"],
            signature=signature.replace(parameters=own),
        )

    def _place(self, name: str, hint: Any) -> Place:
        if name in self.in_path:
            return "path"
        marks = getattr(hint, "__metadata__", ())
        if any(isinstance(mark, Query) for mark in marks):
            return "query"
        if any(isinstance(mark, Body) for mark in marks):
            return "body"
        return "query" if self.verb in ("GET", "DELETE") else "body"

    def make(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Call[Any]:
        """Check the arguments and make the call. Nothing is sent.

        Raises:
            TypeError: Missing or unknown arguments, as for any function.
            InvalidArgumentError: An argument breaks a rule.
        """
        plan = self._plan or self.plan
        words = "unknown argument"
        try:
            if args:
                kwargs = self._bind(plan, args, kwargs)
            try:
                return self._make(plan, kwargs)
            except Refused as refused:
                words = f"{refused.where}: {refused.rule}" if refused.where else refused.rule
            except KeyError:  # an argument that is unknown: Python's own words say so best
                pass
            self._bind(plan, (), kwargs)
        finally:
            del args, kwargs  # a traceback that shows locals must not show them
        raise InvalidArgumentError(words, operation=self.name)

    def _bind(self, plan: Plan, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
        try:
            return dict(plan.signature.bind(*args, **kwargs).arguments)
        except TypeError as error:
            words = str(error)
        del args, kwargs
        raise TypeError(f"{self.name}() {words}")

    def _make(self, plan: Plan, kwargs: dict[str, Any]) -> Call[Any]:
        body: dict[str, Any] = {}
        query: list[str] = []
        target = self.path
        missing = plan.required
        table = plan.table
        name = ""
        try:
            for name, value in kwargs.items():
                place, wire, check, required = table[name]
                if value is None:
                    continue
                missing -= required
                if place == "body":
                    body[wire] = check(value)
                elif place == "query":
                    query.extend(query_pairs(wire, check(value)))
                else:
                    target = target.replace(wire, path_segment(check(value)))
        except Refused as refused:
            raise Refused(refused.rule, f"{name}{refused.where}") from None
        if missing:
            absent = (name for name, parameter in plan.parameters.items() if parameter.required)
            raise Refused("is required", next(name for name in absent if kwargs.get(name) is None))
        if self.needs and not any(all(kwargs.get(name) is not None for name in group) for group in self.needs):
            raise Refused("needs " + "; or ".join(" and ".join(group) for group in self.needs))
        if query:
            target = f"{target}?{'&'.join(query)}"
        return Call(self, target, encode(body) if body or plan.has_body else None, kwargs, plan.into)


def _nested_names(hint: Any) -> set[str]:
    if isinstance(hint, type) and attrs.has(hint):
        hints = get_type_hints(hint, include_extras=True)
        names = {wire_name(field.name, hints[field.name]) for field in attrs.fields(hint)}
        return names.union(*(_nested_names(hints[field.name]) for field in attrs.fields(hint)))
    return set[str]().union(*(_nested_names(part) for part in get_args(hint)))


def _find(name: str) -> AnyOperation:
    from hero_async.registry import OPERATIONS

    return next(operation for operation in OPERATIONS if operation.name == name)


def path_segment(text: Any) -> str:
    """A path value, percent-encoded whole. What could lead to another route is refused."""
    text = str(text)
    if not text or len(text) > _LONGEST_PATH_VALUE or _CONTROL.search(text) or has_dots(text):
        raise Refused(f"must be 1 to {_LONGEST_PATH_VALUE} characters, not '.' or '..', without control characters")
    return quote(text, safe="")


def has_dots(text: str) -> bool:
    """Whether it holds a '.' or '..' segment for a server that decodes before it splits."""
    return "." in text and any(piece in (".", "..") for piece in _SLASH.split(text))


def query_pairs(wire: str, value: Any) -> list[str]:
    """A query parameter, encoded; several values repeat the key."""
    values = cast("list[Any]", value) if isinstance(value, list) else [value]
    key = quote(wire, safe="[]")
    return [f"{key}={quote(_query_text(one), safe='')}" for one in values]


def _query_text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str | int | float):
        raise Refused("has no form in a query")
    return str(value)
