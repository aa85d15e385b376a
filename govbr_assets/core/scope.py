"""The scope of the dataset: which files of a repo are ours, by the Hub's rules for configs and splits.

Ours are the files of the train split of the default config. A repo may hold more: other configs, other splits, lookup
tables, images. `globs` matches patterns, and `selection` edits the card so that it selects our files.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from posixpath import join
from typing import Any

from govbr_assets.core.formats import PARQUET, Format, common_format, is_of
from govbr_assets.core.globs import selected
from govbr_assets.core.layout import DATA_PATTERN
from govbr_assets.core.splits import SPLIT_NAME, TRAIN, Split, resolve, without_card
from govbr_assets.errors import ContractError

DEFAULT = "default"


@dataclass(frozen=True)
class Scope:
    """The configs and splits of a repo at a revision.

    Attributes:
        configs: the splits of each config, by name.
        default: the config that is loaded by default; None if readers have to name one.
        declared: whether the card declares configs; else they follow from the Hub's rules for repos without a card.
        format: the format in which all files are read; None if there are none, or it is unknown.
        settings: other keys of the default config in the card.
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
        """Return whether all files of a config are ours."""
        return all({*split.files} <= {*self.ours.files} for split in self.configs[config].values())

    @property
    def selected(self) -> set[str]:
        """The files of all splits of all configs."""
        return {path for splits in self.configs.values() for split in splits.values() for path in split.files}

    @property
    def others(self) -> Iterator[tuple[str, str, Split]]:
        """All splits but ours, as config name, split name and split."""
        for config, splits in self.configs.items():
            yield from ((config, name, split) for name, split in splits.items() if split is not self.ours)


def scope_of(metadata: Mapping[str, Any], paths: Collection[str]) -> Scope:
    """Return the scope of a repo.

    Args:
        metadata: of the dataset card; empty if there is no card.
        paths: all files of the repo.

    Raises:
        ContractError: the configs of the card are invalid, so that the dataset cannot be loaded.
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
"""Formats of documents such as a licence, which are a dataset only if the card declares them."""


def patterns_of(data_files: Any, config: str) -> dict[str, list[str]]:
    """Parse `data_files` of a config.

    Args:
        data_files: a pattern, a list of patterns, or a list of splits.
        config: name of the config, for messages.

    Returns:
        The patterns of each split.

    Raises:
        ContractError: it is none of these.
    """
    if isinstance(data_files, str):
        return {TRAIN: [data_files]}
    if not isinstance(data_files, list):
        raise _misunderstood(config, f"has data_files {data_files!r}: write a pattern, a list, or a list of splits")
    if all(isinstance(pattern, str) for pattern in data_files):
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
    texts = isinstance(path, str) or (isinstance(path, list) and all(isinstance(pattern, str) for pattern in path))
    return texts and SPLIT_NAME.fullmatch(entry["split"]) is not None


def _named(configs: Any) -> dict[str, Mapping[str, Any]]:
    """Return the configs of a card, by name."""
    if not isinstance(configs, list) or not all(
        isinstance(entry, dict) and "config_name" in entry for entry in configs
    ):
        raise ContractError(
            "`configs` in README.md on the Hub is no list of mappings with a `config_name` each: correct it, nobody can"
            " load the dataset."
        )
    return {str(item["config_name"]): item for item in configs}


def _default_of(named: Mapping[str, Mapping[str, Any]]) -> str | None:
    """Return the name of the default config."""
    found = [name for name, config in named.items() if len(named) == 1 or name == DEFAULT or config.get("default")]
    if len(found) > 1:
        raise ContractError(
            f"README.md on the Hub has several default configs ({', '.join(found)}): leave `default: true` to one."
        )
    return found[0] if found else None


def _only_info(metadata: Mapping[str, Any], named: Collection[str]) -> str | None:
    """Return the config that `dataset_info` describes, if it describes exactly one."""
    info = metadata.get("dataset_info")
    infos = info if isinstance(info, list) else [info] if isinstance(info, dict) else []
    name = infos[0].get("config_name", DEFAULT) if len(infos) == 1 and isinstance(infos[0], dict) else None
    return name if name in named else None


def _splits_of(name: str, config: Mapping[str, Any], paths: Collection[str]) -> dict[str, Split]:
    """Return the splits of a config."""
    folder, data_files = str(config.get("data_dir") or ""), config.get("data_files")
    if data_files is None:
        return without_card(folder, paths)
    named = patterns_of(data_files, name)
    return {split: resolve([join(folder, pattern) for pattern in of], paths) for split, of in named.items()}


def _filtered(splits: Mapping[str, Split]) -> tuple[dict[str, Split], Format | None]:
    """Return the splits with only those files that are read without configs, and their format."""
    kinds = {name: common_format(split.files) for name, split in splits.items()}
    kind = next(iter(kinds.values()), None)
    if kind is None or set(kinds.values()) != {kind}:
        return dict(splits), None
    kept = {
        name: Split(split.patterns, tuple(path for path in split.files if is_of(path, kind)), split.loads)
        for name, split in splits.items()
    }
    return kept, kind


def _unseen(splits: Mapping[str, Split], paths: Collection[str]) -> set[str]:
    """Return the files under our pattern that are in no split, for a repo whose card declares no configs.

    If one file is named as a shard of a split, `load_dataset` ignores all files that are not, while readers of the
    pattern itself still get them. They belong to the dataset, and the next card selects them again.
    """
    return {*selected(DATA_PATTERN, paths)}.difference(*(split.files for split in splits.values()))


def _format(first: Mapping[str, Any], paths: Collection[str]) -> Format | None:
    """Return the format in which the files of all configs are read, which those of the first config decide."""
    if first.get("data_files") is None:
        splits = without_card("", paths)
    else:
        named = patterns_of(first["data_files"], str(first["config_name"]))
        splits = {split: resolve(patterns, paths) for split, patterns in named.items()}
    kinds = {common_format(split.files) for split in splits.values()}
    return kinds.pop() if len(kinds) == 1 else None


def _misunderstood(config: str, reason: str) -> ContractError:
    return ContractError(f"The config {config} in README.md on the Hub {reason}.")
