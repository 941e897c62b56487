"""A server in memory that knows batches, lives by the virtual clock, and is the judge of who was sent to."""

from __future__ import annotations

import json
from collections import Counter, defaultdict, deque
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import anyio
import attrs
from bulk_support import write_csv

from hero_async import clock
from hero_async.sandbox.synthetic import check_digit
from hero_async.transport import Attempt, Loss, Reply

TEXT = "Your flu jab is due"


def nhs_numbers(count: int) -> list[str]:
    """So many numbers of the 999 range."""
    found: list[str] = []
    place = 0
    while len(found) < count:
        place += 1
        digit = check_digit(f"999{place:06d}")
        if digit is not None:
            found.append(f"999{place:06d}{digit}")
    return found


def everyone(count: int, practice: str = "1") -> dict[tuple[str, str], int]:
    """So many people, once each."""
    return {(practice, number): 1 for number in nhs_numbers(count)}


def people_csv(path: Path, count: int, *, practices: Sequence[str] = ()) -> Path:
    """So many people; with practices, one after the other in turn."""
    rows = [f"{number},1980-02-01" for number in nhs_numbers(count)]
    if practices:
        rows = [f"{row},{practices[place % len(practices)]}" for place, row in enumerate(rows)]
    return write_csv(path, "nhs_number,dob" + (",practice_group_id" if practices else ""), rows)


@attrs.define
class Made:
    """A batch on the server."""

    id: str
    practice: str
    body: dict[str, Any]
    at: float
    sent_at: float | None = None

    @property
    def numbers(self) -> list[str]:
        return [recipient["nhs_number"] for recipient in self.body["recipients"]]


Answering = Callable[["BatchServer", Attempt], Awaitable[Reply | Loss]]


