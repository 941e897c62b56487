"""Sessions: demo, tests, types, lint, docs, fuzz, browser, bench. `nox -s tests` sets up all that it needs."""

from __future__ import annotations

import nox

PYPROJECT = nox.project.load_toml("pyproject.toml")
PYTHONS = nox.project.python_versions(PYPROJECT)

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
