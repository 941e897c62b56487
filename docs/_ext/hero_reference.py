"""The reference, read off the code: operations with their real signature in both worlds, evidence, and the command.

Pages are written below `reference/api` when a build begins; nobody writes them by hand, and git does not keep them.
The navigation is made from the pages that are there, so that a page can come or go without a change here.
"""

from __future__ import annotations

import contextlib
import importlib
import inspect
import io
import os
import re
import textwrap
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import attrs
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.ext.napoleon import Config, GoogleDocstring
from sphinx.util.docutils import SphinxDirective

from hero_async import OPERATIONS
from hero_async.calls import AnyOperation
from hero_async.fields import Answer, OpenEnum
from hero_async.operations import Flow, Listing
from hero_async.resources import Resources

NAVIGATION = {
    "Start here": ("quickstart", "services", "bulk", "blocking", "webhooks", "booking", "testing", "examples"),
    "When it goes wrong": ("errors", "delivery", "limits", "operations", "doctor"),
    "In production": (
        "security",
        "data-protection",
        "observability",
        "performance",
        "benchmarks/table",
        "benchmarks/README",
        "upgrading",
    ),
    "Reference": (
        "reference/client",
        "reference/operations",
        "reference/errors",
        "reference/bulk",
        "reference/sandbox",
        "reference/webhooks",
        "reference/testing",
        "reference/api/command",
        "confirmed",
    ),
    "For maintainers": ("design", "contributing", "changelog"),
}
"""Which page stands where. One that is not there yet is left out; one that is not named here stands under "More"."""

_ELSEWHERE = ("index", "reference/api/")
"""Pages that stand in no list of their own."""
_SECTIONS = re.compile(r"^(Args|Returns|Raises|Reference|Yields|Attributes):")


def navigation(names: Iterable[str]) -> str:
    """The table of contents, as MyST."""
    there = set(names)
    named = {name for group in NAVIGATION.values() for name in group}
    more = sorted(name for name in there - named if not name.startswith(_ELSEWHERE))
    groups = {**NAVIGATION, "More": tuple(more)}
    out: list[str] = []
    for caption, wanted in groups.items():
        shown = [name for name in wanted if name in there]
        if shown:
            out += ["```{toctree}", ":hidden:", f":caption: {caption}", "", *shown, "```", ""]
    return "\n".join(out)


def _add_navigation(app: Sphinx, name: str, source: list[str]) -> None:
    if name == "index":
        source[0] += "\n\n" + navigation(app.env.found_docs)


def examples_as_code(lines: Sequence[str]) -> list[str]:
    """Indented lines of a docstring that stand in no section are code: say so in the page's language."""
    out: list[str] = []
    in_section = in_code = False
    for number, line in enumerate(lines):
        in_section = in_section or _SECTIONS.match(line) is not None
        is_indented = line.startswith("    ")
        begins = is_indented and not in_code and not in_section and (number == 0 or not lines[number - 1].strip())
        if begins:
            is_picture = "──" in "".join(lines[number : number + 3])
            out += [f".. code-block:: {'text' if is_picture else 'python'}", ""]
            in_code = True
        elif line.strip() and not is_indented:
            in_code = False
        out.append(line)
    return out


