"""Splits: the patterns of a split and the files that they select, with or without a card that declares them."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from posixpath import basename, join

from govbr_assets.core.globs import has_magic, is_elsewhere, selected
from govbr_assets.errors import ContractError

TRAIN = "train"

_SHARDED = "data/{}-[0-9][0-9][0-9][0-9][0-9]-of-[0-9][0-9][0-9][0-9][0-9]*.*"
_SHARD_NAME = re.compile(r"(.+)-\d{5}-of-\d{5}")
SPLIT_NAME = re.compile(r"\w+(\.\w+)*")
_KEYWORDS = {
    TRAIN: ("train", "training"),
    "validation": ("validation", "valid", "dev", "val"),
    "test": ("test", "testing", "eval", "evaluation"),
}
_SEPARATORS = "[-._ 0-9]"
_IN_FOLDERS = ("**/{0}/**", "**/{0}{1}*/**", "**/*{1}{0}/**", "**/*{1}{0}{1}*/**")
_IN_NAMES = ("**/{0}{1}*", "**/*{1}{0}{1}*")


def _by_keyword(forms: Sequence[str]) -> dict[str, list[str]]:
    return {
        split: [form.format(word, _SEPARATORS) for word in words for form in forms]
        for split, words in _KEYWORDS.items()
    }


_WITHOUT_CARD: Sequence[Mapping[str, list[str]]] = (
    {"logs": ["**/*.eval"]},
    {"test": ["**/task.toml", "**/instruction.md"]},
    _by_keyword(_IN_FOLDERS),
    _by_keyword(_IN_NAMES),
    {TRAIN: ["**"]},
)
"""Patterns by split for a repo whose card declares none: the first entry that selects any file applies."""


@dataclass(frozen=True)
class Split:
    """A split of a config.

    Attributes:
        patterns: relative to the root of the repo.
        files: the selected paths, in the order in which they are loaded; repeated if selected more than once.
        loads: whether it can be loaded: it selects some file, and no file named without wildcards is missing.
    """

    patterns: tuple[str, ...]
    files: tuple[str, ...] = ()
    loads: bool = False


def resolve(patterns: Iterable[str], paths: Collection[str]) -> Split:
    """Return the split that patterns select.

    Args:
        patterns: relative to the root of the repo; those that leave it select nothing here.
        paths: all files of the repo.
    """
    patterns, files, missing = tuple(patterns), [], False
    for pattern in patterns:
        found = [] if is_elsewhere(pattern) else selected(pattern, paths if has_magic(pattern) else [pattern])
        found = [path for path in found if path in paths]
        missing |= not found and not has_magic(pattern)
        files += found
    return Split(patterns, tuple(files), bool(files) and not missing)


def without_card(folder: str, paths: Collection[str]) -> dict[str, Split]:
    """Return the splits of a folder, or of the whole repo, whose card declares no files.

    Args:
        folder: empty for the whole repo.
        paths: all files of the repo.

    Raises:
        ContractError: files are named as shards of an invalid split.
    """
    if sharded := selected(join(folder, _SHARDED.format("*")), paths, of_any_name=True):
        names = {match[1] for path in sharded if (match := _SHARD_NAME.match(basename(path)))}
        if wrong := sorted(name for name in names if not SPLIT_NAME.fullmatch(name)):
            raise ContractError(
                f"Files of the Hub are named as shards of a split {wrong[0]!r}, which is no name of a split, and nobody"
                " can load the dataset: give it `configs` in README.md, or the files other names."
            )
        in_order = [*(name for name in _KEYWORDS if name in names), *sorted(names - _KEYWORDS.keys())]
        return {name: resolve([join(folder, _SHARDED.format(name))], paths) for name in in_order}
    for by_split in _WITHOUT_CARD:
        whole = {split: [join(folder, pattern) for pattern in patterns] for split, patterns in by_split.items()}
        found = {split: patterns for split, patterns in whole.items() if _select_any(patterns, paths)}
        if found:
            return {split: resolve(patterns, paths) for split, patterns in found.items()}
    return {}


def _select_any(patterns: Iterable[str], paths: Collection[str]) -> bool:
    """Return whether patterns select any file, even one of an unknown format."""
    return any(selected(pattern, paths, of_any_name=True) for pattern in patterns)
