"""`hero doctor`: what an on-call engineer asks first. The key is used and never shown."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator, Sequence
from email.utils import parsedate_to_datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Literal

import attrs
from rich.text import Text

from hero_async import clock
from hero_async.cli import output
from hero_async.cli.config import shown_settings
from hero_async.cli.failures import Exit, tell
from hero_async.cli.loop import run, until_stopped
from hero_async.cli.options import CONNECTION, Connection, check_key
from hero_async.client import AsyncHero
from hero_async.delivery import Delivery
from hero_async.errors import APIConnectionError, APIStatusError, ConfigurationError, HeroError
from hero_async.settings import Settings
from hero_async.transport import AiohttpTransport, Attempt, Loss, Reply

_PACKAGES = ("hero-health", "aiohttp", "attrs", "cattrs", "msgspec", "anyio", "uvloop", "cyclopts", "rich")
_PROXIES = ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy")
_SKEW = 60.0
"""Seconds that a clock may be off before it is told: webhooks allow 300, and logs of two machines are compared."""

Verdict = Literal["ok", "warning", "failed", "skipped"]
_STYLES: dict[Verdict, str] = {"ok": "green", "warning": "yellow", "failed": "bold red", "skipped": "dim"}


@attrs.frozen
class Finding:
    """What one check came to."""

    check: str
    verdict: Verdict
    words: str
    hint: str | None = None


def doctor(*, offline: bool = False, json: bool = False, connection: Connection = CONNECTION) -> int:
    """Look at everything that a call needs: settings and where each came from, address, clock, key, versions.

    It asks for the practice group once (GET /v1/me), and changes nothing. The key is never shown. Ends with 0 if all
    is well, 1 if the server was not reached or refused, 2 if a setting is missing or cannot work.

    Args:
        offline: Call nobody: look at settings and versions only.
        json: Answer one line of JSON.
        connection: Options to look at instead of the environment's.
    """
    settings, lacking, shown = shown_settings(connection)
    findings = [*_of_settings(settings, lacking)]
    if lacking:
        findings += _skipped("the settings are not complete")
    elif offline:
        findings += _skipped("--offline")
    else:
        findings += run(lambda: until_stopped(lambda: _ask(settings)))
    versions = {"python": platform.python_version(), **{name: found for name in _PACKAGES if (found := _version(name))}}
    if json:
        output.answer_json(
            {
                "well": not any(one.verdict == "failed" for one in findings),
                "checks": [attrs.asdict(one) for one in findings],
                "settings": {name: {"value": value, "source": source} for name, (value, source) in shown.items()},
                "versions": versions,
            }
        )
    else:
        _show(findings, shown, versions)
    if lacking or any(one.check == "settings" and one.verdict == "failed" for one in findings):
        return Exit.USAGE
    return Exit.SOME if any(one.verdict == "failed" for one in findings) else Exit.OK


def _of_settings(settings: Settings, lacking: dict[str, ConfigurationError]) -> Iterator[Finding]:
    for error in lacking.values():
        told = tell(error)
        yield Finding("settings", "failed", told.message, told.hint)
    if not lacking:
        where = (
            "production: real patients" if settings.is_production else settings.environment or "an address of its own"
        )
        yield Finding("settings", "ok", f"complete; {where}")
    ignored = [name for name in _PROXIES if os.environ.get(name)]
    if ignored and settings.proxy is None:
        yield Finding("proxy", "warning", f"{ignored[0]} is set, and is not read", "HERO_PROXY names a proxy")


def _skipped(why: str) -> list[Finding]:
    return [Finding(check, "skipped", why) for check in ("address", "clock", "key")]


class _Witness:
    """Carries attempts as a client does, and remembers what came back."""

    def __init__(self, settings: Settings) -> None:
        self._inner = AiohttpTransport(settings)
        self.reply: Reply | None = None
        self.seconds = 0.0
        """Between sending and the answer, connecting included."""

        self.skew: float | None = None
        """Seconds that this machine's clock is ahead of the server's; None when the server did not tell its time."""

    async def __call__(self, attempt: Attempt) -> Reply | Loss:
        began, wall = clock.monotonic(), clock.now()
        outcome = await self._inner(attempt)
        self.seconds = clock.monotonic() - began
        if isinstance(outcome, Reply):
            self.reply = outcome
            try:
                server = parsedate_to_datetime(outcome.headers.get("Date", ""))
            except (ValueError, TypeError):
                return outcome
            ours = wall.timestamp() + self.seconds / 2
            # A Date has no fractions: the server's time is half a second later, on average.
            self.skew = ours - (server.timestamp() + 0.5)
        return outcome

    async def close(self) -> None:
        await self._inner.close()


async def _ask(settings: Settings) -> list[Finding]:
    try:
        await check_key(settings)
    except ConfigurationError as error:
        told = tell(error)
        return [Finding("settings", "failed", told.message, told.hint), *_skipped("there is no usable key")]
    witness = _Witness(settings)
    failure: HeroError | None = None
    try:
        async with AsyncHero.from_settings(settings, transport=witness) as hero:
            try:
                await hero.with_options(retries=0).practice_group.get()
            except HeroError as error:
                failure = error
    finally:
        await witness.close()
    return [_address(settings, witness, failure), _clock(witness), _key(witness, failure)]


def _address(settings: Settings, witness: _Witness, error: HeroError | None) -> Finding:
    if witness.reply is not None:
        return Finding("address", "ok", f"{settings.origin} answered {witness.reply.status} in {_ms(witness.seconds)}")
    if isinstance(error, APIConnectionError):
        return Finding("address", "failed", f"{settings.origin}: {error.args[0]}", _WHERE.get(error.phase))
    return Finding("address", "failed", f"{settings.origin}: {tell(error).message if error else 'no answer'}")


_WHERE = {
    "dns": "is the name right, and does this machine reach a name server?",
    "connect": "is the way out open: firewall, proxy (HERO_PROXY)?",
    "tls": "is the certificate right, and is there a proxy that opens connections? ssl_context takes your own",
    "proxy": "HERO_PROXY: is it right?",
    "wait": "it was connected, but no answer came",
}


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:,.0f} ms"


def _clock(witness: _Witness) -> Finding:
    if witness.reply is None:
        return Finding("clock", "skipped", "no answer to compare with")
    if witness.skew is None:
        return Finding("clock", "skipped", "the server does not tell its time")
    off = abs(witness.skew)
    if off <= _SKEW:
        return Finding("clock", "ok", f"within {max(1, round(off))} s of the server's")
    side = "ahead of" if witness.skew > 0 else "behind"
    words = f"{off:,.0f} s {side} the server's"
    return Finding("clock", "warning", words, "webhooks are refused when it is off by 300 s: is time synchronised?")


def _key(witness: _Witness, error: HeroError | None) -> Finding:
    if witness.reply is None:
        return Finding("key", "skipped", "no answer")
    if error is None or error.delivery is Delivery.YES:
        return Finding("key", "ok", "accepted, for this practice group")
    status = error.status if isinstance(error, APIStatusError) else 0
    if status in (401, 403):
        return Finding("key", "failed", f"refused with {status}", tell(error).hint)
    return Finding("key", "warning", f"not known: the server answered {status}", "try again later")


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _show(findings: Sequence[Finding], shown: dict[str, tuple[str, str]], versions: dict[str, str]) -> None:
    console = output.stdout()
    console.print(output.table(("setting", "value", "from"), [(name, *both) for name, both in shown.items()]))
    console.print()
    rows: list[Sequence[str | Text]] = [
        (
            one.check,
            Text(one.verdict, style=_STYLES[one.verdict]),
            one.words + (f" (hint: {one.hint})" if one.hint else ""),
        )
        for one in findings
    ]
    console.print(output.table(("check", "verdict", ""), rows))
    console.print()
    console.print(", ".join(f"{name} {found}" for name, found in versions.items()))
