"""The practice's staff."""

from __future__ import annotations

from typing import Any, Literal

from hero_async import operations as op
from hero_async.fields import NonEmpty, Null, Ref, model
from hero_async.operations import Resource
from hero_async.pages import Page
from hero_async.resources import Mode


@model
class PrescriberDetails:
    """Who an admin is as a prescriber. Known from a sample: which fields are needed is not documented."""

    name: str | None = None
    """Name."""

    email: str | None = None
    """E-mail address."""

    registration_code: str | None = None
    """Code of the registration; with whom is not documented."""


@model
class Admin:
    """A member of staff."""

    id: Ref
    """Id of the admin, digits."""

    first_name: str
    """First name."""

    last_name: str
    """Last name."""

    email: str
    """E-mail address."""

    external_prescriber_id: str | None
    """Id of the admin as a prescriber, in another system."""

    prescriber_details: dict[str, Any] | None = None
    """Who the admin is as a prescriber. Its fields are not shown here; likely those of `PrescriberDetails`."""


@model
class UpdateAdmin:
    """The answer to changing an admin."""

    admin_id: Ref
    """Id of the admin."""


class Admins(Resource[Mode]):
    """The practice's staff, as users of Hero."""

    @op.listing("/v1/admins", id="listAdmins")
    def list(
        self,
        *,
        page_index: int | None = None,
        page_size: int | None = None,
        order_by: Literal["first_name"] | None = None,
        order_descending: bool | None = None,
    ) -> Page[Admin]:
        """List the admins.

        Args:
            page_index: Which page. Left out, the iteration finds out how the server counts.
            page_size: Admins on a page. Default and maximum are not documented.
            order_by: What to sort by.
            order_descending: Whether the last comes first.

        Reference: https://developer.herohealth.net/apis/public-api/openapi/admin/updateadmin
        """
        ...

    @op.patch("/v1/admins/{id}", id="updateAdmin")
    def update(
        self,
        id: str,
        *,
        external_prescriber_id: NonEmpty | Null | None = None,
        prescriber_details: PrescriberDetails | Null | None = None,
    ) -> UpdateAdmin:
        """Change who an admin is as a prescriber. What is left out stays.

        Args:
            id: Id of the admin.
            external_prescriber_id: Id of the admin as a prescriber, in another system; or NULL for none.
            prescriber_details: Who the admin is as a prescriber, or NULL for none.

        Reference: https://developer.herohealth.net/apis/public-api/openapi/admin/updateadmin
        """
        ...
