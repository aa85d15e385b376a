"""Matching of paths against the patterns of a dataset card.

The rules are those of the library `datasets` and its file system for the Hub, and are tested against that library on
the same lists of paths.
"""

import re
from collections.abc import Iterable, Sequence
from fnmatch import translate
from functools import lru_cache

from govbr_assets.core.formats import has_known_extension
from govbr_assets.errors import ContractError

_MAGIC = re.compile(r"[*?[]")
_ELSEWHERE = re.compile(r"^/|://|::|(^|/)\.\.?(/|$)|//")
_NEVER_DATA = {
    "README.md",
    "config.json",
    "dataset_info.json",
    "dataset_infos.json",
    "dummy_data.zip",
    "dataset_dict.json",
}
"""File names that are selected only by a pattern ending with the name itself."""


def has_magic(pattern: str) -> bool:
    """Return whether a string has wildcards; one without is the path of a file, which must exist."""
    return _MAGIC.search(pattern) is not None


def is_elsewhere(pattern: str) -> bool:
    """Return whether a pattern can leave the repo: a URL, an absolute path, dots, an archive."""
    return _ELSEWHERE.search(pattern) is not None


def selected(pattern: str, paths: Iterable[str], *, of_any_name: bool = False) -> list[str]:
    """Return the data files that a pattern selects, sorted.

    Args:
        pattern: relative to the root of the repo, as in `data_files` of a dataset card.
        paths: all files of the repo.
        of_any_name: whether to include files with an unknown extension.

    Raises:
        ContractError: the pattern is invalid.
    """
    parts = pattern.strip("/").split("/")
    if any("**" in part and part != "**" for part in parts):
        raise ContractError(
            f"README.md on the Hub selects data_files by {pattern!r}, where `**` stands beside other characters, which"
            " no reader accepts: write `**` as a folder of its own."
        )
    never = _NEVER_DATA - {parts[-1]}
    special, hidden = _special(parts), _hidden(parts)
    return sorted(
        path
        for path in paths
        if _fits(parts, found := path.split("/"))
        and found[-1] not in never
        and (of_any_name or has_known_extension(found[-1]))
        and _special(found) == special
        and _hidden(found) == hidden
    )


def escaped(path: str) -> str:
    """Return the pattern that selects exactly one path."""
    return _MAGIC.sub(r"[\g<0>]", path)


def _fits(parts: Sequence[str], path: Sequence[str]) -> bool:
    """Return whether a path matches, part by part; `**` matches any number of folders, and at the end any files."""
    for number, part in enumerate(parts):
        if part == "**":
            rest = parts[number + 1 :]
            ends = range(number, len(path))
            return any(not rest or _fits(rest, path[start:]) for start in ends)
        if number >= len(path) or not _regex(part).match(path[number]):
            return False
    return len(parts) == len(path)


@lru_cache(maxsize=256)
def _regex(part: str) -> re.Pattern[str]:
    return re.compile(translate(part))


def _special(parts: Sequence[str]) -> int:
    """Return the number of folders such as `__pycache__`, which are selected only by name."""
    return sum(part.startswith("__") for part in parts[:-1])


def _hidden(parts: Sequence[str]) -> int:
    """Return the number of hidden files and folders, which are selected only by name."""
    return sum(part.startswith(".") and set(part) != {"."} for part in parts)
