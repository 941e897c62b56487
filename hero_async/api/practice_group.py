"""The practice group that the client acts for."""

from __future__ import annotations

from typing import Any, cast

import attrs

from hero_async import operations as op
from hero_async.fields import Answer, model
from hero_async.operations import Resource
from hero_async.pages import Page
from hero_async.resources import Mode


@model
class PracticeGroupAddress:
    """Address of a practice group. The sample is cut here: further fields are not confirmed."""

    line_1: str | None = None
    """First line."""

    line_2: str | None = None
    """Second line."""

    line_3: str | None = None
    """Third line."""

    town: str | None = None
    """Town."""

    county: str | None = None
    """County."""

    postcode: str | None = None
    """Postcode."""


@model
class PrescriptionPartnerCredentials:
    """How the practice group signs in with its prescription partner."""

    email: str | None = None
    """E-mail address."""

    password: str | None = None
    """Password. A secret."""


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


class PracticeGroupDetails(Answer):
    """A practice group. `raw` is all that came; the properties are what a guide shows of a practice group.

    Not confirmed: the guide does not say that this operation answers so. A property is None where there is no such
    field.
    """

    __slots__ = ()

    @property
    def id(self) -> str | None:
        """Id, which is the value of the header `x-practice-group-id` as well."""
        return _text(self.raw.get("id"))

    @property
    def name(self) -> str | None:
        """Its name."""
        return _text(self.raw.get("name"))

    @property
    def sector(self) -> str | None:
        """Sector. The guide shows "nhs"; other values are not documented."""
        return _text(self.raw.get("sector"))

    @property
    def address(self) -> PracticeGroupAddress | None:
        """Where it is."""
        found = self.raw.get("address")
        if not isinstance(found, dict):
            return None
        lines = cast("dict[str, object]", found)
        names = [field.name for field in attrs.fields(cast("Any", PracticeGroupAddress))]
        return PracticeGroupAddress(**{name: _text(lines.get(name)) for name in names})


class PracticeGroupUpdated(Answer):
    """The answer to changing a practice group. Its body is not shown in the reference: read `raw`."""

    __slots__ = ()


@model
class Capabilities:
    """What is switched on for a practice group. Known from a sample only."""

    capabilities: tuple[str, ...] | None = None
    """Names. The sample shows "sms_messaging"; other values are not documented."""


class Configuration(Answer):
    """The settings of a practice group. Neither fields nor form are shown in the reference: read `raw`."""

    __slots__ = ()


@model
class PracticeGroupElement:
    """An Element (a component for a web page) that a practice group may use."""

    version: str | None
    """Its version."""

    config: dict[str, Any] | None = None
    """Its settings. The fields are not shown in the reference."""

    element: dict[str, Any] | None = None
    """The Element. The fields are not shown in the reference."""


class PracticeGroup(Resource[Mode]):
    """The practice group that the client acts for."""

    @op.get("/v1/me", id="getPracticeGroupById", evidence="sampled")
    def get(self) -> PracticeGroupDetails:
        """Get the practice group.

        Reference: https://developer.herohealth.net/apis/public-api/openapi/practice-group/getpracticegroupbyid
        """
        ...

    @op.patch("/v1/me", id="updatePracticeGroup", evidence="sampled")
    def update(
        self,
        *,
        name: str | None = None,
        prescription_partner_enabled: bool | None = None,
        prescription_partner: str | None = None,
        prescription_partner_credentials: PrescriptionPartnerCredentials | None = None,
        address: PracticeGroupAddress | None = None,
    ) -> PracticeGroupUpdated:
        """Change the practice group's settings. What is left out stays. The sample is cut: there may be more fields.

        Args:
            name: Its name.
            prescription_partner_enabled: Whether the prescription partner is switched on.
            prescription_partner: Which. Only "signature_rx" is shown; other values are not documented.
            prescription_partner_credentials: How it signs in there.
            address: Where it is. Not confirmed whether the fields that it lacks are cleared.

        Reference: https://developer.herohealth.net/apis/public-api/openapi/practice-group/getcapabilities
        """
        ...

    @op.get("/v1/me/capabilities", id="getCapabilities", evidence="sampled")
    def capabilities(self) -> Capabilities:
        """Get what is switched on for the practice group.

        Reference: https://developer.herohealth.net/apis/public-api/openapi/practice-group/getconfiguration
        """
        ...

    @op.get("/v1/me/configuration", id="getConfiguration", evidence="sampled")
    def configuration(self) -> Configuration:
        """Get the practice group's settings.

        Reference: https://developer.herohealth.net/apis/public-api/openapi/practice-group/getconfiguration
        """
        ...

    @op.listing("/v1/me/elements", id="listPracticeGroupElements")
    def elements(self) -> Page[PracticeGroupElement]:
        """List the Elements that the practice group may use. No paging is shown: one page.

        Reference: https://developer.herohealth.net/apis/public-api/openapi/practice-group/listpracticegroupelements
        """
        ...
