"""The keys of a body's object are there once each, however it is written."""

from __future__ import annotations

import json

from hypothesis import example, given, settings
from hypothesis import strategies as st

from hero_async.webhooks.body import read_event
from hero_async.webhooks.strict import read_object

SPACES = st.sampled_from(["", " ", "\n\t "])
KEYS = st.sampled_from(
    [
        '"event"',
        '"id"',
        '"\\u0069d"',
        '"x"',
        '"\\u0078"',
        '"a b"',
        '"ab"',
        '"a\\u0020b"',
        '"é"',
        '"\\u00e9"',
        '"/"',
        '"\\/"',
        '""',
    ]
)
VALUES = st.sampled_from(['"a"', "1", "-1.5e3", "null", "[]", '{"x": 1}', '" "', '"\\""', "[ 1 , 2 ]", '"é"'])
MEMBERS = st.lists(st.tuples(KEYS, VALUES, SPACES, SPACES), max_size=6)


@settings(max_examples=500, deadline=None)
@given(members=MEMBERS, gap=SPACES)
@example(members=[('"x"', "1", "", ""), ('"\\u0078"', "1", "", "")], gap="")
def test_a_repeated_key_is_refused_and_no_other(members: list[tuple[str, str, str, str]], gap: str) -> None:
    written = ['"event":"a"', *(f"{one}{key}{two}:{one}{value}{two}" for key, value, one, two in members)]
    text = f"{gap}{{{','.join(written)}}}{gap}"
    keys = [key for key, _ in json.loads(text, object_pairs_hook=list)]
    raw = text.encode()
    found = read_event(raw)
    if len(set(keys)) < len(keys):
        assert found is None
        assert read_object(raw) is None
    else:
        assert found is not None
        assert found.event == "a"
        assert found.raw == json.loads(text) == read_object(raw)
