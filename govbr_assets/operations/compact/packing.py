"""Which files the next commit of a fold takes up."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from govbr_assets.core.layout import folded_year
from govbr_assets.huggingface.snapshot import DataFile
from govbr_assets.operations.compact.shelf import Shelf


@dataclass(frozen=True)
class CommitPacker:
    """Takes files for commits.

    Attributes:
        shelf: knows what months they have.
        breaking: files that break readers, beside other files or if they are the first one.
        most: files of one commit, the year files that it makes among them.
    """

    shelf: Shelf
    breaking: Collection[DataFile]
    most: int

    def take(self, waiting: Sequence[DataFile], years: set[int]) -> tuple[list[DataFile], set[int]]:
        """Take as many files as find room in a commit.

        Args:
            waiting: files, those that should come first before others.
            years: that the commit makes anyhow.

        Returns:
            The files, at least one if there is any, and the years that the commit makes.
        """
        taken, all_years = [], years
        for file in sorted(waiting, key=lambda file: not self._goes_first(file)):
            more = all_years | self._years([file])
            if taken and not self._goes_first(file) and len(taken) + 1 + len(more) > self.most:
                taken = self._whole_months(taken, file)
                return taken, self._years(taken) | years
            taken.append(file)
            all_years = more
        return taken, all_years

    def _whole_months(self, taken: list[DataFile], following: DataFile) -> list[DataFile]:
        """Leave a month that finds no room to the next commit, all of it: else it would be made twice."""
        months, count = self.shelf.lot(following).parts, len(taken)
        while count and not self._goes_first(taken[count - 1]) and self.shelf.lot(taken[count - 1]).parts & months:
            count -= 1
        return taken[:count] or taken

    def _goes_first(self, file: DataFile) -> bool:
        """Say whether a file has to go with the first commit, however many there are of its kind.

        What stands in the place of a year's file may be overwritten by it, and what breaks readers must not stand
        beside files that do not.
        """
        return folded_year(file.path) is not None or file in self.breaking

    def _years(self, files: Iterable[DataFile]) -> set[int]:
        """Tell the years that the rows of files are of."""
        return {month // 100 for file in files for month in self.shelf.lot(file).parts}
