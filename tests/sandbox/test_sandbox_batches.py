"""The life of a batch on the clock, and the quirks of lists."""

import attrs
import pytest

from hero_async.sandbox import CutBody, Quirks, Reset

pytestmark = pytest.mark.anyio

PATH = "/v1/batch_message"


async def create(raw, indexes=(0, 1, 2), strangers=0, **changes):
    known = [raw.sandbox.patients[index] for index in indexes]
    recipients = [{"nhs_number": one.nhs_number, "dob": one.dob.isoformat()} for one in known]
    recipients += [{"nhs_number": "9990000018", "dob": "1980-01-01"}] * strangers
    body = {"name": "flu", "channel": "SMS", "content": "Flu jab", "recipients": recipients} | changes
    answer = await raw("POST", PATH, json=body)
    assert answer.status == 200
    return answer.json


async def send(raw, batch):
    return await raw("PATCH", f"{PATH}/{batch['id']}/send")


async def read(raw, batch, what="", **query):
    answer = await raw("GET", f"{PATH}/{batch['id']}{what}", params=query)
    assert answer.status == 200
    return answer.json


async def states(raw, batch, what):
    return [item["status"] for item in (await read(raw, batch, what))["data"]]


async def test_creating_sends_nothing(raw):
    batch = await create(raw)
    assert {key: batch[key] for key in ("name", "status", "channel", "content")} == {
        "name": "flu",
        "status": "CREATED",
        "channel": "SMS",
        "content": "Flu jab",
    }
    (noted,) = raw.sandbox.ledger.batches
    assert (noted.batch_id, noted.recipients, noted.practice_group_id) == (batch["id"], 3, "1")
    assert raw.sandbox.ledger.messages == ()


async def test_a_batch_moves_through_its_states_on_the_clock(raw, clock):
    raw.sandbox.quirks = Quirks(pending_seconds=10, sending_seconds=20)
    batch = await create(raw, strangers=1)
    clock.advance(100)
    assert (await read(raw, batch))["status"] == "CREATED"
    assert await states(raw, batch, "/recipients") == ["ENRICHED"] * 3 + ["ENRICHMENT_ERROR"]
    assert await states(raw, batch, "/messages") == []
    assert (await send(raw, batch)).json["status"] == "PENDING"
    seen = []
    for _ in range(4):
        batch_state = (await read(raw, batch))["status"]
        seen.append((batch_state, *await states(raw, batch, "/messages")))
        clock.advance(10)
    assert seen == [
        ("PENDING", "QUEUED", "QUEUED", "QUEUED", "ERROR"),
        ("SENDING", "SENT", "SENT", "SENT", "ERROR"),
        ("SENDING", "SENT", "SENT", "SENT", "ERROR"),
        ("COMPLETED", "SUCCESS", "SUCCESS", "SUCCESS", "ERROR"),
    ]
    assert await states(raw, batch, "/recipients") == ["QUEUED"] * 3 + ["ENRICHMENT_ERROR"]


async def test_recipients_start_as_created(raw, clock):
    batch = await create(raw, strangers=1)
    assert await states(raw, batch, "/recipients") == ["CREATED"] * 4
    clock.advance(1)
    assert await states(raw, batch, "/recipients") == ["ENRICHED"] * 3 + ["ENRICHMENT_ERROR"]


async def test_everyone_gets_a_message_when_the_send_is_processed(raw, clock):
    batch = await create(raw, strangers=1, channel="EMAIL", subject="s")
    assert batch["subject"] == "s"
    clock.advance(5)
    await send(raw, batch)
    ledger = raw.sandbox.ledger
    assert [(message.patient_id, message.message_type, message.text, message.at) for message in ledger.messages] == [
        (patient.patient_id, "email", "Flu jab", clock.now()) for patient in raw.sandbox.patients[:3]
    ]
    assert {message.batch_id for message in ledger.messages} == {batch["id"]}
    (sent,) = ledger.batch_sends
    assert (sent.batch_id, sent.messages) == (batch["id"], 3)
    listed = (await read(raw, batch, "/messages", status="QUEUED"))["data"]
    assert [item["id"] for item in listed] == [message.message_id for message in ledger.messages]
    assert (await raw("GET", f"/v1/messages/{listed[0]['id']}")).status == 200


@pytest.mark.parametrize("fault, status", [(Reset(after_processing=True), None), (CutBody(3), 200)])
async def test_a_send_whose_answer_is_lost_is_in_the_ledger(raw, fault, status):
    batch = await create(raw)
    raw.sandbox.faults.add("batch_messages.send", fault)
    with pytest.raises(Exception, match=r"reset|not completed"):
        await send(raw, batch)
    assert len(raw.sandbox.ledger.messages) == 3
    assert raw.sandbox.ledger.requests[-1].status == status


