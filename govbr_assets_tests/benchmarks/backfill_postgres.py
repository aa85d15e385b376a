"""The backfill with Dagster's records in PostgreSQL, as in production; what is measured is told in `backfill`."""

from govbr_assets_tests.benchmarks import backfill


def run(rows: int = backfill.ROWS) -> None:
    """Measure and print.

    Args:
        rows: how many; the days are fewer or more with them.

    Raises:
        RuntimeError: a command failed, or did not do what is measured here.
    """
    backfill.run(rows, postgres=True)
