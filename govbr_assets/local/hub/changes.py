"""What a commit does to a tree: the operations that a client names, and the difference that they come to.

Pure functions over mappings from path to content; writing them down belongs to `history`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from govbr_assets.local.hub.blobs import Blob
from govbr_assets.local.hub.errors import EntryNotFoundError, RefusedError

_LONGEST_PATH = 1000


@dataclass(frozen=True, slots=True)
class Put:
    """Write a file, whether it is there or not."""

    path: str
    blob: Blob


@dataclass(frozen=True, slots=True)
class Delete:
    """Delete a file, or a folder with all that is in it."""

    path: str
    folder: bool = False


Operation = Put | Delete


@dataclass(frozen=True, slots=True)
class Change:
    """The difference between two trees; no path is on both sides."""

    put: Mapping[str, Blob]
    deleted: tuple[str, ...]

    def apply(self, files: dict[str, Blob]) -> None:
        """Make the tree before into the tree after, in place."""
        for path in self.deleted:
            del files[path]
        files.update(self.put)


def change_of(before: Mapping[str, Blob], operations: Sequence[Operation]) -> tuple[Change, dict[str, Blob]]:
    """Apply operations, in their order, to a tree.

    Args:
        before: path to content; not changed.
        operations: what to do.

    Returns:
        The difference, and the tree after in the order of its paths.

    Raises:
        EntryNotFoundError: a path to delete is not there.
        RefusedError: a path climbs, or is a file and a folder at once.
    """
    files = dict(before)
    for operation in operations:
        check_path(operation.path)
        if isinstance(operation, Put):
            files[operation.path] = operation.blob
        else:
            for path in _victims(files, operation):
                del files[path]
    if clash := sorted(folders_of(files) & files.keys()):
        raise RefusedError(f"{clash[0]!r} cannot be a file and a folder at once.")
    written = {operation.path for operation in operations if operation.path in files}
    put = {path: files[path] for path in sorted(written) if before.get(path) != files[path]}
    deleted = tuple(sorted(before.keys() - files.keys()))
    return Change(put, deleted), {path: files[path] for path in sorted(files)}


def folders_of(paths: Iterable[str]) -> set[str]:
    """Name all folders that lead to files."""
    found: set[str] = set()
    for path in paths:
        end = path.rfind("/")
        while end > 0 and path[:end] not in found:
            found.add(path[:end])
            end = path.rfind("/", 0, end)
    return found


def check_path(path: str) -> None:
    """Refuse a path that git would not take, or that leads out of the repo.

    Raises:
        RefusedError: it is empty, absolute, too long, climbs, or has a backslash, a control character or `.git` in it.
    """
    parts = path.split("/")
    climbs = any(part in ("", ".", "..") or part.lower() == ".git" for part in parts)
    odd = "\\" in path or any(not character.isprintable() for character in path)
    if climbs or odd or len(path) > _LONGEST_PATH:
        raise RefusedError(f"{path!r} is not a path inside a repo.")


def _victims(files: Mapping[str, Blob], operation: Delete) -> list[str]:
    """List the files that a deletion takes away."""
    if operation.folder:
        victims = [path for path in files if path.startswith(operation.path + "/")]
    else:
        victims = [operation.path] if operation.path in files else []
    if not victims:
        kind = "folder" if operation.folder else "file"
        raise EntryNotFoundError(f"A {kind} with this name doesn't exist: {operation.path}")
    return victims
