"""`hero completion`: what a shell needs to complete the command's words."""

from __future__ import annotations

from typing import Literal

from hero_async.cli import output
from hero_async.cli.failures import Exit
from hero_async.cli.options import COMMON, Common


def completion(shell: Literal["bash", "zsh", "fish", "powershell"], /, *, common: Common = COMMON) -> int:
    """Print the script that lets a shell complete commands and options.

    bash: `hero completion bash > ~/.local/share/bash-completion/completions/hero`

    zsh: `hero completion zsh > ~/.zfunc/_hero`, with `~/.zfunc` in `fpath`

    fish: `hero completion fish > ~/.config/fish/completions/hero.fish`

    Args:
        shell: Which shell.
        common: Options of every command.
    """
    from hero_async.cli.app import build  # here: it names this module

    output.answer_bytes(build().generate_completion(shell=shell).rstrip().encode())
    return Exit.OK
