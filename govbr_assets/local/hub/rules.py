"""What the text files of a repo say about its other files: `.gitattributes` and `.gitignore`.

Pure functions over texts, as far as the Hub looks into them.
"""

from fnmatch import fnmatchcase
from pathlib import PurePosixPath


def is_large(path: str, attributes: str) -> bool:
    """Say whether `.gitattributes` makes a file an LFS file."""
    large = False
    for line in attributes.splitlines():
        pattern, *words = line.split() or [""]
        if pattern and not pattern.startswith("#") and _matches(path, pattern):
            large = _filter(words, large)
    return large


def is_ignored(path: str, ignore: str) -> bool:
    """Say whether `.gitignore` names a file or a folder above it; a later `!` takes it back."""
    parts = PurePosixPath(path)
    places = [str(parts), *(str(folder) for folder in parts.parents if folder.name)]
    ignored = False
    for line in ignore.splitlines():
        pattern = line.strip()
        if not pattern or pattern.startswith("#"):
            continue
        taken_back = pattern.startswith("!")
        pattern = pattern.removeprefix("!").rstrip("/")
        if any(_matches(place, pattern) for place in places):
            ignored = not taken_back
    return ignored


def _matches(path: str, pattern: str) -> bool:
    """Match as git does: a pattern without a slash is about names, one with a slash about paths."""
    if "/" not in pattern:
        return fnmatchcase(PurePosixPath(path).name, pattern)
    return fnmatchcase(path, pattern.removeprefix("/").replace("**/", "*"))


def _filter(words: list[str], before: bool) -> bool:
    if "filter=lfs" in words:
        return True
    return before and "-filter" not in words and "!filter" not in words
