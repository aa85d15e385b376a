"""What `configs` in the dataset card has to say, so that readers see our files and of all others what they saw.

Only the train entry of the default config is ever edited. What readers see of a card says `scope`.
"""

from collections.abc import Collection, Mapping, MutableMapping, Sequence
from copy import deepcopy
from typing import Any

from govbr_assets.core.globs import escaped
from govbr_assets.core.layout import DATA_PATTERN
from govbr_assets.core.scope import DEFAULT, Scope, scope_of
from govbr_assets.core.splits import TRAIN, Split, resolve
from govbr_assets.errors import ContractError

NARROW_PATTERN = "data/train-[0-9][0-9][0-9][0-9]-*.parquet"
"""The glob where files of others lie within the usual one: it reaches all that this project writes, and little else."""

Metadata = MutableMapping[Any, Any]


def train_patterns(before: Sequence[str], wanted: Collection[str], paths: Collection[str]) -> list[str]:
    """Choose patterns that select some files, each once, and no others.

    Args:
        before: the patterns that the card has or had for them.
        wanted: the files.
        paths: all files that will be in the repo.

    Returns:
        The usual pattern if it is right; else the fewest that are, those of the card before names of single files.

    Raises:
        ContractError: both of ours select a file that is none of them.
    """
    ours = [DATA_PATTERN], [NARROW_PATTERN]
    for each in (*ours, [*before], *([*some, *before] for some in ours)):
        if sorted(resolve(each, paths).files) == sorted(wanted):
            return each
    for some in ours:
        caught = set(resolve(some, paths).files)
        if caught <= set(wanted):
            return [*some, *map(escaped, sorted(set(wanted) - caught))]
    strange = min(set(resolve([NARROW_PATTERN], paths).files) - set(wanted))
    raise ContractError(
        f"{strange} on the Hub has the name of a file of the dataset and is none: the train split of the default config"
        " does not select it; give it another name, or delete it."
    )


def select(metadata: Metadata, before: Scope, train: Sequence[str], paths: Collection[str]) -> None:
    """Make the train split of the default config have some patterns; all other splits select what they did.

    Args:
        metadata: of the card, changed in place.
        before: what readers see now.
        train: the patterns.
        paths: all files that will be in the repo.
    """
    path = train[0] if len(train) == 1 else [*train]
    entry, name = {"split": TRAIN, "path": path}, before.default or DEFAULT
    config = next((each for each in metadata.get("configs") or [] if str(each["config_name"]) == name), None)
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
    elif isinstance(data_files, list) and any(isinstance(each, dict) for each in data_files):
        ours = next((each for each in data_files if each["split"] == TRAIN), None)
        if ours is None:
            data_files.insert(0, entry)
        elif _listed(ours["path"]) != [*train]:
            ours["path"] = path
    elif _listed(data_files) != [*train]:
        config["data_files"] = [entry]


def select_usual(metadata: Metadata) -> None:
    """Make the train split of the default config have our pattern, in a card of a repo without other files."""
    select(metadata, scope_of(metadata, ()), [DATA_PATTERN], ())


def restate(metadata: Metadata, now: Scope, then: Mapping[Any, Any], then_scope: Scope) -> None:
    """Make a card say of the default config's files what another one said; all else of it stays.

    Args:
        metadata: of the card, changed in place.
        now: what readers see of it.
        then: what the other card said.
        then_scope: what readers saw of that one.
    """
    name, old_name = now.default or DEFAULT, then_scope.default or DEFAULT
    restate_info(metadata, then, name, old_name)
    configs = metadata.setdefault("configs", []) or []
    config = next((each for each in configs if str(each["config_name"]) == name), None)
    old = next((each for each in then.get("configs") or [] if str(each["config_name"]) == old_name), {})
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
    """Let `dataset_info` say of a config what another card said of it.

    Args:
        metadata: of the card, changed in place.
        then: what the other card said.
        name: of the config.
        old_name: what it was called in the other card.
    """

    def entries(info: Any) -> list[Any]:
        return [*info] if isinstance(info, list) else [info] if isinstance(info, dict) else []

    def of(config: str, info: Any) -> list[Any]:
        return [each for each in entries(info) if isinstance(each, dict) and each.get("config_name", DEFAULT) == config]

    info, old = metadata.get("dataset_info"), of(old_name, then.get("dataset_info"))
    ours = of(name, info)
    if ours == old:
        return
    kept = [each for each in entries(info) if not any(each is other for other in ours)] + deepcopy(old)
    metadata["dataset_info"] = kept[0] if len(kept) == 1 and isinstance(info, dict | None) else kept
    if not kept:
        del metadata["dataset_info"]


def _entries(splits: Mapping[str, Split], paths: Collection[str]) -> list[dict[str, Any]]:
    """Write the splits but train as entries of `data_files`."""
    return [{"split": name, "path": _path(each, paths)} for name, each in splits.items() if name != TRAIN]


def _path(split: Split, paths: Collection[str]) -> str | list[str]:
    """Write the patterns of a split; the names of its files where the patterns would select others in a card."""
    same = sorted(resolve(split.patterns, paths).files) == sorted(split.files)
    listed = [*split.patterns] if same else [escaped(path) for path in split.files]
    return listed[0] if len(listed) == 1 else listed


def _listed(path: str | list[str]) -> list[str]:
    return [path] if isinstance(path, str) else [*path]
