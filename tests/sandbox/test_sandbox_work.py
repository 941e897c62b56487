"""Episodes, tasks and notes: there from the start, and keeping what they were given."""

import pytest

from hero_async.sandbox import Sandbox

pytestmark = pytest.mark.anyio

OTHER = {"x-practice-group-id": "2"}


async def episodes(raw, path="/v1/episodes", **query):
    answer = await raw("GET", path, params=query)
    assert answer.status == 200
    return answer.json["data"]


async def test_there_are_episodes_of_the_first_patients_always_the_same(raw):
    found = await episodes(raw)
    assert [item["id"] for item in found] == [f"170{number}" for number in range(1, 7)]
    assert [item["patient"]["dob"][:10] for item in found] == [
        patient.dob.isoformat() for patient in raw.sandbox.patients[:6]
    ]
    assert await episodes(raw, "/v2/episodes") == found
    theirs = (await raw("GET", "/v1/episodes", headers=OTHER)).json["data"]
    assert not {item["id"] for item in theirs} & {item["id"] for item in found}


@pytest.mark.parametrize("patients, expected", [(0, 0), (1, 1), (7, 6)])
async def test_a_sandbox_of_few_patients_has_few_episodes(connect, patients, expected):
    async with Sandbox(patients=patients) as sandbox, connect(sandbox) as raw:
        assert len(await episodes(raw)) == expected


FILTERS = [
    ({"status[]": "open"}, lambda item: item["status"] == "open"),
    ({"status[]": ["open", "closed"]}, lambda item: item["status"] in ("open", "closed")),
    ({"priority[]": ["low", "highest"]}, lambda item: item["priority"] in ("low", "highest")),
    ({"assignee_type[]": "Unassigned"}, lambda item: item["assignees"][0]["type"] == "Unassigned"),
    ({"assignee_type[]": "Admin", "status[]": "open"}, lambda item: item["id"] == "1701"),
    ({"assignee_id[]": "1401"}, lambda item: item["assignees"][0]["name"] == "Charlie XXTESTADMIN-A"),
]


@pytest.mark.parametrize("query, fits", FILTERS, ids=[",".join(query) for query, _ in FILTERS])
async def test_episodes_are_narrowed(raw, query, fits):
    everything = await episodes(raw)
    expected = [item for item in everything if fits(item)]
    assert 0 < len(expected) < len(everything)
    assert await episodes(raw, **query) == expected


async def test_episodes_are_sorted_by_each_key_in_turn(raw):
    ranks = ["lowest", "low", "medium", "high", "highest"]
    found = await episodes(raw, **{"order_by[]": ["priority", "created_at"], "order_descending[]": ["true", "false"]})
    keys = [(-ranks.index(item["priority"]), item["created_at"]) for item in found]
    assert keys == sorted(keys)
    found = await episodes(raw, **{"order_by[]": "created_at", "order_descending[]": "true"})
    assert [item["id"] for item in found] == [f"170{number}" for number in range(6, 0, -1)]


@pytest.mark.parametrize(
    "query", [{"status[]": "shut"}, {"priority[]": ["low", "no"]}, {"order_by[]": "x"}, {"page_size": "x"}]
)
async def test_a_bad_filter_is_a_400(raw, query):
    answer = await raw("GET", "/v1/episodes", params=query)
    assert answer.status == 400
    assert answer.json["message"][0]["path"][0] in query


async def test_an_episode_keeps_its_state_and_its_notes(raw):
    path = "/v1/episodes/1701"
    assert (await raw("PATCH", path)).status == 200  # as the SDK sends it: nothing is known of a body
    before = (await raw("GET", path)).json
    assert (await raw("PATCH", path, json={"status": "closed", "priority": "highest"})).status == 200
    note = (await raw("POST", "/v1/notes", json={"episode_id": "1701", "description": "Called the patient"})).json
    after = (await raw("GET", path)).json
    assert (before["status"], before["notes"]) == ("open", [])
    assert (after["status"], after["priority"], after["notes"]) == ("closed", "highest", [note])
    assert note["description"] == "Called the patient"
    assert all(isinstance(number, int) for number in (note["id"], note["practice_group_id"], note["admin"]["id"]))
    assert (await raw("PATCH", path, json={"status": "shut"})).status == 400
    assert (await raw("GET", path)).json == after


async def test_a_task_keeps_what_it_was_given_and_its_episode_shows_it(raw):
    path = "/v2/tasks/1801"
    before = (await raw("GET", path)).json
    assert (await raw("PATCH", "/v1/tasks/1801", json={})).json == {"data": {"id": "1801"}}
    assert (await raw("GET", path)).json == before
    change = {"status": "in_progress", "priority": "high", "assignee_type": "admin", "assignee_id": "1402"}
    assert (await raw("PATCH", "/v1/tasks/1801", json=change)).status == 200
    after = (await raw("GET", path)).json
    assert after == before | change
    assert after["patient"]["id"] == raw.sandbox.patients[0].patient_id
    [task] = (await raw("GET", "/v1/episodes/1701")).json["tasks"]
    assert (task["id"], task["status"]) == ("1801", "in_progress")


async def test_work_of_another_practice_group_is_a_404(raw):
    note = {"episode_id": "1701", "description": "x"}
    for verb, path, body in (
        ("GET", "/v1/episodes/1701", None),
        ("PATCH", "/v1/episodes/1701", {}),
        ("GET", "/v2/tasks/1801", None),
        ("PATCH", "/v1/tasks/1801", {"status": "closed"}),
        ("POST", "/v1/notes", note),
    ):
        assert (await raw(verb, path, json=body, headers=OTHER)).status == 404
    assert raw.sandbox.ledger.changes == ()
    assert (await raw("GET", "/v2/tasks/1801")).json["status"] == "open"


@pytest.mark.parametrize("body, where", [({"description": "x"}, "episode_id"), ({"episode_id": "1701"}, "description")])
async def test_a_note_needs_an_episode_and_a_text(raw, body, where):
    answer = await raw("POST", "/v1/notes", json=body)
    assert (answer.status, [issue["path"] for issue in answer.json["message"]]) == (400, [[where]])


async def test_a_practice_group_whose_id_is_no_number_has_notes_without_one(connect):
    async with Sandbox(patients=1, practice_group_ids=("practice-abc",)) as sandbox, connect(sandbox) as raw:
        body = {"episode_id": "1701", "description": "x"}
        answer = await raw("POST", "/v1/notes", json=body, headers={"x-practice-group-id": "practice-abc"})
        assert (answer.status, "practice_group_id" in answer.json) == (200, False)
