"""Which revision of the full dataset the next commit of a projection mirrors.

That is the newest one, unless more files than one commit may have would be made: then it is one on the way there, which
the history of the full dataset has, so that every revision of the projection is whole and has each row once.
"""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import cache
from itertools import takewhile

from govbr_assets.dataset import Dataset
from govbr_assets.errors import ContractError
from govbr_assets.huggingface.snapshot import DataFile, Snapshot


class Sources:
    """The revisions of the full dataset up to the one that is to be mirrored.

    Args:
        full: the full dataset.
        goal: its snapshot that is to be mirrored in the end.
    """

    def __init__(self, full: Dataset, goal: Snapshot) -> None:
        self._full, self._goal = full, goal
        self._data_files = cache(self._read_data_files)  # of a revision, which never changes

    def next(self, since: str, origins: Mapping[str, str], most: int) -> tuple[str, tuple[DataFile, ...]]:
        """Choose the revision to mirror next, and list its data files.

        Args:
            since: the one that is mirrored; empty if none is known.
            origins: content of the full dataset that is mirrored, by path.
            most: files that one commit may make.

        Raises:
            HubUnavailableError: the Hub is out of reach.
        """
        goal = self._goal.revision or ""
        if len(stale_files(self._data_files(goal), origins)) <= most:
            return goal, self._data_files(goal)
        for revision in takewhile(lambda each: each != since, self._history()):
            wanted = self._data_files(revision)
            some = 0 < len(stale_files(wanted, origins)) <= most
            if some and any(map(self._full.reader.row_count, wanted)):
                return revision, wanted
        return goal, self._data_files(goal)  # what one commit of others did, one commit follows

    def _history(self) -> Iterator[str]:
        """List the revisions, the newest first."""
        return (each.revision for each in self._full.client.commits(self._goal.revision or ""))

    def _read_data_files(self, revision: str) -> tuple[DataFile, ...]:
        """List the data files at a revision; none if nobody can load it."""
        with suppress(ContractError):
            return tuple((self._goal if revision == self._goal.revision else self._full.client.at(revision)).data_files)
        return ()


def stale_files(wanted: tuple[DataFile, ...], origins: Mapping[str, str]) -> tuple[DataFile, ...]:
    """List the files of the full dataset that are not mirrored as they are.

    Args:
        wanted: its data files.
        origins: content of the full dataset that is mirrored, by path.
    """
    return tuple(file for file in wanted if origins.get(file.path) != file.content)
