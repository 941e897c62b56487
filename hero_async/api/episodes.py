"""Episodes: what a practice has to do for a patient, grouped."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any, Literal

from hero_async import operations as op
from hero_async.api._shared import Title
from hero_async.fields import Answer, Hidden, NonEmpty, OpenEnum, PrivateTime, Query, Ref, model
from hero_async.operations import Resource
from hero_async.pages import Page
from hero_async.resources import Mode

EpisodeStatusChoice = Literal["open", "closed", "in_progress"]
EpisodePriorityChoice = Literal["lowest", "low", "medium", "high", "highest"]
EpisodeAssigneeTypeChoice = Literal["Admin", "AdminTeam", "Unassigned"]


class EpisodeStatus(OpenEnum):
    """How far an episode is."""

    OPEN = "open"
    CLOSED = "closed"
    IN_PROGRESS = "in_progress"


class EpisodePriority(OpenEnum):
    """How urgent an episode is."""

    LOWEST = "lowest"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    HIGHEST = "highest"


class EpisodeAssigneeType(OpenEnum):
    """What an episode is assigned to."""

    ADMIN = "Admin"
    ADMIN_TEAM = "AdminTeam"
    UNASSIGNED = "Unassigned"


class EpisodePatientSex(OpenEnum):
    """Sex, as episodes spell it."""

    UNSPECIFIED = "unspecified"
    MALE = "male"
    FEMALE = "female"
    OTHER = "other"


@model
class EpisodeAddress:
    """Address of a patient; its lines are spelled `line1` here, `line_1` elsewhere."""

    town: str
    """Town."""

    country: str
    """Country."""

    postcode: str
    """Postcode."""

    line1: str | None = None
    """First line."""

    line2: str | None = None
    """Second line."""

    line3: str | None = None
    """Third line."""

    county: str | None = None
    """County."""


@model
class EpisodeAssignee:
    """Who an episode is assigned to."""

    type: EpisodeAssigneeType | None
    """What it is."""

    name: str | None
    """Name."""


@model
class EpisodeTaskPatient:
    """The patient of a task. The reference is cut after `address`: further fields are not confirmed."""

    dob: date | None
    """Date of birth."""

    sex: Annotated[EpisodePatientSex, Hidden()]
    """Sex."""

    full_name: str
    """Whole name."""

    contact_emails: tuple[Any, ...] | None
    """E-mail addresses; of which form is not documented."""

    registered_practitioner_name: str | None
    """Name of the practitioner whom the patient is registered with."""

    notes: str | None
    """Notes."""

    membership_scheme_names: tuple[Any, ...] | None
    """Membership schemes; of which form is not documented."""

    address: EpisodeAddress
    """Address."""

    uid: Ref | None = None
    """A second id; what it is for is not documented."""

    ehr_partner_id: str | None = None
    """Id of the patient in the connected EHR."""

    emis_id: str | None = None
    """Id of the patient in EMIS."""

    deceased_at: str | None = None
    """When the patient died: text, its format is not documented."""

    title: Title | None = None
    """Title, such as "Dr"."""

    first_name: str | None = None
    """First name."""

    last_name: str | None = None
    """Last name."""

    nhs_number: str | None = None
    """NHS number."""

    email: str | None = None
    """E-mail address."""

    mobile: str | None = None
    """Mobile number."""

    last_sync_at: str | None = None
    """When the record was last synchronised: text, its format is not documented."""


@model
class EpisodeTask:
    """A task of an episode. Fields after `patient`, and id, status and priority, are not confirmed."""

    type_label: str
    """What kind of task it is, for people."""

    category: str
    """Its category; the values are not documented."""

    patient: EpisodeTaskPatient
    """The patient."""

    details: str | None = None
    """What is to be done."""


@model
class Episode:
    """An episode. Fields after `tasks` are not confirmed."""

    id: Ref
    """Id of the episode, digits."""

    status: EpisodeStatus
    """How far it is."""

    priority: EpisodePriority
    """How urgent it is."""

    assignees: tuple[EpisodeAssignee, ...] | None = None
    """Who it is assigned to."""

    tasks: tuple[EpisodeTask, ...] | None = None
    """What is to be done."""


@model
class EpisodeListPatient:
    """The patient of an episode of the list. Fields after `title` are not confirmed."""

    dob: date | None
    """Date of birth."""

    ehr_partner_id: str | None = None
    """Id of the patient in the connected EHR."""

    emis_id: str | None = None
    """Id of the patient in EMIS."""

    deceased_at: PrivateTime | None = None
    """When the patient died."""

    title: Title | None = None
    """Title, such as "Dr"."""


class EpisodeListAssignee(Answer):
    """Who an episode of the list is assigned to. Its fields are not shown there; likely an `EpisodeAssignee`'s."""

    __slots__ = ()


