"""Settings: arguments > HERO_* variables > a profile file. Validated when made, secrets never shown.

There is no default environment: one of `environment` and `base_url` must be given, so that nobody texts patients
by accident.
"""

from __future__ import annotations

import math
import os
import re
import stat
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, cast
from urllib.parse import SplitResult, unquote, urlsplit

import attrs

from hero_async.errors import ConfigurationError
from hero_async.hiding import hidden
from hero_async.retries import RetryPolicy
from hero_async.throttle import RateLimit

if TYPE_CHECKING:
    import ssl
    from ipaddress import IPv4Address, IPv6Address

KeySource = str | Path | Callable[[], str | Awaitable[str]]
"""A key: text, a file that holds it, or a callable (sync or async) that fetches it."""

ENVIRONMENTS: Final[Mapping[str, str]] = MappingProxyType(
    {"production": "https://api.herohealth.net", "staging": "https://api.staging.htech.app"}
)
"""The environments that the reference names, and their addresses."""

_PRODUCTION = urlsplit(ENVIRONMENTS["production"]).hostname
_CONTROL = re.compile(r"[\x00-\x20\x7f]")
_HOST = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_.])?")
_RESERVED_HEADERS = frozenset(
    {
        "x-api-key",
        "x-practice-group-id",
        "host",
        "content-length",
        "content-type",
        "transfer-encoding",
        "connection",
        "expect",
        "upgrade",
        "cookie",
    }
)


def _fail(rule: str) -> ConfigurationError:
    return ConfigurationError(rule)


def _check_key(key: object) -> None:
    if isinstance(key, Path) or callable(key):
        return
    if not isinstance(key, str) or not key:
        raise _fail("api_key: must be text, a Path to a file that holds it, or a callable that gives it")
    check_key_text(key)


def check_key_text(key: str) -> str:
    """A key as it goes into the header.

    Raises:
        ConfigurationError: It is empty or holds characters that no header may hold.
    """
    if not key or not key.isascii() or _CONTROL.search(key):
        raise _fail("api_key: must be printable ASCII without spaces or line breaks (a stray newline in a file?)")
    return key


def _check_group(group: object) -> None:
    if not isinstance(group, str) or not group or not group.isascii() or _CONTROL.search(group):
        raise _fail("practice_group_id: must be text, printable ASCII without spaces or line breaks")


def is_loopback(host: str | None) -> bool:
    """Whether a host is this machine."""
    if host == "localhost":
        return True
    address = _address(host or "")
    return address is not None and address.is_loopback


def _address(host: str) -> IPv4Address | IPv6Address | None:
    from ipaddress import ip_address  # here, because hosts by number are rare

    try:
        return ip_address(host)
    except ValueError:
        return None


def _split(name: str, url: Any) -> SplitResult:
    if not isinstance(url, str) or _CONTROL.search(url) or not url.isascii():
        raise _fail(f"{name}: must be an address without spaces or control characters")
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        parts = None
    if parts is None or parts.scheme not in ("http", "https") or not _is_host(parts.hostname):
        raise _fail(f"{name}: must be an https:// address with a host")
    return parts


def _is_host(host: str | None) -> bool:
    if not host:
        return False
    if ":" in host:
        return _address(host) is not None
    return _HOST.fullmatch(host) is not None


def check_base_url(url: str) -> str:
    """An address to send to, without a slash at its end.

    Raises:
        ConfigurationError: It is not https (plain http is for loopback only), or carries credentials or a query.
    """
    parts = _split("base_url", url)
    if parts.username is not None or parts.password is not None:
        raise _fail("base_url: must not hold a user name or password")
    if "?" in url or "#" in url:  # an empty query too: paths would be added behind it
        raise _fail("base_url: must not hold a query or fragment")
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise _fail("base_url: must be https://; plain http:// is for this machine (loopback) only")
    if any(segment in (".", "..") for segment in re.split(r"[/\\]", unquote(parts.path))):
        raise _fail("base_url: must not hold '.' or '..' segments")
    return url.rstrip("/")


