"""Bytes of a list to typed objects: 1,000 slots and 1,000 patients, by every library one would pick."""

from __future__ import annotations

import dataclasses
import gc
import json
import time
from collections.abc import Callable
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from benchmarks.report import Options, Part, number, target
from benchmarks.server import page_body
from benchmarks.turns import Figures, in_turns, median, ratio

Read = Callable[[bytes], Any]
ITEMS = 1000


class Sex(StrEnum):
    """As every library but ours would have it: closed."""

    NOT_KNOWN = "Not known"
    NOT_SPECIFIED = "Not specified"
    MALE = "Male"
    FEMALE = "Female"
    OTHER = "Other"


SLOT: dict[str, tuple[Any, Any]] = {
    "id": (str, None),
    "practitioner_id": (str, None),
    "appointment_type_id": (str, None),
    "location_id": (str, None),
    "start_time": (datetime, None),
    "finish_time": (datetime, None),
}
PATIENT: dict[str, tuple[Any, Any]] = {
    "dob": (date, ...),
    "ehr_partner_id": (str, None),
    "emis_id": (str, None),
    "deceased_at": (str, None),
    "ods_code": (str, None),
    "title": (str, None),
    "first_name": (str, None),
    "last_name": (str, None),
    "sex": (Sex, None),
}
"""Fields of the contract: type, and whether they may be missing. All may be null."""


def slots() -> bytes:
    """1,000 slots, nobody's."""
    data = [
        {
            "id": str(700_000 + number),
            "practitioner_id": str(number % 20),
            "appointment_type_id": "3",
            "location_id": "1",
            "start_time": f"2026-03-{1 + number % 28:02}T{8 + number % 9:02}:{number % 6}0:00.000Z",
            "finish_time": f"2026-03-{1 + number % 28:02}T{8 + number % 9:02}:{number % 6}5:00.000Z",
        }
        for number in range(ITEMS)
    ]
    return json.dumps({"data": data, "count": ITEMS}).encode()


def by_msgspec(fields: dict[str, tuple[Any, Any]]) -> Read:
    """msgspec's own Struct."""
    import msgspec

    made: list[Any] = [
        (name, kind | None) if default is ... else (name, kind | None, None) for name, (kind, default) in fields.items()
    ]
    item: Any = msgspec.defstruct("Item", made, kw_only=True, frozen=True)
    page = msgspec.defstruct("Page", [("data", list[item]), ("count", float | None, None)], kw_only=True, frozen=True)
    return msgspec.json.Decoder(page).decode


def by_pydantic(fields: dict[str, tuple[Any, Any]]) -> Read:
    """pydantic v2, its fastest way: bytes into the model."""
    import pydantic

    made: Any = {name: (kind | None, default) for name, (kind, default) in fields.items()}
    item: Any = pydantic.create_model("Item", **made)
    page = pydantic.create_model("Page", data=(list[item], ...), count=(float | None, None))
    return page.model_validate_json


def _dataclasses(fields: dict[str, tuple[Any, Any]]) -> tuple[Any, Any]:
    made: list[Any] = [
        (name, kind | None) if default is ... else (name, kind | None, None) for name, (kind, default) in fields.items()
    ]
    item: Any = dataclasses.make_dataclass("Item", made, kw_only=True, frozen=True, slots=True)
    page = dataclasses.make_dataclass("Page", [("data", list[item]), ("count", float | None, None)], kw_only=True)
    return item, page


def by_cattrs(fields: dict[str, tuple[Any, Any]]) -> Read:
    """cattrs with orjson under it."""
    import attrs
    from cattrs.preconf.orjson import make_converter

    made: Any = {
        name: attrs.field(type=kind | None, **({} if default is ... else {"default": None}))
        for name, (kind, default) in fields.items()
    }
    item: Any = attrs.make_class("Item", made, kw_only=True, frozen=True, slots=True)
    page = attrs.make_class(
        "Page", {"data": attrs.field(type=list[item]), "count": attrs.field(type=float | None, default=None)}
    )
    converter = make_converter()
    converter.register_structure_hook(date, lambda value, _: date.fromisoformat(value))
    return lambda data: converter.loads(data, page)


def by_hand(fields: dict[str, tuple[Any, Any]]) -> Read:
    """json and dataclasses of the standard library, converted by hand and checked not at all."""
    item, page = _dataclasses(fields)
    turned: Any = {datetime: datetime.fromisoformat, date: date.fromisoformat, Sex: Sex}
    hooks = {name: turned[kind] for name, (kind, _) in fields.items() if kind in turned}
    known = frozenset(fields)

    def read(data: bytes) -> Any:
        parsed = json.loads(data)
        items = []
        for given in parsed["data"]:
            values = {name: value for name, value in given.items() if name in known}
            for name, hook in hooks.items():
                if values.get(name) is not None:
                    values[name] = hook(values[name])
            items.append(item(**values))
        return page(data=items, count=parsed["count"])

    return read


def ours(hint: Any) -> Read:
    """The SDK's way of reading an answer."""
    from hero_async.codec import read

    return lambda data: read(data, hint)


def hints() -> dict[str, Any]:
    """The SDK's types of the two lists."""
    from hero_async.api.patients import PatientV3
    from hero_async.api.slots import Slot
    from hero_async.pages import Page

    return {"slots": Page[Slot], "patients": Page[PatientV3]}


def run(options: Options) -> Part:
    """Measure."""
    types = hints()
    kinds = {"slots": (SLOT, slots()), "patients": (PATIENT, page_body(0, ITEMS))}
    labels = {
        "ours": "hero_async (attrs)",
        "msgspec": "msgspec Struct",
        "pydantic": "pydantic v2",
        "cattrs": "cattrs with orjson",
        "stdlib": "json and dataclasses, by hand",
    }
    rows: dict[str, list[str]] = {name: [label] for name, label in labels.items()}
    targets = []
    bars: dict[str, float] = {}
    for kind, (fields, data) in kinds.items():
        readers: dict[str, Read] = {
            "ours": ours(types[kind]),
            "msgspec": by_msgspec(fields),
            "pydantic": by_pydantic(fields),
            "cattrs": by_cattrs(fields),
            "stdlib": by_hand(fields),
        }
        for reader in readers.values():
            assert len(reader(data).data) == ITEMS

        def turn(name: str, readers: dict[str, Read] = readers, data: bytes = data) -> Figures:
            read = readers[name]
            gc.collect()
            began = time.process_time()
            for _ in range(5):
                read(data)
            return {"cpu": (time.process_time() - began) / 5}

        results = in_turns(readers, options.pick(61, quick=5), turn)
        for name in readers:
            rows[name] += [
                number(median(results[name], "cpu") * 1e3),
                number(ratio(results, name, "ours", "cpu").median),
            ]
        if kind == "slots":
            bars = {label: median(results[name], "cpu") * 1e3 for name, label in labels.items()}
        targets += [
            target(f"1,000 {kind}, of msgspec Struct", ratio(results, "ours", "msgspec", "cpu"), 2.0),
            target(f"1,000 {kind}, of pydantic v2", ratio(results, "ours", "pydantic", "cpu"), 0.35),
        ]
    return Part(
        title="Decoding",
        about=f"A page of {ITEMS:,} items, bytes to typed objects: times, dates, enums.",
        header=["Library", "slots, ms", "of ours", "patients, ms", "of ours"],
        rows=list(rows.values()),
        targets=targets,
        bars={"title": f"{ITEMS:,} slots, bytes to objects", "unit": "ms of CPU", "values": bars},
    )
