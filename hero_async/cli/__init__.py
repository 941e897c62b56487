"""The `hero` command. What it needs beyond the core comes with the extra `cli`.

    $ hero demo                                   # no key needed: a sandbox on this machine
    $ hero send recipients.csv --channel sms --text "Dear {first_name}, …"

Exit codes: 0 all sent or done; 1 some rejected or unknown, or an error of the API; 2 usage, configuration, or an input
that cannot be used as a whole; 130 interrupted, and can be resumed.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

_EXTRA = frozenset({"cyclopts", "rich"})


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and give its exit code.

    Args:
        argv: The words after `hero`. Default: those of the process.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    if words == ["--version"]:  # quick: nothing else is imported
        from importlib.metadata import version

        print(version("hero-health"))
        return 0
    missing = ""
    try:
        from hero_async.cli.app import run
    except ImportError as error:
        missing = (error.name or "").partition(".")[0]
        if missing not in _EXTRA:
            raise
    else:
        return run(words)
    print(f"error: the hero command needs the package {missing}: pip install 'hero-health[cli]'", file=sys.stderr)
    return 2
