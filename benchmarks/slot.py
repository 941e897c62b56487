"""The contract's slot, for a tree that has no `hero_async.api.slots` yet."""

from __future__ import annotations

from hero_async.fields import Ref, Time, model


@model
class Slot:
    """A time that can be booked."""

    id: Ref | None = None
    practitioner_id: Ref | None = None
    appointment_type_id: Ref | None = None
    location_id: Ref | None = None
    start_time: Time | None = None
    finish_time: Time | None = None
