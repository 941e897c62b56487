"""One operation, one place: a method with a signature, a docstring and no body.

    class Messages(Resource[Mode]):
        @op.get("/v1/messages/{id}", id="getMessage", evidence="sampled")
        def get(self, id: str) -> Message:
            \"\"\"Get one message.\"\"\"
            ...

The signature is the contract. A parameter named in the path goes into the path; of the rest GET and DELETE send
them as the query, the others as the JSON body. The same declaration is a coroutine on `AsyncHero` and a plain
value on `hero_sync.Hero`, decided by the type that the resource carries.

Import this module as `op`: a method called `get` would shadow a bare decorator of that name. For the same reason
write `Sequence[str]`, never `list[str]`, in resource classes.
"""

# pyright: reportPrivateUsage=false
# (`_start` and its kin are the contract between a client and its resources; users see none of them.)

from __future__ import annotations

import inspect
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, Concatenate, Generic, ParamSpec, Protocol, Self, TypeVar, overload

from hero_async.calls import AnyOperation, Call, Evidence, Response, Verb
from hero_async.resources import Async, Blocking, Mode, Resources

if TYPE_CHECKING:
    from hero_async.pages import Page, Pages
    from hero_sync.pages import SyncPages

P = ParamSpec("P")
T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
S = TypeVar("S")


class Resource(Generic[Mode]):
    """A subject of the API: its operations are its methods."""

    def __init__(self, client: Resources[Mode]) -> None:
        self._client = client

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"


class AsyncCall(Protocol[P, T_co]):
    """An operation of an async resource."""

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> Coroutine[Any, Any, T_co]: ...
    def raw(self, *args: P.args, **kwargs: P.kwargs) -> Coroutine[Any, Any, Response[T_co]]: ...
    def build(self, *args: P.args, **kwargs: P.kwargs) -> Call[T_co]: ...
    @property
    def operation(self) -> AnyOperation: ...


class BlockingCall(Protocol[P, T_co]):
    """An operation of a blocking resource."""

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> T_co: ...
    def raw(self, *args: P.args, **kwargs: P.kwargs) -> Response[T_co]: ...
    def build(self, *args: P.args, **kwargs: P.kwargs) -> Call[T_co]: ...
    @property
    def operation(self) -> AnyOperation: ...


class AsyncListing(Protocol[P, T]):
    """A list operation of an async resource."""

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> Pages[T]: ...
    def raw(self, *args: P.args, **kwargs: P.kwargs) -> Coroutine[Any, Any, Response[Page[T]]]: ...
    def build(self, *args: P.args, **kwargs: P.kwargs) -> Call[Page[T]]: ...
    @property
    def operation(self) -> AnyOperation: ...


class BlockingListing(Protocol[P, T]):
    """A list operation of a blocking resource."""

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> SyncPages[T]: ...
    def raw(self, *args: P.args, **kwargs: P.kwargs) -> Response[Page[T]]: ...
    def build(self, *args: P.args, **kwargs: P.kwargs) -> Call[Page[T]]: ...
    @property
    def operation(self) -> AnyOperation: ...


class Bound:
    """An operation of one client. It has a `__get__`, so that `help()` shows it as the function that it is."""

    __slots__ = ("__dict__", "_caller", "_start", "operation")

    def __init__(self, operation: AnyOperation, caller: Resources[Any], start: Callable[[Call[Any]], Any]) -> None:
        self.operation: AnyOperation = operation
        self._caller = caller
        self._start = start
        self.__doc__ = operation.__doc__
        self.__name__: str = operation.__name__
        self.__qualname__ = operation.__qualname__
        self.__module__ = operation.__module__

    def __get__(self, instance: object, owner: type | None = None) -> Self:
        return self

    @property
    def __signature__(self) -> inspect.Signature:
        whole = self.operation.__signature__
        return whole.replace(parameters=list(whole.parameters.values())[1:])

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        try:
            call = self.operation.make(args, kwargs)
        finally:
            del args, kwargs  # a traceback that shows locals must not show them
        return self._start(call)

    def raw(self, /, *args: Any, **kwargs: Any) -> Any:
        """The same call, answered with the whole `Response`."""
        try:
            call = self.operation.make(args, kwargs)
        finally:
            del args, kwargs
        return self._caller._start_raw(call)

    def build(self, /, *args: Any, **kwargs: Any) -> Call[Any]:
        """The call, checked and inert."""
        try:
            return self.operation.make(args, kwargs)
        finally:
            del args, kwargs

    def __repr__(self) -> str:
        return repr(self.operation)


