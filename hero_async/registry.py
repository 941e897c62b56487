"""All operations, found where they are declared."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from typing import Any, cast

from hero_async import api
from hero_async.calls import AnyOperation
from hero_async.operations import Resource


def _collect() -> tuple[AnyOperation, ...]:
    found: list[AnyOperation] = []
    for module_info in pkgutil.iter_modules(api.__path__):
        module = importlib.import_module(f"{api.__name__}.{module_info.name}")
        for _, cls in inspect.getmembers(module, inspect.isclass):
            if issubclass(cls, Resource) and cls.__module__ == module.__name__:
                members: Any = vars(cast("type[Any]", cls))
                found.extend(member for member in members.values() if isinstance(member, AnyOperation))
    return tuple(sorted(found, key=lambda operation: operation.name))


OPERATIONS: tuple[AnyOperation, ...] = _collect()
"""Every operation, by name."""
