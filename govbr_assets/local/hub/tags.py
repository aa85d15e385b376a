"""The tags of one repo: names of commits, each a file, for good until somebody deletes it.

What a name stands for beside the branch and the commits is decided in `history`.
"""

import json
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, unquote

from govbr_assets.local.hub.blobs import write_whole
from govbr_assets.local.hub.errors import RefusedError, RevisionNotFoundError, TagExistsError

_LONGEST = 200  # bytes of a name, quoted: it is the name of a file here
_NO_NAME = re.compile(
    r"@|.*(?:[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//).*|[/.-].*|.*/\..*|.*(?:/|\.|\.lock|\.lock/.*)", re.DOTALL
)
"""What git takes for no name of a reference (`git check-ref-format`)."""


@dataclass(frozen=True, slots=True)
class Tag:
    """A tag.

    Attributes:
        name: of the tag.
        sha: the commit that it names.
        message: what it says; empty for one without a message.
    """

    name: str
    sha: str
    message: str = ""


class Tags:
    """The tags of a repo, safe to use from several threads of one process.

    Args:
        folder: where they lie; may be missing.
        temporary: a folder on the same file system for what is being written.
    """

    def __init__(self, folder: Path, temporary: Path) -> None:
        self._folder, self._temporary, self._lock = folder, temporary, threading.Lock()
        records = {unquote(path.stem): json.loads(path.read_bytes()) for path in sorted(folder.glob("*.json"))}
        self._tags = {name: Tag(name, record["sha"], record["message"]) for name, record in records.items()}

    def all(self) -> Mapping[str, Tag]:
        """Return the tags by name, in the order of the names."""
        return dict(sorted(self._tags.items()))

    def add(self, name: str, sha: str, message: str = "") -> Tag:
        """Add a tag.

        Args:
            name: of the tag.
            sha: of a commit of the repo.
            message: what it says.

        Raises:
            TagExistsError: there is one of this name, whatever it names.
            RefusedError: git has no such name.
        """
        if _NO_NAME.fullmatch(name) or not name or len(self._path(name).name) > _LONGEST:
            raise RefusedError(f"{name!r} is not a valid name for a tag.")
        with self._lock:
            if name in self._tags:
                raise TagExistsError(f"Reference already exists: refs/tags/{name}")
            tag = Tag(name, sha, message)
            record = json.dumps({"sha": sha, "message": message}).encode()
            write_whole(self._path(name), record, self._temporary)
            self._tags[name] = tag
            return tag

    def delete(self, name: str) -> None:
        """Delete a tag; what it named stays.

        Raises:
            RevisionNotFoundError: there is none.
        """
        with self._lock:
            if name not in self._tags:
                raise RevisionNotFoundError(f"Invalid rev id: refs/tags/{name}")
            self._path(name).unlink()
            del self._tags[name]

    def _path(self, name: str) -> Path:
        return self._folder / f"{quote(name, safe='')}.json"
