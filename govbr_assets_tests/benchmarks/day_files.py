"""The least that publishing rows can cost: from PostgreSQL into a folder, a file for each day that has rows.

A program of its own: `python -m govbr_assets_tests.benchmarks.day_files URL FIRST LAST FOLDER`.
"""

import sys
from datetime import date, timedelta
from pathlib import Path

from govbr_assets.core.days import Day
from govbr_assets.postgres.news import NewsTable
from govbr_assets.publications import NEWS
from govbr_assets_tests.tables import encode


def write(url: str, first: str, last: str, folder: str) -> None:
    """Write the files of a range of days, both ends included."""
    length = (date.fromisoformat(last) - date.fromisoformat(first)).days + 1
    days = [Day(date.fromisoformat(first) + timedelta(days=number)) for number in range(length)]
    take = NewsTable(url, NEWS).read_days(days)
    for day in days:
        rows = take(day).select(NEWS.schema.names)
        if rows.num_rows:
            (Path(folder) / f"{day}.parquet").write_bytes(encode(rows))


if __name__ == "__main__":
    write(*sys.argv[1:])