class Operation(AnyOperation, Generic[P, T]):
    """An operation that answers one value."""

    @overload
    def __get__(self, resource: None, owner: Any) -> Self: ...
    @overload
    def __get__(self, resource: Resource[Async], owner: Any) -> AsyncCall[P, T]: ...
    @overload
    def __get__(self, resource: Resource[Blocking], owner: Any) -> BlockingCall[P, T]: ...
    def __get__(self, resource: Resource[Any] | None, owner: Any) -> Any:
        if resource is None:
            return self
        caller = resource._client
        bound = resource.__dict__[self.__name__] = Bound(self, caller, caller._start)
        return bound

    def build(self, *args: P.args, **kwargs: P.kwargs) -> Call[T]:
        """The call, checked and inert."""
        try:
            return self.make(args, kwargs)
        finally:
            del args, kwargs

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> T:
        """Not to be called on the class: an operation needs a client."""
        del args, kwargs
        raise TypeError(f"{self.name}() needs a client: hero.{self.name}(…)")


class Listing(AnyOperation, Generic[P, T]):
    """An operation that answers a list, page by page."""

    @overload
    def __get__(self, resource: None, owner: Any) -> Self: ...
    @overload
    def __get__(self, resource: Resource[Async], owner: Any) -> AsyncListing[P, T]: ...
    @overload
    def __get__(self, resource: Resource[Blocking], owner: Any) -> BlockingListing[P, T]: ...
    def __get__(self, resource: Resource[Any] | None, owner: Any) -> Any:
        if resource is None:
            return self
        caller = resource._client
        bound = resource.__dict__[self.__name__] = Bound(self, caller, caller._start_listing)
        return bound

    @property
    def is_paged(self) -> bool:
        """Whether the operation takes a page index."""
        return "page_index" in self.parameters

    def build(self, *args: P.args, **kwargs: P.kwargs) -> Call[Page[T]]:
        """The call of the first page, checked and inert."""
        try:
            return self.make(args, kwargs)
        finally:
            del args, kwargs

    def page(self, call: Call[Any], index: int | None) -> Call[Any]:
        """The same list at another page."""
        if index is None or index == call.arguments.get("page_index"):
            return call
        return self.make((), {**call.arguments, "page_index": index})

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> Page[T]:
        """Not to be called on the class: an operation needs a client."""
        del args, kwargs
        raise TypeError(f"{self.name}() needs a client: hero.{self.name}(…)")


class BoundFlow:
    """A flow of one client."""

    __slots__ = ("__dict__", "_flow", "_resource")

    def __init__(self, flow: Any, resource: Resource[Any]) -> None:
        self._flow = flow
        self._resource = resource
        self.__doc__ = flow.__doc__
        self.__name__: str = flow.function.__name__
        self.__qualname__ = flow.function.__qualname__
        self.__module__ = flow.function.__module__

    def __get__(self, instance: object, owner: type | None = None) -> Self:
        return self

    @property
    def __signature__(self) -> inspect.Signature:
        whole = inspect.signature(self._flow.function, eval_str=True)
        return whole.replace(parameters=list(whole.parameters.values())[1:])

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        started = Started(self._flow.function, args, kwargs)
        del args, kwargs  # a traceback that shows locals must not show them
        return self._resource._client._start_flow(started, self._resource)


