"""Which data files of a revision a compaction takes, by their names."""

from dataclasses import dataclass

from govbr_assets.core.days import Day
from govbr_assets.core.layout import FileLayout
from govbr_assets.huggingface.snapshot import DataFile, Snapshot


@dataclass(frozen=True)
class Sources:
    """The data files of a revision, by what a compaction does with them.

    Attributes:
        periods: compacted files by period; 0 is the undated one.
        shards: of closed days, in the order of days.
        legacy: files of any other name.
        open: shards of days that are not over, which are not compacted.
    """

    periods: dict[int, DataFile]
    shards: list[DataFile]
    legacy: list[DataFile]
    open: list[DataFile]


def sources(snapshot: Snapshot, today: Day, layout: FileLayout) -> Sources:
    """Sort the data files of a snapshot by their names."""
    found = Sources({}, [], [], [])
    for file in snapshot.data_files:
        period, day = layout.period_of(file.path), layout.day_of(file.path)
        if period is not None:
            found.periods[period] = file
        elif day is not None:
            (found.open if day >= today else found.shards).append(file)
        else:
            found.legacy.append(file)
    return found
