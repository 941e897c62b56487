"""The contract has no drift but what is known; each way to mangle it is told in one line."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from drift_support import contract, drift, schema

from hero_async import OPERATIONS
from hero_async.drift import NotOpenAPI, compare
from hero_async.drift.known import KNOWN

SEND = "/v1/messages/send"
GET = "/v1/messages/{id}"


def test_the_contract_has_only_known_differences() -> None:
    report = compare(contract())
    assert report.differences == ()
    assert report.breaks is False
    assert report.compared == len(OPERATIONS) == 82


def test_every_known_difference_is_there_with_its_reason() -> None:
    found = {(one.side, one.where, one.why) for one in compare(contract()).known}
    assert found == {(known.side, where, known.why) for known in KNOWN for where in known.where}


def test_a_known_difference_that_became_another_one_is_new() -> None:
    document = contract()
    schema(document, "PatientV3")["properties"]["dob"] = {"type": "integer"}
    assert drift(document) == ["! retyped answer patients.list[].dob: is int, the SDK has date"]


def test_a_known_difference_that_went_away_is_none() -> None:
    document = contract()
    schema(document, "PatientV3")["properties"]["dob"] = {"type": ["string", "null"], "format": "date"}
    assert drift(document) == []
    assert "patients.list[].dob" not in {one.where for one in compare(document).known}


def body(document: Any, path: str = SEND, verb: str = "post") -> Any:
    node = document["paths"][path][verb]["requestBody"]["content"]["application/json"]["schema"]
    return schema(document, node["$ref"].rpartition("/")[2]) if "$ref" in node else node


def parameters(document: Any, path: str = "/v1/batch_message", verb: str = "get") -> list[Any]:
    return document["paths"][path][verb]["parameters"]


def parameter(document: Any, name: str) -> Any:
    return next(one for one in parameters(document) if one["name"] == name)


Mangle = Callable[[Any], object]

MANGLES: dict[str, tuple[Mangle, list[str]]] = {
    "an operation is gone": (
        lambda d: d["paths"].pop(GET),
        ["! gone messages.get: GET /v1/messages/{id} is gone"],
    ),
    "an operation is added": (
        lambda d: d["paths"].update({"/v1/new": {"get": {"operationId": "getNew", "responses": {}}}}),
        ["added GET /v1/new: is new, the SDK does not have it"],
    ),
    "a path is moved": (
        lambda d: d["paths"].update({"/v2/messages/{id}": d["paths"].pop(GET)}),
        ["! moved messages.get: is GET /v2/messages/{id}, the SDK has GET /v1/messages/{id}"],
    ),
    "a method is moved": (
        lambda d: d["paths"][GET].update(post=d["paths"][GET].pop("get")),
        ["! moved messages.get: is POST /v1/messages/{id}, the SDK has GET /v1/messages/{id}"],
    ),
    "an operation is deprecated": (
        lambda d: d["paths"][GET]["get"].update(deprecated=True),
        ["deprecated messages.get: is deprecated"],
    ),
    "operations have other ids": (
        lambda d: d["paths"][GET]["get"].update(operationId="messages_get"),
        [],
    ),
    "a path parameter has another name": (
        lambda d: (
            d["paths"][GET]["get"]["parameters"][0].update(name="message_id"),
            d["paths"].update({"/v1/messages/{message_id}": d["paths"].pop(GET)}),
        ),
        [],
    ),
    "the servers' address has the first part of each path": (
        lambda d: d.update(
            servers=[{"url": "https://api.herohealth.net/v1"}],
            paths={path[3:]: node for path, node in d["paths"].items() if path.startswith("/v1")},
        ),
        [
            f"! gone {one.name}: {one.verb} {one.path} is gone"
            for one in OPERATIONS
            if not one.path.startswith("/v1") and one.name != "slots.list"
        ],
    ),
    "a query parameter is added": (
        lambda d: parameters(d).append({"name": "since", "in": "query", "schema": {"type": "string"}}),
        ["added request batch_messages.list.since: is new"],
    ),
    "a query parameter is added and required": (
        lambda d: parameters(d).append({"name": "since", "in": "query", "required": True, "schema": {}}),
        ["! required request batch_messages.list.since: is new and required"],
    ),
    "a query parameter is gone": (
        lambda d: parameters(d).remove(parameter(d, "status")),
        ["! gone request batch_messages.list.status: is gone"],
    ),
    "a query parameter is required": (
        lambda d: parameter(d, "status").update(required=True),
        ["! required request batch_messages.list.status: is required, the SDK has it optional"],
    ),
    "a query parameter is retyped": (
        lambda d: parameter(d, "status").update(schema={"type": "boolean"}),
        ["! retyped request batch_messages.list.status: is bool, the SDK has choice"],
    ),
    "a number of the query is text": (
        lambda d: parameter(d, "page_index").update(schema={"type": "string"}),
        ["retyped request batch_messages.list.page_index: is text, the SDK has int"],
    ),
    "a query parameter is deprecated": (
        lambda d: parameter(d, "status").update(deprecated=True),
        ["deprecated request batch_messages.list.status: is deprecated"],
    ),
    "a query parameter is moved into the body": (
        lambda d: (
            parameters(d).remove(parameter(d, "status")),
            d["paths"]["/v1/batch_message"]["get"].update(
                requestBody={"content": {"application/json": {"schema": {"properties": {"status": {}}}}}}
            ),
        ),
        ["! moved request batch_messages.list.status: is in the body, the SDK sends it in the query"],
    ),
    "a header is required": (
        lambda d: parameters(d).append({"name": "x-tenant", "in": "header", "required": True}),
        ["! required request batch_messages.list: header x-tenant is required, the SDK does not send it"],
    ),
    "the credentials are listed as headers": (
        lambda d: parameters(d).append({"name": "X-API-Key", "in": "header", "required": True}),
        [],
    ),
    "a parameter of all verbs": (
        lambda d: d["paths"]["/v1/batch_message"].update(
            parameters=[{"name": "since", "in": "query", "schema": {"type": "string"}}]
        ),
        [
            "added request batch_messages.create.since: is new",
            "added request batch_messages.list.since: is new",
        ],
    ),
    "a field is added": (
        lambda d: body(d)["properties"].update(new={"type": "string"}),
        ["added request messages.send.new: is new"],
    ),
    "a field is added and required": (
        lambda d: (body(d)["properties"].update(new={"type": "string"}), body(d)["required"].append("new")),
        ["! required request messages.send.new: is new and required"],
    ),
    "a field is gone": (
        lambda d: body(d)["properties"].pop("task_id"),
        ["! gone request messages.send.task_id: is gone"],
    ),
    "a field is required": (
        lambda d: body(d)["required"].append("task_id"),
        ["! required request messages.send.task_id: is required, the SDK has it optional"],
    ),
    "a field is no longer required": (
        lambda d: body(d)["required"].remove("message_string"),
        ["optional request messages.send.message_string: is not required, the SDK requires it"],
    ),
    "a field is retyped": (
        lambda d: body(d)["properties"].update(message_string={"type": "integer"}),
        ["! retyped request messages.send.message_string: is int, the SDK has text"],
    ),
    "a field of a body is deprecated": (
        lambda d: body(d)["properties"]["task_id"].update(deprecated=True),
        ["deprecated request messages.send.task_id: is deprecated"],
    ),
    "a field is of no known type": (
        lambda d: body(d)["properties"].update(message_string={}),
        ["unshown request messages.send.message_string: its type is not shown, the SDK has text"],
    ),
    "a choice is gone": (
        lambda d: body(d)["properties"]["message_type"]["enum"].remove("sms"),
        ["! values request messages.send.message_type: no longer 'sms'"],
    ),
    "a choice is added": (
        lambda d: body(d)["properties"]["message_type"]["enum"].append("pigeon"),
        ["values request messages.send.message_type: also 'pigeon', which the SDK refuses to send"],
    ),
    "a choice is open": (
        lambda d: body(d)["properties"].update(message_type={"type": "string"}),
        ["retyped request messages.send.message_type: is text, the SDK has choice"],
    ),
    "a body is no JSON": (
        lambda d: d["paths"][SEND]["post"]["requestBody"].update(content={"multipart/form-data": {}}),
        ["! retyped request messages.send: the body is not JSON, not an object"],
    ),
    "a body is a list": (
        lambda d: d["paths"][SEND]["post"]["requestBody"]["content"].update(
            {"application/json": {"schema": {"type": "array", "items": {}}}}
        ),
        ["! retyped request messages.send: the body is list, not an object"],
    ),
    "null is no longer taken": (
        lambda d: body(d, "/v1/admins/{id}", "patch")["properties"]["external_prescriber_id"].update(type="string"),
        ["! retyped request admins.update.external_prescriber_id: null is not taken, which the SDK can send"],
    ),
    "null is taken": (
        lambda d: body(d)["properties"]["task_id"].update(nullable=True),
        ["retyped request messages.send.task_id: null is taken, which the SDK does not send"],
    ),
    "a nested field is required": (
        lambda d: schema(d, "BatchRecipientByNhsNumber").update(
            required=["nhs_number", "dob", "name"],
            properties=schema(d, "BatchRecipientByNhsNumber")["properties"] | {"name": {"type": "string"}},
        ),
        ["! required request batch_messages.create.recipients[].name: is new and required"],
    ),
    "a field of an answer is added": (
        lambda d: schema(d, "SendMessageResponse")["properties"].update(new={"type": "string"}),
        ["added answer messages.send.new: is new"],
    ),
    "a field of an answer is gone": (
        lambda d: schema(d, "SendMessageResponse")["properties"].pop("message_id"),
        ["! gone answer messages.send.message_id: is gone"],
    ),
    "an optional field of an answer is gone": (
        lambda d: schema(d, "PatientV3")["properties"].pop("ods_code"),
        ["gone answer patients.list[].ods_code: is gone"],
    ),
    "a field of an answer may be missing": (
        lambda d: schema(d, "SendMessageResponse")["required"].remove("message_id"),
        ["! optional answer messages.send.message_id: may be missing, the SDK requires it"],
    ),
    "a field of an answer is always there": (
        lambda d: schema(d, "PatientV3")["required"].append("ods_code"),
        ["required answer patients.list[].ods_code: is always there, the SDK has it optional"],
    ),
    "a field of an answer may be null": (
        lambda d: schema(d, "SendMessageResponse")["properties"]["message_id"].update(nullable=True),
        ["! retyped answer messages.send.message_id: may be null, which the SDK does not read"],
    ),
    "a text of an answer is a number": (
        lambda d: schema(d, "SendMessageResponse")["properties"].update(message_id={"type": "integer"}),
        ["retyped answer messages.send.message_id: is int, the SDK has text"],
    ),
    "a text of an answer is an object": (
        lambda d: schema(d, "SendMessageResponse")["properties"].update(message_id={"type": "object"}),
        ["! retyped answer messages.send.message_id: is object, the SDK has text"],
    ),
    "an answer enumerates a value more": (
        lambda d: schema(d, "PatientV3")["properties"].update(sex={"type": ["string", "null"], "enum": ["X", None]}),
        [
            "values answer patients.list[].sex: also 'X'",
            "values answer patients.list[].sex: no longer 'Female', 'Male', 'Not known', 'Not specified', 'Other'",
        ],
    ),
    "an answer is not shown": (
        lambda d: d["paths"][GET]["get"]["responses"]["200"].pop("content"),
        ["unshown answer messages.get: no JSON answer is shown"],
    ),
    "an answer is a list": (
        lambda d: d["paths"][GET]["get"]["responses"]["200"].update(
            content={"application/json": {"schema": {"type": "array"}}}
        ),
        ["! retyped answer messages.get: is list, the SDK has object"],
    ),
    "a page is a bare list": (
        lambda d: (
            schema(d, "PatientV3List").update({"type": "array", "items": {"$ref": "#/components/schemas/PatientV3"}})
            or schema(d, "PatientV3List").pop("properties")
        ),
        [],
    ),
    "a page holds no list": (
        lambda d: schema(d, "PatientV3List")["properties"].update(data={"type": "string"}),
        ["! retyped answer patients.list.data: is text, the SDK has list"],
    ),
    "a page tells more": (
        lambda d: schema(d, "PatientV3List")["properties"].update(next={"type": "string"}),
        ["added answer patients.list.next: is new"],
    ),
    "a page is text": (
        lambda d: d["components"]["schemas"].update(PatientV3List={"type": "string"}),
        ["! retyped answer patients.list: is text, the SDK has Page"],
    ),
    "a reference leads out of the file": (
        lambda d: d["components"]["schemas"].update(SendMessageResponse={"$ref": "https://example.com/a.yaml#/A"}),
        [
            "unshown https://example.com/a.yaml#/A: is not in the file and was not read",
            "unshown answer messages.send: its type is not shown, the SDK has object",
        ],
    ),
    "a schema is made of others": (
        lambda d: d["components"]["schemas"].update(
            Base=schema(d, "SendMessageResponse"),
            SendMessageResponse={"allOf": [{"$ref": "#/components/schemas/Base"}, {"required": ["message_id"]}]},
        ),
        [],
    ),
    "an alternative is added to an answer": (
        lambda d: d["components"]["schemas"].update(
            Base=schema(d, "SendMessageResponse"),
            SendMessageResponse={"oneOf": [{"$ref": "#/components/schemas/Base"}, {"type": "string"}]},
        ),
        ["! retyped answer messages.send: is object | text, the SDK has object"],
    ),
}


@pytest.mark.parametrize("name", MANGLES)
def test_a_mangled_contract_is_told(name: str) -> None:
    mangle, expected = MANGLES[name]
    document = contract()
    mangle(document)
    assert drift(document) == expected
    assert drift(json.loads(json.dumps(document, default=str))) == expected


def test_two_operations_may_swap_their_ids() -> None:
    document = contract()
    one, other = document["paths"][SEND]["post"], document["paths"][GET]["get"]
    one["operationId"], other["operationId"] = other["operationId"], one["operationId"]
    assert drift(document) == []


def test_names_of_a_description_cannot_write_to_the_terminal() -> None:
    document = contract()
    document["paths"]["/v1/\x1b[31m\ud800" + "x" * 500] = {"get": {"operationId": ["\x1b"], "responses": {}}}
    [line] = drift(document)
    assert line.startswith(r"added GET /v1/\u001b[31m\ud800xxx")
    assert len(line) < 200


@pytest.mark.parametrize(
    "document, words",
    [
        (None, "is not an OpenAPI description: it holds no mapping"),
        ([], "is not an OpenAPI description: it holds no mapping"),
        ({}, "is not an OpenAPI 3 description"),
        ({"openapi": 3}, "has no paths"),
        ({"openapi": "2.0", "paths": {}}, "is not an OpenAPI 3 description"),
        ({"swagger": "2.0", "paths": {}}, "is a Swagger 2 description"),
        ({"openapi": "3.1.0"}, "has no paths"),
        ({"openapi": "3.1.0", "paths": []}, "has no paths"),
    ],
    ids=str,
)
def test_what_is_no_description_is_said_to_be_none(document: Any, words: str) -> None:
    with pytest.raises(NotOpenAPI, match=words):
        compare(document)


def test_an_empty_description_lacks_everything() -> None:
    report = compare({"openapi": 3.1, "paths": {}})
    assert report.compared == 0
    assert {one.change for one in report.differences} == {"gone"}
    assert len(report.differences) == 82
    assert report.breaks
