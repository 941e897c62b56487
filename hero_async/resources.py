"""Every resource as a cached property, for both clients. A resource's module is imported when it is touched."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, Generic, NoReturn, Self, TypeVar

if TYPE_CHECKING:
    from hero_async.api.access_tokens import AccessTokens
    from hero_async.api.admins import Admins
    from hero_async.api.appointment_types import AppointmentTypes
    from hero_async.api.appointments import Appointments
    from hero_async.api.attachment_links import AttachmentLinks
    from hero_async.api.automated_messages import AutomatedMessages
    from hero_async.api.batch_messages import BatchMessages
    from hero_async.api.booking_links import BookingLinks
    from hero_async.api.coupons import Coupons
    from hero_async.api.customers import Customers
    from hero_async.api.episodes import Episodes
    from hero_async.api.form_links import FormLinks
    from hero_async.api.form_responses import FormResponses
    from hero_async.api.forms import Forms
    from hero_async.api.hca_consultants import HcaConsultants
    from hero_async.api.invoices import Invoices
    from hero_async.api.links import Links
    from hero_async.api.locations import Locations
    from hero_async.api.messages import Messages
    from hero_async.api.notes import Notes
    from hero_async.api.partners import Partners
    from hero_async.api.patients import Patients
    from hero_async.api.pharmacies import Pharmacies
    from hero_async.api.practice_group import PracticeGroup
    from hero_async.api.practitioners import Practitioners
    from hero_async.api.prescribers import Prescribers
    from hero_async.api.short_links import ShortLinks
    from hero_async.api.slots import Slots
    from hero_async.api.subscriptions import Subscriptions
    from hero_async.api.tasks import Tasks
    from hero_async.api.templates import Templates
    from hero_async.api.video_links import VideoLinks
    from hero_async.api.webhooks import Webhooks
    from hero_async.calls import Call


class Async:
    """The mode of a resource whose calls are awaited."""


class Blocking:
    """The mode of a resource whose calls block."""


Mode = TypeVar("Mode", bound=Async | Blocking)


class Resources(Generic[Mode]):
    """What `AsyncHero` and `hero_sync.Hero` have in common: the subjects of the API."""

    def __copy__(self) -> Self:
        return self  # two that are closed and collected apart would end each other's connections

    def __deepcopy__(self, memo: object) -> Self:
        return self

    def __reduce__(self) -> NoReturn:
        raise TypeError(f"a {type(self).__name__} cannot be pickled: make one in each process, from the same settings")

    # What a resource asks of its client: how calls start in its world.
    def _start(self, call: Call[Any]) -> Any:
        raise TypeError

    def _start_raw(self, call: Call[Any]) -> Any:
        raise TypeError

    def _start_listing(self, call: Call[Any]) -> Any:
        raise TypeError

    def _start_flow(self, started: Any, resource: Any) -> Any:
        raise TypeError

    @cached_property
    def access_tokens(self) -> AccessTokens[Mode]:
        """Short-lived tokens for Hero Elements."""
        from hero_async.api.access_tokens import AccessTokens

        return AccessTokens(self)

    @cached_property
    def admins(self) -> Admins[Mode]:
        """The practice's staff, as users of Hero."""
        from hero_async.api.admins import Admins

        return Admins(self)

    @cached_property
    def appointment_types(self) -> AppointmentTypes[Mode]:
        """What kinds of appointment the practice group offers."""
        from hero_async.api.appointment_types import AppointmentTypes

        return AppointmentTypes(self)

    @cached_property
    def appointments(self) -> Appointments[Mode]:
        """Appointments: `slots.list` finds a time, `create` reserves it, `book` confirms it."""
        from hero_async.api.appointments import Appointments

        return Appointments(self)

    @cached_property
    def attachment_links(self) -> AttachmentLinks[Mode]:
        """Links to files."""
        from hero_async.api.attachment_links import AttachmentLinks

        return AttachmentLinks(self)

    @cached_property
    def automated_messages(self) -> AutomatedMessages[Mode]:
        """Messages that Hero sends by itself."""
        from hero_async.api.automated_messages import AutomatedMessages

        return AutomatedMessages(self)

    @cached_property
    def batch_messages(self) -> BatchMessages[Mode]:
        """The same text to many patients: create a batch, then send it."""
        from hero_async.api.batch_messages import BatchMessages

        return BatchMessages(self)

    @cached_property
    def booking_links(self) -> BookingLinks[Mode]:
        """Links by which patients book a time themselves."""
        from hero_async.api.booking_links import BookingLinks

        return BookingLinks(self)

    @cached_property
    def coupons(self) -> Coupons[Mode]:
        """Coupons for invoices."""
        from hero_async.api.coupons import Coupons

        return Coupons(self)

    @cached_property
    def customers(self) -> Customers[Mode]:
        """Who is billed: the practice group's Stripe customers."""
        from hero_async.api.customers import Customers

        return Customers(self)

    @cached_property
    def episodes(self) -> Episodes[Mode]:
        """Episodes: what a practice has to do for a patient, grouped."""
        from hero_async.api.episodes import Episodes

        return Episodes(self)

    @cached_property
    def form_links(self) -> FormLinks[Mode]:
        """Links by which patients fill in a form."""
        from hero_async.api.form_links import FormLinks

        return FormLinks(self)

    @cached_property
    def form_responses(self) -> FormResponses[Mode]:
        """What patients sent in by a form."""
        from hero_async.api.form_responses import FormResponses

        return FormResponses(self)

    @cached_property
    def forms(self) -> Forms[Mode]:
        """Forms that the practice group asks its patients to fill in."""
        from hero_async.api.forms import Forms

        return Forms(self)

    @cached_property
    def hca_consultants(self) -> HcaConsultants[Mode]:
        """Consultants of HCA."""
        from hero_async.api.hca_consultants import HcaConsultants

        return HcaConsultants(self)

    @cached_property
    def invoices(self) -> Invoices[Mode]:
        """Invoices."""
        from hero_async.api.invoices import Invoices

        return Invoices(self)

    @cached_property
    def links(self) -> Links[Mode]:
        """Links of any kind that Hero made."""
        from hero_async.api.links import Links

        return Links(self)

    @cached_property
    def locations(self) -> Locations[Mode]:
        """Where the practice group sees its patients."""
        from hero_async.api.locations import Locations

        return Locations(self)

    @cached_property
    def messages(self) -> Messages[Mode]:
        """One message to one patient."""
        from hero_async.api.messages import Messages

        return Messages(self)

    @cached_property
    def notes(self) -> Notes[Mode]:
        """Notes on episodes."""
        from hero_async.api.notes import Notes

        return Notes(self)

    @cached_property
    def partners(self) -> Partners[Mode]:
        """Tokens for partners' services."""
        from hero_async.api.partners import Partners

        return Partners(self)

    @cached_property
    def patients(self) -> Patients[Mode]:
        """Patients of the practice group."""
        from hero_async.api.patients import Patients

        return Patients(self)

    @cached_property
    def pharmacies(self) -> Pharmacies[Mode]:
        """Pharmacies. `prescribers.pharmacies` lists those of a prescriber."""
        from hero_async.api.pharmacies import Pharmacies

        return Pharmacies(self)

    @cached_property
    def practice_group(self) -> PracticeGroup[Mode]:
        """The practice group that the client acts for."""
        from hero_async.api.practice_group import PracticeGroup

        return PracticeGroup(self)

    @cached_property
    def practitioners(self) -> Practitioners[Mode]:
        """Who sees the practice group's patients."""
        from hero_async.api.practitioners import Practitioners

        return Practitioners(self)

    @cached_property
    def prescribers(self) -> Prescribers[Mode]:
        """Who prescribes."""
        from hero_async.api.prescribers import Prescribers

        return Prescribers(self)

    @cached_property
    def short_links(self) -> ShortLinks[Mode]:
        """Short links of all kinds: bookings, forms and so on."""
        from hero_async.api.short_links import ShortLinks

        return ShortLinks(self)

    @cached_property
    def slots(self) -> Slots[Mode]:
        """Times that can be booked. The next step is `appointments.create`."""
        from hero_async.api.slots import Slots

        return Slots(self)

    @cached_property
    def subscriptions(self) -> Subscriptions[Mode]:
        """Patients' memberships of schemes. Webhook subscriptions are at `webhooks`."""
        from hero_async.api.subscriptions import Subscriptions

        return Subscriptions(self)

    @cached_property
    def tasks(self) -> Tasks[Mode]:
        """Tasks of the practice's staff."""
        from hero_async.api.tasks import Tasks

        return Tasks(self)

    @cached_property
    def templates(self) -> Templates[Mode]:
        """Texts that the practice group keeps for its messages."""
        from hero_async.api.templates import Templates

        return Templates(self)

    @cached_property
    def video_links(self) -> VideoLinks[Mode]:
        """Links to video calls."""
        from hero_async.api.video_links import VideoLinks

        return VideoLinks(self)

    @cached_property
    def webhooks(self) -> Webhooks[Mode]:
        """Which events Hero tells to which address. `hero_async.webhooks` verifies what then comes."""
        from hero_async.api.webhooks import Webhooks

        return Webhooks(self)
