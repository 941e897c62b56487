"""A sandbox in which every operation can be called: ids of things that are there, made when there are none yet."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from itertools import count
from operator import attrgetter
from typing import Any, Self

from contract_draws import value
from hypothesis import strategies as st

from hero_async import APIStatusError
from hero_async.api.admins import PrescriberDetails
from hero_async.api.batch_messages import BatchRecipientByNhsNumber
from hero_async.calls import AnyOperation
from hero_async.sandbox import Sandbox, SandboxClock
from hero_sync import Hero

_DAYS = st.dates(date(2026, 1, 5), date(2026, 12, 31))

NARROWER: dict[str, st.SearchStrategy[Any]] = {
    "duration": st.integers(1, 60),
    "ehr_partner_id": st.text(min_size=1, max_size=5),
    "email": st.emails(),
    "end_date": _DAYS,
    "expiry_date": _DAYS,
    "field": st.sampled_from(("ehr_partner_id", "first_name", "email")),
    "first_name": st.text(min_size=1, max_size=5).filter(str.strip),
    "last_name": st.text(min_size=1, max_size=5).filter(str.strip),
    "page_index": st.integers(0, 3),
    "page_size": st.integers(0, 5),
    "send_at": st.datetimes(timezones=st.just(UTC)),
    "start_date": _DAYS,
    "start_time": st.datetimes(datetime(2026, 1, 6), datetime(2027, 1, 6), timezones=st.just(UTC)),  # noqa: DTZ001
    "prescriber_details": st.builds(PrescriberDetails, name=st.text(), email=st.emails()),
    "recipients": st.lists(value(BatchRecipientByNhsNumber), min_size=1, max_size=3),
    "url": st.just("https://example.com/hook"),
}
"""What the sandbox takes, where the SDK takes more."""


class Scene:
    """A sandbox with two practice groups, and a blocking client of the first."""

    def __init__(self) -> None:
        self.clock = SandboxClock(frozen=True)
        self.sandbox = Sandbox(patients=40, practice_group_ids=("42", "43"), clock=self.clock)
        self._numbers = count()
        self._hours = count()

    def __enter__(self) -> Self:
        self.sandbox.__enter__()
        self.hero = Hero(
            api_key=self.sandbox.api_key, practice_group_id="42", base_url=self.sandbox.url, retries=0
        ).__enter__()
        self.other = self.hero.with_options(practice_group_id="43")
        return self

    def __exit__(self, *_: object) -> None:
        self.hero.close()
        self.sandbox.__exit__(None, None, None)

    def call(self, name: str, arguments: dict[str, Any], hero: Hero | None = None) -> Any:
        """The raw answer of an operation."""
        return attrgetter(name)(hero or self.hero).raw(**arguments)

    def status(self, name: str, arguments: dict[str, Any], hero: Hero | None = None) -> int:
        """The status of an operation's answer, good or bad."""
        try:
            return int(self.call(name, arguments, hero).status)
        except APIStatusError as error:
            return error.status

    def real(self, operation: AnyOperation, drawn: dict[str, Any]) -> dict[str, Any]:
        """The arguments drawn, but with ids of things that are there, and with what the sandbox needs besides."""
        ids = self._ids()
        special = _SPECIAL.get(operation.name, lambda scene: {})(self)
        paths = {name: self._path_id(operation) for name in operation.in_path if name not in special}
        made = {name: ids.get(name, value) for name, value in drawn.items()} | special | paths
        return {name: value for name, value in made.items() if value is not None}

    def _path_id(self, operation: AnyOperation) -> str:
        make = _PATH_IDS.get(operation.name) or _PATH_IDS[operation.name.partition(".")[0]]
        return make(self)

    def patient(self) -> str:
        """A patient whom nothing else was done to."""
        made = self.hero.patients.register(dob=date(1980, 2, 29), first_name="A", last_name="B", mobile="07700 900000")
        return made.patient_id

    def slot(self) -> dict[str, Any]:
        """A time that is free: arguments of a reservation."""
        kind, practitioner, location = self._practice()
        start = datetime(2026, 1, 6, tzinfo=UTC) + timedelta(hours=next(self._hours))
        return {
            "appointment_type_id": kind,
            "practitioner_id": practitioner,
            "location_id": location,
            "start_time": start,
            "duration": 10,
            "suppress_availability_check": True,
        }

    def _practice(self) -> tuple[str, str, str]:
        return "1301", "1201", "1101"

    def reserved(self) -> str:
        """A reservation."""
        return self.hero.appointments.create(patient_id=self.patient(), **self.slot()).id

    def booked(self) -> str:
        """A booked appointment."""
        made = self.reserved()
        self.hero.appointments.book(made)
        return made

    def batch(self) -> str:
        """A batch that was not sent."""
        patient = self.sandbox.patients[0]
        who = BatchRecipientByNhsNumber(nhs_number=str(patient.nhs_number), dob=patient.dob)
        return self.hero.batch_messages.create(name="n", channel="SMS", content="c", recipients=[who]).id

    def booking_link(self) -> str:
        """A booking link."""
        self.hero.booking_links.create()
        return self.sandbox.ledger.changed("booking_links.create")[-1]

    def message(self) -> str:
        """A message."""
        return self.hero.messages.send(patient_id=self.patient(), message_type="sms", message_string="x").message_id

    def invoice(self) -> str:
        """A draft."""
        return str(self.hero.invoices.create(issuer_id="1401", patient_id=self.patient()).id)

    def webhook(self) -> str:
        """A subscription."""
        return self.hero.webhooks.create(event_type="appointment.confirmed", url="https://example.com").id

    def free_slot(self) -> str:
        """The next free slot."""
        return str(self.hero.slots.list().first().data[0].id)

    def merge(self) -> dict[str, Any]:
        """Arguments of a merge."""
        kept, gone = self.patient(), self.patient()
        preview = self.hero.patients.preview_merge(kept, patient_id=gone)
        return {"id": kept, "patient_id": gone, "merge_token": preview.raw["merge_token"]}

    def seeded(self) -> dict[str, Any]:
        """How a seeded patient is found."""
        patient = self.sandbox.patients[next(self._numbers) % 40]
        return {"nhs_number": patient.nhs_number, "dob": patient.dob}

    def _ids(self) -> dict[str, Any]:
        kind, practitioner, location = self._practice()
        return {
            "patient_id": self.sandbox.patients[next(self._numbers) % 40].patient_id,
            "appointment_type_id": kind,
            "practitioner_id": practitioner,
            "location_id": location,
            "issuer_id": "1401",
            "prescriber_id": "1401",
            "form_id": "1501",
            "episode_id": "1701",
        }


