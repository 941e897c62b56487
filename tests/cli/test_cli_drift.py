"""`hero drift`: exit codes, lines for people and JSON for programs."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
import yaml
from cli_support import Hero, command

CONTRACT = Path(__file__).parents[1] / "contract" / "openapi.yaml"


@pytest.fixture
def mangled(tmp_path: Path) -> Path:
    """The contract with one difference that breaks and one that does not, as JSON."""
    document = yaml.safe_load(CONTRACT.read_bytes())
    del document["paths"]["/v1/messages/{id}"]
    document["components"]["schemas"]["SendMessageResponse"]["properties"]["new"] = {"type": "string"}
    path = tmp_path / "mangled.json"
    path.write_text(json.dumps(document, default=str))
    return path


def test_the_contract_itself_has_no_drift(hero: Hero) -> None:
    ran = hero("drift", CONTRACT)
    assert (ran.code, ran.out) == (0, "")
    assert ran.err == "82 operations compared: 0 differences would break, 0 would not, 69 known\n"


def test_what_is_known_is_shown_with_its_reason(hero: Hero) -> None:
    ran = hero("drift", CONTRACT, "--known")
    assert ran.code == 0
    lines = ran.out.splitlines()
    why = "page numbers are int in Python, everywhere"
    assert f"known: request of admins.list.page_index: is text, the SDK has int ({why})" in lines
    assert len(lines) == 69


def test_a_description_that_breaks_ends_with_1(hero: Hero, mangled: Path) -> None:
    ran = hero("drift", mangled)
    assert ran.code == 1
    assert ran.out.splitlines() == [
        "breaks: messages.get: GET /v1/messages/{id} is gone",
        "differs: answer of messages.send.new: is new",
    ]
    assert "81 operations compared: 1 difference would break, 1 would not" in ran.err


def test_json_is_for_programs(hero: Hero, mangled: Path) -> None:
    ran = hero("drift", mangled, "--json")
    assert ran.code == 1
    assert (ran.json["compared"], ran.json["breaks"], len(ran.json["known"])) == (81, True, 69)
    assert ran.json["differences"] == [
        {
            "change": "gone",
            "where": "messages.get",
            "side": "",
            "says": "GET /v1/messages/{id} is gone",
            "breaks": True,
            "why": "",
        },
        {
            "change": "added",
            "where": "messages.send.new",
            "side": "answer",
            "says": "is new",
            "breaks": False,
            "why": "",
        },
    ]
    assert hero("drift", CONTRACT, "--json").json["breaks"] is False


@pytest.mark.parametrize(
    "text, words",
    [
        ("[" * 100_000, "FILE: is nested too deeply"),
        ("a: [", "FILE: is neither JSON nor YAML: line 2"),
        ("a: !!python/name:os.system ''", "FILE: is neither JSON nor YAML without tags of its own"),
        ("a: 1", "FILE: is not an OpenAPI 3 description"),
        ('{"swagger": "2.0"}', "FILE: is a Swagger 2 description"),
        ("", "FILE: is not an OpenAPI description"),
    ],
    ids=["deep", "broken", "unsafe", "other", "swagger", "empty"],
)
def test_a_file_that_cannot_be_compared_is_one_line_and_code_2(
    hero: Hero, tmp_path: Path, text: str, words: str
) -> None:
    path = tmp_path / "description.yaml"
    path.write_text(text)
    ran = hero("drift", path)
    assert (ran.code, ran.out) == (2, "")
    assert words in ran.error


def test_a_file_that_is_not_there_is_one_line_and_code_2(hero: Hero, tmp_path: Path) -> None:
    assert hero("drift", tmp_path / "none.yaml").code == 2
    ran = hero("drift", tmp_path)
    assert ran.code == 2
    assert "Is a directory" in ran.error


def test_json_needs_no_yaml_and_yaml_says_what_it_needs(mangled: Path) -> None:
    hidden = "import sys; sys.modules['yaml'] = None"
    code = f"{hidden}; from hero_async.cli import main; sys.exit(main(['drift', sys.argv[1]]))"
    python = command()[0]
    assert subprocess.run([python, "-c", code, mangled], capture_output=True, check=False).returncode == 1
    done = subprocess.run([python, "-c", code, CONTRACT], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr == "error: FILE: is not JSON, and YAML needs pyyaml: pip install 'hero-health[cli]'\n"
