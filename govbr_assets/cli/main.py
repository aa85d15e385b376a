"""The command itself: its sub-commands, and every error as one sentence with an exit code."""

import sys
from importlib.metadata import version

import click

from govbr_assets.cli.mend import mend
from govbr_assets.cli.plan import plan
from govbr_assets.cli.show import print_error
from govbr_assets.cli.signals import Signals
from govbr_assets.cli.status import status
from govbr_assets.cli.streams import Stream
from govbr_assets.errors import ConfigurationError, GovbrAssetsError

NAME = "govbr-assets"
_FAILED, _USAGE = 1, 2


@click.group(NAME, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(version(NAME), message="%(prog)s %(version)s")
def commands() -> None:
    """Keep a Hugging Face dataset equal to a PostgreSQL table, on a machine without Dagster's daemon.

    Settings are environment variables, as everywhere in the product (GOVBR_POSTGRES_URL, GOVBR_REPO_ID, HF_TOKEN and
    so on). Exit codes: 0 if what a command says holds, 1 if not, 2 if it was called or set up wrongly, 130 and 143
    after Ctrl-C and SIGTERM.
    """


for _command in (mend, status, plan):
    commands.add_command(_command)


def main() -> None:
    """Run a command, and exit with its code."""
    output, errors = Stream(1), Stream(2)
    sys.stdout, sys.stderr = output.text(sys.stdout), errors.text(sys.stderr)
    with Signals() as signals:
        sys.unraisablehook = signals.unraisable
        code = run(sys.argv[1:], signals)
    sys.stdout.flush()
    if output.problem:
        print_error(output.problem, _FAILED, as_json=False)
    sys.exit(code or (_FAILED if output.error else 0))


def run(arguments: list[str], signals: Signals) -> int:
    """Run a command.

    Args:
        arguments: of the command line, without the name; none ask for help.
        signals: what has come by signals.

    Returns:
        Its exit code.
    """
    as_json = "--json" in arguments
    try:
        return commands.main(arguments or ["--help"], prog_name=NAME, standalone_mode=False, obj=signals) or 0
    except click.UsageError as error:
        path = " ".join([NAME, *(each for each in arguments[:1] if each in commands.commands)])
        return print_error(f"{error.format_message().rstrip('.')}: see {path} --help.", _USAGE, as_json=as_json)
    except ConfigurationError as error:
        return print_error(str(error), _USAGE, as_json=as_json)
    except GovbrAssetsError as error:
        return print_error(str(error), _FAILED, as_json=as_json)
    except (click.Abort, KeyboardInterrupt):
        return print_error("Interrupted.", signals.exit_code or _FAILED, as_json=as_json)
