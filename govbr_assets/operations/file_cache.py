"""Files of the Hub on the disk, each fetched once."""

import hashlib
from collections.abc import Generator, Iterable, Sequence
from pathlib import Path
from threading import Lock

from govbr_assets.dataset import Dataset
from govbr_assets.dataset.local_copy import copy_to_disk
from govbr_assets.huggingface.blob import Blob
from govbr_assets.huggingface.download import fetched
from govbr_assets.huggingface.snapshot import DataFile
from govbr_assets.io.parallel import map_ordered
from govbr_assets.io.scratch import check_room

_AT_ONCE = 4  # files on their way
_IN_MEMORY = 1 << 20  # bytes: a file up to this size does not come onto the disk


class FileCache:
    """Files of the Hub on the disk, each fetched once.

    Args:
        dataset: the dataset.
        folder: where they are kept.
    """

    def __init__(self, dataset: Dataset, folder: Path) -> None:
        self._dataset, self._folder = dataset, folder
        self._held: set[DataFile] = set()
        self._large = Lock()  # those who bring large files wait for each other: each takes some megabytes at a time
        folder.mkdir()

    def get(self, file: DataFile) -> Path:
        """Return the local copy of a file."""
        path = self.path(file)
        if file not in self._held:
            part = path.with_suffix(".part")
            check_room(self._folder, 3 * file.size)  # of a year's file another one is made, by way of its months
            copy_to_disk(self._dataset, file, part)
            part.rename(path)
            self._held.add(file)
        return path

    def adopt(self, file: DataFile, path: Path) -> None:
        """Take a file that is to be published in, so that it is never fetched."""
        path.rename(self.path(file))
        self._held.add(file)

    def stream(self, files: Sequence[DataFile]) -> Generator[tuple[DataFile, Blob], None, None]:
        """Give files one after another, while the next ones are on their way: local copies, of small ones the bytes."""
        return map_ordered(lambda file: (file, self._bring(file)), files, _AT_ONCE)

    def _bring(self, file: DataFile) -> Blob:
        if file.size > _IN_MEMORY or file in self._held:
            with self._large:
                return self.get(file)
        return fetched(self._dataset.client, file)

    def drop(self, file: DataFile) -> None:
        """Remove the local copy of a file that is not needed any more, if there is one."""
        if file in self._held:
            self._held.remove(file)
            self.path(file).unlink()

    def keep_only(self, files: Iterable[DataFile]) -> None:
        """Remove the copies of all other files."""
        for file in self._held.difference(files):
            self.drop(file)

    def path(self, file: DataFile) -> Path:
        """Name the copy; two files may have the same content, and each is dropped on its own."""
        return self._folder / f"{file.content}-{hashlib.sha256(file.path.encode()).hexdigest()}"
