"""A snapshot: the files of a repo at one revision, by path and content id, and which of them are ours. No requests."""

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, NamedTuple

from govbr_assets.core.card import Card, card_of
from govbr_assets.core.card_yaml import Metadata
from govbr_assets.core.formats import Format
from govbr_assets.core.layout import is_parquet
from govbr_assets.core.scope import Scope, scope_of
from govbr_assets.core.text_tables import READABLE
from govbr_assets.huggingface.blob import Blob, git_id_of, sha256_of, size_of


class TextFormat(NamedTuple):
    """How a data file that is not Parquet is read: its format, and the settings of its config in the card."""

    format: Format
    settings: Mapping[str, Any]


@dataclass(frozen=True)
class DataFile:
    """A file of the repo at a revision. Files are equal if path, content id and size are equal.

    Attributes:
        path: in the repo.
        content: content id: the sha256 of a large file, git's blob id of a small one.
        size: in bytes.
        revision: a revision that has the file, 40 hex digits, at which it is read; None before it is published.
        text: how it is read, if the dataset is CSV or JSON; None for Parquet, and for files of other splits.
    """

    path: str
    content: str
    size: int
    revision: str | None = field(default=None, compare=False)
    text: TextFormat | None = field(default=None, compare=False)

    @classmethod
    def of(cls, path: str, content: Blob) -> "DataFile":
        """Return the file that a published blob becomes; Parquet files are large files."""
        name = sha256_of if is_parquet(path) else git_id_of
        return cls(path, name(content), size_of(content))

    def holds(self, content: Blob) -> bool:
        """Return whether the file has these contents."""
        name = sha256_of if len(self.content) == 64 else git_id_of
        return self.size == size_of(content) and self.content == name(content)


@dataclass(frozen=True)
class Snapshot:
    """The files of the repo at one revision.

    Attributes:
        revision: 40 hex digits; None if the repo does not exist.
        files: all files, by path.
        card: contents of `README.md`; None if there is none.
        repo_id: whose card it is.
    """

    revision: str | None
    files: Mapping[str, DataFile]
    card: bytes | None = None
    repo_id: str = field(default="", compare=False)

    @cached_property
    def metadata(self) -> Metadata:
        """The metadata of the card.

        Raises:
            ContractError: it cannot be parsed.
        """
        with card_of(self.repo_id):
            return Card.parse(self.card).metadata

    @cached_property
    def scope(self) -> Scope:
        """The configs and splits, and which of them is ours.

        Raises:
            ContractError: the card is invalid, so that the dataset cannot be loaded.
        """
        with card_of(self.repo_id):
            return scope_of(self.metadata, self.files)

    @cached_property
    def data_files(self) -> list[DataFile]:
        """The files of our dataset, sorted by path; raises as `scope` does."""
        files = [self.files[path] for path in sorted({*self.scope.ours.files})]
        kind = self.scope.format
        if kind is None or kind.name not in READABLE:
            return files
        return [replace(file, text=TextFormat(kind, self.scope.settings)) for file in files]

    def data_file(self, path: str) -> DataFile | None:
        """Return the file of our dataset at a path, or None."""
        return self._ours.get(path)

    @cached_property
    def _ours(self) -> dict[str, DataFile]:
        return {file.path: file for file in self.data_files}

    def with_changes(
        self, revision: str, put: Iterable[DataFile], delete: Container[str], card: bytes | None
    ) -> "Snapshot":
        """Return the snapshot after a commit on this revision, without listing the repo again."""
        files = {path: file for path, file in self.files.items() if path not in delete}
        return Snapshot(revision, files | {file.path: file for file in put}, card, self.repo_id)
