"""`hero send` and `hero resume`."""

from __future__ import annotations

import re
import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

import attrs
from cyclopts import Group, Parameter
from cyclopts.validators import Number

from hero_async.bulk import BadRow, Campaign, CampaignError, InputError, Preflight, SQLiteOutbox
from hero_async.bulk.campaign import CHUNK_SIZE, COLLECT, SETTLE
from hero_async.bulk.hours import Hours
from hero_async.bulk.rows import Channel, Route
from hero_async.cli import output
from hero_async.cli.failures import Exit, UsageError
from hero_async.cli.loop import run, until_stopped
from hero_async.cli.options import CONNECTION, Connection, check_key, settings_or_stand_ins
from hero_async.cli.sending import bad_row_json, carry_out, check_target, resume_line, tell_bad_rows, tell_ending
from hero_async.settings import ENVIRONMENTS, Settings, is_loopback

Positive = Annotated[int, Parameter(validator=Number(gte=1))]
_CLIENT_CONNECTIONS = 100


@Parameter(name="*", group=Group("Pace", sort_key=70))
@dataclass(frozen=True, kw_only=True)
class Pace:
    """How fast, and when."""

    rate: str | None = None
    """The pace, such as "20/s": your Partner Agreement names it. Default: adapts to the server."""

    between: str | None = None
    """Hours in which patients may be written to, such as 08:00-20:00, UK time. Outside of them it waits."""

    limit: Positive | None = None
    """Take up so many rows at most in this run."""

    pause_on: str | None = None
    """Stop when more than this share of the last 200 rows failed, such as 5%. The rest stays ready."""

    concurrency: Positive | None = None
    """Rows under way at once, 50 by default (batch route: batches, 4); also the most that a crash can leave
    unknown."""

    def arguments(self) -> dict[str, Any]:
        """The arguments of `Campaign`.

        Raises:
            UsageError: One of them cannot be used.
        """
        words = None
        hours = None
        try:
            hours = None if self.between is None else Hours.parse(self.between)
        except ValueError as error:
            words = str(error)
        if words is not None:
            raise UsageError(f"--{words}")
        return {
            "between": hours,
            "limit": self.limit,
            "pause_on": None if self.pause_on is None else _share(self.pause_on),
            "concurrency": self.concurrency,
        }


@Parameter(name="*", group=Group("Batch route", sort_key=75))
@dataclass(frozen=True, kw_only=True)
class Batches:
    """What matters on the batch route alone."""

    chunk_size: Positive = CHUNK_SIZE
    """Recipients of a batch at most. Default 500."""

    settle: Annotated[float, Parameter(validator=Number(gte=0, lte=86400))] = SETTLE
    """Seconds in which a batch whose send is in doubt is looked at. Default 60."""

    resend_created: bool = False
    """Send a batch again that is CREATED throughout that time. If the server shows states late, everyone in it gets
    the message twice."""

    wait: Annotated[float, Parameter(validator=Number(gte=0, lte=86400))] = COLLECT
    """Seconds to wait for a batch to be COMPLETED, to keep what it shows of its recipients; 0: do not. Default 600."""

    def arguments(self) -> dict[str, Any]:
        """The arguments of `Campaign`."""
        return {
            "chunk_size": self.chunk_size,
            "settle": self.settle,
            "resend_created": self.resend_created,
            "collect": self.wait or None,
        }


_PACE, _BATCHES = Pace(), Batches()
_SHARE = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*%")


def _share(text: str) -> float:
    found = _SHARE.fullmatch(text.strip())
    share = float(found[1]) / 100 if found else 0.0
    if not 0 < share <= 1:
        raise UsageError("--pause-on: must be a percentage above 0%, up to 100%, such as 5%")
    return share


@attrs.frozen(kw_only=True)
class _Run:
    """What `send` and `resume` are asked for alike."""

    connection: Connection
    pace: Pace
    batches: Batches
    results: Path | None
    yes: bool
    json: bool

    def client_options(self) -> dict[str, Any]:
        more: dict[str, Any] = {"rate_limit": self.pace.rate}
        if self.pace.concurrency is not None and self.pace.concurrency > _CLIENT_CONNECTIONS:
            more["max_connections"] = self.pace.concurrency
        return more

    def manner(self) -> dict[str, Any]:
        """The arguments of `Campaign` that are no part of what an outbox is bound to."""
        return {**self.pace.arguments(), **self.batches.arguments()}


