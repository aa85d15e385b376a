"""Which file's rows lie in which spill; several may share one, which stays until the last of them is gone."""

from collections.abc import Iterable

from govbr_assets.huggingface.snapshot import DataFile
from govbr_assets.operations.compact.spill import Lot, Share, Spill


class Shelf:
    """The files of which the rows are on the disk."""

    def __init__(self) -> None:
        self._spills: dict[DataFile, Spill] = {}

    def __contains__(self, file: DataFile) -> bool:
        return file in self._spills

    def put(self, file: DataFile, spill: Spill) -> None:
        """Note where the rows of a file are."""
        self._spills[file] = spill

    def lot(self, file: DataFile) -> Lot:
        """Say what came out of a file."""
        return self._spills[file].lot(file.path)

    def shares(self, files: Iterable[DataFile]) -> list[Share]:
        """Give the rows of files, of all that lie in one spill at once."""
        sources: dict[Spill, set[str]] = {}
        for file in files:
            sources.setdefault(self._spills[file], set()).add(file.path)
        return [Share(spill, frozenset(paths)) for spill, paths in sources.items()]

    def keep_only(self, files: Iterable[DataFile]) -> None:
        """Remove what is of no other files."""
        gone = {self._spills.pop(file) for file in self._spills.keys() - set(files)}
        for spill in gone.difference(self._spills.values()) if gone else ():
            spill.path.unlink()
