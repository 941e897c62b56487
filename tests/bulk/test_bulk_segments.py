"""SMS segments."""

from __future__ import annotations

import sys

import pytest

from hero_async.bulk import MissingExtraError, count_segments
from hero_async.bulk.segments import _gsm_encoder


@pytest.mark.parametrize(
    ("text", "segments"),
    [
        ("", 1),
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        ("@£$¥èéùìòÇ\nØøÅåΔ_ΦΓΛΩΠΨΣΘΞ", 1),
        ("€" * 80, 1),  # of the extension table: two places each
        ("€" * 81, 2),
        ("a" * 152 + "€" + "a" * 152, 3),  # 306 places, but a pair must not be cut in two
        ("a" * 151 + "€" + "a" * 153, 2),
        ("ё" * 70, 1),
        ("ё" * 71, 2),
        ("ё" * 134, 2),
        ("ё" * 135, 3),
        ("😀" * 35, 1),
        ("😀" * 36, 2),
        ("a" * 66 + "😀" + "a" * 66, 3),  # 134 places, but a pair must not be cut in two
        ("’" + "a" * 69, 1),  # a typographic apostrophe makes all of it UCS-2
        ("’" + "a" * 70, 2),
    ],
)
def test_how_many_sms_a_text_takes(text: str, segments: int) -> None:
    assert count_segments(text) == segments


def test_without_the_package_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "gsm0338", None)
    _gsm_encoder.cache_clear()
    with pytest.raises(MissingExtraError, match=r"hero-health\[cli\]"):
        count_segments("ѭ")
    _gsm_encoder.cache_clear()
