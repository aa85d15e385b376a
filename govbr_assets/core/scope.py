"""Which files of a repo are our dataset: the train split of the default config, by the Hub's own rules.

A repo may hold more: other configs, other splits, lookup tables, images. Whoever asks "is this file ours?" asks a
`Scope`. What a pattern selects says `globs`; what the card has to say so that our files are selected, `selection`.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from posixpath import join
from typing import Any

from govbr_assets.core.globs import PARQUET, Format, common_format, is_of, selected
from govbr_assets.core.layout import DATA_PATTERN
from govbr_assets.core.splits import SPLIT_NAME, TRAIN, Split, resolve, without_card
from govbr_assets.errors import ContractError

DEFAULT = "default"


@dataclass(frozen=True)
class Scope:
    """What readers of a repo see at a revision, by config and split.

    Attributes:
        configs: by name, the splits of each.
        default: the config that readers get who name none; None if they have to name one.
        declared: whether the card names configs; else the Hub's rules for a repo without a card have given them.
        format: what all files are read as; None if there are none, or of none that is known.
        settings: what else the card says of the default config.
    """

    configs: Mapping[str, Mapping[str, Split]] = field(default_factory=dict)
    default: str | None = None
    declared: bool = False
    format: Format | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def ours(self) -> Split:
        """The train split of the default config."""
        return self.configs.get(self.default or "", {}).get(TRAIN, Split(()))

    def has_only_ours(self, config: str) -> bool:
        """Say whether all files of a config are of our dataset."""
        return all({*split.files} <= {*self.ours.files} for split in self.configs[config].values())

    @property
    def selected(self) -> set[str]:
        """The files of all splits of all configs."""
        return {path for splits in self.configs.values() for split in splits.values() for path in split.files}

    @property
    def others(self) -> Iterator[tuple[str, str, Split]]:
        """All other splits, each with the names of its config and its own."""
        for config, splits in self.configs.items():
            yield from ((config, name, split) for name, split in splits.items() if split is not self.ours)


def scope_of(metadata: Mapping[str, Any], paths: Collection[str]) -> Scope:
    """Say what readers see of a repo.

    Args:
        metadata: what the front matter of the dataset card says; nothing if there is no card.
        paths: all files of the repo.

    Raises:
        ContractError: what the card says of configs cannot be understood, and nobody can load the dataset.
    """
    configs = metadata.get("configs")
    if not configs:
        splits, kind = _filtered(without_card("", paths))
        if kind and kind.name in _DOCUMENTS:
            splits, kind = {}, None
        if kind in (None, PARQUET) and (more := _unseen(splits, paths)):
            ours = splits.get(TRAIN, Split(()))
            splits[TRAIN] = Split((*ours.patterns, DATA_PATTERN), tuple(sorted((*ours.files, *more))), True)
            kind = PARQUET
        return Scope({DEFAULT: splits}, DEFAULT, False, kind) if splits else Scope()
    named = _named(configs)
    default = _default_of(named) or _only_info(metadata, named)
    resolved = {name: _splits_of(name, config, paths) for name, config in named.items()}
    settings = {key: value for key, value in named.get(default or "", {}).items() if key not in _OF_SCOPE}
    return Scope(resolved, default, True, _format(next(iter(named.values())), paths), settings)


_OF_SCOPE = {"config_name", "data_files", "data_dir", "default"}
_DOCUMENTS = {"text", "harbor"}
"""Formats of a licence or a change log, which are no dataset unless the card says so."""


def patterns_of(data_files: Any, config: str) -> dict[str, list[str]]:
    """Read `data_files` of a config: a pattern, a list of them, or patterns by split.

    Raises:
        ContractError: it is none of these.
    """
    if isinstance(data_files, str):
        return {TRAIN: [data_files]}
    if not isinstance(data_files, list):
        raise _misunderstood(config, f"has data_files {data_files!r}: write a pattern, a list, or a list of splits")
    if all(isinstance(each, str) for each in data_files):
        return {TRAIN: list(data_files)}
    found: dict[str, list[str]] = {}
    for entry in data_files:
        if not _is_entry(entry):
            raise _misunderstood(config, f"has {entry!r} in data_files: write `split` and `path`, and nothing else")
        if entry["split"] in found:
            raise _misunderstood(config, f"has the split {entry['split']} twice in data_files: write it once")
        path = entry["path"]
        found[entry["split"]] = [path] if isinstance(path, str) else list(path)
    return found


def _is_entry(entry: Any) -> bool:
    if not isinstance(entry, dict) or entry.keys() != {"split", "path"} or not isinstance(entry["split"], str):
        return False
    path = entry["path"]
    texts = isinstance(path, str) or (isinstance(path, list) and all(isinstance(each, str) for each in path))
    return texts and SPLIT_NAME.fullmatch(entry["split"]) is not None


def _named(configs: Any) -> dict[str, Mapping[str, Any]]:
    """List the configs of a card by name."""
    if not isinstance(configs, list) or not all(isinstance(each, dict) and "config_name" in each for each in configs):
        raise ContractError(
            "`configs` in README.md on the Hub is no list of mappings with a `config_name` each: correct it, nobody can"
            " load the dataset."
        )
    return {str(each["config_name"]): each for each in configs}


def _default_of(named: Mapping[str, Mapping[str, Any]]) -> str | None:
    """Choose the config of readers who name none."""
    found = [name for name, each in named.items() if len(named) == 1 or name == DEFAULT or each.get("default")]
    if len(found) > 1:
        raise ContractError(
            f"README.md on the Hub has several default configs ({', '.join(found)}): leave `default: true` to one."
        )
    return found[0] if found else None


def _only_info(metadata: Mapping[str, Any], named: Collection[str]) -> str | None:
    """Take the config that `dataset_info` is of, if it is of one only."""
    info = metadata.get("dataset_info")
    infos = info if isinstance(info, list) else [info] if isinstance(info, dict) else []
    name = infos[0].get("config_name", DEFAULT) if len(infos) == 1 and isinstance(infos[0], dict) else None
    return name if name in named else None


def _splits_of(name: str, config: Mapping[str, Any], paths: Collection[str]) -> dict[str, Split]:
    """Resolve a config."""
    folder, data_files = str(config.get("data_dir") or ""), config.get("data_files")
    if data_files is None:
        return without_card(folder, paths)
    named = patterns_of(data_files, name)
    return {split: resolve([join(folder, each) for each in patterns], paths) for split, patterns in named.items()}


def _filtered(splits: Mapping[str, Split]) -> tuple[dict[str, Split], Format | None]:
    """Leave the files of the format that readers of a repo without configs get."""
    kinds = {split: common_format(each.files) for split, each in splits.items()}
    kind = next(iter(kinds.values()), None)
    if kind is None or set(kinds.values()) != {kind}:
        return dict(splits), None
    kept = {
        split: Split(each.patterns, tuple(path for path in each.files if is_of(path, kind)), each.loads)
        for split, each in splits.items()
    }
    return kept, kind


def _unseen(splits: Mapping[str, Split], paths: Collection[str]) -> set[str]:
    """List files under our pattern that no split has, where no card says what the dataset is.

    One file named as a shard of a split hides all that are not from `load_dataset`, while whoever reads the pattern
    itself goes on seeing them: they are the dataset, and the next card shows them again.
    """
    return {*selected(DATA_PATTERN, paths)}.difference(*(each.files for each in splits.values()))


def _format(first: Mapping[str, Any], paths: Collection[str]) -> Format | None:
    """Say what the files of all configs are read as: those of the first one decide."""
    if first.get("data_files") is None:
        splits = without_card("", paths)
    else:
        named = patterns_of(first["data_files"], str(first["config_name"]))
        splits = {split: resolve(patterns, paths) for split, patterns in named.items()}
    kinds = {common_format(each.files) for each in splits.values()}
    return kinds.pop() if len(kinds) == 1 else None


def _misunderstood(config: str, told: str) -> ContractError:
    return ContractError(f"The config {config} in README.md on the Hub {told}.")