class Started:
    """A coroutine function with its arguments, on its way to the loop. Its repr shows none of them."""

    __slots__ = ("_args", "_function", "_kwargs")

    def __init__(self, function: Callable[..., Coroutine[Any, Any, Any]], args: Any, kwargs: Any) -> None:
        self._function = function
        self._args = args
        self._kwargs = kwargs

    def __call__(self, owner: Any) -> Coroutine[Any, Any, Any]:
        """The coroutine, on what the function is a method of."""
        return self._function(owner, *self._args, **self._kwargs)


class Flow(Generic[P, T]):
    """An `async def` made of operations; on a blocking client it runs on the background loop."""

    def __init__(self, function: Callable[..., Coroutine[Any, Any, T]]) -> None:
        self.function = function
        self.__doc__ = function.__doc__

    @overload
    def __get__(self, resource: None, owner: Any) -> Self: ...
    @overload
    def __get__(self, resource: Resource[Async], owner: Any) -> Callable[P, Coroutine[Any, Any, T]]: ...
    @overload
    def __get__(self, resource: Resource[Blocking], owner: Any) -> Callable[P, T]: ...
    def __get__(self, resource: Resource[Any] | None, owner: Any) -> Any:
        return self if resource is None else BoundFlow(self, resource)


def _decorator(verb: Verb, default_idempotent: bool) -> Any:
    def declare(
        path: str,
        *,
        id: str,  # the contract's word
        idempotent: bool = default_idempotent,
        evidence: Evidence = "documented",
        needs: tuple[tuple[str, ...], ...] = (),
    ) -> Any:
        def wrap(function: Callable[..., Any]) -> Operation[..., Any]:
            return Operation(
                function,
                verb=verb,
                path=path,
                operation_id=id,
                idempotent=idempotent,
                evidence=evidence,
                needs=needs,
            )

        return wrap

    return declare


class Declare(Protocol):
    """Declares an operation.

    Args:
        path: The path template.
        id: The contract's operationId.
        idempotent: Whether it is safe to repeat when the outcome is unknown.
        evidence: How well the reference shows it.
        needs: Groups of arguments; one group must be complete.
    """

    def __call__(
        self,
        path: str,
        *,
        id: str,  # the contract's word
        idempotent: bool = ...,
        evidence: Evidence = ...,
        needs: tuple[tuple[str, ...], ...] = ...,
    ) -> _Wrap: ...


class _Wrap(Protocol):
    def __call__(self, function: Callable[Concatenate[Any, P], T], /) -> Operation[P, T]: ...


get: Declare = _decorator("GET", default_idempotent=True)
post: Declare = _decorator("POST", default_idempotent=False)
put: Declare = _decorator("PUT", default_idempotent=False)
patch: Declare = _decorator("PATCH", default_idempotent=False)
delete: Declare = _decorator("DELETE", default_idempotent=False)


class _WrapListing(Protocol):
    def __call__(self, function: Callable[Concatenate[Any, P], Page[S]], /) -> Listing[P, S]: ...


def listing(
    path: str,
    *,
    id: str,  # the contract's word
    evidence: Evidence = "documented",
    needs: tuple[tuple[str, ...], ...] = (),
) -> _WrapListing:
    """Declare a GET that answers a list: declared `-> Page[T]`, it gives `Pages[T]` or `SyncPages[T]`."""

    def wrap(function: Callable[..., Any]) -> Any:
        made: Listing[..., Any] = Listing(
            function,
            verb="GET",
            path=path,
            operation_id=id,
            idempotent=True,
            evidence=evidence,
            needs=needs,
        )
        return made

    return wrap


def flow(function: Callable[Concatenate[Any, P], Coroutine[Any, Any, T]]) -> Flow[P, T]:
    """Declare a flow: an `async def` whose own `self` is the async resource. It runs in both worlds."""
    return Flow(function)
