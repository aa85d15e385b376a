"""The files that one commit changes, as a value. What they mean for a dataset is not known here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from govbr_assets.huggingface.blob import Blob, size_of
from govbr_assets.huggingface.snapshot import DataFile


@dataclass(frozen=True)
class FileChanges:
    """What one commit changes.

    Attributes:
        put: content by path, of new and of replaced files.
        delete: paths that go; each is in the parent.
        copy: files that come back as they were at an older revision; nothing of them is uploaded.
        fresh: of large files that are put, which bytes are new to the Hub, as far as that is known.
        message: first line of the commit message.
    """

    put: Mapping[str, Blob] = field(default_factory=dict)
    delete: tuple[str, ...] = ()
    copy: tuple[DataFile, ...] = ()
    fresh: Mapping[str, Sequence[range]] = field(default_factory=dict)
    message: str = ""

    @property
    def description(self) -> str:
        """The commit message below its first line."""
        return ""

    @property
    def paths(self) -> list[str]:
        """The paths of all files that are changed."""
        return [*self.put, *(each.path for each in self.copy), *self.delete]

    @property
    def empty(self) -> bool:
        """Whether nothing changes."""
        return not self.put and not self.delete and not self.copy

    @property
    def size(self) -> int:
        """Bytes of the new and the replaced files."""
        return sum(map(size_of, self.put.values()))

    def breaches(self, files: Mapping[str, DataFile]) -> list[str]:
        """Say in which files a revision is not what it should be after this commit.

        Args:
            files: by path; of the revision all, or those of `paths`.

        Returns:
            Such as "data/x.parquet is missing"; empty if the revision holds all of the commit.
        """
        wrong = [path for path, content in self.put.items() if path in files and not files[path].holds(content)]
        wrong += [each.path for each in self.copy if files.get(each.path, each) != each]
        missing = [path for path in self.paths if path not in files and path not in self.delete]
        return [
            *(f"{path} is missing" for path in missing),
            *(f"{path} is another file" for path in wrong),
            *(f"{path} is still there" for path in self.delete if path in files),
        ]
