"""How many SMS a text takes."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from hero_async.bulk.errors import MissingExtraError

_GSM_ALONE, _GSM_JOINED = 160, 153
_UCS2_ALONE, _UCS2_JOINED = 70, 67


@lru_cache(maxsize=1)
def _gsm_encoder() -> Callable[[str], tuple[bytes, int]]:
    try:
        from gsm0338 import Codec  # pyright: ignore[reportMissingTypeStubs]  # it has none
    except ImportError:
        raise MissingExtraError(
            "counting SMS segments needs the package gsm0338: pip install 'hero-health[cli]'"
        ) from None
    encoder: Callable[[str], tuple[bytes, int]] = Codec().encode
    return encoder


@lru_cache(maxsize=4096)
def _septets(character: str) -> int:
    """1, 2 for a character of the extension table, or 0 for one that GSM-7 does not have."""
    try:
        return len(_gsm_encoder()(character)[0])
    except UnicodeEncodeError:
        return 0


def count_segments(text: str) -> int:
    """The number of SMS that carry a text: GSM-7 in 160 (153 when joined), else UCS-2 in 70 (67).

    A character that takes two places is never cut in two. A provider may shorten or rewrite a text on its way;
    how Hero counts is not confirmed.

    Raises:
        MissingExtraError: The package gsm0338 is not installed.
    """
    widths = {character: _septets(character) for character in set(text)}
    if 0 not in widths.values():
        return _pack(text, widths, _GSM_ALONE, _GSM_JOINED)
    widths = {character: 2 if ord(character) > 0xFFFF else 1 for character in widths}
    return _pack(text, widths, _UCS2_ALONE, _UCS2_JOINED)


def _pack(text: str, widths: dict[str, int], alone: int, joined: int) -> int:
    wide = [character for character, width in widths.items() if width == 2]
    length = len(text) + sum(map(text.count, wide))
    if length <= alone:
        return 1
    if not wide:
        return -(-length // joined)
    segments, left = 1, joined
    for character in text:
        width = widths[character]
        if width > left:
            segments, left = segments + 1, joined
        left -= width
    return segments
