"""Sessions: demo, tests, types, lint, docs, fuzz, browser, bench, guard, soak, audit, lowest, newest, mutation."""

from __future__ import annotations

import shutil
from pathlib import Path

import nox

PYPROJECT = nox.project.load_toml("pyproject.toml")
PYTHONS = nox.project.python_versions(PYPROJECT)

WITH_OLD_AND_NEW = [
    "tests/api",
    "tests/bulk",
    "tests/cli",
    "tests/core",
    "tests/faults",
    "tests/sync",
    "tests/transport",
]
"""What touches the dependencies of users; frameworks of the webhooks' tests are the newest anyway."""

nox.options.sessions = ["tests", "lint", "types"]
nox.options.reuse_existing_virtualenvs = True


def install(session: nox.Session, *groups: str) -> None:
    """The package as a user installs it, in place, and what the groups name."""
    session.install("-q", "-e", ".[cli,otel,speed]", *nox.project.dependency_groups(PYPROJECT, *groups))


@nox.session
def demo(session: nox.Session) -> None:
    """The main job on the sandbox: a thousand patients, no key."""
    session.install("-q", ".[cli]")
    session.run("hero", "demo", *session.posargs)


@nox.session
def tests(session: nox.Session) -> None:
    """All tests, in two processes; offline once the set-up is done."""
    install(session, "test", "types")
    session.run("pyright", "--version", silent=True)  # its wheel brings the rest at the first run: part of the set-up
    session.run("pytest", "-n", "2", "--dist", "worksteal", *session.posargs)


@nox.session(python=PYTHONS)
def matrix(session: nox.Session) -> None:
    """All tests on every Python that the classifiers name and this machine has."""
    install(session, "test", "types")
    session.run("pyright", "--version", silent=True)
    session.run("pytest", "-n", "2", "--dist", "worksteal", *session.posargs)


@nox.session
def types(session: nox.Session) -> None:
    """mypy --strict and pyright strict."""
    install(session, "test", "types")
    session.run("mypy")
    session.run("pyright")


@nox.session
def lint(session: nox.Session) -> None:
    """ruff: rules and format."""
    session.install("-q", *nox.project.dependency_groups(PYPROJECT, "lint"))
    session.run("ruff", "check")
    session.run("ruff", "format", "--check")


@nox.session
def docs(session: nox.Session) -> None:
    """docs/operations.md made anew; every snippet of the README and the docs, run against the sandbox."""
    install(session, "test")
    session.run("python", "docs/make_operations.py")
    session.run("pytest", "tests/docs", *session.posargs)


@nox.session
def fuzz(session: nox.Session) -> None:
    """A million hostile deliveries (or as many as is said) against the webhook verifier; `tests` tries 20,000."""
    install(session, "test")
    cases = session.posargs[0] if session.posargs else "1000000"
    session.run("pytest", "-q", "tests/webhooks/test_webhook_fuzz.py", env={"HERO_WEBHOOK_FUZZ": cases})


@nox.session
def browser(session: nox.Session) -> None:
    """Hero Elements in a real browser. Needs Chromium (`apt-get install chromium`), so `tests` leaves it out."""
    install(session, "test")
    session.run("pytest", "tests/elements/test_browser.py", env={"HERO_BROWSER": "chromium"})


@nox.session
def bench(session: nox.Session) -> None:
    """All benchmarks, paired; prints the table and writes docs/benchmarks."""
    install(session, "bench")
    session.run("python", "-m", "benchmarks", *session.posargs)


@nox.session
def guard(session: nox.Session) -> None:
    """Instruction counts of the hot paths against the saved baseline: seconds, and the same on every machine."""
    install(session, "bench")
    session.run("python", "-m", "benchmarks.guard", *session.posargs)


@nox.session
def soak(session: nox.Session) -> None:
    """The long run of what `tests` cuts short: leaks, cancels, races, generated input. Half an hour at most."""
    install(session, "test")
    session.run(
        "pytest",
        "-s",
        "-m",
        "soak",
        *(session.posargs or ["tests/core", "tests/faults", "tests/transport"]),
        env={"HERO_SOAK": "1"},
    )


@nox.session
def audit(session: nox.Session) -> None:
    """bandit on our code; pip-audit on all that a user installs. The latter needs its database: it fails offline."""
    session.install("-q", "-e", ".[cli,otel,speed]")
    frozen = session.run("python", "-m", "pip", "freeze", "--exclude-editable", silent=True)
    session.install("-q", *nox.project.dependency_groups(PYPROJECT, "audit"))
    session.run("bandit", "-q", "-c", "pyproject.toml", "-r", "hero_async", "hero_sync")
    installed = Path(session.create_tmp()) / "installed.txt"
    installed.write_text(str(frozen))
    session.run("pip-audit", "--strict", "--no-deps", "--disable-pip", "-r", str(installed))


@nox.session
def lowest(session: nox.Session) -> None:
    """The tests of the core with the oldest dependencies that pyproject.toml allows."""
    session.install("-q", "uv")
    pins = str(Path(session.create_tmp()) / "lowest.txt")
    wanted = ["pyproject.toml", "--extra", "cli", "--extra", "otel", "--extra", "speed"]
    version = session.run("python", "-c", "import sys; print(sys.version.split()[0])", silent=True)
    session.run(
        *["uv", "pip", "compile", "-q", "--resolution", "lowest-direct", "--python-version", str(version).strip()],
        *["-o", pins, *wanted],
    )
    session.install("-q", "-r", pins)
    session.install("-q", "-c", pins, "-e", ".[cli,otel,speed]", *nox.project.dependency_groups(PYPROJECT, "test"))
    session.run("pytest", "-n", "2", *(session.posargs or WITH_OLD_AND_NEW))


@nox.session
def newest(session: nox.Session) -> None:
    """The same with the newest, those that are not released included."""
    session.install("-q", "--pre", "--upgrade", "-e", ".[cli,otel,speed]")
    session.install("-q", *nox.project.dependency_groups(PYPROJECT, "test"))
    session.run("pytest", "-n", "2", *(session.posargs or WITH_OLD_AND_NEW))


@nox.session
def mutation(session: nox.Session) -> None:
    """How many small changes to the verdicts, retries, throttle, signing and webhooks the tests see: at least 90 %."""
    install(session, "test", "mutation")
    shutil.rmtree("mutants", ignore_errors=True)
    session.run("mutmut", "run", "--max-children", "2")
    session.run("python", "tests/faults/mutation_score.py")
