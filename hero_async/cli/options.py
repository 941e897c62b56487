"""Options that several commands share."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from cyclopts import Group, Parameter

from hero_async.errors import ConfigurationError

if TYPE_CHECKING:
    from hero_async.client import AsyncHero
    from hero_async.settings import Settings


@Parameter(name="*", group=Group("Common", sort_key=90))
@dataclass(frozen=True, kw_only=True)
class Common:
    """What every command takes."""

    debug: bool = False
    """Show where an error came from. Shows no values."""


@Parameter(name="*", group=Group("Connection", sort_key=80))
@dataclass(frozen=True, kw_only=True)
class Connection:
    """Whom to call. The key is never an argument: arguments can be seen by everyone on the machine."""

    practice_group: str | None = None
    """The practice that is acted for. Else HERO_PRACTICE_GROUP_ID."""

    environment: Literal["production", "staging"] | None = None
    """Where to send. Else HERO_ENVIRONMENT. There is no default."""

    base_url: str | None = None
    """Another address, https. Else HERO_BASE_URL."""

    api_key_file: Path | None = None
    """A file that holds the key. Else HERO_API_KEY or HERO_API_KEY_FILE."""

    timeout: float | None = None
    """Seconds for one call with all its waits. Default 30."""

    profile: str | None = None
    """A table of the profile file. Else HERO_PROFILE."""

    debug: bool = False
    """Show where an error came from. Shows no values."""

    def arguments(self) -> dict[str, Any]:
        """What was given, by the names of `AsyncHero`'s arguments."""
        given: dict[str, Any] = {
            "practice_group_id": self.practice_group,
            "environment": self.environment,
            "base_url": self.base_url,
            "api_key": self.api_key_file,
            "timeout": self.timeout,
        }
        return {name: value for name, value in given.items() if value is not None}

    def client(self, **more: Any) -> AsyncHero:
        """A client with these options. The caller closes it.

        Args:
            more: Further arguments of `AsyncHero`; None counts as not given.

        Raises:
            ConfigurationError: A setting is missing or cannot work.
        """
        from hero_async.client import AsyncHero

        return AsyncHero.from_settings(self.settings(**more))

    def settings(self, **more: Any) -> Settings:
        """The settings alone.

        Raises:
            ConfigurationError: A setting is missing or cannot work.
        """
        from hero_async.settings import Settings

        profile = {} if self.profile is None else {"HERO_PROFILE": self.profile}
        return Settings.resolve({**self.arguments(), **more}, environ={**os.environ, **profile})


COMMON = Common()
CONNECTION = Connection()
"""What a command works with when none of these options is given."""

_STAND_INS = {"api_key": "-", "practice_group_id": "-", "environment": "staging"}


def settings_or_stand_ins(connection: Connection, **more: Any) -> tuple[Settings, dict[str, ConfigurationError]]:
    """The settings, for what sends nothing: whatever is missing has a stand-in, and is told by name.

    Raises:
        ConfigurationError: A setting that is there cannot work.
    """
    lacking: dict[str, ConfigurationError] = {}
    stand_ins: dict[str, str] = {}
    while True:
        try:
            return connection.settings(**more, **stand_ins), lacking
        except ConfigurationError as error:
            name = next((name for name in _STAND_INS if str(error).startswith(f"{name}: is missing")), None)
            if name is None or name in stand_ins:
                raise
            lacking[name] = error
            stand_ins[name] = _STAND_INS[name]


async def check_key(settings: Settings) -> None:
    """Ask for the key now, so that a file that cannot be read is told before anything else happens.

    Raises:
        ConfigurationError: There is no usable key.
    """
    from hero_async.signing import Key

    await Key(settings.api_key).fetch(0)