_SPECIAL: dict[str, Callable[[Scene], dict[str, Any]]] = {
    "appointments.create": Scene.slot,
    "appointments.edit": lambda scene: {"suppress_availability_check": True},
    "appointments.reschedule": lambda scene: {"suppress_availability_check": True},
    "appointments.cancel": lambda scene: {"suppress_cancellation_policy": True},
    "attachment_links.create": lambda scene: {"ehr_file_id": None, "file_data": "x"},
    "batch_messages.create": lambda scene: {"subject": "s"},
    "customers.default": lambda scene: {"patient_id": scene.patient()},
    "hca_consultants.get": lambda scene: {"gmc_number": "0000001"},
    "invoices.create": lambda scene: {"appointment_id": None, "patient_id": scene.patient()},
    "invoices.link": lambda scene: {"stripe_invoice_id": "in_1", "appointment_id": scene.reserved(), "issuer_id": None},
    "links.status": lambda scene: {"id": scene.booking_link()},
    "notes.create": lambda scene: {"episode_id": "1701", "description": "d"},
    "patients.connect_ehr": lambda scene: {"id": (made := scene.patient()), "ehr_partner_id": f"ehr-{made}"},
    "patients.get": lambda scene: {"data_source": None},
    "patients.merge": Scene.merge,
    "patients.preview_merge": lambda scene: {"patient_id": scene.patient()},
    "patients.register_pds": Scene.seeded,
    "slots.check_availability": lambda scene: {"start_time": datetime(2026, 1, 6, 9, tzinfo=UTC)},
}
"""Arguments that the sandbox needs and the contract leaves open, by operation. None leaves one out."""

_PATH_IDS: dict[str, Callable[[Scene], str]] = {
    "admins": lambda scene: "1401",
    "appointments": Scene.reserved,
    "appointments.cancel": Scene.booked,
    "appointments.reschedule": Scene.booked,
    "automated_messages": lambda scene: "1901",
    "batch_messages": Scene.batch,
    "booking_links": Scene.booking_link,
    "episodes": lambda scene: "1701",
    "form_responses": lambda scene: "1551",
    "forms": lambda scene: "1501",
    "hca_consultants": lambda scene: "0000001",
    "invoices": Scene.invoice,
    "messages": Scene.message,
    "patients": Scene.patient,
    "practitioners": lambda scene: "1201",
    "prescribers": lambda scene: "1401",
    "slots": Scene.free_slot,
    "tasks": lambda scene: "1801",
    "webhooks": Scene.webhook,
}
