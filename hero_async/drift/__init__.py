"""What differs between an OpenAPI description of the API and this SDK.

    report = compare(parse(Path("openapi.yaml").read_bytes()))
    report.breaks        # whether something would break
    report.differences   # what is new; report.known: what was known when this SDK was made, and why it is so

The SDK's side is read from `OPERATIONS` and the models. A request breaks when the SDK may send what the description
does not take; an answer breaks when the description allows what the SDK cannot read. Names, places, types, null,
closed sets and requirements are compared; lengths, patterns, ranges and formats other than of dates are not.
"""

from __future__ import annotations

from hero_async.drift.comparing import Difference, Report, compare
from hero_async.drift.described import NotOpenAPI
from hero_async.drift.reading import parse

__all__ = ["Difference", "NotOpenAPI", "Report", "compare", "parse"]
