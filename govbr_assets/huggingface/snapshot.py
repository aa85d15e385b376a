"""The files of a repo at one revision, by name and content, and which of them are our dataset. Asks nobody anything."""

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from govbr_assets.core.card import Card
from govbr_assets.core.card_yaml import Metadata
from govbr_assets.core.days import Day
from govbr_assets.core.layout import is_parquet, may_hold, shard_day, shard_path
from govbr_assets.core.scope import Scope, scope_of
from govbr_assets.huggingface.blob import Blob, git_id_of, sha256_of, size_of


@dataclass(frozen=True)
class DataFile:
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
    def of(cls, path: str, content: Blob) -> "DataFile":
        """Say what a content is on the Hub once it is published: Parquet files count as large ones."""
        name = sha256_of if is_parquet(path) else git_id_of
        return cls(path, name(content), size_of(content))

    def holds(self, content: Blob) -> bool:
        """Say whether this is what is in it."""
        name = sha256_of if len(self.content) == 64 else git_id_of
        return self.size == size_of(content) and self.content == name(content)


@dataclass(frozen=True)
class DataFileAt:
    """A file as it is at a revision.

    Attributes:
        file: the file.
        revision: 40 hex digits.
    """

    file: DataFile
    revision: str


@dataclass(frozen=True)
class Snapshot:
    """The repo at one revision.

    Attributes:
        revision: 40 hex digits; None while the repo does not exist.
        files: by path.
        card: what is in `README.md`; None if there is none.
    """

    revision: str | None
    files: Mapping[str, DataFile]
    card: bytes | None = None

    @cached_property
    def metadata(self) -> Metadata:
        """What the card says to programs.

        Raises:
            ContractError: nobody can read it.
        """
        return Card.parse(self.card).metadata

    @cached_property
    def scope(self) -> Scope:
        """What readers see, and which of it is ours.

        Raises:
            ContractError: the card cannot be understood, and nobody can load the dataset.
        """
        return scope_of(self.metadata, self.files)

    @cached_property
    def data_files(self) -> list[DataFile]:
        """The files of our dataset, in the order of their names; raises as `scope` does."""
        return [self.files[path] for path in sorted({*self.scope.ours.files})]

    def data_file(self, path: str) -> DataFile | None:
        """Give the file of our dataset at a path; None if there is none, or one of others."""
        return self._ours.get(path)

    def files_for(self, day: Day) -> list[DataFile]:
        """Data files that can hold rows of the day."""
        return [
            file for file in (*self._not_shards, self.data_file(shard_path(day))) if file and may_hold(file.path, day)
        ]

    @cached_property
    def _ours(self) -> dict[str, DataFile]:
        return {file.path: file for file in self.data_files}

    @cached_property
    def _not_shards(self) -> list[DataFile]:
        """Data files that are no day's shard."""
        return [file for file in self.data_files if shard_day(file.path) is None]

    def with_changes(
        self, revision: str, put: Iterable[DataFile], delete: Container[str], card: bytes | None
    ) -> "Snapshot":
        """Say what a commit on this revision makes of it, without listing it again."""
        files = {path: file for path, file in self.files.items() if path not in delete}
        return Snapshot(revision, files | {file.path: file for file in put}, card)
