"""Programs in processes of their own: forks, signals and the end of the interpreter cannot be tried in this one."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from collections.abc import Sequence
from typing import Literal

from soak import SOAK

Loop = Literal["asyncio", "uvloop"]

_PRELUDE: dict[Loop, str] = {
    "asyncio": "import sys; sys.modules['uvloop'] = None",  # as if the extra `speed` were not installed
    "uvloop": "import uvloop",
}

# A shell that starts a program in the background has it ignore Ctrl-C, and all that it starts.
_CTRL_C = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"

_IMPORTS = """
import asyncio, atexit, gc, os, signal, sys, threading, time
from hero_async import AsyncHero
from hero_async.errors import *
from hero_sync import Hero
SMS = dict(patient_id="1", message_type="sms", message_string="x")
URL = sys.argv[1]
OPTIONS = dict(api_key="k", practice_group_id="1", base_url=URL, timeout=20.0)
"""


def run(
    program: str,
    url: str,
    *options: str,
    loop: Loop = "asyncio",
    code: int = 0,
    before: str = "",
    arguments: Sequence[str] = (),
) -> list[str]:
    """Run a program against a server. It must end by itself, with this code, and say nothing on stderr.

    Args:
        program: Its text.
        url: The server.
        options: Python's own.
        loop: Which loop hero_sync finds.
        code: The exit code.
        before: What comes before all imports.
        arguments: Of the program.

    Returns:
        What it printed, as lines.
    """
    done = start(program, url, *options, loop=loop, before=before, arguments=arguments)
    try:
        out, err = done.communicate(timeout=800 if SOAK else 50)
    except subprocess.TimeoutExpired:
        done.kill()
        out, err = done.communicate()
        raise AssertionError(f"the program hung\n{out}\n{err}") from None
    assert (done.returncode, err) == (code, ""), f"{done.returncode}\n{out}\n{err}"
    return out.splitlines()


def start(
    program: str,
    url: str,
    *options: str,
    loop: Loop = "asyncio",
    before: str = "",
    arguments: Sequence[str] = (),
) -> subprocess.Popen[str]:
    """Start a program."""
    text = "\n".join([_CTRL_C, before, _PRELUDE[loop], _IMPORTS, textwrap.dedent(program)])
    return subprocess.Popen(
        [sys.executable, *options, "-c", text, url, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
