"""The files of a repo at one revision, by name and content. Asks nobody anything."""

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from govbr_assets.core.days import Day
from govbr_assets.core.layout import is_data_file, may_hold, shard_day, shard_path
from govbr_assets.hub.content import Content, git_id_of, sha256_of, size_of


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

    @classmethod
    def of(cls, path: str, content: Content) -> "HubFile":
        """Say what a content is on the Hub once it is published: data files count as large ones."""
        name = sha256_of if is_data_file(path) else git_id_of
        return cls(path, name(content), size_of(content))

    def holds(self, content: Content) -> bool:
        """Say whether this is what is in it."""
        name = sha256_of if len(self.content) == 64 else git_id_of
        return self.size == size_of(content) and self.content == name(content)


@dataclass(frozen=True)
class HubFileAt:
    """A file as it is at a revision.

    Attributes:
        file: the file.
        revision: 40 hex digits.
    """

    file: HubFile
    revision: str


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

    def with_changes(self, revision: str, put: Iterable[HubFile], delete: Container[str]) -> "Snapshot":
        """Say what a commit on this revision makes of it, without listing it again."""
        files = {path: file for path, file in self.files.items() if path not in delete}
        return Snapshot(revision, files | {file.path: file for file in put})