def _process_docstring(app: Sphinx, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    lines[:] = examples_as_code(lines)


def _process_signature(
    app: Sphinx, what: str, name: str, obj: Any, options: Any, signature: str | None, returned: str | None
) -> tuple[str, str | None] | None:
    """A model is read, not made: its fields stand below, so its arguments need not."""
    if what == "class" and ".api." in name:
        return "", None
    return None


def as_rst(doc: str) -> str:
    """A docstring, Google style, as reStructuredText."""
    config = Config(napoleon_use_param=True, napoleon_use_rtype=False)
    return str(GoogleDocstring(examples_as_code(doc.splitlines()), config))


def _signature(function: Any, *, returns: str) -> str:
    """As it is declared, without `self`. Types are named as the code names them; a list of words is written out."""
    out: list[str] = []
    for parameter in list(inspect.signature(function).parameters.values())[1:]:
        if parameter.kind is parameter.KEYWORD_ONLY and "*" not in out:
            out.append("*")
        words = f"{parameter.name}: {_written_out(function, _text(parameter.annotation))}"
        has_default = parameter.default is not parameter.empty
        out.append(f"{words} = {parameter.default!r}" if has_default else words)
    return f"({', '.join(out)}) -> {returns}"


def _text(annotation: Any) -> str:
    return annotation if isinstance(annotation, str) else getattr(annotation, "__name__", str(annotation))


def _written_out(function: Any, annotation: str) -> str:
    """Names that stand for a list of words, such as `MessageType`, as that list."""

    def look(found: re.Match[str]) -> str:
        value = function.__globals__.get(found[0])
        return f"Literal{list(get_args(value))}" if get_origin(value) is Literal else found[0]

    return re.sub(r"\b[A-Z]\w+\b", look, annotation)


def _plain(function: Any) -> str:
    return _text(inspect.signature(function).return_annotation)


def _worlds(resource: str, name: str, declared: Any) -> tuple[tuple[str, bool], tuple[str, bool]]:
    """What stands in both worlds, and whether it is awaited."""
    returned = _plain(declared.function)
    is_listing = isinstance(declared, Listing)
    ours, theirs = returned, returned
    if is_listing:
        item = returned.removeprefix("Page[").removesuffix("]")
        ours, theirs = f"Pages[{item}]", f"SyncPages[{item}]"
    return (
        (f"AsyncHero.{resource}.{name}{_signature(declared.function, returns=ours)}", not is_listing),
        (f"Hero.{resource}.{name}{_signature(declared.function, returns=theirs)}", False),
    )


def _facts(operation: AnyOperation) -> str:
    repeat = (
        "repeated by itself when an answer is lost" if operation.idempotent else "never repeated when it is in doubt"
    )
    return f"``{operation.verb} {operation.path}``. {_EVIDENCE[operation.evidence]}; {repeat}."


_EVIDENCE = {
    "documented": "Documented by the reference",
    "sampled": "Shown by a sample in the reference",
    "inferred": "Inferred, not shown by the reference",
}


def _operation(resource: str, name: str, declared: Any) -> Iterator[str]:
    (ours, is_async), (theirs, _) = _worlds(resource, name, declared)
    yield f".. py:method:: {ours}"
    if is_async:
        yield "   :async:"
    yield ""
    yield f".. py:method:: {theirs}"
    yield ""
    if isinstance(declared, AnyOperation):
        yield f"   {_facts(declared)}"
    else:
        yield "   Made of operations; runs the same in both worlds."
    yield ""
    yield textwrap.indent(as_rst(inspect.getdoc(declared.function) or ""), "   ")
    yield ""


def _is_shown(cls: Any, module: str) -> bool:
    if not inspect.isclass(cls) or cls.__module__ != module or cls.__name__.startswith("_"):
        return False
    return attrs.has(cls) or issubclass(cls, OpenEnum | Answer)


def _title(words: str, line: str = "=") -> list[str]:
    return [words, line * len(words), ""]


def resource_page(name: str, cls: Any) -> str:
    """One subject of the API: its operations, then its models."""
    module = importlib.import_module(cls.__module__)
    out = [*_title(name), f".. py:currentmodule:: {cls.__module__}", "", inspect.getdoc(cls) or "", ""]
    for key, declared in vars(cls).items():
        if isinstance(declared, AnyOperation | Flow):
            out += _title(f"{name}.{key}", "-")
            out += _operation(name, key, declared)
    homes = [module]
    homes += [importlib.import_module(home) for home in sorted(_homes_of(module))]
    shown = [(home.__name__, key) for home in homes for key, cls in vars(home).items() if _is_shown(cls, home.__name__)]
    if shown:
        out += _title("Models", "-")
    for home, key in shown:
        # A module that several subjects use is shown with each, and indexed with none but its own.
        own = home == cls.__module__ or home.rpartition(".")[2].lstrip("_") == name
        out += [f".. autoclass:: {home}.{key}", *([] if own else ["   :no-index:"]), ""]
    return "\n".join(out)


def _homes_of(module: Any) -> set[str]:
    """Private modules from which a subject takes models of its own."""
    found = {getattr(value, "__module__", "") for value in vars(module).values() if inspect.isclass(value)}
    return {home for home in found if home.startswith("hero_async.api._") and home != "hero_async.api._shared"}


def subjects() -> dict[str, Any]:
    """The resources of both clients, by name."""
    found: dict[str, Any] = {}
    for operation in OPERATIONS:
        name = operation.name.partition(".")[0]
        if name not in found and name in vars(Resources):
            module = importlib.import_module(operation.function.__module__)
            found[name] = getattr(module, operation.function.__qualname__.partition(".")[0])
    return found


def _overview() -> str:
    out = [
        *_title("All operations"),
        ".. list-table::",
        "   :header-rows: 1",
        "   :widths: 30 45 15 10",
        "",
        "   * - Operation",
        "     - What it does",
        "     - Evidence",
        "     - Repeated",
    ]
    for operation in OPERATIONS:
        first = (inspect.getdoc(operation.function) or "").partition("\n")[0]
        subject, _, name = operation.name.partition(".")
        out += [
            f"   * - :doc:`{subject} <{subject}>`.\\ ``{name}``",
            f"     - {first}",
            f"     - {operation.evidence}",
            f"     - {'yes' if operation.idempotent else 'no'}",
        ]
    return "\n".join([*out, "", ".. toctree::", "   :hidden:", "", *(f"   {name}" for name in subjects()), ""])


def _help_of(words: Sequence[str]) -> str:
    from hero_async.cli import main

    said = io.StringIO()
    before = {name: os.environ.get(name) for name in ("COLUMNS", "NO_COLOR")}
    os.environ.update(COLUMNS="80", NO_COLOR="1")
    try:
        with contextlib.redirect_stdout(said):
            main([*words, "--help"])
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})
    return said.getvalue().rstrip()