def _positive(name: str, value: object, *, zero: bool = False) -> float:
    number = math.nan
    if isinstance(value, int | float) and not isinstance(value, bool):
        with suppress(OverflowError):
            number = float(value)
    if math.isnan(number):
        raise _fail(f"{name}: must be a number")
    if number < 0 or (number == 0 and not zero):
        raise _fail(f"{name}: must be {'zero or more' if zero else 'more than zero'}")
    return number


def _whole(name: str, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise _fail(f"{name}: must be a whole number, 1 or more")
    return value


def check_headers(headers: Mapping[str, str]) -> Mapping[str, str]:
    """Extra headers of a client's requests.

    Raises:
        ConfigurationError: One would replace what the SDK sets, or holds characters that no header may hold.
    """
    if not isinstance(cast("object", headers), Mapping):
        raise _fail("headers: must be a mapping of names to values")
    for name, value in headers.items():
        if not isinstance(cast("object", name), str) or not isinstance(cast("object", value), str):
            raise _fail("headers: names and values must be text")
        if not re.fullmatch(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", name):
            raise _fail("headers: a name must be a plain HTTP header name")
        if name.lower() in _RESERVED_HEADERS:
            raise _fail(f"headers: {name.lower()} is set by the SDK and cannot be replaced")
        if re.search(r"[\x00-\x08\x0a-\x1f\x7f]", value) or not value.isascii():
            raise _fail(f"headers: {name.lower()} must be printable ASCII without line breaks")
    return MappingProxyType(dict(headers))


def as_policy(retries: Any) -> RetryPolicy:
    """A policy from a policy, or from how many times."""
    if isinstance(retries, RetryPolicy):
        return retries
    if isinstance(retries, bool) or not isinstance(retries, int) or retries < 0:
        raise _fail("retries: must be a RetryPolicy or how many times, 0 or more")
    return RetryPolicy(retries=retries)


def as_rate_limit(limit: RateLimit | str | None) -> RateLimit | None:
    """A rate limit from a rate limit or its text, such as "20/s"."""
    if limit is None or isinstance(limit, RateLimit):
        return limit
    try:
        return RateLimit(limit)
    except (ValueError, TypeError):
        pass
    raise _fail('rate_limit: must be a count and a unit, such as "20/s", "1200/min" or "5000/h"')


@hidden
@attrs.frozen(kw_only=True, repr=False, eq=False)
class Settings:
    """What a client works with. Made by `Settings.resolve`."""

    api_key: KeySource
    practice_group_id: str
    base_url: str
    environment: str | None = None
    timeout: float = 30.0
    connect_timeout: float = 5.0
    retries: RetryPolicy = attrs.field(factory=RetryPolicy)
    rate_limit: RateLimit | None = None
    max_connections: int = 100
    keep_alive: float = 15.0
    fresh_for: float = 2.0
    max_response_bytes: int = 16 * 1024 * 1024
    proxy: str | None = None
    ssl_context: ssl.SSLContext | None = None
    headers: Mapping[str, str] = attrs.field(factory=lambda: MappingProxyType({}))
    sources: Mapping[str, str] = attrs.field(factory=lambda: MappingProxyType({}))
    """Where each setting came from: "argument", a variable's name, the profile file, or "default"."""

    def __attrs_post_init__(self) -> None:
        _check_key(self.api_key)
        _check_group(self.practice_group_id)
        for name, convert in _CONVERT.items():  # here, so that `attrs.evolve` keeps the rules as well
            if (value := getattr(self, name)) is not None:
                object.__setattr__(self, name, convert(value))

    @property
    def origin(self) -> str:
        """Scheme, host and port: what credentials are sent to, and nothing else."""
        parts = urlsplit(self.base_url)
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def is_production(self) -> bool:
        """Whether messages go to real patients."""
        return (urlsplit(self.base_url).hostname or "").rstrip(".") == _PRODUCTION

    def shown(self) -> dict[str, str]:
        """Every setting as text, secrets masked: what `hero config show` prints."""
        out: dict[str, str] = {}
        for field in attrs.fields(type(self)):
            if field.name not in ("sources", "headers"):
                out[field.name] = self._shown(field.name)
        return out

    def _shown(self, name: str) -> str:
        value: Any = getattr(self, name)
        if name == "api_key":
            kind = "a file" if isinstance(value, Path) else "text" if isinstance(value, str) else "a callable"
            return f"*** ({kind})"
        if name == "proxy" and value is not None:
            parts = urlsplit(str(value))
            return f"{parts.scheme}://{'***@' if parts.username else ''}{parts.hostname}:{parts.port or ''}"
        if name == "retries":
            return str(self.retries.retries)
        if name == "ssl_context":
            return "system" if value is None else "given"
        if name == "rate_limit":
            return "adaptive" if value is None else f"{value.rate:g}/s"
        return str(value)

    def __repr__(self) -> str:
        return "Settings(" + ", ".join(f"{name}={value}" for name, value in self.shown().items()) + ")"

    def __reduce__(self) -> tuple[Any, ...]:
        raise TypeError("settings hold secrets and are not pickled: make them anew in the other process")

    @classmethod
    def resolve(
        cls,
        arguments: Mapping[str, Any] | None = None,
        *,
        environ: Mapping[str, str] | None = None,
    ) -> Settings:
        """Settings from arguments, then HERO_* variables, then the profile file.

        Args:
            arguments: What the caller gave; None values count as not given.
            environ: The variables; default `os.environ`.

        Raises:
            ConfigurationError: Something is missing or cannot work. It names the setting and the rule.
        """
        environ = os.environ if environ is None else environ
        layers: list[tuple[str, Mapping[str, Any]]] = [
            ("argument", {name: value for name, value in (arguments or {}).items() if value is not None}),
            ("variable", _from_environ(environ)),
            *_from_profile(environ),
        ]
        values: dict[str, Any] = {}
        sources: dict[str, str] = {}
        for label, layer in layers:
            _one_of(label, layer, "environment", "base_url")
            _one_of(label, layer, "api_key", "api_key_file")
            for name, value in layer.items():
                rival = _RIVALS.get(name)
                if name not in values and rival not in values:
                    values[name] = value
                    sources[name] = f"HERO_{name.upper()}" if label == "variable" else label
        return cls._made(values, sources)

    @classmethod
    def _made(cls, values: dict[str, Any], sources: dict[str, str]) -> Settings:
        if "api_key_file" in values:
            values["api_key"] = _path("api_key_file", values.pop("api_key_file"))
            sources["api_key"] = sources.pop("api_key_file")
        if "api_key" not in values:
            raise _fail("api_key: is missing; give it as an argument or set HERO_API_KEY or HERO_API_KEY_FILE")
        if "practice_group_id" not in values:
            raise _fail("practice_group_id: is missing; give it as an argument or set HERO_PRACTICE_GROUP_ID")
        environment = values.get("environment")
        if environment is not None:
            if not isinstance(environment, str) or environment not in ENVIRONMENTS:
                raise _fail(f"environment: must be one of {', '.join(ENVIRONMENTS)}")
            values["base_url"] = ENVIRONMENTS[environment]
            sources["base_url"] = sources["environment"]
        if "base_url" not in values:
            raise _fail(
                'environment: is missing; say environment="staging" or "production", or give a base_url '
                "(HERO_ENVIRONMENT, HERO_BASE_URL); there is no default"
            )
        known = {field.name for field in attrs.fields(cls)}
        for name in values:
            if name not in known:
                raise _fail(f"{name}: is not a setting")
        every = {name: sources.get(name, "default") for name in known - {"sources"}}
        return cls(**values, sources=MappingProxyType(every))


_RIVALS: Mapping[str, str] = {
    "environment": "base_url",
    "base_url": "environment",
    "api_key": "api_key_file",
    "api_key_file": "api_key",
}


def _one_of(label: str, layer: Mapping[str, Any], one: str, other: str) -> None:
    if one in layer and other in layer:
        raise _fail(f"{one} and {other}: give one of them, not both (both stand in the same place: {label})")


def _check_context(context: Any) -> ssl.SSLContext:
    import ssl  # here, because it is large and a context of one's own is rare

    if not isinstance(context, ssl.SSLContext):
        raise _fail("ssl_context: must be an ssl.SSLContext")
    return context


def _check_proxy(url: str) -> str:
    _split("proxy", url)
    return url


_CONVERT: Mapping[str, Callable[[Any], Any]] = {
    "base_url": check_base_url,
    "timeout": lambda value: _positive("timeout", value),
    "connect_timeout": lambda value: _positive("connect_timeout", value),
    "retries": as_policy,
    "rate_limit": as_rate_limit,
    "max_connections": lambda value: _whole("max_connections", value),
    "keep_alive": lambda value: _positive("keep_alive", value, zero=True),
    "fresh_for": lambda value: _positive("fresh_for", value, zero=True),
    "max_response_bytes": lambda value: _whole("max_response_bytes", value),
    "proxy": _check_proxy,
    "headers": check_headers,
    "ssl_context": _check_context,
}

_NUMBERS: Mapping[str, Callable[[str], float]] = {
    "timeout": float,
    "connect_timeout": float,
    "retries": int,
    "max_connections": int,
    "keep_alive": float,
    "fresh_for": float,
    "max_response_bytes": int,
}
_TEXTS = ("api_key", "api_key_file", "practice_group_id", "environment", "base_url", "rate_limit", "proxy")
VARIABLES: Final = tuple(f"HERO_{name.upper()}" for name in (*_TEXTS, *_NUMBERS))
"""The variables that are read, besides HERO_PROFILE and HERO_PROFILE_FILE."""


def _from_environ(environ: Mapping[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name in (*_TEXTS, *_NUMBERS):
        text = environ.get(f"HERO_{name.upper()}")
        if text:
            found[name] = _number(f"HERO_{name.upper()}", name, text)
    return found


def _number(label: str, name: str, text: str) -> Any:
    if name not in _NUMBERS:
        return text
    try:
        return _NUMBERS[name](text)
    except ValueError:
        pass
    raise _fail(f"{label}: must be a number")


def _path(label: str, named: Any) -> Path:
    try:
        return Path(named).expanduser()
    except (TypeError, RuntimeError):  # no path at all, or the home of a user who does not exist
        pass
    raise _fail(f"{label}: must be the path of a file")


def profile_path(environ: Mapping[str, str]) -> Path:
    """Where the profile file is looked for: HERO_PROFILE_FILE, else hero-health/profiles.toml in the user's
    configuration folder."""
    named = environ.get("HERO_PROFILE_FILE")
    if named:
        return _path("HERO_PROFILE_FILE", named)
    return _path("XDG_CONFIG_HOME", environ.get("XDG_CONFIG_HOME") or "~/.config") / "hero-health" / "profiles.toml"


def _from_profile(environ: Mapping[str, str]) -> list[tuple[str, Mapping[str, Any]]]:
    path = profile_path(environ)
    wanted = environ.get("HERO_PROFILE")
    try:
        with path.open("rb") as file:
            import tomllib  # here, because most have no profile file

            mode = os.fstat(file.fileno()).st_mode
            profiles = tomllib.load(file)
    except FileNotFoundError:
        if wanted or environ.get("HERO_PROFILE_FILE"):
            raise _fail("HERO_PROFILE: there is no profile file") from None
        return []
    except (OSError, ValueError):  # of TOML's and UTF-8's errors
        profiles, mode = None, 0
    if profiles is None:
        raise _fail("profile file: cannot be read as TOML")
    name = wanted or "default"
    profile: Any = profiles.get(name)
    if not isinstance(profile, dict):
        if wanted:
            raise _fail("HERO_PROFILE: the profile file has no table of that name")
        return []
    table = cast("dict[str, Any]", profile)
    if "api_key" in table and os.name == "posix" and mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise _fail("profile file: holds an api_key and can be read by others; chmod 600, or use api_key_file")
    known = {*_TEXTS, *_NUMBERS}
    unknown = sorted(set(table) - known)
    if unknown:
        raise _fail(f"profile file: {', '.join(unknown)} is not a setting")
    return [(f"profile {name}", table)]
