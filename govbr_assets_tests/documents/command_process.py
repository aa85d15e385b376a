"""A process that runs commands one after another, each as on a command line, and ends with the first that fails.

Each in a process of its own would import Dagster again, which takes longer than the command. Input is a JSON list of
commands; a command may be the end of a pipe that begins with `echo`, which gets its words as standard input.
"""

import json
import os
import shlex
import sys
import tempfile
from collections.abc import Callable

from dagster._cli import create_dagster_cli


def dagster(words: list[str]) -> None:
    """Run `dagster`."""
    create_dagster_cli().main(words, prog_name="dagster")


def dg(words: list[str]) -> None:
    """Run `dg`."""
    from dagster_dg_cli.cli import create_dg_cli

    create_dg_cli().main(words, prog_name="dg")


def govbr_assets(words: list[str]) -> int:
    """Run the command of this project."""
    from govbr_assets.cli.main import run
    from govbr_assets.cli.signals import Signals

    with Signals() as signals:
        return run(words, signals)


def hf(words: list[str]) -> None:
    """Run the Hub's client, without its look for a newer version of itself."""
    from huggingface_hub.cli.hf import app

    sys.argv[1:] = words
    app()


PROGRAMS: dict[str, Callable[[list[str]], int | None]] = {
    "dagster": dagster,
    "dg": dg,
    "govbr-assets": govbr_assets,
    "hf": hf,
}


def run(command: str) -> int:
    """Run a command; return its exit code."""
    said, _, words = command.rpartition("|")
    with tempfile.TemporaryFile() as given:
        given.write(" ".join(shlex.split(said)[1:]).encode())
        given.seek(0)
        os.dup2(given.fileno(), 0)
    program, *arguments = shlex.split(words)
    try:
        return PROGRAMS[program](arguments) or 0
    except SystemExit as ended:
        return int(ended.code or 0)


def main() -> int:
    """Run them all, or up to the first that fails."""
    for command in json.load(sys.stdin):
        sys.stderr.write(f"$ {command}\n")
        if code := run(command):
            return code
    return 0


if __name__ == "__main__":
    sys.exit(main())
