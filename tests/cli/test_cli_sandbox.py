"""`hero sandbox` as a process: a Hero that another command can use."""

from __future__ import annotations

import csv
import os
import re
import signal
import socket
from pathlib import Path

import anyio
import pytest
from anyio.streams.buffered import BufferedByteReceiveStream
from cli_support import Hero, command, environment


@pytest.mark.anyio
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_it_serves_until_it_is_stopped_and_says_how_to_use_it(tmp_path: Path, number: int) -> None:
    file = tmp_path / "patients.csv"
    words = command("sandbox", "--port", 0, "--patients", 12, "--seed", 3, "--recipients", file)
    more = environment({"HERO_ENVIRONMENT": "staging"})
    with anyio.fail_after(30):
        async with await anyio.open_process(words, env=more) as process:
            assert process.stdout is not None
            assert process.stderr is not None
            said = await BufferedByteReceiveStream(process.stdout).receive_until(b"unset HERO_ENVIRONMENT\n", 9999)
            exports = dict(re.findall(r"^export (\w+)=(\S+)$", said.decode(), re.MULTILINE))
            assert set(exports) == {"HERO_API_KEY", "HERO_PRACTICE_GROUP_ID", "HERO_BASE_URL"}
            send = command("send", file, "--channel", "sms", "--text", "Dear {first_name}")
            done = await anyio.run_process(send, env={**os.environ, **exports}, check=False)
            assert done.returncode == 0
            process.send_signal(number)
            assert await process.wait() == 0
            told = await BufferedByteReceiveStream(process.stderr).receive_until(b" with more than one\n", 9999)
    assert told.endswith(b"12 messages accepted, 0 patients")


def test_its_patients_are_written_for_their_owner_alone(tmp_path: Path, hero: Hero) -> None:
    from hero_async.cli.sandbox import COLUMNS, row_of, write_csv
    from hero_async.sandbox import Sandbox

    file = tmp_path / "patients.csv"
    write_csv(file, COLUMNS, [row_of(patient) for patient in Sandbox(patients=3).patients])
    with file.open(newline="") as stream:
        assert [row["nhs_number"][:3] for row in csv.DictReader(stream)] == ["999"] * 3
    assert file.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--rate-limit", "fast"), "rate_limit: must be a count and a unit"),
        (("--patients", "-1"), "patients must be from 0"),
        (("--recipients", "no/such/folder.csv"), "no/such/folder.csv: No such file or directory"),
    ],
)
def test_what_cannot_be_served_is_one_line(hero: Hero, words: tuple[str, str], said: str) -> None:
    ran = hero("sandbox", "--port", "0", *words)
    assert (ran.code, ran.out) == (2, "")
    assert said in ran.error


def test_a_port_that_is_taken_is_one_line(hero: Hero) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        ran = hero("sandbox", "--port", taken.getsockname()[1])
    assert (ran.code, ran.out) == (2, "")
    assert "address already in use" in ran.error.lower()
