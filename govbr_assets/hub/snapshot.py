"""The files of a repo at one revision, by name and content. Asks nobody anything."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from govbr_assets.core.days import Day
from govbr_assets.core.layout import is_data_file, may_hold, shard_day, shard_path


@dataclass(frozen=True)
class HubFile:
    """A file of the repo.

    Attributes:
        path: in the repo.
        content: id of what is in it, the same for the same bytes: the sha256 of a large file, git's id of a small one.
        size: bytes.
    """

    path: str
    content: str
    size: int

    def holds(self, content: bytes) -> bool:
        """Say whether these bytes are what is in it."""
        return self.content == (hashlib.sha256(content).hexdigest() if len(self.content) == 64 else git_id(content))


@dataclass(frozen=True)
class Snapshot:
    """The repo at one revision.

    Attributes:
        revision: 40 hex digits; None while the repo does not exist.
        files: by path.
    """

    revision: str | None
    files: Mapping[str, HubFile]

    @cached_property
    def data_files(self) -> list[HubFile]:
        """Files whose rows readers see, in the order of their names."""
        return [self.files[path] for path in sorted(self.files) if is_data_file(path)]

    def files_for(self, day: Day) -> list[HubFile]:
        """Data files that can hold rows of the day."""
        return [
            file for file in (*self._not_shards, self.files.get(shard_path(day))) if file and may_hold(file.path, day)
        ]

    @cached_property
    def _not_shards(self) -> list[HubFile]:
        """Data files that are no day's shard."""
        return [file for file in self.data_files if shard_day(file.path) is None]

    def with_changes(self, revision: str, put: Mapping[str, bytes], delete: tuple[str, ...]) -> "Snapshot":
        """Say what a commit on this revision makes of it, without listing it again."""
        files = {path: file for path, file in self.files.items() if path not in delete}
        for path, content in put.items():
            content_id = hashlib.sha256(content).hexdigest() if is_data_file(path) else git_id(content)
            files[path] = HubFile(path, content_id, len(content))
        return Snapshot(revision, files)


def git_id(content: bytes) -> str:
    """Name a content as git does."""
    return hashlib.sha1(f"blob {len(content)}\0".encode() + content, usedforsecurity=False).hexdigest()
