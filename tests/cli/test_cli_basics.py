"""Words in, exit code out: help, version, usage, and errors that say one line and no value."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
from cli_support import Hero, command, environment

import hero_async.cli
from hero_async import errors
from hero_async.cli import failures
from hero_async.delivery import Delivery
from hero_async.errors import ConfigurationError, HeroError, InternalServerError

COMMANDS = (
    *("send", "resume", "status", "reconcile", "results", "purge"),
    *("demo", "sandbox", "doctor", "webhooks", "call", "drift", "config", "completion"),
)


def is_of_a_call(kind: object) -> bool:
    """Whether it is an error of one call: settings, arguments, flows and webhooks are told elsewhere."""
    others = (
        errors.ConfigurationError,
        errors.InvalidArgumentError,
        errors.WebhookVerificationError,
        errors.BookingError,
    )
    return isinstance(kind, type) and issubclass(kind, HeroError) and kind not in (HeroError, *others)


def test_version(hero: Hero) -> None:
    ran = hero("--version")
    assert (ran.code, ran.out) == (0, version("hero-health") + "\n")


def test_version_loads_nothing_that_it_does_not_need() -> None:
    code = (
        "import sys; from hero_async.cli import main; main(['--version']); "
        "print(*sorted({'cyclopts', 'rich', 'aiohttp', 'attrs', 'cattrs'} & {*sys.modules}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[1] == ""


@pytest.mark.parametrize("package", ["cyclopts", "rich"])
def test_a_missing_extra_is_one_line(package: str) -> None:
    code = f"import sys; sys.modules['{package}'] = None; from hero_async.cli import main; sys.exit(main(['demo']))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.splitlines() == [
        f"error: the hero command needs the package {package}: pip install 'hero-health[cli]'"
    ]


def test_version_needs_no_extra() -> None:
    code = "import sys; sys.modules['cyclopts'] = None; from hero_async.cli import main; sys.exit(main(['--version']))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=False).returncode == 0


def test_the_overview_names_every_command(hero: Hero) -> None:
    ran = hero("--help")
    assert ran.code == 0
    assert all(f"│ {name} " in ran.out for name in COMMANDS)


def test_the_overview_is_a_tour_in_80_columns(hero: Hero) -> None:
    said = hero("--help").out
    steps = ["hero demo", "hero sandbox", "--dry-run", "hero reconcile", "hero doctor"]
    assert sorted(steps, key=said.find) == steps
    assert max(map(len, said.splitlines())) <= 80


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish", "powershell"])
def test_a_shell_can_complete_every_command(hero: Hero, shell: str) -> None:
    ran = hero("completion", shell)
    assert ran.code == 0
    assert all(name in ran.out for name in COMMANDS)
    assert "--practice-group" in ran.out


def test_bash_completes(hero: Hero, tmp_path: Path) -> None:
    script = tmp_path / "hero.bash"
    script.write_text(hero("completion", "bash").out)
    asked = (
        f'source {script}; COMP_WORDS=(hero re); COMP_CWORD=1; COMP_LINE="hero re"; COMP_POINT=7; _hero; '
        'printf "%s\\n" "${COMPREPLY[@]}"'
    )
    done = subprocess.run(["bash", "-c", asked], capture_output=True, text=True, check=True)
    assert {*done.stdout.split()} == {"resume", "reconcile", "results"}


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_that_fits_into_80_columns(hero: Hero, name: str) -> None:
    ran = hero(name, "--help")
    assert ran.code == 0
    assert f"Usage: hero {name}" in ran.out
    assert max(map(len, ran.out.splitlines())) <= 80


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["sned"], 'Unknown command "sned". Did you mean "send"?'),
        (["send"], "RECIPIENTS requires an argument"),
        (["send", "a.csv"], "--channel requires an argument"),
        (["send", "a.csv", "--channel", "post"], "--channel"),
        (["send", "a.csv", "--channel", "sms", "--concurrency", "0"], "--concurrency. Must be >= 1."),
        (["send", "a.csv", "--channel", "sms", "--concurrency", "many"], "--concurrency"),
        (["send", "a.csv", "--channel", "sms", "--limit", "0"], "--limit"),
        (["send", "a.csv", "--channel", "sms", "--txt", "x"], "Unknown option: --txt. Did you mean --text?"),
        (["send", "a.csv", "--channel", "sms", "--api-key", "x"], "Unknown option: --api-key"),
        (["status"], "OUTBOX requires an argument"),
        (["reconcile", "x", "--mark", "maybe"], "--mark"),
        (["demo", "--patients", "5"], "--patients. Must be >= 100."),
    ],
)
def test_wrong_words_are_one_line_and_code_2(hero: Hero, words: list[str], said: str) -> None:
    ran = hero(*words)
    assert ran.code == 2
    assert said in ran.error
    assert ran.err.count("\n") == 1
    assert ran.out == ""


def test_a_text_without_quotes_is_not_quoted_back(hero: Hero) -> None:
    ran = hero("send", "a.csv", "--channel", "sms", "--text", "Dear", "Mrs", "Example")
    assert ran.code == 2
    assert "a text with spaces needs quotes around it" in ran.error
    assert "Example" not in ran.err


def test_no_colour_where_there_is_no_terminal(hero: Hero) -> None:
    ran = hero("send")
    assert "\x1b" not in hero("--help").out + ran.err


@pytest.mark.parametrize("no_colour", [False, True])
def test_colours_only_on_a_terminal_that_wants_them(no_colour: bool) -> None:
    pty = pytest.importorskip("pty")
    import os

    ours, theirs = pty.openpty()
    more = {"TERM": "xterm-256color", **({"NO_COLOR": "1"} if no_colour else {})}
    done = subprocess.run(command("send"), stderr=theirs, env=environment(more), check=False)
    os.close(theirs)
    said = os.read(ours, 4096).decode()
    os.close(ours)
    assert done.returncode == 2
    assert "error: " in said
    assert ("\x1b[1;31m" in said) is not no_colour


def test_debug_shows_where_and_no_value(hero: Hero, tmp_path: Path) -> None:
    ran = hero("status", tmp_path / "none.outbox", "--debug")
    assert ran.code == 2
    assert "in status" in ran.err
    assert "OutboxError: " in ran.err
    assert "there is no such outbox" in ran.error


def test_a_traceback_leaves_out_what_others_say(capsys: pytest.CaptureFixture[str]) -> None:
    try:
        try:
            int("943 476 5919")
        except ValueError:
            raise ConfigurationError("the rule") from None
    except ConfigurationError as error:
        failures.trace(error)
    try:
        {}["943 476 5919"]
    except KeyError as error:
        failures.trace(error)
    said = capsys.readouterr().err
    assert "the rule" in said
    assert "builtins.KeyError\n" in said
    assert "KeyError: '943" not in said


def test_a_fault_of_ours_ends_as_one_line_without_its_text(hero: Hero, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise KeyError("943 476 5919")

    monkeypatch.setattr("hero_async.cli.config.settings_or_stand_ins", broken)
    ran = hero("config", "show")
    assert (ran.code, ran.err) == (1, "error: unexpected KeyError (hint: --debug shows where)\n")


def test_an_unclear_outcome_of_a_call_says_so() -> None:
    lost = failures.tell(InternalServerError("status 503", status=503, delivery=Delivery.UNKNOWN))
    assert lost.code == failures.Exit.SOME
    assert lost.hint == "it may have been processed: look before you repeat it"


@pytest.mark.parametrize(
    "kind", [kind for kind in vars(errors).values() if is_of_a_call(kind)], ids=lambda kind: kind.__name__
)
@pytest.mark.parametrize("delivery", Delivery, ids=lambda delivery: delivery.name)
def test_every_error_of_a_call_has_a_hint_and_it_never_says_too_little(
    kind: type[HeroError], delivery: Delivery
) -> None:
    hint = failures.tell(kind("what happened", delivery=delivery)).hint
    assert hint
    if delivery is Delivery.UNKNOWN:
        assert "may have been processed" in hint
    elif delivery is Delivery.YES and issubclass(kind, errors.APIConnectionError):
        assert "nothing was processed" not in hint


def test_a_reader_that_goes_away_ends_it_quietly() -> None:
    code = (
        "import os, sys; os.close(os.dup(1)); read, write = os.pipe(); os.close(read); os.dup2(write, 1); "
        "from hero_async.cli import main; sys.exit(main(['call', '--list']))"
    )
    done = subprocess.run([sys.executable, "-c", code], stderr=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "")


def test_the_module_runs_as_the_command() -> None:
    done = subprocess.run(command("--version"), capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, version("hero-health") + "\n")
    assert hero_async.cli.main(["--version"]) == 0
