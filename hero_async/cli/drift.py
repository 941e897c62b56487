"""`hero drift`: what an OpenAPI description says otherwise than this SDK."""

from __future__ import annotations

from pathlib import Path

import attrs

from hero_async.cli import output
from hero_async.cli.failures import Exit, UsageError
from hero_async.cli.options import COMMON, Common


def drift(file: Path, /, *, known: bool = False, json: bool = False, common: Common = COMMON) -> int:
    """Compare an OpenAPI description with this SDK. Nothing is sent, and no reference out of the file is followed.

    Exit code 1: a call that works by the SDK may fail by the description. 2: the file cannot be read.

    Args:
        file: OpenAPI 3, YAML or JSON, such as the one that Hero gives to partners.
        known: Show also what was known when this SDK was made, and why it is so.
        json: Answer one line of JSON.
        common: What every command takes.
    """
    from hero_async.drift import NotOpenAPI, compare, parse

    data = file.read_bytes()
    try:
        report = compare(parse(data))
    except NotOpenAPI as refused:
        raise UsageError(f"FILE: {refused}") from None
    except ImportError:
        raise UsageError("FILE: is not JSON, and YAML needs pyyaml: pip install 'hero-health[cli]'") from None
    if json:
        output.answer_json(
            {
                "compared": report.compared,
                "breaks": report.breaks,
                "differences": [attrs.asdict(one) for one in report.differences],
                "known": [attrs.asdict(one) for one in report.known],
            }
        )
        return Exit.SOME if report.breaks else Exit.OK
    for one in (*report.differences, *(report.known if known else ())):
        verdict = "known" if one.why else "breaks" if one.breaks else "differs"
        side = f"{one.side} of " if one.side else ""
        because = f" ({one.why})" if one.why else ""
        output.answer(f"{verdict}: {side}{one.where}: {one.says}{because}")
    breaking = sum(one.breaks for one in report.differences)
    output.say(
        f"{output.count(report.compared, 'operation')} compared: {output.count(breaking, 'difference')} would break, "
        f"{len(report.differences) - breaking:,} would not, {len(report.known):,} known"
    )
    return Exit.SOME if report.breaks else Exit.OK
