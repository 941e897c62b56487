"""`python -m benchmarks` runs all; `python -m benchmarks bulk --rows 1000` runs one."""

from __future__ import annotations

import sys

from benchmarks import bulk, webhooks

ALL = {"bulk": bulk.main, "webhooks": webhooks.main}

if __name__ == "__main__":
    names = [sys.argv[1]] if len(sys.argv) > 1 else list(ALL)
    for name in names:
        if name not in ALL:
            sys.exit(f"there is no benchmark {name!r}; there are: {', '.join(ALL)}")
        ALL[name](sys.argv[2:])
