"""Where rows lie on the Hub: paths, the glob that readers use, and how large a row group and a row may be.

How a file is written belongs to `dataset.parquet`.
"""

import re

from govbr_assets.core.days import Day

DATA_PATTERN = "data/train-*.parquet"
"""The glob in the dataset card; readers also use it directly, so folder and prefix are fixed."""

CARD_PATH = "README.md"
STALE_INFO_PATH = "dataset_infos.json"
"""An old file whose split sizes make every reader fail once a shard is added."""

ROW_GROUP_ROWS = 10_000
"""Rows of a row group at most."""

ROW_GROUP_BYTES = 64 << 20
"""Bytes of a row group at most, as `sizes.row_sizes` counts them, but for a row that alone has more.

Readers and our own worker hold some row groups in memory. The dataset viewer copies a file whose row groups are under
100 MB as it is, and refuses to read from one of over 286 MiB. Ten thousand ordinary news have 30 to 60 MB.
"""

LARGE_GROUP_BYTES = 2 * ROW_GROUP_BYTES
"""Bytes of a row group from which on it is none of ours: it is read bit by bit, and a fold makes it anew."""

ROW_BYTES = ROW_GROUP_BYTES
"""Bytes of the texts of a row that is published at most.

PostgreSQL allows 1 GB in a field, and text in Arrow 2 GB in a column; but whoever reads or writes a row needs memory
for several copies of it, and a row over this bound would break that of row groups.
"""

_SHARD = re.compile(r"data/train-(\d{4}-\d{2}-\d{2})\.parquet")
_YEAR = re.compile(r"data/train-(\d{4})-00\.parquet")
UNDATED_PATH = "data/train-0000-undated.parquet"
"""Rows without `published_at`: first by name, so that the end of the dataset is news."""


def year_path(year: int) -> str:
    """Name the folded file of a year, such as `data/train-2026-00.parquet`; year 0 is for rows without a time."""
    return f"data/train-{year:04d}-00.parquet" if year else UNDATED_PATH


def folded_year(path: str) -> int | None:
    """Tell the year of a folded file from its path, 0 for the undated one; None for any other path."""
    match = _YEAR.fullmatch(path)
    year = int(match[1]) if match else 0
    return year if path == year_path(year) else None


def shard_path(day: Day) -> str:
    """Name the one shard of a day, such as `data/train-2026-01-15.parquet`."""
    return f"data/train-{day}.parquet"


def shard_day(path: str) -> Day | None:
    """Tell the day of a shard from its path; None for a path that is no day's shard."""
    match = _SHARD.fullmatch(path)
    try:
        return Day.of(match[1]) if match else None
    except ValueError:  # month 00 is a folded year, and 2026-02-31 is no day
        return None


def is_parquet(path: str) -> bool:
    """Say whether a file is Parquet by its name; whether it is one of ours says `scope`."""
    return path.endswith(".parquet")


def may_hold(path: str, day: Day) -> bool:
    """Say whether a file of ours can hold rows of the day: by its name another day's shard and another year cannot."""
    return folded_year(path) in (None, day.date.year) and shard_day(path) in (None, day)


def rows_at_once(rows: int, size: int, *, most_rows: int, most_bytes: int) -> int:
    """Say how many rows of a row group are read at a time so that they are no more than some bytes, as far as it tells.

    Args:
        rows: of the row group.
        size: its bytes.
        most_rows: rows at most.
        most_bytes: bytes at most.
    """
    return max(1, min(most_rows, most_bytes * rows // max(1, size)))
