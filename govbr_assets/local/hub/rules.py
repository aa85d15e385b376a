"""What `.gitattributes` of a repo says about its other files: a pure function over its text."""

from fnmatch import fnmatchcase
from pathlib import PurePosixPath


def is_large(path: str, attributes: str) -> bool:
    """Return whether `.gitattributes` makes a file an LFS file."""
    large = False
    for line in attributes.splitlines():
        pattern, *words = line.split() or [""]
        if pattern and not pattern.startswith("#") and _matches(path, pattern):
            large = _filter(words, large)
    return large


def _matches(path: str, pattern: str) -> bool:
    """Match as git does: a pattern without a slash is about names, one with a slash about paths."""
    if "/" not in pattern:
        return fnmatchcase(PurePosixPath(path).name, pattern)
    return fnmatchcase(path, pattern.removeprefix("/").replace("**/", "*"))


def _filter(words: list[str], before: bool) -> bool:
    if "filter=lfs" in words:
        return True
    return before and "-filter" not in words and "!filter" not in words
