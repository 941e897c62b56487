"""Hero Elements: the tag of a web component, escaped, for a page that your server renders.

    token = await hero.access_tokens.create()
    html = message_builder(token, "42", env="production", patient_id="100001")

The token is for the person who is logged in at your site: render the page behind your own login, and do not cache it.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, Literal, cast

from hero_async.errors import InvalidArgumentError

if TYPE_CHECKING:
    from hero_async.api.access_tokens import AccessToken

MESSAGE_BUILDER_SCRIPT: Final = "https://scripts.htech.app/message-builder/web-component/latest.js"
"""The script that defines `hh-message-builder`."""

ElementEnvironment = Literal["production", "staging"]

_JWT: Final = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
_DIGITS: Final = re.compile(r"[0-9]+")
_PRINTABLE: Final = re.compile(r"[\x21-\x7e]+")
_LONGEST: Final = 8192


class Html(str):
    """Markup that is escaped already: Jinja and Django templates put it in as it is. Its repr shows no token."""

    __slots__ = ()

    def __html__(self) -> str:
        """What templates ask for."""
        return str(self)

    def __repr__(self) -> str:
        return f"<Html, {len(self)} characters>"


def message_builder(
    token: AccessToken | str,
    tenant_id: str,
    *,
    env: ElementEnvironment,
    admin_id: str | None = None,
    patient_id: str | None = None,
    theme: Mapping[str, Any] | None = None,
) -> Html:
    """The message builder: a script tag and a `hh-message-builder` tag.

    On the page, `window` hears `HHMB.MESSAGE_SENT` when a message is queued and `HHMB.MESSAGE_SENT_CONFIRM` when it
    is delivered.

    Args:
        token: What `access_tokens.create` gave, just before; it lasts 30 minutes.
        tenant_id: The practice group's id.
        env: Where the token is from. The component's own default is staging, so it must be said: a page that
            forgot it would not work with production tokens.
        admin_id: The member of staff who writes, digits.
        patient_id: The patient who is written to, digits.
        theme: The look: `loadFonts`, `font`, `colours`, … Written as JSON; that the attribute takes JSON is not
            confirmed, nor is the list of its keys.

    Raises:
        InvalidArgumentError: A value cannot be right. It is not quoted.
    """
    given: Any = token
    jwt: Any = given if isinstance(given, str) else getattr(given, "access_token", None)
    attributes = {
        "jwt-token": _text("token", jwt, _JWT, "must be a JWT: what access_tokens.create gives"),
        "tenant-id": _text("tenant_id", tenant_id, _PRINTABLE, "must be the practice group's id"),
    }
    if env not in ("production", "staging"):
        raise InvalidArgumentError("env: must be 'production' or 'staging'")
    for name, value in (("admin_id", admin_id), ("patient_id", patient_id)):
        if value is not None:
            attributes[name.replace("_", "-")] = _text(name, value, _DIGITS, "must be an id: digits only")
    attributes["env"] = env
    if theme is not None:
        attributes["theme"] = _json(theme)
    written = " ".join(f'{name}="{html.escape(value)}"' for name, value in attributes.items())
    return Html(
        f'<script src="{MESSAGE_BUILDER_SCRIPT}"></script>\n<hh-message-builder {written}></hh-message-builder>'
    )


def _text(name: str, value: Any, form: re.Pattern[str], rule: str) -> str:
    if isinstance(value, str) and len(value) <= _LONGEST and form.fullmatch(value):
        return value
    raise InvalidArgumentError(f"{name}: {rule}")


def _json(theme: Any) -> str:
    if isinstance(theme, Mapping):
        try:
            return json.dumps(dict(cast("Mapping[Any, Any]", theme)), allow_nan=False)
        except (TypeError, ValueError, RecursionError):
            pass
    raise InvalidArgumentError("theme: must be a mapping of what JSON knows")
