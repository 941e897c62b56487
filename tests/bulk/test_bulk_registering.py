"""Rows without an id: registered by PDS first. The server is the judge of what was sent."""

from __future__ import annotations

from pathlib import Path

import pytest
from bulk_support import (
    NHS_NUMBERS,
    REGISTER,
    SEND,
    Behaviour,
    Make,
    Server,
    lost,
    must_verify,
    run,
    status,
    stored,
    unreachable,
    write_csv,
)

from hero_async.bulk import Patience
from hero_async.client import AsyncHero
from hero_async.clock import VirtualClock

pytestmark = pytest.mark.anyio


def register_csv(path: Path, *numbers: str) -> Path:
    return write_csv(path, "nhs_number,dob,first_name", (f"{number},1980-02-01,Ann" for number in numbers))


async def test_a_person_without_an_id_is_registered_first(
    make: Make, tmp_path: Path, hero: AsyncHero, server: Server
) -> None:
    server.patient_of = dict(zip(NHS_NUMBERS, ("11", "12", "13"), strict=False))
    await run(make(register_csv(tmp_path / "r.csv", *NHS_NUMBERS[:3])), hero)
    assert sorted(server.patients) == ["11", "12", "13"]
    assert server.attempts[REGISTER] == 3


async def test_by_name_too(make: Make, tmp_path: Path, hero: AsyncHero, server: Server) -> None:
    server.patient_of = {"Sample": "11"}
    header = "forename,surname,dob,postcode,first_name"
    rows = ["Ann,Sample,1980-02-01,ZZ99 9ZZ,Ann", "ann,SAMPLE,01/02/1980,zz999zz,Ann"]
    campaign = make(write_csv(tmp_path / "r.csv", header, rows))
    await run(campaign, hero)
    assert server.patients == ["11"]
    assert (await stored(campaign))[3] == ("rejected", "duplicate_person")


REGISTRATIONS: list[tuple[str, list[Behaviour], str, str | None, int, int]] = [
    ("must verify", [must_verify], "rejected", "verification_required", 1, 0),
    ("404", [status(404)], "rejected", "no_patient_found", 1, 0),
    ("400", [status(400)], "rejected", "http_400", 1, 0),
    ("500, then found", [status(500)], "sent", None, 2, 1),
    ("reset, then found", [lost(processed=True)], "sent", None, 2, 1),
    ("garbage, then found", [status(200, body=b"<html>")], "sent", None, 2, 1),
    ("429, then found", [status(429)], "sent", None, 2, 1),
    ("not reached, then found", [unreachable()], "sent", None, 2, 1),
]


@pytest.mark.parametrize(
    ("script", "state", "reason", "attempts", "processed"),
    [answer[1:] for answer in REGISTRATIONS],
    ids=[answer[0] for answer in REGISTRATIONS],
)
async def test_what_a_registration_makes_of_a_row(
    make: Make,
    tmp_path: Path,
    hero: AsyncHero,
    server: Server,
    no_waiting: VirtualClock,
    script: list[Behaviour],
    state: str,
    reason: str | None,
    attempts: int,
    processed: int,
) -> None:
    server.script[REGISTER].extend(script)
    campaign = make(register_csv(tmp_path / "r.csv", NHS_NUMBERS[0]))
    (outcome,) = await run(campaign, hero)
    assert (outcome.state.value, outcome.reason) == (state, reason)
    assert (server.attempts[REGISTER], len(server.processed)) == (attempts, processed)
    assert await stored(campaign) == {2: (state, reason)}


async def test_a_registered_patient_is_not_registered_again(
    make: Make, tmp_path: Path, hero: AsyncHero, server: Server, no_waiting: VirtualClock
) -> None:
    server.always[SEND] = unreachable()
    path = register_csv(tmp_path / "r.csv", *NHS_NUMBERS[:2])
    await run(make(path, patience=Patience(tries=2), concurrency=3), hero)
    assert server.attempts[REGISTER] == 2
    server.always[SEND] = status(200, body=b'{"message_id":"1","content":"-","created_at":"-"}')
    await run(make(path), hero)
    assert server.attempts[REGISTER] == 2


@pytest.mark.parametrize("concurrency", [1, 2, 50])
async def test_two_rows_that_turn_out_to_be_one_patient_get_one_message(
    make: Make, tmp_path: Path, hero: AsyncHero, server: Server, concurrency: int
) -> None:
    server.patient_of = dict.fromkeys(NHS_NUMBERS, "77")
    campaign = make(register_csv(tmp_path / "r.csv", *NHS_NUMBERS), concurrency=concurrency)
    found = await run(campaign, hero)
    assert server.patients == ["77"]
    assert sorted(outcome.state.value for outcome in found) == ["rejected"] * 5 + ["sent"]
    assert {outcome.reason for outcome in found} == {None, "duplicate_person"}
    assert (await campaign.status()).reasons == {"duplicate_person": 5}
    assert campaign.progress.sent == 1
    assert campaign.progress.rejected == 5


async def test_a_patient_that_another_row_names_by_id_gets_one_message(
    make: Make, tmp_path: Path, hero: AsyncHero, server: Server
) -> None:
    server.patient_of = {NHS_NUMBERS[0]: "77"}
    rows = [f",{NHS_NUMBERS[0]},1980-02-01,Ann", "77,,,Ann"]
    await run(make(write_csv(tmp_path / "r.csv", "patient_id,nhs_number,dob,first_name", rows)), hero)
    assert server.patients == ["77"]


async def test_the_same_number_at_two_practices_is_two_messages(
    make: Make, tmp_path: Path, hero: AsyncHero, server: Server
) -> None:
    rows = [f"{NHS_NUMBERS[0]},1980-02-01,Ann,{practice}" for practice in (1, 2, 2)]
    await run(make(write_csv(tmp_path / "r.csv", "nhs_number,dob,first_name,practice_group_id", rows)), hero)
    assert sorted(message.practice for message in server.processed) == ["1", "2"]
