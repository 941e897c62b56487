"""Sessions: `nox -l` lists them. `nox -s tests` sets up all that it needs; `nox -s release` leads to a release."""

from __future__ import annotations

import re
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
    """mypy --strict, pyright strict, and every public name has a type."""
    install(session, "test", "types")
    session.run("mypy")
    session.run("pyright")
    # What users' own type checkers see: 100 %, or it fails. Not hero_sync: its campaign borrows the signatures of the
    # async one by a descriptor, and a type with keyword-only parameters cannot be written down there.
    session.run("pyright", "--verifytypes", "hero_async", "--ignoreexternal", silent=True)


@nox.session
def lint(session: nox.Session) -> None:
    """ruff: rules and format."""
    session.install("-q", *nox.project.dependency_groups(PYPROJECT, "lint"))
    session.run("ruff", "check")
    session.run("ruff", "format", "--check")


@nox.session
def examples(session: nox.Session) -> None:
    """Every program in examples/, with all that it needs."""
    install(session, "test", "examples")
    session.run("pytest", "tests/examples", *session.posargs)


@nox.session
def docs(session: nox.Session) -> None:
    """docs/operations.md anew; the site, in build/docs, with warnings as errors; every snippet, on the sandbox."""
    install(session, "test", "docs")
    session.run("python", "docs/make_operations.py")
    session.run("sphinx-build", "-q", "-W", "--keep-going", "-b", "html", "docs", "build/docs")
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


DIST = Path("dist")


def wheel(session: nox.Session) -> str:
    """The one wheel in dist/."""
    found = sorted(DIST.glob("*.whl"))
    if len(found) != 1:
        session.error("dist/ must hold one wheel: run `nox -s build` first")
    return str(found[0].resolve())


@nox.session
def build(session: nox.Session) -> None:
    """Wheel and source distribution, once, into an empty dist/; everything else takes them from there."""
    session.install("-q", *nox.project.dependency_groups(PYPROJECT, "release"))
    shutil.rmtree(DIST, ignore_errors=True)
    session.run("python", "-m", "build", silent=True)
    session.run("twine", "check", "--strict", *map(str, DIST.iterdir()))


@nox.session(python=PYTHONS)
def packaged(session: nox.Session) -> None:
    """The tests against the wheel of dist/, where there is no source tree to import from by accident."""
    session.install("-q", f"hero-health[cli,otel,speed] @ file://{wheel(session)}")
    session.install("-q", *nox.project.dependency_groups(PYPROJECT, "test", "types"))
    away = Path(session.create_tmp()) / "away"
    shutil.rmtree(away, ignore_errors=True)
    for name in ("tests", "docs", "examples"):
        shutil.copytree(name, away / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("README.md", "CHANGELOG.md", "pyproject.toml", "noxfile.py"):
        shutil.copy(name, away / name)
    session.run("pyright", "--version", silent=True)
    session.chdir(away)
    where = session.run("python", "-c", "import hero_async; print(hero_async.__file__)", silent=True)
    if "site-packages" not in str(where):
        session.error(f"the tests would not be of the wheel: {where}")
    session.run("pytest", "-n", "2", "--dist", "worksteal", *session.posargs)


@nox.session
def breaks(session: nox.Session) -> None:
    """What of the public API has changed since the last tag in a way that breaks callers."""
    session.install("-q", *nox.project.dependency_groups(PYPROJECT, "release"))
    tag = session.run("git", "describe", "--tags", "--abbrev=0", external=True, silent=True, success_codes=[0, 128])
    if not tag or "fatal" in str(tag):
        session.log("there is no tag yet, so there is nothing that could break")
        return
    for package in ("hero_async", "hero_sync"):
        session.run("griffe", "check", package, "--against", str(tag).strip(), "--format", "verbose")


@nox.session
def release(session: nox.Session) -> None:
    """All that a release needs, up to the upload, which a person does: what is to be uploaded is in dist/."""
    version = PYPROJECT["project"]["version"]
    if session.run("git", "status", "--porcelain", external=True, silent=True):
        session.error("there are changes that are not committed")
    heading = rf"^## \[{re.escape(version)}\] - \d{{4}}-\d\d-\d\d$"
    if not re.search(heading, Path("CHANGELOG.md").read_text("utf-8"), re.MULTILINE):
        session.error(f"CHANGELOG.md has no heading '## [{version}] - YYYY-MM-DD'")
    if session.run("git", "tag", "--list", f"v{version}", external=True, silent=True):
        session.error(f"v{version} was released already: raise the version in pyproject.toml")
    for name in ("lint", "types", "build", "docs", "breaks"):
        session.notify(name)
    for python in PYTHONS:
        session.notify(f"packaged-{python}")
    session.log("when all of the sessions that follow have passed, a person does the rest:")
    session.log(f"  git tag --annotate v{version} --message {version} && git push origin v{version}")
    session.log("  twine upload dist/*")
