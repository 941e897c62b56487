"""What mutmut found: the score by module, and each survivor that nobody has explained.

python tests/faults/mutation_score.py    after `mutmut run`; `nox -s mutation` runs both
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter

LEAST = 0.9

RESULT = re.compile(r"\s*(?P<name>hero_async\.\S+__mutmut_\d+): (?P<end>.+)")
KILLED = ("killed", "timeout", "caught by type check", "segfault")


def main() -> int:
    """Print the table. 1 if a module is below the least score."""
    printed = subprocess.run(
        [sys.executable, "-m", "mutmut", "results", "--all", "true"], capture_output=True, text=True, check=True
    ).stdout
    seen, killed = Counter[str](), Counter[str]()
    survivors: list[str] = []
    for found in filter(None, map(RESULT.fullmatch, printed.splitlines())):
        module = found["name"].rpartition(".")[0]
        seen[module] += 1
        if found["end"] in KILLED:
            killed[module] += 1
        else:
            survivors.append(f"{found['name']}: {found['end']}")
    for module, count in sorted(seen.items()):
        print(f"{module}: {killed[module]} of {count} ({killed[module] / count:.1%})")
    print(f"in all: {killed.total()} of {seen.total()} ({killed.total() / max(seen.total(), 1):.1%})")
    print(*survivors, sep="\n")
    return int(not seen or any(killed[module] / count < LEAST for module, count in seen.items()))


if __name__ == "__main__":
    sys.exit(main())
