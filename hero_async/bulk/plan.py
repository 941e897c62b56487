"""What a campaign is, checked: text, channel, options and recipients, before an outbox or a server comes in."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import msgspec

from hero_async import clock
from hero_async.api.batch_messages import BatchChannel, BatchMessages, BatchRecipientByNhsNumber
from hero_async.api.messages import Messages
from hero_async.bulk.errors import InputError
from hero_async.bulk.outbox import Binding
from hero_async.bulk.rows import Channel, Layout, Route
from hero_async.bulk.source import Reading, Source
from hero_async.bulk.template import Template
from hero_async.fields import NULL
from hero_async.settings import Settings

Option = str | bool | int | float | datetime

CHANNELS: Final[tuple[Channel, ...]] = ("sms", "email", "nhs_app", "hero")
ROUTES: Final[tuple[Route, ...]] = ("personal", "batch")
BATCH_CHANNELS: Final[Mapping[Channel, BatchChannel]] = {"sms": "SMS", "email": "EMAIL", "nhs_app": "NHS_APP"}
_OF_A_ROW: Final = frozenset(
    {
        "patient_id",
        "message_type",
        "message_string",
        "recipient_contact_detail",
        "fallback_contact_detail",
    }
)


class Plan:
    """A campaign that could be sent.

    Raises:
        InputError: The text or the channel cannot be used, or an option belongs to a row.
        InvalidArgumentError: An option breaks a rule of `messages.send`.
    """

    def __init__(
        self,
        source: Source,
        *,
        text: str,
        channel: Channel,
        options: Mapping[str, Option],
        allow_duplicates: bool,
        route: Route = "personal",
        subject: str | None = None,
    ) -> None:
        if channel not in CHANNELS:
            raise InputError(f"channel: must be one of {', '.join(CHANNELS)}")
        if route not in ROUTES:
            raise InputError(f"route: must be one of {', '.join(ROUTES)}")
        self.source = source
        self.template: Template = Template(text)
        self.channel: Channel = channel
        self.options: dict[str, Any] = dict(options)
        self.allow_duplicates = allow_duplicates
        self.route: Route = route
        self.subject = subject
        if route == "batch":
            self._check_batch()
        else:
            self._check_options()

    def __repr__(self) -> str:
        return f"<Plan {self.channel}>"

    def _check_batch(self) -> None:
        """What a batch cannot do is refused, never left out in silence."""
        if self.channel not in BATCH_CHANNELS:
            raise InputError(f"channel: must be one of {', '.join(BATCH_CHANNELS)} on the batch route")
        if self.template.fields:
            raise InputError("text: cannot have {column} fields on the batch route, where all get the same text")
        if self.options:
            raise InputError("options: are arguments of messages.send and cannot be used on the batch route")
        if self.channel == "email" and not (self.subject and self.subject.strip()):
            raise InputError("subject: is needed for email on the batch route")
        if self.channel != "email" and self.subject is not None:
            raise InputError("subject: is for email only")
        BatchMessages.create.build(
            name="-",
            channel=BATCH_CHANNELS[self.channel],
            content=self.content,
            subject=self.subject,
            recipients=[BatchRecipientByNhsNumber(nhs_number="9990000018", dob=NULL)],
        )

    @property
    def content(self) -> str:
        """The text of every message on the batch route: it has no fields."""
        return self.template.bind(lambda _: 0)(())

    def _check_options(self) -> None:
        if self.subject is not None:
            raise InputError("subject: is for the batch route only; messages.send has none")
        known = Messages.send.parameters.keys()
        for name in self.options:
            if name in _OF_A_ROW:
                raise InputError(f"options: {name} differs from row to row and cannot be the same for all")
            if name not in known:
                raise InputError(f"options: messages.send has no argument called {name!r}")
        Messages.send.build(patient_id="1", message_type=self.channel, message_string="-", **self.options)

    def bind(self, settings: Settings) -> Binding:
        """What an outbox of this campaign is bound to; the input's SHA-256 is not known yet."""
        path = self.source.path
        return Binding(
            origin=settings.origin,
            practice=settings.practice_group_id,
            channel=self.channel,
            text=self.template.text,
            options=msgspec.json.encode(self.options, order="deterministic").decode(),
            allow_duplicates=self.allow_duplicates,
            route=self.route,
            subject=self.subject,
            input_path=None if path is None else str(path),
        )

    def layout(self, reading: Reading, practice: str) -> Layout:
        """Where the columns of a reading are."""
        return Layout(
            reading.columns,
            self.template,
            channel=self.channel,
            practice=practice,
            today=clock.now().date(),
            extra_columns=self.source.required,
            route=self.route,
        )
