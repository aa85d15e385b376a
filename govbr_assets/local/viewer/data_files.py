"""Which files of a revision are the dataset: the data files that the card names, else all Parquet in `data/`."""

from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Any

import yaml

from govbr_assets.local.hub.blobs import Blob
from govbr_assets.local.viewer.errors import UnexpectedError

CONFIG, SPLIT = "default", "train"
_WITHOUT_CARD = ["data/*.parquet"]


def data_files(tree: Mapping[str, Blob]) -> dict[str, Blob]:
    """Pick the Parquet files of the split, in the order of their names.

    Args:
        tree: path to content of a revision.
    """
    patterns = _patterns(tree["README.md"].path.read_text("utf-8")) if "README.md" in tree else _WITHOUT_CARD
    return {
        path: tree[path]
        for path in sorted(tree)
        if path.endswith(".parquet") and any(_fits(path, pattern) for pattern in patterns)
    }


def _fits(path: str, pattern: str) -> bool:
    """Match a path as the Hub's globs do: a `*` ends at a slash, only `**` goes down into folders, or into none."""
    if "**" in pattern:
        return fnmatchcase(path, pattern.replace("**/", "*"))
    return fnmatchcase(path, pattern) and path.count("/") == pattern.count("/")


def _patterns(card: str) -> list[str]:
    """Read the patterns of the split out of the card's front matter."""
    parts = card.split("---\n", 2)
    try:
        front = yaml.safe_load(parts[1]) if len(parts) == 3 and not parts[0].strip() else None
    except yaml.YAMLError as error:
        raise UnexpectedError(f"The front matter of README.md is not YAML: {error}") from error
    configs: list[dict[str, Any]] = (front or {}).get("configs") or []
    for config in configs:
        if config.get("config_name") == CONFIG and "data_files" in config:
            return _paths(config["data_files"])
    return _WITHOUT_CARD


def _paths(data_files: Any) -> list[str]:
    """Flatten the forms that the card's `data_files` may have: a path, a list of paths, or paths by split."""
    if isinstance(data_files, str):
        return [data_files]
    if isinstance(data_files, dict):
        return _paths(data_files["path"]) if data_files.get("split", SPLIT) == SPLIT else []
    return [path for entry in data_files for path in _paths(entry)]
