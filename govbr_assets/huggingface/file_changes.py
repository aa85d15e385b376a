"""The file changes of one commit. Their meaning for a dataset belongs to `dataset.changeset`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from govbr_assets.huggingface.blob import Blob, size_of
from govbr_assets.huggingface.snapshot import DataFile


@dataclass(frozen=True)
class FileChanges:
    """The file changes of one commit.

    Attributes:
        put: contents of new and replaced files, by path.
        delete: paths of deleted files, which the parent has.
        copy: files restored from an older revision, by a copy on the Hub without upload.
        fresh: ranges of bytes of large files that are new to the Hub, by path, as far as known.
        message: first line of the commit message.
    """

    put: Mapping[str, Blob] = field(default_factory=dict)
    delete: tuple[str, ...] = ()
    copy: tuple[DataFile, ...] = ()
    fresh: Mapping[str, Sequence[range]] = field(default_factory=dict)
    message: str = ""

    @property
    def description(self) -> str:
        """The commit message after its first line."""
        return ""

    @property
    def paths(self) -> list[str]:
        """The paths of all changed files."""
        return [*self.put, *(each.path for each in self.copy), *self.delete]

    @property
    def empty(self) -> bool:
        """Whether nothing changes."""
        return not self.put and not self.delete and not self.copy

    @property
    def size(self) -> int:
        """Size of the new and replaced files in bytes."""
        return sum(map(size_of, self.put.values()))

    def breaches(self, files: Mapping[str, DataFile]) -> list[str]:
        """Return how a revision differs from the result of this commit.

        Args:
            files: files of the revision by path: all of them, or those of `paths`.

        Returns:
            Messages such as "data/x.parquet is missing"; empty if the revision has all changes.
        """
        wrong = [path for path, content in self.put.items() if path in files and not files[path].holds(content)]
        wrong += [each.path for each in self.copy if files.get(each.path, each) != each]
        missing = [path for path in self.paths if path not in files and path not in self.delete]
        return [
            *(f"{path} is missing" for path in missing),
            *(f"{path} is another file" for path in wrong),
            *(f"{path} is still there" for path in self.delete if path in files),
        ]
