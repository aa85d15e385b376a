"""Edits of `configs` in the dataset card, so that it selects our files and all other splits keep theirs.

Only the train entry of the default config is edited. `scope` evaluates a card.
"""

from collections.abc import Collection, Mapping, MutableMapping, Sequence
from copy import deepcopy
from typing import Any

from govbr_assets.core.globs import escaped
from govbr_assets.core.layout import DATA_PATTERN
from govbr_assets.core.scope import DEFAULT, Scope
from govbr_assets.core.splits import TRAIN, Split, resolve
from govbr_assets.errors import ContractError

NARROW_PATTERN = "data/train-[0-9][0-9][0-9][0-9]-*.parquet"
"""The pattern for repos where DATA_PATTERN would select files of others: it covers the files of this project only."""

Metadata = MutableMapping[Any, Any]


def train_patterns(
    before: Sequence[str], wanted: Collection[str], paths: Collection[str], *, may_list: bool = False
) -> list[str]:
    """Return patterns that select the wanted files, each once, and no others.

    Args:
        before: the patterns of the card for these files, now or at an older revision.
        wanted: paths of the files.
        paths: all files of the repo after the commit.
        may_list: whether each wanted file may be named, if both patterns of ours select one that is not wanted.

    Returns:
        DATA_PATTERN if it is right; else the fewest patterns that are, those of the card before single paths.

    Raises:
        ContractError: both patterns of ours select a file that is not wanted, and they may not be listed.
    """
    ours = [DATA_PATTERN], [NARROW_PATTERN]
    for patterns in (*ours, [*before], *([*some, *before] for some in ours)):
        if sorted(resolve(patterns, paths).files) == sorted(wanted):
            return patterns
    for patterns in ours:
        found = set(resolve(patterns, paths).files)
        if found <= set(wanted):
            return [*patterns, *map(escaped, sorted(set(wanted) - found))]
    if may_list:
        return [*map(escaped, sorted(wanted))]
    strange = min(set(resolve([NARROW_PATTERN], paths).files) - set(wanted))
    raise ContractError(
        f"{strange} on the Hub has the name of a file of the dataset and is none: the train split of the default config"
        " does not select it; give it another name, or delete it."
    )


def select(metadata: Metadata, before: Scope, train: Sequence[str], paths: Collection[str]) -> None:
    """Set the patterns of the train split of the default config; all other splits keep their files.

    Args:
        metadata: of the card, changed in place.
        before: the current scope.
        train: the patterns.
        paths: all files of the repo after the commit.
    """
    path = train[0] if len(train) == 1 else [*train]
    entry, name = {"split": TRAIN, "path": path}, before.default or DEFAULT
    config = next((item for item in metadata.get("configs") or [] if str(item["config_name"]) == name), None)
    if config is None:
        splits = [] if before.declared else _entries(before.configs.get(DEFAULT, {}), paths)
        metadata["configs"] = [
            *(metadata.get("configs") or []),
            {"config_name": DEFAULT, "data_files": [entry, *splits]},
        ]
        return
    data_files = config.get("data_files")
    if config.get("data_dir") or data_files is None:  # the patterns of all its splits are relative to another folder
        config.pop("data_dir", None)
        config["data_files"] = [entry, *_entries(before.configs[name], paths)]
    elif isinstance(data_files, list) and any(isinstance(item, dict) for item in data_files):
        ours = next((item for item in data_files if item["split"] == TRAIN), None)
        if ours is None:
            data_files.insert(0, entry)
        elif _listed(ours["path"]) != [*train]:
            ours["path"] = path
    elif _listed(data_files) != [*train]:
        config["data_files"] = [entry]


def restate(metadata: Metadata, now: Scope, then: Mapping[Any, Any], then_scope: Scope) -> None:
    """Restore the entries of the default config from an older card; all other metadata stays.

    Args:
        metadata: of the card, changed in place.
        now: its scope.
        then: metadata of the older card.
        then_scope: scope of the older card.
    """
    name, old_name = now.default or DEFAULT, then_scope.default or DEFAULT
    restate_info(metadata, then, name, old_name)
    configs = metadata.setdefault("configs", []) or []
    config = next((item for item in configs if str(item["config_name"]) == name), None)
    old = next((item for item in then.get("configs") or [] if str(item["config_name"]) == old_name), {})
    if config is None:
        config = {"config_name": DEFAULT}
        configs.append(config)
    if old and name != old_name:
        config.clear()
        config.update(deepcopy(old))
    for key in ("data_files", "data_dir"):
        config.pop(key, None)
        if key in old:
            config[key] = deepcopy(old[key])
    if config.keys() == {"config_name"}:
        configs.remove(config)
    metadata["configs"] = configs
    if not configs:
        del metadata["configs"]


def restate_info(metadata: Metadata, then: Mapping[Any, Any], name: str, old_name: str) -> None:
    """Restore the `dataset_info` of a config from an older card.

    Args:
        metadata: of the card, changed in place.
        then: metadata of the older card.
        name: of the config.
        old_name: its name in the older card.
    """

    def entries(info: Any) -> list[Any]:
        """Return `dataset_info` as a list."""
        return [*info] if isinstance(info, list) else [info] if isinstance(info, dict) else []

    def of(config: str, info: Any) -> list[Any]:
        """Return the entries of a config."""
        return [item for item in entries(info) if isinstance(item, dict) and item.get("config_name", DEFAULT) == config]

    info, old = metadata.get("dataset_info"), of(old_name, then.get("dataset_info"))
    ours = of(name, info)
    if ours == old:
        return
    kept = [item for item in entries(info) if not any(item is other for other in ours)] + deepcopy(old)
    metadata["dataset_info"] = kept[0] if len(kept) == 1 and isinstance(info, dict | None) else kept
    if not kept:
        del metadata["dataset_info"]


def _entries(splits: Mapping[str, Split], paths: Collection[str]) -> list[dict[str, Any]]:
    """Return the splits other than train as entries of `data_files`."""
    return [{"split": name, "path": _path(split, paths)} for name, split in splits.items() if name != TRAIN]


def _path(split: Split, paths: Collection[str]) -> str | list[str]:
    """Return the patterns of a split, or its paths if a card with these patterns would select other files."""
    same = sorted(resolve(split.patterns, paths).files) == sorted(split.files)
    listed = [*split.patterns] if same else [escaped(path) for path in split.files]
    return listed[0] if len(listed) == 1 else listed


def _listed(path: str | list[str]) -> list[str]:
    return [path] if isinstance(path, str) else [*path]
