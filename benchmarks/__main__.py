"""`python -m benchmarks` runs all but bulk; `python -m benchmarks calls decoding --quick` runs some.

What was measured is printed and, unless it was quick, written to docs/benchmarks. `python -m benchmarks bulk --rows
1000` measures campaigns: it takes long, and prints only. `--bulk-rows 1000,1000000` adds their growth to the page.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable

from benchmarks import blocking, bulk, calls, decoding, growth, importing, memory, pages, rows, size, webhooks
from benchmarks.report import Options, Part, table, told, write

PARTS: dict[str, Callable[[Options], Part]] = {
    "calls": calls.run,
    "blocking": blocking.run,
    "decoding": decoding.run,
    "pages": pages.run,
    "importing": importing.run,
    "memory": memory.run,
    "size": size.run,
    "growth": growth.run,
}


def main(arguments: list[str]) -> None:
    """Measure, print, write."""
    alone = {"bulk": bulk.main, "webhooks": webhooks.main}
    if arguments and arguments[0] in alone:
        alone[arguments[0]](arguments[1:])
        return
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}; or bulk or webhooks, alone")
    parser.add_argument("--quick", action="store_true", help="few rounds, to see that it works; nothing is written")
    parser.add_argument("--rounds", type=int, help="so many rounds of everything")
    parser.add_argument("--bulk-rows", metavar="N,N", help="campaigns of so many rows, for the growth plot")
    given = parser.parse_args(arguments)
    if unknown := set(given.parts) - set(PARTS):
        parser.error(f"there is no part {', '.join(sorted(unknown))}; there are: {', '.join(PARTS)}")
    options = Options(quick=given.quick, rounds=given.rounds)
    results: dict[str, Part] = {}
    for name in given.parts or PARTS:
        told(f"{name} …")
        results[name] = PARTS[name](options)
        if not options.quick:
            write(results)
    if given.bulk_rows:
        results["rows"] = rows.run([int(count) for count in given.bulk_rows.split(",")], options)
    print(table(results) if options.quick else write(results))


if __name__ == "__main__":
    main(sys.argv[1:])
