"""Every model has the fields of its schema, and every answer that fits the contract decodes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, datetime
from operator import attrgetter
from typing import Any, get_args, get_origin

import attrs
import msgspec
import pytest
from api_hints import choices, is_answer, is_model, is_page, marks, plain
from api_reference import Schema, contract, documented, resolve, sample, without_null

from hero_async import OPERATIONS
from hero_async.api.patients import PatientIdentifier
from hero_async.api.practice_group import PracticeGroupAddress, PracticeGroupDetails
from hero_async.codec import converter, loads_for, read
from hero_async.drift import known
from hero_async.fields import OpenEnum
from hero_async.pages import Page

each = pytest.mark.parametrize("operation", OPERATIONS, ids=attrgetter("name"))


def kind(hint: Any) -> str:
    """A hint of one arm, in the words of `contract_kind`."""
    of = plain(hint)
    if is_answer(of):
        return "anything"
    if is_model(of):
        return "object"
    if isinstance(of, type) and issubclass(of, OpenEnum):
        return "one of " + ", ".join(of)
    if get_origin(of) is tuple:
        return "list"
    if get_origin(of) is dict:
        return "mapping" if get_args(of) == (str, str) else "anything"
    names = {str: "text", int: "int", float: "number", bool: "bool", date: "date", datetime: "moment", Any: "anything"}
    return names[of]


def contract_kind(schema: Schema) -> str:
    if "enum" in schema:
        return "one of " + ", ".join(schema["enum"])
    named = schema.get("type")
    if named == "string":
        return {"date-time": "moment", "date": "date"}.get(schema.get("format", ""), "text")
    if named == "object" and schema.get("additionalProperties") == {"type": "string"}:
        return "mapping"
    if named in (None, "object") and not schema.get("properties"):
        return "anything"
    return {"number": "number", "integer": "int", "boolean": "bool", "array": "list", "object": "object"}[named]


def compare(hint: Any, schema: Schema, where: str) -> Iterator[str]:
    schema, _ = without_null(schema)
    [arm], _ = choices(hint)
    ours, theirs = kind(arm), contract_kind(schema)
    if ours != theirs:
        yield f"{where}: {ours}, not {theirs}"
    elif ours == "object":
        yield from compare_fields(plain(arm), schema, where)
    elif ours == "list":
        items = schema.get("items", {})
        yield from compare(get_args(plain(arm))[0], items["anyOf"][0] if "anyOf" in items else items, f"{where}[]")


def compare_fields(model: Any, schema: Schema, where: str) -> Iterator[str]:
    whole = attrs.fields(attrs.resolve_types(model, include_extras=True))
    fields = {field.name: field for field in whole if field.init}  # what the SDK adds is not read from an answer
    properties = schema["properties"]
    for name in fields.keys() ^ properties.keys():
        yield f"{where}.{name}: only in {'the SDK' if name in fields else 'the contract'}"
    for name in fields.keys() & properties.keys():
        required = name in schema.get("required", ())
        _, nullable = without_null(properties[name])
        _, optional = choices(fields[name].type)
        if (fields[name].default is attrs.NOTHING) is not required:
            yield f"{where}.{name}: required differs"
        if optional is not (nullable or not required):
            yield f"{where}.{name}: {'may' if optional else 'must not'} be None"
        yield from compare(fields[name].type, properties[name], f"{where}.{name}")


def compare_answer(hint: Any, schema: Schema | None, where: str) -> Iterator[str]:
    item = get_args(hint)[0] if is_page(hint) else hint
    if schema is None:
        if not is_answer(item):
            yield f"{where}: {kind(item)}, but the contract knows no answer"
        return
    schema = resolve(schema)
    if is_page(hint):
        if "data" not in schema["properties"]:
            yield f"{where}: Page, not object"
            yield from compare(item, schema, f"{where}[]")
        else:
            assert schema["properties"].keys() == {"data", "count"}
            yield from compare(item, schema["properties"]["data"]["items"], f"{where}[]")
    elif len(choices(hint)[0]) > 1:
        for arm, form in zip(choices(hint)[0], schema["anyOf"], strict=True):
            yield from compare(arm, form, where)
    else:
        yield from compare(hint, schema, where)


def model_names(hint: Any, schema: Schema) -> Iterator[tuple[str, str]]:
    """Pairs of a model's name and the name of the schema that it stands for."""
    if "$ref" in schema:
        [arm], _ = choices(hint)
        if is_model(plain(arm)) or is_answer(plain(arm)):
            yield plain(arm).__name__, schema["$ref"].rpartition("/")[2]
    schema, _ = without_null(schema)
    for name, of in schema.get("properties", {}).items():
        found, _ = choices(hint)
        if is_model(plain(found[0])):
            fields = attrs.fields_dict(attrs.resolve_types(plain(found[0]), include_extras=True))
            yield from model_names(fields[name].type, of)
    if schema.get("type") == "array" and "anyOf" not in schema.get("items", {}):
        [arm], _ = choices(hint)
        yield from model_names(get_args(plain(arm))[0], schema.get("items", {}))


def test_models_agree_with_the_contract_but_for_known_differences():
    found = {
        line
        for operation in OPERATIONS
        for line in compare_answer(operation.into, documented()[operation.name].answer, operation.name)
    }
    assert found == {*known.lines("answer")}


