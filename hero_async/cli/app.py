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
_OTHERS = Group("More", sort_key=2)

_COMMANDS = (
    ("send", "send:send", _CAMPAIGNS, "Send a message to everyone in a CSV file."),
    ("resume", "send:resume", _CAMPAIGNS, "Go on with a campaign that was interrupted."),
    ("status", "outbox:status", _CAMPAIGNS, "Show where a campaign stands."),
    ("reconcile", "outbox:reconcile", _CAMPAIGNS, "List the rows whose outcome is unknown, or settle them."),
    ("results", "outbox:results", _CAMPAIGNS, "Write what became of each row, as CSV."),
    ("purge", "outbox:purge", _CAMPAIGNS, "Delete an outbox and its key."),
    ("demo", "demo:demo", _OTHERS, "See a campaign end to end on this machine. No key needed."),
    ("sandbox", "sandbox:sandbox", _OTHERS, "Serve a Hero with synthetic patients on this machine."),
    ("webhooks", "webhooks:app", _OTHERS, "Receive webhooks on this machine, or send a sample to your endpoint."),
    ("call", "call:app", _OTHERS, "Call any operation of the API, JSON out."),
    ("drift", "drift:drift", _OTHERS, "Compare an OpenAPI description with this SDK."),
    ("config", "config:app", _OTHERS, "Show the settings and where each came from."),
)


def build(wanted: str = "") -> App:
    """The command line.

    Args:
        wanted: The command that will run. Its help is its own, not the line of the overview.
    """
    app = App(
        name="hero",
        help="Message NHS patients through the Hero Health Public API.",
        help_format="markdown",
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
