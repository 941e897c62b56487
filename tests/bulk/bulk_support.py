"""A server in memory that counts, and recipients for it."""

from __future__ import annotations

import json
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Iterable
from contextlib import aclosing
from pathlib import Path
from typing import Any

import anyio
import attrs

from hero_async.bulk import Campaign, Outcome
from hero_async.client import AsyncHero
from hero_async.transport import Attempt, Loss, Reply

Make = Callable[..., Campaign]
"""Makes a campaign of recipients, with changes."""

SEND = "/v1/messages/send"
REGISTER = "/v1/patients/register_pds"

NHS_NUMBERS = ("9990000018", "9990000026", "9990000034", "9990000042", "9990000050", "9990000069")
"""From the 999 range, which is never given to a patient; the check digits are right."""

Behaviour = Callable[["Server", Attempt, dict[str, Any]], Awaitable[Reply | Loss]]


@attrs.frozen
class Processed:
    """One message that a patient will get."""

    practice: str
    patient_id: str
    body: dict[str, Any] = attrs.field(repr=False)


class Server:
    """Carries attempts in place of a network, and is the judge of what was processed."""

    def __init__(self) -> None:
        self.processed: list[Processed] = []
        self.attempts: Counter[str] = Counter()
        self.patient_of: dict[str, str] = {}
        """Hero's id by NHS number; one that is not in it gets an id made from the number."""

        self.script: dict[str, deque[Behaviour]] = {SEND: deque(), REGISTER: deque()}
        """What the next attempts meet, by path; then `always`."""

        self.always: dict[str, Behaviour] = {SEND: accept, REGISTER: accept}
        self.running = 0
        self.most_running = 0

    async def __call__(self, attempt: Attempt) -> Reply | Loss:
        path = attempt.target
        body = json.loads(attempt.body or b"{}")
        script = self.script[path]
        behaviour = script.popleft() if script else self.always[path]
        self.attempts[path] += 1
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        try:
            return await behaviour(self, attempt, body)
        finally:
            self.running -= 1

    def process(self, attempt: Attempt, body: dict[str, Any]) -> bytes:
        """Do what is asked, and note it."""
        if attempt.target == REGISTER:
            number = body.get("nhs_number") or body["surname"]
            return json.dumps({"patient_id": self.patient_of.get(number, number[-5:])}).encode()
        practice = attempt.headers["x-practice-group-id"]
        self.processed.append(Processed(practice, body["patient_id"], body))
        answer = {"message_id": str(len(self.processed)), "content": "…", "created_at": "2026-01-05"}
        return json.dumps(answer).encode()

    @property
    def patients(self) -> list[str]:
        """Who was sent to, in order."""
        return [message.patient_id for message in self.processed]

    def doubled(self) -> list[tuple[str, str]]:
        """Who was sent to more than once."""
        times = Counter((message.practice, message.patient_id) for message in self.processed)
        return [who for who, number in times.items() if number > 1]


async def accept(server: Server, attempt: Attempt, body: dict[str, Any]) -> Reply | Loss:
    await attempt.leave()
    await anyio.lowlevel.checkpoint()
    attempt.status = 200
    return Reply(200, {}, server.process(attempt, body))


def status(code: int, *, headers: dict[str, str] | None = None, body: bytes = b"", process: bool = False) -> Behaviour:
    async def answer(server: Server, attempt: Attempt, asked: dict[str, Any]) -> Reply | Loss:
        await attempt.leave()
        if process:
            server.process(attempt, asked)
        attempt.status = code
        return Reply(code, headers or {}, body)

    return answer


def lost(*, processed: bool) -> Behaviour:
    """The connection is reset after the request has left."""

    async def answer(server: Server, attempt: Attempt, asked: dict[str, Any]) -> Reply | Loss:
        await attempt.leave()
        await anyio.lowlevel.checkpoint()
        if processed:
            server.process(attempt, asked)
        return Loss("the connection was lost before an answer", "wait")

    return answer


def unreachable(phase: str = "connect", *, permanent: bool = False) -> Behaviour:
    """Nothing leaves."""

    async def answer(server: Server, attempt: Attempt, asked: dict[str, Any]) -> Reply | Loss:
        return Loss("the connection failed", phase, permanent=permanent)

    return answer


def lost_after_guard() -> Behaviour:
    """The guard has run, but the connection turned out unusable and no new one came."""

    async def answer(server: Server, attempt: Attempt, asked: dict[str, Any]) -> Reply | Loss:
        await attempt.leave()
        attempt.left = False
        return Loss("the connection failed", "connect")

    return answer


async def garbage(server: Server, attempt: Attempt, asked: dict[str, Any]) -> Reply | Loss:
    """Processed, and answered with what cannot be read."""
    await attempt.leave()
    server.process(attempt, asked)
    attempt.status = 200
    return Reply(200, {}, b"<html>")


async def must_verify(server: Server, attempt: Attempt, asked: dict[str, Any]) -> Reply | Loss:
    await attempt.leave()
    attempt.status = 200
    return Reply(200, {}, b'{"message": "-", "login_url": "https://patient.example/verify"}')


class Gate:
    """Holds requests until it is opened: before they leave, or after they were processed."""

    def __init__(self, *, before_leaving: bool = False) -> None:
        self._open = anyio.Event()
        self._before = before_leaving
        self.waiting = 0
        self._arrival = anyio.Event()

    def open(self) -> None:
        self._open.set()

    async def arrivals(self, count: int) -> None:
        """Until so many wait."""
        while self.waiting < count:
            self._arrival = anyio.Event()
            await self._arrival.wait()

    async def __call__(self, server: Server, attempt: Attempt, asked: dict[str, Any]) -> Reply | Loss:
        if not self._before:
            await attempt.leave()
        self.waiting += 1
        self._arrival.set()
        await self._open.wait()
        if self._before:
            await attempt.leave()
        attempt.status = 200
        return Reply(200, {}, server.process(attempt, asked))


def names(folder: Path, pattern: str = "*") -> list[str]:
    """The files of a folder."""
    return sorted(path.name for path in folder.glob(pattern))


async def run(campaign: Campaign, hero: AsyncHero) -> list[Outcome]:
    """All outcomes of a run."""
    async with aclosing(campaign.run(hero)) as outcomes:
        return [outcome async for outcome in outcomes]


async def stored(campaign: Campaign) -> dict[int, tuple[str, str | None]]:
    """State and reason by line, as the outbox has them."""
    return {outcome.line: (outcome.state.value, outcome.reason) async for outcome in campaign.outcomes()}


async def counts(campaign: Campaign) -> dict[str, int]:
    """Rows by state, as the outbox has them."""
    return {state.value: number for state, number in (await campaign.status()).states.items() if number}


def write_csv(path: Path, header: str, rows: Iterable[str]) -> Path:
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return path


def patients_csv(path: Path, count: int) -> Path:
    """Patients 1 to count."""
    return write_csv(path, "patient_id,first_name", (f"{number},Sample{number}" for number in range(1, count + 1)))
