"""Results as CSV."""

from __future__ import annotations

import csv
import io
import os
import stat
from pathlib import Path

import pytest
from bulk_support import SEND, Make, Server, names, patients_csv, run, status, write_csv

from hero_async.bulk import InputChangedError, InputError, OutboxError
from hero_async.bulk.results import harmless, new_columns
from hero_async.client import AsyncHero

pytestmark = pytest.mark.anyio


def read(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.reader(stream))


async def test_the_inputs_columns_and_what_became_of_each_row_in_its_order(
    make: Make, tmp_path: Path, hero: AsyncHero, server: Server
) -> None:
    rows = ["3,Ann", "x,Bob", "1,Cid", '2,"Dee, ""the\nsecond"""', "4,Eve,too many", "5"]
    server.script[SEND].append(status(400))
    campaign = make(write_csv(tmp_path / "r.csv", "patient_id,first_name", rows), concurrency=1)
    await run(campaign, hero)
    assert await campaign.results(tmp_path / "out.csv") == 6
    assert read(tmp_path / "out.csv") == [
        ["patient_id", "first_name", "state", "reason", "message_id", "batch_id"],
        ["3", "Ann", "rejected", "http_400", "", ""],
        ["x", "Bob", "rejected", "patient_id_not_digits", "", ""],
        ["1", "Cid", "sent", "", "1", ""],
        ["2", 'Dee, "the\nsecond"', "sent", "", "2", ""],
        ["4", "Eve", "rejected", "columns", "", ""],
        ["5", "", "rejected", "columns", "", ""],
    ]


async def test_taken_names_are_prefixed(make: Make, tmp_path: Path, hero: AsyncHero) -> None:
    header = "patient_id,State,reason,hero_reason,first_name"
    campaign = make(write_csv(tmp_path / "r.csv", header, ["1,a,b,c,Ann"]))
    await run(campaign, hero)
    await campaign.results(tmp_path / "out.csv")
    assert read(tmp_path / "out.csv")[0] == [
        "patient_id",
        "State",
        "reason",
        "hero_reason",
        "first_name",
        "hero_state",
        "hero_hero_reason",
        "message_id",
        "batch_id",
    ]
    assert new_columns(["message_id"])[2] == "hero_message_id"


@pytest.mark.parametrize("first", list("=+-@\t\r\n＝＋－＠"))
async def test_no_cell_is_a_formula(make: Make, tmp_path: Path, hero: AsyncHero, first: str) -> None:
    cell = f"{first}HYPERLINK(A1)"
    path = tmp_path / "r.csv"
    with path.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([["patient_id", "first_name", cell], ["1", "Ann", cell]])
    campaign = make(path)
    await run(campaign, hero)
    await campaign.results(tmp_path / "out.csv")
    header, row = read(tmp_path / "out.csv")
    assert header[2] == row[2] == "'" + cell


@pytest.mark.parametrize("cell", ["", "Ann", "1", "'=1", "a=b", " -"])
def test_other_cells_stay_as_they_are(cell: str) -> None:
    assert harmless(cell) == cell


async def test_without_the_input_there_are_lines_and_references(make: Make, tmp_path: Path, hero: AsyncHero) -> None:
    rows = [{"reference": "=mine", "patient_id": "1", "first_name": "Ann"}]
    campaign = make(rows)
    await run(campaign, hero)
    stream = io.StringIO(newline="")
    assert await campaign.results(stream, with_input=False) == 1
    assert stream.getvalue() == "line,reference,state,reason,message_id,batch_id\r\n1,'=mine,sent,,1,\r\n"


async def test_the_input_is_compared(make: Make, tmp_path: Path, hero: AsyncHero) -> None:
    path = patients_csv(tmp_path / "r.csv", 3)
    campaign = make(path)
    await run(campaign, hero)
    patients_csv(path, 4)
    with pytest.raises(InputChangedError):
        await campaign.results(tmp_path / "out.csv")
    path.unlink()
    with pytest.raises(InputError, match="cannot be read"):
        await campaign.results(tmp_path / "out.csv")
    assert names(tmp_path, "out*") == []
    assert await campaign.results(tmp_path / "out.csv", with_input=False) == 3


async def test_they_can_be_written_before_all_is_sent_but_not_before_all_is_read(
    make: Make, tmp_path: Path, hero: AsyncHero
) -> None:
    campaign = make(patients_csv(tmp_path / "r.csv", 2500), limit=10)
    with pytest.raises(OutboxError, match="no such outbox"):
        await campaign.results(tmp_path / "out.csv")
    async with campaign.outbox_for(hero.settings).hold(campaign._plan.bind(hero.settings)):
        pass
    with pytest.raises(OutboxError, match="first pass did not end"):
        await campaign.results(tmp_path / "out.csv")
    await run(campaign, hero)
    assert await campaign.results(tmp_path / "out.csv") == 2500
    states = [row[2] for row in read(tmp_path / "out.csv")[1:]]
    assert (states.count("sent"), states.count("ready")) == (10, 2490)


@pytest.mark.skipif(os.name != "posix", reason="modes are of POSIX")
async def test_the_file_is_its_owners_alone_and_replaces_another(make: Make, tmp_path: Path, hero: AsyncHero) -> None:
    campaign = make(patients_csv(tmp_path / "r.csv", 2))
    await run(campaign, hero)
    (tmp_path / "out.csv").write_text("old")
    (tmp_path / "out.csv").chmod(0o644)
    await campaign.results(tmp_path / "out.csv")
    assert stat.S_IMODE((tmp_path / "out.csv").stat().st_mode) == 0o600
    assert len(read(tmp_path / "out.csv")) == 3
    with pytest.raises(OutboxError, match=r"out\.csv: cannot be written"):
        await campaign.results(tmp_path / "none" / "out.csv")


async def test_purge_forgets_everything(make: Make, tmp_path: Path, hero: AsyncHero) -> None:
    campaign = make(patients_csv(tmp_path / "r.csv", 2))
    await run(campaign, hero)
    await campaign.purge()
    assert names(tmp_path) == ["r.csv"]
    with pytest.raises(OutboxError):
        await campaign.status()
