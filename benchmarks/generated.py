"""The two generated clients, made from our contract at run time, in virtual environments that clash with nothing."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Mapping
from pathlib import Path

from benchmarks.turns import ROOT

CONTRACT = ROOT / "tests" / "contract" / "openapi.yaml"
WORK = ROOT / "build" / "bench"

PEERS: Mapping[str, tuple[str, str]] = {
    "openapi_python_client": ("openapi-python-client", "hero_health_public_api_client"),
    "openapi_generator": ("openapi-generator-cli", "openapi_client"),
}
"""By peer: the package on PyPI that makes it, and the package that it makes."""


def _commands(peer: str, tools: Path, out: Path) -> list[str]:
    if peer == "openapi_python_client":
        return [str(tools / "openapi-python-client"), "generate", "--path", str(CONTRACT), "--output-path", str(out)]
    # Our contract leaves out answers of webhooks, which this generator's check refuses and its templates do not need.
    options = ["-g", "python", "--library", "asyncio", "--skip-validate-spec", "-i", str(CONTRACT), "-o", str(out)]
    return [str(tools / "openapi-generator-cli"), "generate", *options]


def make(peer: str) -> Path:
    """The folder that holds the generated package, made unless it is there already.

    Raises:
        RuntimeError: It cannot be made here: no network, no Java.
    """
    distribution, package = PEERS[peer]
    out = WORK / peer
    contract_then = out / "contract.yaml"
    if contract_then.exists() and contract_then.read_bytes() == CONTRACT.read_bytes():
        return out
    if peer == "openapi_generator" and shutil.which("java") is None:
        raise RuntimeError("there is no java on this machine")
    shutil.rmtree(out, ignore_errors=True)
    tools = WORK / "tools" / peer
    try:
        if not (tools / "bin" / distribution).exists():
            venv.create(tools, with_pip=True, clear=True)
            pip = [str(tools / "bin" / "python"), "-m", "pip", "install", "-q", distribution]
            subprocess.run(pip, check=True, capture_output=True, text=True)
        path = f"{tools / 'bin'}{os.pathsep}{os.environ['PATH']}"  # it calls ruff, which it brings
        command = _commands(peer, tools / "bin", out)
        subprocess.run(command, check=True, capture_output=True, text=True, env=os.environ | {"PATH": path})
    except (subprocess.CalledProcessError, OSError) as error:
        shutil.rmtree(out, ignore_errors=True)
        words = str(getattr(error, "stderr", "") or error).strip().splitlines()[-1:]
        raise RuntimeError(f"{distribution} failed: {' '.join(words)}") from error
    if not (out / package).is_dir():
        raise RuntimeError(f"{distribution} made no {package}")
    shutil.copyfile(CONTRACT, contract_then)
    return out


def version(peer: str) -> str:
    """The version of the tool that made it."""
    tool = WORK / "tools" / peer / "bin" / "python"
    code = f"from importlib.metadata import version; print(version({PEERS[peer][0]!r}))"
    return subprocess.run([str(tool), "-c", code], check=True, capture_output=True, text=True).stdout.strip()


def make_all() -> tuple[dict[str, Path], dict[str, str]]:
    """The folders of what could be made, and why the rest is left out: told loudly."""
    made: dict[str, Path] = {}
    skipped: dict[str, str] = {}
    for peer in PEERS:
        try:
            made[peer] = make(peer)
        except RuntimeError as error:
            skipped[peer] = str(error)
            print(f"\n!!! SKIPPED: {PEERS[peer][0]}: {error} !!!\n", file=sys.stderr)
    return made, skipped