def send(
    recipients: Path,
    /,
    *,
    channel: Channel,
    text: Annotated[str | None, Parameter(allow_leading_hyphen=True)] = None,
    text_file: Path | None = None,
    outbox: Path | None = None,
    route: Route = "personal",
    subject: str | None = None,
    allow_duplicates: bool = False,
    results: Path | None = None,
    dry_run: bool = False,
    yes: bool = False,
    json: bool = False,
    pace: Pace = _PACE,
    batches: Batches = _BATCHES,
    connection: Connection = CONNECTION,
) -> int:
    """Send a message to everyone in a CSV file, each at most once.

    The file names its columns in the first line: patient_id; or nhs_number and dob; or forename, surname, dob and
    postcode. Every row is checked before anything is sent. Run it again and it goes on where it ended: who was sent
    to is not sent to again.

    Args:
        recipients: The CSV file, UTF-8.
        channel: How it goes out; "hero" only keeps a record.
        text: The message; {column} is replaced by the row's cell, and a brace itself is written twice.
        text_file: A file that holds the message.
        outbox: Where the journal is kept. Default: beside the CSV file, with a name made from the campaign.
        route: "personal" sends one by one. "batch" sends the same text to all, in batches: the rows need nhs_number
            and dob, and the text has no {column}.
        subject: The subject of an e-mail, on the batch route.
        allow_duplicates: Send to a person once a row, not once.
        results: Write what became of each row to this CSV file.
        dry_run: Check, and count messages and SMS segments. Sends nothing and needs no key.
        yes: Do not ask before real patients are written to.
        json: Answer one line of JSON on stdout; progress is on stderr all the same.
        pace: How fast, and when.
        batches: What matters on the batch route alone.
        connection: Whom to call.
    """
    words = _text(text, text_file)
    check_target("--results", results, recipients)
    asked = _Run(
        connection=connection,
        pace=pace,
        batches=batches,
        results=results,
        yes=yes,
        json=json,
    )
    manner = asked.manner()
    with _named(recipients):
        campaign = Campaign(
            recipients,
            text=words,
            channel=channel,
            outbox=outbox,
            route=route,
            subject=subject,
            allow_duplicates=allow_duplicates,
            **manner,
        )
        if dry_run:
            return _check(campaign, asked, recipients.name)
        return _send(campaign, asked, recipients.name)


def resume(
    outbox: Path,
    /,
    *,
    input: Path | None = None,
    results: Path | None = None,
    yes: bool = False,
    json: bool = False,
    pace: Pace = _PACE,
    batches: Batches = _BATCHES,
    connection: Connection = CONNECTION,
) -> int:
    """Go on with a campaign that was interrupted. Text, channel and recipients are those of its outbox.

    Args:
        outbox: The outbox.
        input: Where the CSV file is now, if it was moved.
        results: Write what became of each row to this CSV file.
        yes: Do not ask before real patients are written to.
        json: Answer one line of JSON on stdout.
        pace: How fast, and when.
        batches: What matters on the batch route alone.
        connection: Whom to call. It must be whom the outbox was made for.
    """
    asked = _Run(
        connection=connection,
        pace=pace,
        batches=batches,
        results=results,
        yes=yes,
        json=json,
    )

    manner = asked.manner()

    async def reopen() -> tuple[Campaign, Path]:
        journal = SQLiteOutbox(outbox)
        campaign = await Campaign.open(journal, recipients=input, **manner)
        binding = await journal.binding()
        known = None if binding is None else binding.input_path
        return campaign, input or Path(known or outbox)

    campaign, recipients = run(reopen)
    check_target("--results", results, recipients)
    with _named(recipients):
        return _send(campaign, asked, recipients.name, input=input)


def _text(text: str | None, text_file: Path | None) -> str:
    if (text is None) == (text_file is None):
        raise UsageError("--text: give the message by --text or by --text-file, and by one of them only")
    if text is not None:
        if not _is_utf8(text):
            raise UsageError("--text: is not UTF-8")
        return text
    assert text_file is not None  # noqa: S101  # one of both is given
    try:
        return text_file.read_text("utf-8-sig").rstrip("\r\n")
    except UnicodeDecodeError:
        pass
    raise UsageError(f"--text-file: {text_file.name}: is not UTF-8")


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


@contextmanager
def _named(path: Path) -> Generator[None]:
    """A fault in a line of the file names the file too."""
    words = None
    try:
        yield
    except InputError as error:
        if error.line is None:
            raise
        words = f"{path.name}, {error}"
    if words is not None:
        raise UsageError(words)


