"""A layout with one compacted file a month, as somebody would write it whose years are too large."""

import re

from govbr_assets.core.layout import UNDATED_PATH, FileLayout

_MONTH = re.compile(r"data/train-(\d{4})-(\d{2})-00\.parquet")


class MonthlyFiles(FileLayout):
    """One compacted file a month."""

    def period_of_month(self, month: int) -> int:
        """Return the month itself."""
        return month

    def compacted_path(self, period: int) -> str:
        """Name the compacted file of a month, such as `data/train-2026-01-00.parquet`."""
        return f"data/train-{period // 100:04d}-{period % 100:02d}-00.parquet" if period else UNDATED_PATH

    def period_of(self, path: str) -> int | None:
        """Return the month of a compacted file."""
        match = _MONTH.fullmatch(path)
        period = int(match[1]) * 100 + int(match[2]) if match else 0
        return period if path == self.compacted_path(period) else None