class EpisodeListTask(Answer):
    """A task of an episode of the list. Its fields are not shown there; likely those of an `EpisodeTask`."""

    __slots__ = ()


@model
class EpisodeListItem:
    """An episode of the list. Fields after `patient` are not confirmed."""

    id: Ref
    """Id of the episode, digits."""

    status: EpisodeStatus
    """How far it is."""

    priority: EpisodePriority
    """How urgent it is."""

    patient: EpisodeListPatient | None
    """The patient."""

    assignees: tuple[EpisodeListAssignee, ...] | None = None
    """Who it is assigned to."""

    tasks: tuple[EpisodeListTask, ...] | None = None
    """What is to be done."""


class EpisodeV2(Answer):
    """An episode of the second version of the list. Its fields are not shown in the reference: read `raw`."""

    __slots__ = ()


class EpisodeUpdated(Answer):
    """The answer to changing an episode. Its body is not shown in the reference: read `raw`, which may be empty."""

    __slots__ = ()


class Episodes(Resource[Mode]):
    """Episodes: what a practice has to do for a patient, grouped."""

    @op.listing("/v1/episodes", id="listEpisodes")
    def list(
        self,
        *,
        page_index: int | None = None,
        page_size: int | None = None,
        assignee_id: Annotated[Sequence[NonEmpty] | None, Query("assignee_id[]")] = None,
        assignee_type: Annotated[Sequence[EpisodeAssigneeTypeChoice] | None, Query("assignee_type[]")] = None,
        status: Annotated[Sequence[EpisodeStatusChoice] | None, Query("status[]")] = None,
        priority: Annotated[Sequence[EpisodePriorityChoice] | None, Query("priority[]")] = None,
        order_by: Annotated[Sequence[Literal["created_at", "priority"]] | None, Query("order_by[]")] = None,
        order_descending: Annotated[Sequence[str] | None, Query("order_descending[]")] = None,
    ) -> Page[EpisodeListItem]:
        """List the episodes of the practice group.

        Args:
            page_index: Which page. Left out, the iteration finds out how the server counts.
            page_size: Episodes on a page. Default and maximum are not documented.
            assignee_id: Only those assigned to one of these.
            assignee_type: Only those assigned to one of these kinds.
            status: Only those in one of these states.
            priority: Only those of one of these priorities.
            order_by: What to sort by, first to last.
            order_descending: One text for each of `order_by`; the accepted values are not documented.

        Reference: https://developer.herohealth.net/apis/public-api/openapi/episode/getepisode
        """
        ...

    @op.listing("/v2/episodes", id="listEpisodesV2", evidence="inferred")
    def list_v2(self) -> Page[EpisodeV2]:
        """List episodes, second version. Only its title was seen: path, parameters and answer are not confirmed.

        Reference: https://developer.herohealth.net/apis/public-api/openapi/episode/listepisodesv2
        """
        ...

    @op.get("/v1/episodes/{id}", id="getEpisode")
    def get(self, id: str) -> Episode:
        """Get one episode with its assignees and tasks.

        Args:
            id: Id of the episode.

        Reference: https://developer.herohealth.net/apis/public-api/openapi/episode/getepisode
        """
        ...

    @op.patch("/v1/episodes/{id}", id="updateEpisode", evidence="inferred")
    def update(self, id: str) -> EpisodeUpdated:
        """Change an episode. Only its title was seen: method and path are inferred, and no field is known.

        So no body is sent. If your reference shows fields, send them by
        `hero.request("PATCH", "/v1/episodes/15", json={…})`.

        Args:
            id: Id of the episode.

        Reference: https://developer.herohealth.net/apis/public-api/openapi/episode/updateepisode
        """
        ...
