"""A process that runs commands of Dagster one after another, each as on a command line, and ends with the first fault.

Each in a process of its own would import Dagster again, which takes longer than the command. Input is a JSON list of
commands; a command may be the end of a pipe that begins with `echo`, which gets its words as standard input.
"""

import json
import os
import shlex
import sys
import tempfile

import click
from dagster._cli import create_dagster_cli


def dg() -> click.Command:
    """Give the command line of `dg`."""
    from dagster_dg_cli.cli import create_dg_cli

    return create_dg_cli()


PROGRAMS = {"dagster": create_dagster_cli, "dg": dg}


def run(command: str) -> int:
    """Run a command; return its exit code."""
    said, _, words = command.rpartition("|")
    with tempfile.TemporaryFile() as given:
        given.write(" ".join(shlex.split(said)[1:]).encode())
        given.seek(0)
        os.dup2(given.fileno(), 0)
    program, *arguments = shlex.split(words)
    try:
        PROGRAMS[program]().main(arguments, prog_name=program, standalone_mode=True)
    except SystemExit as ended:
        return int(ended.code or 0)
    return 0


def main() -> int:
    """Run them all, or up to the first that fails."""
    for command in json.load(sys.stdin):
        sys.stderr.write(f"$ {command}\n")
        if code := run(command):
            return code
    return 0


if __name__ == "__main__":
    sys.exit(main())
