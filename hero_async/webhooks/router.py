"""`Events`: which of your functions hears of which event."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, Final, Literal, Protocol, TypeVar, cast, overload

import attrs

from hero_async.errors import InvalidArgumentError
from hero_async.webhooks.events import (
    EVENTS,
    AppointmentCancelledEvent,
    AppointmentConfirmedEvent,
    AppointmentRescheduledEvent,
    Event,
    FormSubmissionCreatedEvent,
    PatientAddedToSequenceEvent,
    PatientMedicalRecordUpdatedEvent,
    PrescriptionIssuedEvent,
    WriteToRecordFailedEvent,
    WriteToRecordSucceededEvent,
)

E = TypeVar("E", bound=Event)
R = TypeVar("R")


class Registering(Protocol[E]):
    """Takes a function of an event, sync or async, and gives it back as it was."""

    def __call__(self, function: Callable[[E], R], /) -> Callable[[E], R]: ...


@attrs.define(eq=False)
class Handler:
    """One function that hears of events."""

    name: str
    """Its module and qualified name. Replay protection goes by it: keep it when you deploy."""

    function: Callable[[Any], Any] = attrs.field(repr=False)
    """What is called with the event."""

    is_async: bool
    """Whether it was declared `async def`."""

    kinds: tuple[type[Event], ...] = ()
    """What it hears of."""


class Events:
    """A router of events.

        events = Events()

        @events.on("appointment.confirmed")
        async def confirmed(event: AppointmentConfirmedEvent) -> None: ...

        @events.on(UnknownEvent)
        def other(event: UnknownEvent) -> None: ...

    An event goes to every function that was registered for its type or for a class that it derives from, in the
    order of registration, one after the other; to each once. One that fails does not keep the next from hearing.
    """

    def __init__(self) -> None:
        self._handlers: Final[list[Handler]] = []

    def __repr__(self) -> str:
        return f"<Events: {len(self._handlers)} handlers>"

    @overload
    def on(self, kind: Literal["appointment.confirmed"]) -> Registering[AppointmentConfirmedEvent]: ...
    @overload
    def on(self, kind: Literal["appointment.rescheduled"]) -> Registering[AppointmentRescheduledEvent]: ...
    @overload
    def on(self, kind: Literal["appointment.cancelled"]) -> Registering[AppointmentCancelledEvent]: ...
    @overload
    def on(self, kind: Literal["prescription.issued"]) -> Registering[PrescriptionIssuedEvent]: ...
    @overload
    def on(self, kind: Literal["patient.medical-record-updated"]) -> Registering[PatientMedicalRecordUpdatedEvent]: ...
    @overload
    def on(self, kind: Literal["patient.added-to-sequence"]) -> Registering[PatientAddedToSequenceEvent]: ...
    @overload
    def on(self, kind: Literal["write-to-record.succeeded"]) -> Registering[WriteToRecordSucceededEvent]: ...
    @overload
    def on(self, kind: Literal["write-to-record.failed"]) -> Registering[WriteToRecordFailedEvent]: ...
    @overload
    def on(self, kind: Literal["form-submission.created"]) -> Registering[FormSubmissionCreatedEvent]: ...
    @overload
    def on(self, kind: type[E]) -> Registering[E]: ...
    def on(self, kind: Any) -> Any:
        """Register a function of one event, sync or async.

        A sync function runs on a worker thread under an async server; an async one runs on the server's loop, and
        under a blocking server on the background loop of `hero_sync`. Stack the decorator to hear of several types.

        Args:
            kind: The type's name; or a class, for all that derive from it: `AppointmentEvent` for three,
                `UnknownEvent` for what the SDK does not know, `Event` for all.

        Raises:
            InvalidArgumentError: There is no such event: a name that is not in the reference would never be heard.
        """
        cls: Any = EVENTS.get(kind) if isinstance(kind, str) else kind
        if not (isinstance(cls, type) and issubclass(cls, Event)):
            names = ", ".join(EVENTS)
            raise InvalidArgumentError(
                f"kind: must be a class of event, or one of {names}; what the SDK does not know is UnknownEvent"
            )

        def register(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
            self._add(function, cls)
            return function

        return register

    def matching(self, event: Event) -> tuple[Handler, ...]:
        """The handlers of an event, in order."""
        return tuple(handler for handler in self._handlers if isinstance(event, handler.kinds))

    def _add(self, function: Callable[[Any], Any], cls: type[Event]) -> None:
        if not callable(cast("object", function)):
            raise InvalidArgumentError("function: must be callable")
        for handler in self._handlers:
            if handler.function is function:
                handler.kinds = (*handler.kinds, cls)
                return
        name = _name(function)
        same = sum(handler.name.partition("#")[0] == name for handler in self._handlers)
        handler = Handler(f"{name}#{same + 1}" if same else name, function, _is_async(function), (cls,))
        self._handlers.append(handler)


def _name(function: Any) -> str:
    while hasattr(function, "func"):  # functools.partial
        function = function.func
    named = function if hasattr(function, "__qualname__") else cast("Any", type(function))
    return f"{named.__module__}.{named.__qualname__}"


def _is_async(function: Any) -> bool:
    call = getattr(function, "__call__", None)  # noqa: B004  # an object may be called by an async method
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(call)
