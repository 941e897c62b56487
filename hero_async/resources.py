"""Every resource as a cached property, for both clients. A resource's module is imported when it is touched."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from hero_async.api.access_tokens import AccessTokens
    from hero_async.api.batch_messages import BatchMessages
    from hero_async.api.messages import Messages
    from hero_async.api.patients import Patients
    from hero_async.calls import Call


class Async:
    """The mode of a resource whose calls are awaited."""


class Blocking:
    """The mode of a resource whose calls block."""


Mode = TypeVar("Mode", bound=Async | Blocking)


class Resources(Generic[Mode]):
    """What `AsyncHero` and `hero_sync.Hero` have in common: the subjects of the API."""

    # What a resource asks of its client: how calls start in its world.
    def _start(self, call: Call[Any]) -> Any:
        raise TypeError

    def _start_raw(self, call: Call[Any]) -> Any:
        raise TypeError

    def _start_listing(self, call: Call[Any]) -> Any:
        raise TypeError

    def _start_flow(self, flow: Any, resource: Any, args: Any, kwargs: Any) -> Any:
        raise TypeError

    @cached_property
    def access_tokens(self) -> AccessTokens[Mode]:
        """Short-lived tokens for Hero Elements."""
        from hero_async.api.access_tokens import AccessTokens

        return AccessTokens(self)

    @cached_property
    def batch_messages(self) -> BatchMessages[Mode]:
        """The same text to many patients."""
        from hero_async.api.batch_messages import BatchMessages

        return BatchMessages(self)

    @cached_property
    def messages(self) -> Messages[Mode]:
        """One message to one patient."""
        from hero_async.api.messages import Messages

        return Messages(self)

    @cached_property
    def patients(self) -> Patients[Mode]:
        """Patients of the practice group."""
        from hero_async.api.patients import Patients

        return Patients(self)
