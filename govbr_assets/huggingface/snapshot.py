"""The files of a repo at one revision, by name and content, and which of them are our dataset. Asks nobody anything."""

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, NamedTuple

from govbr_assets.core.card import Card
from govbr_assets.core.card_yaml import Metadata
from govbr_assets.core.days import Day
from govbr_assets.core.formats import Format
from govbr_assets.core.layout import is_parquet, may_hold, shard_day, shard_path
from govbr_assets.core.scope import Scope, scope_of
from govbr_assets.core.text_tables import READABLE
from govbr_assets.huggingface.blob import Blob, git_id_of, sha256_of, size_of


class TextFormat(NamedTuple):
    """How a file of the dataset that is no Parquet is read: its format, and what the card says of it."""

    format: Format
    settings: Mapping[str, Any]


@dataclass(frozen=True)
class DataFile:
    """A file of the repo, which is read at its own revision; two are equal if they hold the same under one name.

    Attributes:
        path: in the repo.
        content: id of what is in it, the same for the same bytes: the sha256 of a large file, git's id of a small one.
        size: bytes.
        revision: 40 hex digits: a revision that has it; None for one that is not on the Hub yet.
        text: how it is read, if the dataset is CSV or JSON; None for Parquet, and for files of others.
    """

    path: str
    content: str
    size: int
    revision: str | None = field(default=None, compare=False)
    text: TextFormat | None = field(default=None, compare=False)

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
        files = [self.files[path] for path in sorted({*self.scope.ours.files})]
        kind = self.scope.format
        if kind is None or kind.name not in READABLE:
            return files
        return [replace(file, text=TextFormat(kind, self.scope.settings)) for file in files]

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
