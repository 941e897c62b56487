"""The rate limit of each practice group."""

from datetime import timedelta
from email.utils import parsedate_to_datetime

import attrs
import pytest

from hero_async.errors import InvalidArgumentError
from hero_async.sandbox import Quirks, Sandbox, SandboxClock

pytestmark = pytest.mark.anyio


@pytest.fixture
async def limited(connect):
    sandbox = Sandbox(
        patients=1,
        practice_group_ids=("1", "2"),
        rate_limit=0.25,
        rate_burst=2,
        clock=SandboxClock(frozen=True),
    )
    async with sandbox, connect(sandbox) as raw:
        yield raw


async def statuses(raw, count, practice="1"):
    return [(await raw.send(headers={"x-practice-group-id": practice})).status for _ in range(count)]


async def test_a_burst_passes_then_the_clock_decides(limited):
    assert await statuses(limited, 3) == [200, 200, 429]
    limited.sandbox.clock.advance(3.9)
    assert await statuses(limited, 1) == [429]
    limited.sandbox.clock.advance(0.1)
    assert await statuses(limited, 2) == [200, 429]
    limited.sandbox.clock.advance(3600)
    assert await statuses(limited, 3) == [200, 200, 429]
    assert len(limited.sandbox.ledger.messages) == 5


async def test_each_practice_group_has_its_own(limited):
    assert await statuses(limited, 3) == [200, 200, 429]
    assert await statuses(limited, 3, "2") == [200, 200, 429]


async def test_retry_after_in_seconds_is_rounded_up_and_is_enough(limited):
    await statuses(limited, 2)
    limited.sandbox.clock.advance(0.5)
    answer = await limited.send()
    assert (answer.status, answer.headers["Retry-After"]) == (429, "4")
    limited.sandbox.clock.advance(int(answer.headers["Retry-After"]))
    assert await statuses(limited, 1) == [200]


async def test_retry_after_as_a_date_is_of_the_answers_own_clock_and_is_enough(limited):
    limited.sandbox.quirks = Quirks(retry_after="date")
    await statuses(limited, 2)
    limited.sandbox.clock.advance(0.7)
    answer = await limited.send()
    until, now = (parsedate_to_datetime(answer.headers[name]) for name in ("Retry-After", "Date"))
    assert answer.headers["Retry-After"].endswith(" GMT")
    assert limited.sandbox.clock.now() - now < timedelta(seconds=1)
    assert until >= limited.sandbox.clock.now() + timedelta(seconds=3.3)
    limited.sandbox.clock.advance((until - limited.sandbox.clock.now()).total_seconds())
    assert await statuses(limited, 1) == [200]


async def test_retry_after_can_be_absent(limited):
    limited.sandbox.quirks = attrs.evolve(limited.sandbox.quirks, retry_after="absent")
    await statuses(limited, 2)
    answer = await limited.send()
    assert answer.status == 429
    assert "Retry-After" not in answer.headers


async def test_who_is_not_let_in_takes_no_token(limited):
    for _ in range(5):
        await limited.send(headers={"x-api-key": "another"})
    assert await statuses(limited, 2) == [200, 200]


async def test_the_burst_is_one_seconds_worth_by_default(connect):
    sandbox = Sandbox(patients=1, rate_limit=3, clock=SandboxClock(frozen=True))
    async with sandbox, connect(sandbox) as raw:
        assert await statuses(raw, 4) == [200, 200, 200, 429]


@pytest.mark.parametrize("options", [{"rate_limit": 0}, {"rate_limit": -1.0}, {"rate_limit": 1, "rate_burst": 0}])
def test_a_limit_that_cannot_be_is_refused(options):
    with pytest.raises(InvalidArgumentError):
        Sandbox(patients=1, **options)