def _check(campaign: Campaign, asked: _Run, name: str) -> int:
    settings, lacking = settings_or_stand_ins(asked.connection, **asked.client_options())
    found = run(lambda: campaign.check(settings))
    practices = dict(found.messages)
    if "practice_group_id" in lacking:
        practices = {"": sum(practices.values())} if set(practices) == {settings.practice_group_id} else practices
    if asked.json:
        output.answer_json(
            {
                "rows": found.rows,
                "messages": found.good,
                "segments": found.segments,
                "rejected": found.bad_rows,
                "rules": dict(found.rules),
                "practice_groups": practices,
                "bad_rows": [bad_row_json(bad) for bad in found.bad],
            }
        )
    else:
        tell_bad_rows(found, name=name)
        output.answer(f"{output.count(found.rows, 'row')}, {output.count(found.good, 'message')} by {campaign.channel}")
        if found.segments is not None:
            output.answer(f"{output.count(found.segments, 'SMS segment')}")
        if len(practices) > 1:
            output.answer(f"for {len(practices):,} practice groups: {output.listed(practices)}")
        output.answer("nothing was sent")
    return Exit.SOME if found.bad_rows else Exit.OK


def _send(campaign: Campaign, asked: _Run, name: str, *, input: Path | None = None) -> int:
    settings = asked.connection.settings(**asked.client_options())
    must_ask = reaches_patients(settings) and not asked.yes
    if must_ask and not sys.stdin.isatty():
        raise UsageError(
            f"--yes: is needed to send to {settings.base_url} where nobody can be asked", hint="try --dry-run first"
        )
    found = run(lambda: until_stopped(lambda: _prepare(campaign, settings)))
    tell_bad_rows(found, name=name)
    ready = campaign.progress.ready
    limit = asked.pace.limit
    number = ready if limit is None else min(ready, limit)
    _tell_start(found, campaign, number)
    if must_ask and number:
        _confirm(settings, found, campaign.channel, number)
    again = resume_line(
        campaign.outbox.label,
        asked.connection,
        input=input,
        **{name: value for name, value in asdict(asked.pace).items() if name != "limit"},
        **_changed(asked.batches),
    )
    return run(lambda: _carry_out(campaign, asked, () if found.resumed else found.bad, again))


def _changed(batches: Batches) -> dict[str, object]:
    """What is not as by default; but to send again is asked for each time anew."""
    given = asdict(batches)
    return {n: v for n, v in given.items() if v != getattr(_BATCHES, n) and n != "resend_created"}


async def _prepare(campaign: Campaign, settings: Settings) -> Preflight:
    await check_key(settings)
    return await campaign.prepare(settings)


async def _carry_out(campaign: Campaign, asked: _Run, bad: Sequence[BadRow], again: str) -> int:
    async with asked.connection.client(**asked.client_options()) as hero:
        ending = await carry_out(campaign, hero, limit=asked.pace.limit)
    failure = ending.failure
    results = asked.results
    if results is not None:
        try:
            await campaign.results(results)
        except CampaignError as error:
            failure, results = failure or error, None
    tell_ending(ending, outbox=campaign.outbox.label, again=again, results=results, json=asked.json, bad=bad)
    if failure is not None:
        raise failure
    return ending.code


def _tell_start(found: Preflight, campaign: Campaign, number: int) -> None:
    progress = campaign.progress
    so_far = progress.sent + progress.unknown
    going_on = f", {so_far:,} dealt with before" if found.resumed and so_far else ""
    output.say(f"to send: {output.count(number, 'message')} by {campaign.channel}{going_on}")
    output.say(f"outbox: {campaign.outbox.label}")


def reaches_patients(settings: Settings) -> bool:
    """Whether the address may lead to real patients: all but staging and this machine."""
    host = urlsplit(settings.base_url).hostname
    return host != urlsplit(ENVIRONMENTS["staging"]).hostname and not is_loopback(host)


def _confirm(settings: Settings, found: Preflight, channel: Channel, number: int) -> None:
    """Let a person type what is about to happen.

    Raises:
        UsageError: They typed something else.
    """
    practices = list(found.messages)
    where = "production" if settings.is_production else "not staging, so real patients may be reached"
    output.say(f"about to send {output.count(number, 'message')} by {channel} to {settings.base_url} ({where})")
    if len(practices) == 1:
        phrase, meaning = f"{practices[0]} {number}", "the practice group and the number of messages"
    else:
        phrase, meaning = f"{len(practices)} {number}", "the number of practice groups and of messages"
    sys.stderr.write(f"type {meaning} to go on ({phrase}): ")
    sys.stderr.flush()
    if sys.stdin.readline().split() != phrase.split():
        raise UsageError("not confirmed: nothing was sent")