def test_a_model_is_named_as_its_schema_less_response():
    found: set[tuple[str, str]] = set()
    for operation in OPERATIONS:
        schema = documented()[operation.name].answer
        if schema is None:
            continue
        hint = get_args(operation.into)[0] if is_page(operation.into) else operation.into
        whole = resolve(schema)
        if is_page(operation.into) and "data" in whole["properties"]:
            schema = whole["properties"]["data"]["items"]
        if len(choices(hint)[0]) == 1:
            found |= set(model_names(hint, schema))
    odd = {(ours, theirs) for ours, theirs in found if ours != theirs.removesuffix("Response")}
    assert odd == {
        ("SentMessage", "SendMessageResponse"),  # the design says so
        ("PracticeGroupDetails", "PracticeGroup"),  # that name is the resource's
        ("FormResponse", "FormResponse"),  # it is a response by its nature
    }
    assert len(found) > 40


def fits(hint: Any) -> str:
    """The name of what an answer must be an instance of."""
    return (choices(hint)[0][0] if not is_page(hint) else Page).__name__


@each
@pytest.mark.parametrize("full", [True, False], ids=["all fields", "required fields"])
def test_an_answer_of_the_contract_decodes_on_both_paths_alike(operation, full):
    made = sample(documented()[operation.name].answer, full=full)
    body = msgspec.json.encode(made)
    value = read(body, operation.into)
    if operation.name == "patients.register_pds" and not full:
        made = {"patient_id": "text"}
    assert type(value).__name__ == fits(operation.into)
    loads_for(operation.into)
    assert converter().structure(made, operation.into) == value
    if full:
        check_values(made, value)


def check_values(made: Any, value: Any) -> None:
    """All that was in the JSON is in the value."""
    if isinstance(value, Page):
        items = made["data"] if isinstance(made, dict) and "data" in made else [made] if made else []
        assert len(value.data) == len(items)
        for one, item in zip(items, value.data, strict=True):
            check_values(one, item)
    elif isinstance(value, tuple):
        for one, item in zip(made, value, strict=True):
            check_values(one, item)
    elif attrs.has(type(value)):
        for name, one in made.items():
            check_values(one, getattr(value, name))
    elif isinstance(value, datetime):
        assert value == datetime.fromisoformat(made)
    elif isinstance(value, date):
        assert value == datetime.fromisoformat(made).date() if "T" in made else value == date.fromisoformat(made)
    else:
        assert getattr(value, "raw", value) == made


@each
def test_the_fast_path_takes_what_the_contract_shows(operation):
    schema = documented()[operation.name].answer
    made = sample(schema, full=True)
    if operation.name == "batch_messages.list":
        made = {"data": [made]}
    decode = converter()._decoder(operation.into)
    assert decode is not None
    loads_for(operation.into)  # makes the text annotations types
    if schema is not None:
        decode(msgspec.json.encode(made))


@each
def test_new_fields_and_new_values_do_no_harm(operation):
    made = sample(documented()[operation.name].answer, full=True, extra=True)
    value = read(msgspec.json.encode(made), operation.into)
    assert type(value).__name__ == fits(operation.into)
    for found in enums_in(value):
        assert found == "brand-new"
        assert not found.is_known


def enums_in(value: Any) -> Iterator[OpenEnum]:
    if isinstance(value, OpenEnum):
        yield value
    elif isinstance(value, tuple):
        for item in value:
            yield from enums_in(item)
    elif attrs.has(type(value)):
        for field in attrs.fields(type(value)):
            yield from enums_in(getattr(value, field.name))


@each
def test_nothing_that_tells_of_a_person_is_in_a_repr(operation):
    value = read(msgspec.json.encode(sample(documented()[operation.name].answer, full=True)), operation.into)
    for model in models_in(value):
        fields = attrs.fields_dict(attrs.resolve_types(type(model), include_extras=True))
        shown = {name for name in fields if re.search(rf"[( ]{name}=(?!\*\*\*)", repr(model))}
        for name in shown:
            hint = choices(fields[name].type)[0][0]
            if plain(hint) is str:
                assert any("id" in repr(mark) for mark in marks(hint))
                assert REFS.fullmatch(name), type(model)
            elif type(model) is not PatientIdentifier:  # its name is what kind of identifier it is
                assert not PERSONAL.fullmatch(name), type(model)


PERSONAL = re.compile(
    r"dob|deceased_at|title|sex|sex_changed_at|\w*_name|name|emails?|contact_emails|mobile|phone|nhs_number|emis_id"
    r"|ehr_partner_id|notes|details|description|value|postcode|town|county|(address_)?line_?[123]|exp_month|exp_year"
    r"|last4|fingerprint|\w*token|signing_key|content|subject|\w*url|external_prescriber_id|headers"
)
REFS = re.compile(
    r"id|uid|hero_id|hero_uid|(admin|appointment|appointment_type|assignee|customer|form|form_question|link|location"
    r"|message|patient|patient_record|practice_group|practitioner|prescriber|stripe)_id"
)


def models_in(value: Any) -> Iterator[Any]:
    if isinstance(value, tuple):
        for item in value:
            yield from models_in(item)
    elif isinstance(value, Page):
        yield from models_in(value.data)
    elif attrs.has(type(value)):
        yield value
        for field in attrs.fields(type(value)):
            yield from models_in(getattr(value, field.name))


def test_a_practice_group_is_read_from_what_came():
    [shown] = (contract()["components"]["schemas"]["PracticeGroup"]["x-illustrative"]["practice-group"],)
    group = read(msgspec.json.encode(shown | {"new": 1}), PracticeGroupDetails)
    assert (group.id, group.name, group.sector) == ("practice-abc123", "Riverside Medical Centre", "nhs")
    assert group.address == PracticeGroupAddress(line_1="123 High Street", postcode="SW1A 1AA")
    assert group.raw["new"] == 1
    assert repr(group) == "PracticeGroupDetails(raw=***)"


def test_a_practice_group_of_another_form_has_empty_properties():
    group = read(b'{"id": 5, "address": "1 High Street"}', PracticeGroupDetails)
    assert (group.id, group.name, group.sector, group.address) == (None, None, None, None)
