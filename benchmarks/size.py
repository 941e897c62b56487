"""How much code there is to read, to install and to ship."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
import tempfile
import tokenize
import venv
from collections.abc import Iterable
from pathlib import Path

from benchmarks import generated
from benchmarks.report import Options, Part, Target, number, told
from benchmarks.turns import ROOT

CORE = ROOT / "hero_async"
NOT_CORE = ("sandbox", "cli", "bulk", "webhooks", "testing.py")


def lines_of(path: Path) -> tuple[int, int, int]:
    """All lines; those that are not in a docstring; those that hold code: no comment and not blank, either."""
    text = path.read_text(encoding="utf-8")
    total = len(text.splitlines())
    prose: set[int] = set()
    try:
        tree = ast.parse(text)
    except SyntaxError:  # openapi-generator makes files of our contract that are not Python
        code = sum(1 for line in text.splitlines() if line.strip() and not line.strip().startswith("#"))
        return total, total, code
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            prose.update(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    skipped = (tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER)
    lines: set[int] = set()
    with tokenize.open(path) as file:
        for token in tokenize.generate_tokens(file.readline):
            if token.type not in skipped:
                lines.update(range(token.start[0], token.end[0] + 1))
    return total, total - len(prose), len(lines - prose)


def count(files: Iterable[Path]) -> tuple[int, int, int, int]:
    """Files, lines, lines less docstrings, lines of code."""
    counted = [lines_of(path) for path in files]
    lines, bare, code = (sum(column) for column in zip(*counted, strict=True))
    return len(counted), lines, bare, code


def core_files() -> list[Path]:
    """Core and api: what the generated clients stand against."""
    return [path for path in CORE.rglob("*.py") if path.relative_to(CORE).parts[0] not in NOT_CORE]


def wheel_and_dependencies(folder: Path) -> tuple[float, float]:
    """kB of the wheel; MB of what it depends on, installed, without compiled bytecode."""
    environment = folder / "env"
    venv.create(environment, with_pip=True)
    pip = [str(environment / "bin" / "python"), "-m", "pip"]
    subprocess.run([*pip, "wheel", "-q", "--no-deps", "-w", str(folder), str(ROOT)], check=True, capture_output=True)
    [wheel] = folder.glob("*.whl")
    site = folder / "site"
    subprocess.run(
        [*pip, "install", "-q", "--no-compile", "--target", str(site), str(wheel)], check=True, capture_output=True
    )
    for ours in ("hero_async", "hero_sync", "bin"):
        shutil.rmtree(site / ours, ignore_errors=True)
    total = sum(path.stat().st_size for path in site.rglob("*") if path.is_file() and path.suffix != ".pyc")
    return wheel.stat().st_size / 1e3, total / 1e6


def run(options: Options) -> Part:
    """Count."""
    made, _ = generated.make_all()
    rows: list[list[str]] = []
    ours = count(core_files())
    whole = count([*CORE.rglob("*.py"), *(ROOT / "hero_sync").rglob("*.py")])
    for label, counted in (("hero_async: core and api", ours), ("hero_async and hero_sync, all", whole)):
        rows.append([label, *(f"{figure:,}" for figure in counted)])
    targets: list[Target] = []
    for peer, folder in made.items():
        package = folder / generated.PEERS[peer][1]
        counted = count(package.rglob("*.py"))
        label = f"{generated.PEERS[peer][0]} {generated.version(peer)}"
        rows.append([label, *(f"{figure:,}" for figure in counted)])
        if peer == "openapi_python_client":
            targets.append(
                Target("core and api less docstrings, of openapi-python-client's lines", ours[2] / counted[1], 0.2)
            )
    if not options.quick:
        told("size: a wheel and what it needs, in a new environment")
        with tempfile.TemporaryDirectory() as folder:
            wheel, needs = wheel_and_dependencies(Path(folder))
        targets += [
            Target("the wheel", wheel, 400, unit="kB"),
            Target("dependencies, installed", needs, 20, unit="MB"),
        ]
        rows += [
            ["the wheel, kB", "", "", "", number(wheel)],
            ["dependencies installed, MB", "", "", "", number(needs)],
        ]
    return Part(
        title="Size",
        about="Lines of code: less comments and blank lines, too. Dependencies are counted without bytecode.",
        header=["What", "files", "lines", "less docstrings", "of code"],
        rows=rows,
        targets=targets,
    )


if __name__ == "__main__":
    print(run(Options(quick="--quick" in sys.argv or bool(os.environ.get("QUICK")))).markdown())
