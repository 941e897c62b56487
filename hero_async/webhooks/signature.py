"""What a signed delivery looks like on the wire: the two headers, and the digest they prove. Plain functions.

The reference says HMAC-SHA256 of `{timestamp}.{raw body}` with the signing key, and no more. Not confirmed: whether
the signature is hex or base64, whether it has a prefix, and how the timestamp is written. All usual forms are read,
and what is signed is the timestamp's text as it came.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import re
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Final, Literal

from hero_async import clock

TIMESTAMP_HEADER: Final = "X-Herohealth-Timestamp"
SIGNATURE_HEADER: Final = "X-Herohealth-Signature"

Encoding = Literal["hex", "base64", "base64url"]

_HEX: Final = re.compile(rb"[0-9A-Fa-f]{64}")
_BASE64: Final = re.compile(rb"[A-Za-z0-9+/_-]{43}=?")
_PREFIX: Final = b"sha256="
_EPOCH_TEXT: Final = re.compile(r"[0-9]{1,14}(\.[0-9]{1,9})?")
_ISO_TEXT: Final = re.compile(r"[0-9]{4}-?[0-9]{2}-?[0-9]{2}[Tt ][0-9:.,+Zz-]{2,24}")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECONDS_FROM: Final = 100_000_000_000
"""As seconds this is the year 5138, as milliseconds it is 1973: no clock is wrong by so much."""


def digest(key: bytes, timestamp: bytes, body: bytes) -> bytes:
    """The 32 bytes that a delivery must show."""
    return hmac.digest(key, b"%b.%b" % (timestamp, body), sha256)


def read_signature(text: bytes) -> bytes | None:
    """The 32 bytes of a signature header: hex or base64, plain or url-safe, with or without `sha256=`."""
    if text[: len(_PREFIX)].lower() == _PREFIX:
        text = text[len(_PREFIX) :]
    if _HEX.fullmatch(text):
        return binascii.unhexlify(text)
    if _BASE64.fullmatch(text):
        return base64.urlsafe_b64decode(text.translate(bytes.maketrans(b"+/", b"-_"))[:43] + b"=")
    return None


def read_timestamp(text: bytes) -> datetime | None:
    """The moment of a timestamp header: epoch seconds, epoch milliseconds or ISO 8601; one without a zone is UTC."""
    try:
        plain = text.decode("ascii")
        if _EPOCH_TEXT.fullmatch(plain):
            number = float(plain)
            return _EPOCH + timedelta(seconds=number if number < _MILLISECONDS_FROM else number / 1000)
        if _ISO_TEXT.fullmatch(plain):
            moment = datetime.fromisoformat(plain.upper())
            return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    return None


def sign(
    key: str | bytes,
    body: bytes,
    *,
    timestamp: str | None = None,
    encoding: Encoding = "hex",
    prefix: str = "",
) -> dict[str, str]:
    """The headers of a delivery, for tests of your endpoint.

    Args:
        key: The signing key.
        body: The raw body.
        timestamp: The timestamp's text. Default: epoch seconds, now.
        encoding: How the digest is written. Which one Hero uses is not confirmed.
        prefix: Text before it, such as "sha256=".
    """
    secret = key.encode() if isinstance(key, str) else key
    stamp = str(int(clock.now().timestamp())) if timestamp is None else timestamp
    made = digest(secret, stamp.encode("latin-1"), body)
    if encoding == "hex":
        text = made.hex()
    else:
        text = (base64.b64encode if encoding == "base64" else base64.urlsafe_b64encode)(made).decode()
    return {TIMESTAMP_HEADER: stamp, SIGNATURE_HEADER: prefix + text}
