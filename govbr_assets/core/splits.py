"""A split: the patterns that name its files, and what they select; also where no card says what splits there are.

Which of the splits of a repo is our dataset says `scope`.
"""

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
"""Patterns by split where the card says nothing: the first of them that select anything count."""


@dataclass(frozen=True)
class Split:
    """A split of a config.

    Attributes:
        patterns: relative to the root of the repo.
        files: what they select, in the order in which readers see it; a file as often as it is selected.
        loads: whether there is something to load and no file that is named is missing.
    """

    patterns: tuple[str, ...]
    files: tuple[str, ...] = ()
    loads: bool = False


def resolve(patterns: Iterable[str], paths: Collection[str]) -> Split:
    """Say what patterns, relative to the root of the repo, select; those that lead out of it select nothing here."""
    patterns, files, missing = tuple(patterns), [], False
    for pattern in patterns:
        found = [] if is_elsewhere(pattern) else selected(pattern, paths if has_magic(pattern) else [pattern])
        found = [path for path in found if path in paths]
        missing |= not found and not has_magic(pattern)
        files += found
    return Split(patterns, tuple(files), bool(files) and not missing)


def without_card(folder: str, paths: Collection[str]) -> dict[str, Split]:
    """Find the splits where no card names files, in a folder or in the whole repo."""
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
        whole = {split: [join(folder, each) for each in patterns] for split, patterns in by_split.items()}
        found = {split: each for split, each in whole.items() if _finds(each, paths)}
        if found:
            return {split: resolve(patterns, paths) for split, patterns in found.items()}
    return {}


def _finds(patterns: Iterable[str], paths: Collection[str]) -> bool:
    """Say whether there is a file, of whatever kind, by which the Hub's rules choose these patterns."""
    return any(selected(pattern, paths, of_any_name=True) for pattern in patterns)