def command_page() -> str:
    """What `--help` says, of every command."""
    from hero_async.cli.app import COMMANDS

    out = [*_title("The command"), "What ``--help`` says, in 80 columns.", ""]
    for words in ([], *([name] for name in COMMANDS)):
        out += _title(" ".join(["hero", *words]), "-")
        out += [".. code-block:: text", "", textwrap.indent(_help_of(words), "   "), ""]
    return "\n".join(out)


def _write(app: Sphinx) -> None:
    folder = Path(app.srcdir) / "reference" / "api"
    folder.mkdir(exist_ok=True)
    pages = {name: resource_page(name, cls) for name, cls in subjects().items()}
    pages |= {"index": _overview(), "command": command_page()}
    for gone in {path.stem for path in folder.glob("*.rst")} - set(pages):
        (folder / f"{gone}.rst").unlink()
    for name, text in pages.items():
        path = folder / f"{name}.rst"
        if not path.exists() or path.read_text("utf-8") != text:  # else all would be read again by each build
            path.write_text(text, "utf-8")


class Evidence(SphinxDirective):
    """How many operations are documented, sampled, inferred, and which."""

    def run(self) -> list[nodes.Node]:
        """The table."""
        counts = Counter(operation.evidence for operation in OPERATIONS)
        meaning = {
            "documented": "The reference shows fields and types.",
            "sampled": "The reference shows an example only, so any field may be missing.",
            "inferred": "Path, method or answer are worked out from their neighbours. Try it on staging first.",
        }
        lines = [".. list-table::", "   :header-rows: 1", "   :widths: 15 10 75", ""]
        for row in [("Evidence", "How many", "Which"), *((kind, str(counts[kind]), "") for kind in meaning)]:
            kind, number, which = row
            if kind in meaning:
                names = ", ".join(f"``{one.name}``" for one in OPERATIONS if one.evidence == kind)
                which = f"{meaning[kind]} {names}"
            lines += [f"   * - {kind}", f"     - {number}", f"     - {which}"]
        return self.parse_text_to_nodes("\n".join(["```{eval-rst}", *lines, "```"]))


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx."""
    app.connect("builder-inited", _write)
    app.connect("source-read", _add_navigation)
    app.connect("autodoc-process-docstring", _process_docstring, priority=100)  # before napoleon
    app.connect("autodoc-process-signature", _process_signature)
    app.add_directive("hero-evidence", Evidence)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
