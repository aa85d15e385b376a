"""`python -m govbr_assets.local demo|dev`: the product on this machine alone, without an account or a token."""

import argparse
import sys
from pathlib import Path

from govbr_assets.errors import GovbrAssetsError
from govbr_assets.local.demo import demo
from govbr_assets.local.dev import dev


def main() -> int:
    """Run one of the commands; return its exit code."""
    parser = argparse.ArgumentParser(prog="python -m govbr_assets.local", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    shown = commands.add_parser(
        "demo", help="publish two weeks of sample news, twice, and some late rows; from scratch"
    )
    shown.add_argument("--folder", type=Path, default=Path(".local/demo"), help="made anew (default: %(default)s)")
    served = commands.add_parser("dev", help="serve the Dagster UI on the local stack until Ctrl-C")
    served.add_argument("--folder", type=Path, default=Path(".local/dev"), help="kept (default: %(default)s)")
    served.add_argument("--port", type=int, default=3000, help="of the UI (default: %(default)s)")
    served.add_argument("--delay", type=float, default=0.0, help="seconds to the Hub and back (default: %(default)s)")
    options = parser.parse_args()
    try:
        if options.command == "demo":
            return demo(options.folder)
        return dev(options.folder, options.port, options.delay)
    except GovbrAssetsError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
