"""`Verifier.verify` against a bare HMAC of the same bytes, in turn.

A verify is more than the HMAC: headers, base64 or hex, age, the JSON gone through, an event made. Told are medians
and, pair by pair, ratios. The documented body is thin (one object of four fields), so a body of 20 kB is one that
has a long text, a list of texts, three hundred objects or as many fields beside them. Hero is said to send JSON
without spaces; with them costs a little more. The last column is `event.raw` on top, read when it is asked for.

    python -m benchmarks webhooks --rounds 60
"""

from __future__ import annotations

import argparse
import hmac
import json
import statistics
import sys
import time
from collections.abc import Callable
from random import Random
from typing import Any

from hero_async.webhooks import Verifier, sign

KEY = "a signing key of nobody"
SIZE = 20_000
ENVELOPE = {"object": "Appointment", "id": "4711", "practice_group_id": "42", "event": "appointment.confirmed"}


def written(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def filled(make: Callable[[int], Any], item: int) -> bytes:
    """An envelope with a field beside it that brings it to the size."""
    return written({**ENVELOPE, "more": make((SIZE - len(written(ENVELOPE)) - 12) // item)})


BODIES = {
    "as documented, 110 bytes": written(ENVELOPE),
    "20 kB, a long text": filled(lambda count: "x" * count, 1),
    "20 kB, 400 texts": filled(lambda count: ["a text of a few words, as one writes them, short"] * count, 51),
    "20 kB, 300 objects": filled(
        lambda count: [{"id": "1", "name": "a text", "at": "2026-01-05T09:00:00Z"}] * count, 56
    ),
    "20 kB, 340 fields": written(
        ENVELOPE | {f"field_{number}": "a text of a few words, as one writes them" for number in range(340)}
    ),
}
BODIES["20 kB, 300 objects, spaces"] = json.dumps(json.loads(BODIES["20 kB, 300 objects"])).encode()


def took(work: Callable[[], object], times: int) -> float:
    """Microseconds of this thread's processor for one: both do nothing but compute, and a busy machine tells less."""
    began = time.thread_time()
    for _ in range(times):
        work()
    return (time.thread_time() - began) / times * 1e6


def measure(body: bytes, keys: int, rounds: int, times: int) -> tuple[float, float, float, float]:
    """Medians of bare HMAC and verify, of their ratio over shuffled pairs, and of verify with `raw`."""
    verifier = Verifier([KEY, *(f"another key {number}" for number in range(keys - 1))], tolerance=3600)
    headers = sign(KEY, body)
    secret, message = KEY.encode(), headers["X-Herohealth-Timestamp"].encode() + b"." + body
    works = {
        "bare": lambda: hmac.digest(secret, message, "sha256"),
        "verify": lambda: verifier.verify(headers, body),
        "raw": lambda: verifier.verify(headers, body).raw,
    }
    figures: dict[str, list[float]] = {name: [] for name in works}
    for number in range(rounds):
        order = list(works)
        Random(number).shuffle(order)
        for name in order:
            figures[name].append(took(works[name], times))
    ratios = [ours / bare for bare, ours in zip(figures["bare"], figures["verify"], strict=True)]
    bare, verify, raw = (statistics.median(figures[name]) for name in works)
    return bare, verify, statistics.median(ratios), raw


def table(rounds: int, times: int) -> str:
    """Markdown."""
    lines = [
        "| body | keys | bare HMAC, µs | verify, µs | ratio | with raw, µs |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for name, keys in [*((name, 1) for name in BODIES), ("20 kB, a long text", 2)]:
        bare, ours, ratio, raw = measure(BODIES[name], keys, rounds, times)
        lines.append(f"| {name} | {keys} | {bare:.1f} | {ours:.1f} | {ratio:.1f} | {raw:.1f} |")
    return "\n".join(lines)


def main(arguments: list[str]) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="benchmarks webhooks")
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--times", type=int, default=100)
    options = parser.parse_args(arguments)
    print(table(options.rounds, options.times))


if __name__ == "__main__":
    main(sys.argv[1:])