@pytest.mark.parametrize(
    "second, status, messages, doubled", [("conflict", 409, 3, 0), ("ignore", 200, 3, 0), ("repeat", 200, 6, 3)]
)
async def test_a_second_send(raw, second, status, messages, doubled):
    raw.sandbox.quirks = Quirks(second_send=second)
    batch = await create(raw)
    assert (await send(raw, batch)).status == 200
    assert (await send(raw, batch)).status == status
    assert len(raw.sandbox.ledger.messages) == messages
    assert len(raw.sandbox.ledger.doubled().get("1", ())) == doubled
    assert len(await states(raw, batch, "/messages")) == messages


async def test_the_answer_to_a_send_can_be_empty(raw):
    raw.sandbox.quirks = Quirks(send_answer="empty")
    answer = await send(raw, await create(raw))
    assert (answer.status, answer.body) == (200, b"")


async def test_a_batch_can_be_pending_before_it_is_sent(raw, clock):
    raw.sandbox.quirks = Quirks(pending_before_send=True)
    batch = await create(raw)
    assert batch["status"] == "CREATED"
    clock.advance(1)
    assert (await read(raw, batch))["status"] == "PENDING"
    await send(raw, batch)
    clock.advance(1)
    assert (await read(raw, batch))["status"] == "SENDING"


async def test_states_can_lag(raw, clock):
    raw.sandbox.quirks = Quirks(status_lag=30)
    batch = await create(raw)
    clock.advance(30)
    assert (await send(raw, batch)).json["status"] == "CREATED"
    clock.advance(29)
    assert (await read(raw, batch))["status"] == "CREATED"
    clock.advance(1)
    assert (await read(raw, batch))["status"] == "PENDING"


async def test_a_batch_is_its_practice_groups_alone(raw):
    batch = await create(raw)
    other = {"x-practice-group-id": "2"}
    assert (await raw("GET", f"{PATH}/{batch['id']}", headers=other)).status == 404
    assert (await raw("PATCH", f"{PATH}/{batch['id']}/send", headers=other)).status == 404
    assert (await raw("GET", PATH, headers=other)).json == {"data": [], "count": 0}
    assert (await raw("GET", f"{PATH}/1/recipients")).status == 404
    assert raw.sandbox.ledger.messages == ()


async def listed(raw, **query):
    return (await raw("GET", PATH, params=query)).json


async def test_the_list_shows_the_newest_first_and_can_lag(raw, clock):
    raw.sandbox.quirks = Quirks(list_lag=60)
    ids = [(await create(raw))["id"]]
    clock.advance(59)
    assert (await listed(raw))["data"] == []
    clock.advance(1)
    ids.append((await create(raw))["id"])
    assert [batch["id"] for batch in (await listed(raw))["data"]] == ids[:1]
    clock.advance(60)
    assert [batch["id"] for batch in (await listed(raw))["data"]] == ids[::-1]
    await raw("PATCH", f"{PATH}/{ids[0]}/send")
    assert [batch["id"] for batch in (await listed(raw, status="CREATED"))["data"]] == ids[1:]
    assert (await listed(raw, status="QUEUED"))["data"] == []


async def test_the_list_can_answer_one_object(raw):
    raw.sandbox.quirks = Quirks(batch_list="object")
    assert await listed(raw) == {"data": [], "count": 0}
    await create(raw)
    newest = await create(raw, name="newest")
    assert await listed(raw) == newest


@pytest.mark.parametrize(
    "pages, index, items",
    [
        ("from_zero", None, [0, 1]),
        ("from_zero", 0, [0, 1]),
        ("from_zero", 1, [2, 3]),
        ("from_zero", 2, [4]),
        ("from_zero", 3, []),
        ("from_one", None, [0, 1]),
        ("from_one", 0, [0, 1]),
        ("from_one", 1, [0, 1]),
        ("from_one", 2, [2, 3]),
        ("from_one", 3, [4]),
        ("from_one", 4, []),
        ("none", None, [0, 1, 2, 3, 4]),
        ("none", 1, [0, 1, 2, 3, 4]),
        ("none", 9, [0, 1, 2, 3, 4]),
    ],
)
@pytest.mark.parametrize("count", ["total", "page"])
async def test_pages_count_as_the_quirk_says(raw, pages, index, items, count):
    raw.sandbox.quirks = Quirks(pages=pages, count=count)
    batch = await create(raw, indexes=range(5))
    query = {"page_size": "2"} | ({} if index is None else {"page_index": str(index)})
    shown = await read(raw, batch, "/recipients", **query)
    patients = raw.sandbox.patients
    assert [item["patient_id"] for item in shown["data"]] == [patients[item].patient_id for item in items]
    assert shown["count"] == (5 if count == "total" else len(items))


async def test_a_page_size_of_zero_or_none_is_the_default(raw):
    raw.sandbox.quirks = attrs.evolve(raw.sandbox.quirks, default_page_size=4)
    batch = await create(raw, indexes=range(5))
    assert len((await read(raw, batch, "/recipients"))["data"]) == 4
    assert len((await read(raw, batch, "/recipients", page_size="0", page_index="0"))["data"]) == 4
