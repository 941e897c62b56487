"""The commands, each imported when it is called for."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Sequence
from importlib.metadata import version

from cyclopts import App, Group, Parameter

from hero_async.cli import output
from hero_async.cli.failures import Exit, report

_CAMPAIGNS = Group("Campaigns", sort_key=1)
_TRY = Group("Without a key", sort_key=2)
_API = Group("The API, and your settings", sort_key=3)

_COMMANDS = (
    ("send", "send:send", _CAMPAIGNS, "Send a message to everyone in a CSV file."),
    ("resume", "send:resume", _CAMPAIGNS, "Go on with a campaign that was interrupted."),
    ("status", "outbox:status", _CAMPAIGNS, "Show where a campaign stands."),
    ("reconcile", "outbox:reconcile", _CAMPAIGNS, "List the rows whose outcome is unknown, or settle them."),
    ("results", "outbox:results", _CAMPAIGNS, "Write what became of each row, as CSV."),
    ("purge", "outbox:purge", _CAMPAIGNS, "Delete an outbox and its key."),
    ("demo", "demo:demo", _TRY, "See a campaign end to end on this machine."),
    ("sandbox", "sandbox:sandbox", _TRY, "Serve a Hero with synthetic patients on this machine."),
    ("doctor", "doctor:doctor", _API, "Find out why it does not work: settings, address, clock, key."),
    ("webhooks", "webhooks:app", _TRY, "Receive webhooks on this machine, or send a sample to your endpoint."),
    ("call", "call:app", _API, "Call any operation of the API, JSON out."),
    ("drift", "drift:drift", _API, "Compare an OpenAPI description with this SDK."),
    ("config", "config:app", _API, "Show the settings and where each came from."),
    ("completion", "completion:completion", _API, "Let your shell complete commands and options."),
)

_TOUR = """Message NHS patients through the Hero Health Public API.

A tour, the first three steps without a key:

1. `hero demo` sends to a thousand synthetic patients while the server fails now and then.
2. `hero sandbox --recipients patients.csv` serves a Hero to play with; paste what it prints into another shell.
3. `hero send patients.csv --channel sms --text "Dear {first_name}, …" --dry-run` checks and counts the rows.
4. `hero send …` without `--dry-run` sends. Run it again after a crash: nobody is sent to twice.
5. `hero reconcile OUTBOX` and `hero results OUTBOX` tell what became of each row.
6. `hero doctor` says whether key, practice, address and clock are right, and `hero call --list` what the API can do.

HERO_API_KEY_FILE, HERO_PRACTICE_GROUP_ID and HERO_ENVIRONMENT (staging or production) say who calls whom: there is no
default, so that nobody texts patients by accident. Most commands take `--json`, and all take `--help` and `--debug`.
"""

COMMANDS = tuple(name for name, *_ in _COMMANDS)
"""Their names, in the order of the overview."""


def build(wanted: str = "") -> App:
    """The command line.

    Args:
        wanted: The command that will run. Its help is its own, not the line of the overview.
    """
    app = App(
        name="hero",
        help=_TOUR,
        help_format="markdown",
        group_commands=Group("Options", sort_key=9),
        version=version("hero-health"),
        default_parameter=Parameter(negative=(), show_default=False),
        result_action="return_value",
        exit_on_error=False,
        print_error=False,
        suppress_keyboard_interrupt=False,
    )
    for place, (name, where, group, words) in enumerate(_COMMANDS):
        app.command(
            f"hero_async.cli.{where}",
            name=name,
            group=group,
            sort_key=place,
            help=None if name == wanted else words,
        )
    return app


def run(words: Sequence[str]) -> int:
    """Run a command line to its exit code. No exception leaves it."""
    logging.getLogger("hero_async").addHandler(logging.NullHandler())  # else Python prints warnings into the display
    try:
        code = build(words[0] if words else "")(words)
        sys.stdout.flush()
    except KeyboardInterrupt:
        output.say("interrupted")
        return Exit.INTERRUPTED
    except BrokenPipeError:  # the reader of our output has gone; what Python flushes at its end goes nowhere
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.SOME
    except Exception as error:  # noqa: BLE001  # the outermost frame: whatever it is ends as one line
        return report(error, debug="--debug" in words)
    return int(code or 0)
