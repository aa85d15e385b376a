"""What a card and the older `dataset_infos.json` say of our files: their columns, which are the contract's, and sizes.

Sizes would be wrong after the next shard, and then `load_dataset` fails; wrong columns make it fail at once. What is
said of other configs stays. Which files a config has is not decided here.
"""

import json
from collections.abc import Collection, Iterator, Mapping, MutableMapping
from typing import Any

import pyarrow as pa

_SIZES = {"splits", "download_size", "dataset_size"}


def correct_info(metadata: MutableMapping[Any, Any], config: str, schema: pa.Schema) -> None:
    """Correct what the metadata of a card says of a config.

    Args:
        metadata: of the card, is changed: `features` of the config become the contract's, its sizes go.
        config: name of our config.
        schema: the published one.
    """
    drop_sizes(metadata, config)
    infos = [each for each in _entries(metadata.get("dataset_info")) if each.get("config_name", "default") == config]
    for entry in [*infos, *(each for each in _entries(metadata.get("configs")) if each.get("config_name") == config)]:
        _correct_features(entry, {field.name: _feature(field.type) for field in schema})


def add_features(metadata: MutableMapping[Any, Any], config: str, schema: pa.Schema) -> None:
    """Write the features of a config into the metadata of a card that says nothing of them.

    Args:
        metadata: of the card, is changed.
        config: name of our config.
        schema: the published one.
    """
    info = metadata.get("dataset_info")
    if info is not None and not isinstance(info, dict | list):
        return
    entries = [each for each in _entries(info) if each.get("config_name", "default") == config]
    if any(each.get("features") is not None for each in entries):
        return
    features = [{"name": field.name, **dict([_feature(field.type)])} for field in schema]
    if entries:
        entries[0]["features"] = features
        return
    ours = {**({} if config == "default" else {"config_name": config}), "features": features}
    if info:
        ours = {"config_name": config, "features": features}
        metadata["dataset_info"] = [*(info if isinstance(info, list) else [info]), ours]
    else:
        metadata["dataset_info"] = ours


def type_name(kind: pa.DataType) -> str:
    """Name an Arrow type as `datasets` and the dataset viewer do, such as `float64` and `list<string>`."""
    if pa.types.is_list(kind):
        return f"list<{type_name(kind.value_type)}>"
    return "float64" if pa.types.is_float64(kind) else str(kind)  # Arrow says `double`


def drop_sizes(metadata: MutableMapping[Any, Any], config: str) -> None:
    """Take the sizes of a config out of the metadata of a card.

    Args:
        metadata: of the card, is changed.
        config: name of our config.
    """
    info = metadata.get("dataset_info")
    sized = False
    for entry in _entries(info):
        if entry.get("config_name", "default") == config:
            stale = entry.keys() & _SIZES
            sized |= bool(stale)
            for key in stale:
                del entry[key]
    if sized and all(entry.keys() <= {"config_name"} for entry in _entries(info)):
        del metadata["dataset_info"]  # nothing is left that says anything


def corrected_infos(content: bytes, configs: Collection[str]) -> bytes | None:
    """Correct what a `dataset_infos.json` says of some configs.

    Args:
        content: of the file.
        configs: names of ours and of others whose files change.

    Returns:
        The content, of which nothing changes but the entries of these configs; None if the file has to go.

    Source: `datasets` takes the only entry of such a file for the default config's, whatever its name.
    """
    try:
        infos = json.loads(content.decode())
    except ValueError:
        return None  # no reader can load anything beside it
    if not isinstance(infos, dict) or len(infos) < 2:
        return None
    stale = {name for name in configs if infos.get(name)}
    if not stale:
        return content
    indent = 4 if b"\n" in content.strip() else None
    # An empty entry says nothing; without it the only other one would count as the default config's.
    return json.dumps(infos | {name: {} for name in stale}, indent=indent, ensure_ascii=content.isascii()).encode()


def _entries(value: Any) -> Iterator[MutableMapping[Any, Any]]:
    """Go through the mappings of a list, or take a mapping for a list of one."""
    return (entry for entry in (value if isinstance(value, list) else [value]) if isinstance(entry, dict))


def _correct_features(entry: MutableMapping[Any, Any], features: Mapping[str, tuple[str, str]]) -> None:
    """Write the contract's columns where others are told of; what is right stays as it is written."""
    if entry.get("features") is None:
        return
    told = entry["features"] if isinstance(entry["features"], list) else []
    by_name = {each["name"]: each for each in _entries(told) if isinstance(each.get("name"), str)}
    right = {name for name, each in by_name.items() if _type_of(each) == features.get(name)}
    if not len(told) == len(right) == len(features):
        entry["features"] = [
            by_name[name] if name in right else {"name": name, kind: dtype} for name, (kind, dtype) in features.items()
        ]


def _type_of(feature: MutableMapping[Any, Any]) -> tuple[str, Any]:
    """Return which type a feature has, if it is a plain one: what kind, and of what."""
    said = {key: value for key, value in feature.items() if key != "name" and value is not None}
    if len(said) != 1:
        return "", None
    kind, dtype = next(iter(said.items()))
    if isinstance(dtype, dict) and dtype.keys() == {"dtype"}:
        dtype = dtype["dtype"]
    return "list" if kind == "sequence" else kind, dtype


def _feature(kind: pa.DataType) -> tuple[str, str]:
    """Name an Arrow type as `datasets` does in a card."""
    return ("list", type_name(kind.value_type)) if pa.types.is_list(kind) else ("dtype", type_name(kind))
