"""Where rows lie on the Hub: which file holds which rows, and how large a row group and a row may be.

How a file is written belongs to `dataset.parquet`.
"""

import re
from dataclasses import dataclass

from govbr_assets.core.days import Day

DATA_PATTERN = "data/train-*.parquet"
"""The glob in the dataset card; readers also use it directly, so folder and prefix are fixed."""

CARD_PATH = "README.md"
CHANGELOG_PATH = "CHANGELOG.md"
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
"""Bytes above which a row group was not written here: it is read in parts, and a compaction rewrites it."""

ROW_BYTES = ROW_GROUP_BYTES
"""Bytes of the texts of a row that is published at most.

PostgreSQL allows 1 GB in a field, and text in Arrow 2 GB in a column; but whoever reads or writes a row needs memory
for several copies of it, and a row over this bound would break that of row groups.
"""

UNDATED_PATH = "data/train-0000-undated.parquet"
"""Rows without `published_at`: first by name, so that the end of the dataset is news."""

UNDATED = 0
"""The day, the month and the period of a row without `published_at`."""

_DAY = re.compile(r"data/train-(\d{4}-\d{2}-\d{2})\.parquet")
_YEAR = re.compile(r"data/train-(\d{4})-00\.parquet")


@dataclass(frozen=True)
class FileLayout:
    """Which file rows belong in: a shard a day, and when days are compacted one file a period.

    A period is a year here. Another one is another `period_of_month`, with names (`compacted_path`) that `DATA_PATTERN`
    reaches and that sort before those of the period's days, and their inverse (`period_of`). A month is in one period.
    """

    def day_path(self, day: Day) -> str:
        """Name the shard of a day, such as `data/train-2026-01-15.parquet`."""
        return f"data/train-{day}.parquet"

    def day_of(self, path: str) -> Day | None:
        """Return the day of a shard; None for a path that is no day's shard."""
        match = _DAY.fullmatch(path)
        try:
            return Day.of(match[1]) if match else None
        except ValueError:  # no day of the calendar, as month 00 is in the name of a year
            return None

    def period_of_month(self, month: int) -> int:
        """Return the period of a month such as 202601: a number that grows with time, `UNDATED` for `UNDATED`."""
        return month // 100

    def compacted_path(self, period: int) -> str:
        """Name the compacted file of a period, such as `data/train-2026-00.parquet`."""
        return f"data/train-{period:04d}-00.parquet" if period else UNDATED_PATH

    def period_of(self, path: str) -> int | None:
        """Return the period of a compacted file; None for a path that is none's."""
        match = _YEAR.fullmatch(path)
        period = int(match[1]) if match else UNDATED
        return period if path == self.compacted_path(period) else None

    def period_of_day(self, day: Day) -> int:
        """Return the period of a day."""
        return self.period_of_month(day.date.year * 100 + day.date.month)

    def compacted_path_for(self, day: Day) -> str:
        """Name the compacted file of the period of a day."""
        return self.compacted_path(self.period_of_day(day))

    def is_ours(self, path: str) -> bool:
        """Return whether a path is one of a shard or of a compacted file."""
        return self.day_of(path) is not None or self.period_of(path) is not None

    def may_hold(self, path: str, day: Day) -> bool:
        """Return whether a file can hold rows of a day: by its name another day's and another period's cannot."""
        return self.period_of(path) in (None, self.period_of_day(day)) and self.day_of(path) in (None, day)


def is_parquet(path: str) -> bool:
    """Return whether a file is Parquet by its name; whether it is one of ours says `scope`."""
    return path.endswith(".parquet")


def rows_at_once(rows: int, size: int, *, most_rows: int, most_bytes: int) -> int:
    """Count the rows of a row group that are read at a time, so that they have no more than some bytes, by its size.

    Args:
        rows: of the row group.
        size: its bytes.
        most_rows: rows at most.
        most_bytes: bytes at most.
    """
    return max(1, min(most_rows, most_bytes * rows // max(1, size)))
