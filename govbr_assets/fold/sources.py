"""What of a revision is to be folded, and its rows on their way from the Hub to the disk."""

import hashlib
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from govbr_assets.core.castable import as_contract
from govbr_assets.core.consolidation import sourced
from govbr_assets.core.days import Day
from govbr_assets.core.layout import folded_year, shard_day
from govbr_assets.errors import ContractError
from govbr_assets.fold.scratch import check_room
from govbr_assets.hub import Hub, HubFile, Snapshot, fetch

_AT_ONCE = 4  # files on their way
_BATCH_BYTES = 16 << 20  # of rows that are taken up together


@dataclass(frozen=True)
class Sources:
    """The data files of a revision, by what the fold does with them.

    Attributes:
        years: folded files by year; 0 is the undated one.
        shards: of closed days, in the order of days.
        legacy: files of any other name.
        open: shards of days that are not over, which stay.
    """

    years: dict[int, HubFile]
    shards: list[HubFile]
    legacy: list[HubFile]
    open: list[HubFile]


def sources(snapshot: Snapshot, today: Day) -> Sources:
    """Say by their names which files a fold takes up."""
    found = Sources({}, [], [], [])
    for file in snapshot.data_files:
        year, day = folded_year(file.path), shard_day(file.path)
        if year is not None:
            found.years[year] = file
        elif day is not None:
            (found.open if day >= today else found.shards).append(file)
        else:
            found.legacy.append(file)
    return found


class Inbox:
    """Files of the Hub on the disk, each fetched once.

    Args:
        hub: the repo.
        folder: where they are kept.
    """

    def __init__(self, hub: Hub, folder: Path) -> None:
        self._hub, self._folder = hub, folder
        folder.mkdir()

    def get(self, snapshot: Snapshot, file: HubFile) -> Path:
        """Give the local copy of a file."""
        path = self.path(file)
        if not path.exists():
            part = path.with_suffix(".part")
            check_room(self._folder, 3 * file.size)  # of a year's file another one is made, by way of its months
            fetch(self._hub, snapshot, file, part)
            part.rename(path)
        return path

    def adopt(self, file: HubFile, path: Path) -> None:
        """Take a file that is to be published in, so that it is never fetched."""
        path.rename(self.path(file))

    def stream(self, snapshot: Snapshot, files: Sequence[HubFile]) -> Iterator[tuple[HubFile, Path]]:
        """Give local copies one after another, while the next ones are on their way."""
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            coming: list[tuple[HubFile, Future[Path]]] = []
            try:
                for file in files:
                    coming.append((file, pool.submit(self.get, snapshot, file)))
                    if len(coming) > _AT_ONCE:
                        first, path = coming.pop(0)
                        yield first, path.result()
                yield from ((file, path.result()) for file, path in coming)
            finally:
                for _, path in coming:
                    path.cancel()

    def drop(self, file: HubFile) -> None:
        """Remove the local copy of a file that is not needed any more."""
        self.path(file).unlink(missing_ok=True)

    def keep_only(self, files: Sequence[HubFile]) -> None:
        """Remove the copies of all other files."""
        for path in set(self._folder.iterdir()) - set(map(self.path, files)):
            path.unlink()

    def path(self, file: HubFile) -> Path:
        """Name the copy; two files may have the same content, and each is dropped on its own."""
        return self._folder / f"{file.content}-{hashlib.sha256(file.path.encode()).hexdigest()}"


def local_rows(path: Path, source: str) -> Iterator[pa.Table]:
    """Stream the rows of a local copy, whoever wrote it: [n rows x 26] each of `SOURCED_SCHEMA`.

    Args:
        path: where it is.
        source: its path on the Hub.

    Raises:
        ContractError: rows that cannot become the contract's without loss.
    """
    with _reading(source), pq.ParquetFile(path, pre_buffer=False, buffer_size=1 << 20) as parquet:
        metadata = parquet.metadata
        size = sum(metadata.row_group(index).total_byte_size for index in range(metadata.num_row_groups))
        rows = max(1, min(10_000, _BATCH_BYTES * metadata.num_rows // max(1, size)))
        for batch in parquet.iter_batches(rows, use_threads=False):
            yield sourced(as_contract(pa.Table.from_batches([batch]), source), source)


def local_metadata(path: Path, source: str) -> pq.FileMetaData:
    """Read what the footer of a local copy says.

    Raises:
        ContractError: it is no Parquet file.
    """
    with _reading(source):
        return pq.read_metadata(path)


@contextmanager
def _reading(source: str) -> Iterator[None]:
    """Speak of the file that cannot be read."""
    try:
        yield
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError) as error:
        raise ContractError(f"{source} on the Hub cannot be read: {error}") from error
