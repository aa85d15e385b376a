"""Which files the next commit of a compaction takes."""

from collections.abc import Collection, Sequence

from govbr_assets.huggingface.snapshot import DataFile
from govbr_assets.operations.compact.staged_files import StagedFiles


def pack_commit(
    waiting: Sequence[DataFile], staged: StagedFiles, breaking: Collection[DataFile], periods: set[int], most: int
) -> list[DataFile]:
    """Take as many files as find room in a commit.

    What stands in the place of a compacted file may be overwritten by it, and what breaks readers must not stand beside
    files that do not: these go with the first commit, however many they are.

    Args:
        waiting: files, those that should come first before others.
        staged: knows what months they have.
        breaking: files that break readers, beside other files or if they are the first one.
        periods: that the commit makes anyhow.
        most: files of one commit, the compacted files that it makes among them.

    Returns:
        The files, at least one if there is any.
    """
    taken = [file for file in waiting if staged.layout.period_of(file.path) is not None or file in breaking]
    first, made = len(taken), periods.union(*(periods_of(staged, file) for file in taken))
    for file in [each for each in waiting if each not in {*taken}]:
        made |= periods_of(staged, file)
        if taken and len(taken) + 1 + len(made) > most:
            return taken[: _whole_months(taken, first, staged, staged[file].months)] or taken
        taken.append(file)
    return taken


def _whole_months(taken: Sequence[DataFile], first: int, staged: StagedFiles, months: set[int]) -> int:
    """Leave months that find no room to the next commit, all of them: else they would be made twice."""
    count = len(taken)
    while count > first and staged[taken[count - 1]].months & months:
        count -= 1
    return count


def periods_of(staged: StagedFiles, file: DataFile) -> set[int]:
    """Return the periods that the rows of a file are of."""
    return {staged.layout.period_of_month(month) for month in staged[file].months}
