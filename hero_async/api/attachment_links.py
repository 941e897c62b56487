"""Links to files."""

from __future__ import annotations

from datetime import date

from hero_async import operations as op
from hero_async.fields import NonEmpty, model
from hero_async.operations import Resource
from hero_async.resources import Mode


@model
class CreateAttachmentLink:
    """A link to a file. Known from a sample: any field may be missing."""

    attachment_link: str | None = None
    """The address of the file."""

    attachment_uuid: str | None = None
    """For `attachment_uuid` of `messages.send`."""


class AttachmentLinks(Resource[Mode]):
    """Links to files."""

    @op.post("/v1/attachment_links", id="createAttachmentLink", evidence="sampled")
    def create(
        self,
        *,
        expiry_date: date | str | None = None,
        ehr_file_id: NonEmpty | None = None,
        file_data: str | None = None,
        file_name: str | None = None,
        patient_id: NonEmpty | None = None,
        maximum_use_count: int | None = None,
    ) -> CreateAttachmentLink:
        """Make a link to a file: one that the EHR holds (`ehr_file_id`), or one sent here (`file_data`).

        Args:
            expiry_date: Until when it works, sent as YYYY-MM-DD; or text as it is: the format is not documented.
            ehr_file_id: Id of the file in the EHR, of `patients.attachments`; without it `file_data` must be sent.
            file_data: The file. How it must be encoded is not documented.
            file_name: Its name.
            patient_id: Hero id of the patient.
            maximum_use_count: How often it can be opened.

        Reference: https://developer.herohealth.net/apis/public-api/openapi/links/createattachmentlink
        """
        ...
