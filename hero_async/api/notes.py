"""Notes on episodes."""

from __future__ import annotations

from hero_async import operations as op
from hero_async.fields import NonEmpty, model
from hero_async.operations import Resource
from hero_async.resources import Mode


@model
class EpisodeNoteAdmin:
    """Who wrote a note."""

    id: int | None = None
    """Id of the admin; a number here."""

    first_name: str | None = None
    """First name."""

    last_name: str | None = None
    """Last name."""

    full_name: str | None = None
    """Whole name."""


@model
class EpisodeNote:
    """A note on an episode. Its ids are numbers, where the rest of the API has text.

    The reference shows a sample only, cut after `created_at`: any field may be missing.
    """

    id: int | None = None
    """Id of the note."""

    description: str | None = None
    """The text."""

    admin: EpisodeNoteAdmin | None = None
    """Who wrote it."""

    practice_group_id: int | None = None
    """Id of the practice group."""

    archived_at: str | None = None
    """When it was archived: text, its format is not documented."""

    created_at: str | None = None
    """When it was written: text, its format is not documented."""


class Notes(Resource[Mode]):
    """Notes on episodes."""

    @op.post("/v1/notes", id="createNote", evidence="sampled")
    def create(self, *, episode_id: NonEmpty | None = None, description: str | None = None) -> EpisodeNote:
        """Write a note on an episode. Known from a sample: whether a field may be left out is not documented.

        Args:
            episode_id: Id of the episode; text here, though the note's own id is a number.
            description: The text. How long it may be is not documented.

        Reference: https://developer.herohealth.net/apis/public-api/openapi/episode/listepisodesv2
        """
        ...