class BatchServer:
    """Carries attempts in place of a network."""

    def __init__(self) -> None:
        self.batches: dict[str, Made] = {}
        self.got: Counter[tuple[str, str]] = Counter()
        """How often each practice sent to each NHS number."""

        self.asked: list[tuple[str, str]] = []
        """Operation and batch name, in order."""

        self.script: dict[str, deque[Answering]] = defaultdict(deque)
        self.always: dict[str, Answering] = {}
        self.most = 1_000_000
        """Recipients that a batch may hold; else 413."""

        self.bad: set[str] = set()
        """NHS numbers that are refused with a 400."""

        self.tells_path = True
        self.second_send = "conflict"
        self.status_lag = 0.0
        self.pending_before_send = False
        self.steps = (1.0, 1.0)
        """Seconds of PENDING and of SENDING."""

    async def __call__(self, attempt: Attempt) -> Reply | Loss:
        path = attempt.target.split("?")[0]
        operation = "create" if path == "/v1/batch_message" else path.rsplit("/", 1)[1]
        if operation not in ("create", "send", "recipients", "messages"):
            operation = "get"
        parts = path.split("/")
        name = self.batches[parts[3]].body["name"] if len(parts) > 3 and parts[3] in self.batches else ""
        if operation == "create":
            name = json.loads(attempt.body or b"{}")["name"]
        self.asked.append((operation, name))
        script = self.script[operation]
        answering = script.popleft() if script else self.always.get(operation, process)
        return await answering(self, attempt)

    def count(self, operation: str) -> int:
        return sum(asked == operation for asked, _ in self.asked)

    def names(self, operation: str) -> list[str]:
        """Names of batches that were asked for, without the campaign's tag."""
        return [name.partition("-")[2] for asked, name in self.asked if asked == operation]

    @property
    def doubled(self) -> list[tuple[str, str]]:
        return [who for who, times in self.got.items() if times > 1]

    def status(self, made: Made) -> str:
        now = clock.monotonic() - self.status_lag
        pending, sending = self.steps
        if made.sent_at is None or now < made.sent_at:
            return "PENDING" if self.pending_before_send and now >= made.at + pending else "CREATED"
        if now < made.sent_at + pending:
            return "PENDING"
        return "SENDING" if now < made.sent_at + pending + sending else "COMPLETED"

    def handle(self, attempt: Attempt) -> Reply:
        """Do what is asked, at this moment."""
        practice = attempt.headers["x-practice-group-id"]
        path = attempt.target.split("?")[0]
        if path == "/v1/batch_message":
            return self._create(practice, json.loads(attempt.body or b"{}"))
        number = path.split("/")[3]
        made = self.batches.get(number)
        if made is None or made.practice != practice:
            return Reply(404, {}, b"")
        if path.endswith("/send"):
            return self._send(made)
        if path.endswith("/recipients"):
            who = enumerate(made.numbers)
            return self._page([{"id": f"r{n}", "nhs_number": number, "status": "QUEUED"} for n, number in who], attempt)
        if path.endswith("/messages"):
            places = range(len(made.numbers))
            shown = [{"id": f"m{made.id}-{n}", "recipient_id": f"r{n}", "status": "SUCCESS"} for n in places]
            return self._page(shown if made.sent_at is not None else [], attempt)
        return Reply(200, {}, json.dumps(self.show(made)).encode())

    def _create(self, practice: str, body: dict[str, Any]) -> Reply:
        if len(body["recipients"]) > self.most:
            return Reply(413, {}, b"")
        bad = [place for place, one in enumerate(body["recipients"]) if one["nhs_number"] in self.bad]
        if bad:
            issues = [{"code": "c", "expected": "e", "path": ["recipients", place, "nhs_number"]} for place in bad]
            refused = {"error": True, "statusCode": 400, "message": issues if self.tells_path else []}
            return Reply(400, {}, json.dumps(refused).encode())
        made = Made(str(len(self.batches) + 1), practice, body, clock.monotonic())
        self.batches[made.id] = made
        return Reply(200, {}, json.dumps(self.show(made)).encode())

    def _send(self, made: Made) -> Reply:
        if made.sent_at is not None and self.second_send == "conflict":
            return Reply(409, {}, b"")
        if made.sent_at is None or self.second_send == "repeat":
            self.got.update((made.practice, number) for number in made.numbers)
            made.sent_at = clock.monotonic()
        return Reply(200, {}, b"")

    def _page(self, shown: list[dict[str, str]], attempt: Attempt) -> Reply:
        index = next((int(p.split("=")[1]) for p in attempt.target.split("?")[-1].split("&") if "index" in p), 0)
        return Reply(200, {}, json.dumps({"data": shown if index == 0 else [], "count": len(shown)}).encode())

    def show(self, made: Made) -> dict[str, Any]:
        shown = {"id": made.id, "name": made.body["name"], "status": self.status(made)}
        return shown | {"channel": made.body["channel"], "content": made.body["content"]}


async def process(server: BatchServer, attempt: Attempt) -> Reply | Loss:
    await attempt.leave()
    await anyio.lowlevel.checkpoint()
    reply = server.handle(attempt)
    attempt.status = reply.status
    return reply


def lost(*, processed: bool) -> Answering:
    """The connection is reset after the request has left."""

    async def answer(server: BatchServer, attempt: Attempt) -> Reply | Loss:
        await attempt.leave()
        if processed:
            server.handle(attempt)
        return Loss("the connection was lost before an answer", "wait")

    return answer


def status(code: int, *, processed: bool = False, body: bytes = b"") -> Answering:
    async def answer(server: BatchServer, attempt: Attempt) -> Reply | Loss:
        await attempt.leave()
        if processed:
            server.handle(attempt)
        attempt.status = code
        return Reply(code, {}, body)

    return answer


async def unreachable(server: BatchServer, attempt: Attempt) -> Reply | Loss:
    """Nothing leaves."""
    return Loss("the connection failed", "connect")


async def garbage(server: BatchServer, attempt: Attempt) -> Reply | Loss:
    """Processed, and answered with what cannot be read."""
    await attempt.leave()
    server.handle(attempt)
    attempt.status = 200
    return Reply(200, {}, b"<html>")
