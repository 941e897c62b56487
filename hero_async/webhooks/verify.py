"""`Verifier`: headers and raw body in, a typed event or one error out.

Whatever a stranger sends, the only exception is `WebhookVerificationError`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from hashlib import sha256
from hmac import compare_digest
from typing import Any, Final, NoReturn, cast

from hero_async import clock
from hero_async.errors import ConfigurationError, WebhookReason, WebhookVerificationError
from hero_async.webhooks.body import read_event
from hero_async.webhooks.events import Event, Proof
from hero_async.webhooks.signature import SIGNATURE_HEADER, TIMESTAMP_HEADER, digest, read_signature, read_timestamp

Key = str | bytes
Keys = Key | Iterable[Key] | Mapping[str, Key]
Headers = Mapping[str, str] | Mapping[bytes, bytes] | Iterable[tuple[str | bytes, str | bytes]]

FIVE_MINUTES: Final = 300.0
_LONGEST_HEADER: Final = 128
_WANTED: Final = (TIMESTAMP_HEADER.lower().encode(), SIGNATURE_HEADER.lower().encode())


class Verifier:
    """Proves that a delivery was signed with one of your signing keys, lately, and reads its event.

        verifier = Verifier(os.environ["HERO_SIGNING_KEY"])
        event = verifier.verify(request.headers, await request.body())

    Safe to share between threads. It refuses to be pickled, and its repr shows no key.

    Args:
        keys: The `signing_key` of the subscription, or several while one replaces another: a list, or a mapping of
            names of your own to keys. Which one matched is in `event.proof.key`: the name, else the place, "0" for
            the first. Text is used as UTF-8.
        tolerance: Seconds (or a timedelta) that the timestamp may lie in the past, and in the future. Default 300:
            room for clocks that differ and for a slow network, and little room for a replay; it is what Stripe,
            Slack and Standard Webhooks use. Hero's own figure, and whether a retry is signed anew, is not
            confirmed: raise it if retries are refused as "stale".
        max_body_bytes: A longer body is refused before anything is computed. Default 256 KiB; the documented body
            is shorter than 200 bytes.

    Raises:
        ConfigurationError: No key, an empty key, or a figure that cannot work.
    """

    __slots__ = ("_keys", "_names", "max_body_bytes", "tolerance")

    def __init__(
        self, keys: Keys, *, tolerance: float | timedelta = FIVE_MINUTES, max_body_bytes: int = 262_144
    ) -> None:
        named = _named(keys)
        del keys  # a traceback that shows locals must not show them
        self._names: Final = tuple(named)
        self._keys: Final = tuple(named.values())
        self.tolerance: Final = _seconds(tolerance)
        """Seconds, in both directions."""
        if isinstance(cast("object", max_body_bytes), bool) or not isinstance(cast("object", max_body_bytes), int):
            raise ConfigurationError("max_body_bytes: must be a whole number")
        if max_body_bytes < 1:
            raise ConfigurationError("max_body_bytes: must be more than zero")
        self.max_body_bytes: Final = max_body_bytes
        """The longest body."""

    def __repr__(self) -> str:
        return f"Verifier({len(self._keys)} keys, tolerance={self.tolerance:g})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Verifier holds keys: it is not pickled")

    def verify(self, headers: Headers, body: bytes) -> Event:
        """The event of a delivery.

        Args:
            headers: All headers: any mapping, or pairs; text or bytes, in any case.
            body: The raw body, as it came. Parsed and written again it is another text, and its signature is wrong.

        Raises:
            WebhookVerificationError: Do not act on it; `.reason` says why. No other exception comes out.
        """
        timestamp, signature = _two_headers(headers)
        if type(cast("object", body)) is not bytes:  # a subclass may answer as it likes
            raise _refused("body_type", "the body must be bytes, as it came")
        if len(body) > self.max_body_bytes:
            raise _refused("body_size", f"the body is longer than {self.max_body_bytes} bytes")
        moment = read_timestamp(timestamp)
        if moment is None:
            raise _refused("timestamp_format", "the timestamp is not epoch seconds, milliseconds or ISO 8601")
        shown = read_signature(signature)
        if shown is None:
            raise _refused("signature_format", "the signature is not 32 bytes in hex or base64")
        # Every key is tried, whichever matches: the time taken must not tell.
        same = [compare_digest(digest(key, timestamp, body), shown) for key in self._keys]
        if True not in same:
            raise _refused("signature", "the signature was made with none of the keys")
        self._check_age(moment)
        proof = Proof(key=self._names[same.index(True)], signed_at=moment, fingerprint=sha256(shown).hexdigest())
        event = read_event(body, proof)
        if event is None:
            raise _refused("body_format", "the signature is right, but the body is not the JSON of an event")
        return event

    def _check_age(self, moment: datetime) -> None:
        age = (clock.now() - moment).total_seconds()
        if age > self.tolerance:
            raise _refused("stale", f"signed more than {self.tolerance:g} s ago")
        if -age > self.tolerance:
            raise _refused("future", f"signed more than {self.tolerance:g} s in the future: check the clock")


def _refused(reason: WebhookReason, words: str) -> WebhookVerificationError:
    return WebhookVerificationError(f"webhook refused: {words}", reason=reason)


def _two_headers(headers: Any) -> tuple[bytes, bytes]:
    """The timestamp and the signature, once each."""
    found: dict[bytes, bytes] | None = None
    twice = False
    try:
        items = headers.items() if callable(getattr(headers, "items", None)) else headers
        pairs = [(_lower(name), value) for name, value in items]
        wanted = [(name, _text(value)) for name, value in pairs if name in _WANTED]
        found = dict(wanted)
        twice = len(found) != len(wanted)
    except Exception:  # noqa: BLE001, S110  # a mapping that is not ours can raise anything
        pass
    if found is None:  # raised here, so that the error holds no cause with values in it
        raise _refused("headers", "the headers are not names and values")
    if twice:
        raise _refused("duplicate_header", f"{TIMESTAMP_HEADER} or {SIGNATURE_HEADER} is there more than once")
    timestamp, signature = (found.get(name) for name in _WANTED)
    if timestamp is None or signature is None:
        raise _refused("missing_header", f"{TIMESTAMP_HEADER} or {SIGNATURE_HEADER} is missing")
    return timestamp, signature


def _lower(name: str | bytes) -> bytes:
    text = name.encode("latin-1", "replace") if isinstance(name, str) else bytes(memoryview(name))
    return text.lower()


def _text(value: str | bytes) -> bytes:
    text = value.encode("latin-1", "replace") if isinstance(value, str) else bytes(memoryview(value))
    return text[: _LONGEST_HEADER + 1]  # what is cut is too long to be right, and is found out by its form


def _named(keys: Any) -> dict[str, bytes]:
    if isinstance(keys, str | bytes):
        given: list[tuple[Any, Any]] = [("0", keys)]
    elif isinstance(keys, Mapping):
        given = list(cast("Mapping[Any, Any]", keys).items())
    elif isinstance(keys, Iterable):
        given = [(str(place), key) for place, key in enumerate(cast("Iterable[Any]", keys))]
    else:
        given = []
    words = None
    named: dict[str, bytes] = {}
    if not given:
        words = "must be a signing key, or several"
    for name, key in given:
        if not isinstance(name, str) or not isinstance(key, str | bytes):
            words = "must be text or bytes"
            break
        secret = key.encode() if isinstance(key, str) else key
        if not secret or secret != secret.strip():
            words = "a key must not be empty, nor begin or end with white space (of a file's last line?)"
            break
        named[name] = secret
    del keys, given
    if words is not None:
        named.clear()
        raise ConfigurationError(f"keys: {words}")
    return named


def _seconds(tolerance: Any) -> float:
    if isinstance(tolerance, timedelta):
        tolerance = tolerance.total_seconds()
    if isinstance(tolerance, bool) or not isinstance(tolerance, int | float):
        raise ConfigurationError("tolerance: must be seconds, or a timedelta")
    if not (tolerance > 0 and math.isfinite(tolerance)):
        raise ConfigurationError("tolerance: must be more than zero, and finite")
    return float(tolerance)
