"""From a file's bytes to what it holds: JSON, or YAML by the safe loader alone."""

from __future__ import annotations

from importlib import import_module
from typing import Any, Final

import msgspec

from hero_async.drift.described import NotOpenAPI

_MOST_NESTED: Final = 100


def parse(data: bytes) -> Any:
    """What JSON or YAML holds.

    Raises:
        NotOpenAPI: It is neither.
        ImportError: It is not JSON, and there is no PyYAML.
    """
    try:
        return msgspec.json.decode(data.removeprefix(b"\xef\xbb\xbf"))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass
    yaml: Any = import_module("yaml")  # it has no types
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # in C where there is one
    words = _why_not_yaml(yaml, data, loader)
    if not words:
        try:
            return yaml.load(data, Loader=loader)
        except Exception:  # noqa: BLE001  # besides YAMLError: KeyError, ValueError and others, for tags that lie
            words = "is neither JSON nor YAML without tags of its own"
    raise NotOpenAPI(words)


def _why_not_yaml(yaml: Any, data: bytes, loader: Any) -> str:
    """What is wrong with the form, or nothing. Looks at the nesting first: the loader in C dies of too much of it."""
    depth = 0
    try:
        for event in yaml.parse(data, Loader=loader):
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > _MOST_NESTED:
                return "is nested too deeply"
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        return f"is neither JSON nor YAML: line {mark.line + 1}" if mark is not None else "is neither JSON nor YAML"
    except (yaml.YAMLError, UnicodeDecodeError):
        return "is neither JSON nor YAML"
    return ""
