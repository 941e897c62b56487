"""Every crash point and every ambiguous answer: what is run by the tests, and what docs/bulk.md says of it.

`python tests/bulk/crash_points.py` writes the tables into the page; a test holds the two alike.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final, Literal, NoReturn

import attrs
import batch_support as b
import bulk_support as p

from hero_async.transport import Attempt, Loss, Reply

PAGE: Final = Path(__file__).parents[2] / "docs" / "bulk.md"
BEGIN: Final = "<!-- made by tests/bulk/crash_points.py: begin -->"
END: Final = "<!-- made by tests/bulk/crash_points.py: end -->"


class KillError(BaseException):
    """The process is gone: what was on disk is there, and nothing else."""


def die(server: Any) -> NoReturn:
    """The process ends here. What a run does on its way out no longer counts: the test keeps the disk as it is now."""
    server.keep_disk()
    raise KillError


def killed(*, processed: bool) -> Any:
    """The process dies while this request is under way."""

    async def answer(server: Any, attempt: Attempt, body: Any = None) -> Reply | Loss:
        await attempt.leave()
        if processed:
            server.process(attempt, body) if isinstance(server, p.Server) else server.handle(attempt)
        die(server)

    return answer


async def killed_before(server: Any, attempt: Attempt, body: Any = None) -> Reply | Loss:
    """The process dies before the intent is committed: the request waits for its turn, or for a connection."""
    die(server)


@attrs.frozen(kw_only=True)
class Case:
    """One thing that happens to one row, or to one batch."""

    route: Literal["personal", "batch"]
    what: str
    faults: dict[str, list[Any]] = attrs.field(factory=dict)
    """By operation: what its first requests meet."""

    server: dict[str, Any] = attrs.field(factory=dict)
    """How the server is."""

    options: dict[str, Any] = attrs.field(factory=dict)
    first: str
    """The state after the run in which it happens."""

    then: str
    """The state after the next run."""

    got: int
    """How many messages each patient got, in the end."""

    why: str

    @property
    def name(self) -> str:
        return f"{self.route}: {self.what}"


PERSONAL: Final = [
    Case(
        route="personal",
        what="killed before the request is handed over",
        faults={p.SEND: [killed_before]},
        first="ready",
        then="sent",
        got=1,
        why="The intent is committed after all waits. No intent, no byte.",
    ),
    Case(
        route="personal",
        what="killed after the intent, the request not processed",
        faults={p.SEND: [killed(processed=False)]},
        first="sending",
        then="unknown",
        got=0,
        why="The API knows no reference and no idempotency key: nobody can ask it.",
    ),
    Case(
        route="personal",
        what="killed after the intent, the request processed",
        faults={p.SEND: [killed(processed=True)]},
        first="sending",
        then="unknown",
        got=1,
        why="The same: from here it cannot be told from the line above.",
    ),
    Case(
        route="personal",
        what="connection lost or timed out, not processed",
        faults={p.SEND: [p.lost(processed=False)]},
        first="unknown",
        then="unknown",
        got=0,
        why="The request was handed over, so it may have been processed.",
    ),
    Case(
        route="personal",
        what="connection lost or timed out, processed",
        faults={p.SEND: [p.lost(processed=True)]},
        first="unknown",
        then="unknown",
        got=1,
        why="The same.",
    ),
    Case(
        route="personal",
        what="408, 3xx or 5xx",
        faults={p.SEND: [p.status(502)]},
        first="unknown",
        then="unknown",
        got=0,
        why="A proxy may answer so for a request that went through.",
    ),
    Case(
        route="personal",
        what="2xx with a body that cannot be read",
        faults={p.SEND: [p.garbage]},
        first="sent",
        then="sent",
        got=1,
        why="The status line decides.",
    ),
    Case(
        route="personal",
        what="no connection (DNS, connect, pool)",
        faults={p.SEND: [p.unreachable()]},
        first="sent",
        then="sent",
        got=1,
        why="No byte has left: it is tried again in the same run.",
    ),
    Case(
        route="personal",
        what="429",
        faults={p.SEND: [p.status(429)]},
        first="sent",
        then="sent",
        got=1,
        why="It was not processed. The practice pauses, then it is tried again.",
    ),
    Case(
        route="personal",
        what="killed while the patient is registered",
        faults={p.REGISTER: [killed(processed=True)]},
        first="ready",
        then="sent",
        got=1,
        why="Registering is idempotent, and sends nothing.",
    ),
]

BATCH: Final = [
    Case(
        route="batch",
        what="killed during the create, not processed",
        faults={"create": [killed(processed=False)]},
        first="ready",
        then="sent",
        got=1,
        why="A create sends nothing. It is created anew, under the next name.",
    ),
    Case(
        route="batch",
        what="killed during the create, processed",
        faults={"create": [killed(processed=True)]},
        first="ready",
        then="sent",
        got=1,
        why="The draft is never adopted. It stays in Hero, and is named as left behind.",
    ),
    Case(
        route="batch",
        what="answer to the create lost, 5xx, or unreadable",
        faults={"create": [b.lost(processed=True), b.status(500), b.garbage]},
        first="sent",
        then="sent",
        got=1,
        why="The same, in the same run: each time the next name.",
    ),
    Case(
        route="batch",
        what="killed before the send is handed over",
        faults={"send": [killed_before]},
        first="ready",
        then="sent",
        got=1,
        why="The batch is known. Its status is read, then it is sent.",
    ),
    Case(
        route="batch",
        what="killed during the send, not processed",
        faults={"send": [killed(processed=False)]},
        first="sending",
        then="unknown",
        got=0,
        why="CREATED throughout the settle window: it may yet be acted on, so it is not sent again by itself.",
    ),
    Case(
        route="batch",
        what="the same, with `--resend-created`",
        faults={"send": [killed(processed=False)]},
        options={"resend_created": True},
        first="sending",
        then="sent",
        got=1,
        why="You took the risk that the server only shows states late.",
    ),
    Case(
        route="batch",
        what="killed during the send, processed",
        faults={"send": [killed(processed=True)]},
        first="sending",
        then="sent",
        got=1,
        why="The status is SENDING or COMPLETED: proof.",
    ),
    Case(
        route="batch",
        what="answer to the send lost, 408, 3xx or 5xx, processed",
        faults={"send": [b.lost(processed=True)]},
        first="sent",
        then="sent",
        got=1,
        why="The status is read in a settle window, while other batches go on.",
    ),
    Case(
        route="batch",
        what="answer to the send lost, not processed",
        faults={"send": [b.lost(processed=False)]},
        first="unknown",
        then="unknown",
        got=0,
        why="CREATED throughout the window.",
    ),
    Case(
        route="batch",
        what="the same, and the batch turns PENDING by itself",
        faults={"send": [b.lost(processed=False)]},
        server={"pending_before_send": True},
        first="unknown",
        then="unknown",
        got=0,
        why="PENDING alone proves nothing: it may have come between the journal and the read.",
    ),
    Case(
        route="batch",
        what="answer to the send lost, processed, and shown late",
        faults={"send": [b.lost(processed=True)]},
        server={"status_lag": 300.0},
        first="unknown",
        then="sent",
        got=1,
        why="A later run reads the status once more; SENDING or COMPLETED settles it.",
    ),
    Case(
        route="batch",
        what="a 4xx to a send that was repeated",
        faults={"send": [b.lost(processed=True)]},
        server={"status_lag": 61.0},
        options={"resend_created": True},
        first="sent",
        then="sent",
        got=1,
        why="It does not say that the first send failed: the status is read again.",
    ),
    Case(
        route="batch",
        what="400 or 409 to the first send",
        faults={"send": [b.status(409), b.status(400)]},
        first="sent",
        then="sent",
        got=1,
        why="Nothing was sent. The status is read, then it is tried again after a wait.",
    ),
    Case(
        route="batch",
        what="2xx to the send with a body that cannot be read",
        faults={"send": [b.garbage]},
        first="sent",
        then="sent",
        got=1,
        why="The status line decides.",
    ),
    Case(
        route="batch",
        what="no connection, or 429",
        faults={"create": [b.unreachable, b.status(429)], "send": [b.unreachable, b.status(429)]},
        first="sent",
        then="sent",
        got=1,
        why="Nothing was processed: the same call again.",
    ),
    Case(
        route="batch",
        what="413 to the create",
        server={"most": 1},
        first="sent",
        then="sent",
        got=1,
        why="Halved until it fits.",
    ),
]

_TITLES: Final = {"personal": "One by one (`messages.send`)", "batch": "In batches"}


def render() -> str:
    """The tables as Markdown."""
    lines: list[str] = []
    for cases in (PERSONAL, BATCH):
        lines += [f"### {_TITLES[cases[0].route]}", ""]
        lines += [
            "| What happens | The row then | After the next run | Messages | Why |",
            "| --- | --- | --- | --- | --- |",
        ]
        for case in cases:
            lines.append(f"| {case.what} | `{case.first}` | `{case.then}` | {case.got} | {case.why} |")
        lines.append("")
    return "\n".join(lines)


def page_with(table: str) -> str:
    """The page, with these tables in it."""
    text = PAGE.read_text("utf-8")
    head, _, rest = text.partition(BEGIN)
    _, _, tail = rest.partition(END)
    return f"{head}{BEGIN}\n\n{table}\n{END}{tail}"


if __name__ == "__main__":
    PAGE.write_text(page_with(render()), "utf-8")
