"""What is our dataset in a repo, against what the library `datasets` makes of the same paths and the same card."""

import fnmatch
from collections.abc import Collection, Mapping
from typing import Any

import datasets
import fsspec
import pytest
from datasets.data_files import (
    DataFilesDict,
    DataFilesPatternsDict,
    EmptyDatasetError,
    get_data_patterns,
    sanitize_patterns,
)
from datasets.load import create_builder_configs_from_metadata_configs, infer_module_for_data_files
from datasets.packaged_modules import (
    _ALL_ALLOWED_EXTENSIONS,
    _MODULE_TO_EXTENSIONS,
    _MODULE_TO_METADATA_EXTENSIONS,
    _MODULE_TO_METADATA_FILE_NAMES,
    _PACKAGED_DATASETS_MODULES,
)
from datasets.utils.metadata import MetadataConfigs
from hypothesis import example, given, settings
from hypothesis import strategies as st

from govbr_assets.core.scope import Scope, scope_of
from govbr_assets.errors import ContractError

ROOT = "memory://repo"
Seen = dict[str, dict[str, list[str]]]


def by_datasets(metadata: Mapping[str, Any], paths: Collection[str]) -> tuple[Seen, str | None, str]:
    """Do what `datasets` does with a repo of the Hub, on paths in memory: files by config and split, default, format.

    Raises:
        ValueError, FileNotFoundError, datasets.exceptions.DatasetsError: nobody can load it.
    """
    fs = fsspec.filesystem("memory")
    fs.store.clear()
    fs.pseudo_dirs[:] = [""]
    for path in paths:
        fs.pipe(f"/repo/{path}", b"")
    fs.makedirs("/repo", exist_ok=True)
    configs = MetadataConfigs.from_dataset_card_data(dict(metadata))  # pyright: ignore[reportArgumentType]
    first = next(iter(configs.values()), {})
    patterns = sanitize_patterns(first["data_files"]) if "data_files" in first else get_data_patterns(ROOT)
    files = DataFilesDict.from_patterns(patterns, base_path=ROOT, allowed_extensions=_ALL_ALLOWED_EXTENSIONS)
    module, settings_ = infer_module_for_data_files(files)
    assert module
    if not configs:
        extensions = _MODULE_TO_EXTENSIONS[module] + _MODULE_TO_METADATA_EXTENSIONS[module]
        files = files.filter(extensions=extensions, file_names=_MODULE_TO_METADATA_FILE_NAMES[module])
        return {"default": _relative(files)}, "default", module
    path = _PACKAGED_DATASETS_MODULES[module][0]
    built, default = create_builder_configs_from_metadata_configs(path, configs, ROOT, settings_)
    seen: Seen = {}
    for config in built:
        assert isinstance(config.data_files, DataFilesPatternsDict)
        config._resolve_data_files(ROOT, datasets.DownloadConfig())
        assert config.data_files is not None
        seen[config.name] = _relative(config.data_files)
    return seen, default, module


def _relative(files: Mapping[str, Any]) -> dict[str, list[str]]:
    return {str(split): [each.partition("/repo/")[2] for each in paths] for split, paths in files.items()}


def of(scope: Scope) -> tuple[Seen, str | None, str]:
    seen = {name: {split: list(each.files) for split, each in splits.items()} for name, splits in scope.configs.items()}
    return seen, scope.default, scope.format.name if scope.format else ""


folders = st.sampled_from(
    [
        "",
        "data/",
        "data/2024/",
        "default/train/",
        "test/",
        "x-train/",
        "reduced/",
        ".hidden/",
        "__cache/",
        "train/deep/",
    ]
)
STEMS = """train-00000-of-00001 test-00000-of-00002 extra-00001-of-00002 train-2026-01-15 train-2026-00 news train test
validation_1 mytrain x.dev.y agencies README evaluation .dot train+test metadata a[1] config"""
PATTERNS = """data/train-*.parquet data/*.parquet *.parquet ** **/*.parquet data/* data/** *.csv **/*.csv data/2024/*
*.json data/train-2026-??-[01]*.parquet reduced/*.parquet default/train/** data/[!t]*.parquet data/news.parquet * data
data/agencies.parquet .hidden/* **/.hidden/* __cache/* README.md data/test-* **/train*/** no-*.csv data/train.* */*"""
stems = st.sampled_from(STEMS.split())
extensions = st.sampled_from(
    ["parquet"] * 6 + ["csv", "jsonl", "json", "csv.gz", "txt", "png", "PNG", "md", "tsv", "bin"]
)
files = st.builds("{}{}.{}".format, folders, stems, extensions)
patterns = st.sampled_from(PATTERNS.split())
split_lists = st.lists(
    st.fixed_dictionaries(
        {"split": st.sampled_from(["train", "test", "other"]), "path": patterns | st.lists(patterns)}
    ),
    unique_by=lambda each: str(each["split"]),
)
data_files = patterns | st.lists(patterns, min_size=1, max_size=3) | split_lists
config = st.fixed_dictionaries(
    {"config_name": st.sampled_from(["default", "full", "reduced", "agencies"])},
    optional={
        "data_files": data_files,
        "data_dir": st.sampled_from(["data", "reduced", "default", "data/2024"]),
        "default": st.booleans(),
    },
)
cards = st.just({}) | st.fixed_dictionaries(
    {"configs": st.lists(config, max_size=3, unique_by=lambda each: str(each["config_name"]))}
)


@settings(max_examples=150, deadline=None)
@given(metadata=cards, paths=st.sets(files, max_size=8))
@example(metadata={}, paths={"data/train-00000-of-00001.parquet", "data/train-2026-01-15.parquet"})
@example(metadata={}, paths={"train.csv", "test.jsonl"})
@example(metadata={"configs": [{"config_name": "default"}]}, paths={"data/x-00000-of-00001.bin", "x.parquet"})
@example(metadata={"configs": [{"config_name": "agencies", "data_files": "a.csv"}]}, paths={"a.csv", "b.csv"})
def test_what_is_selected_is_what_datasets_selects(metadata: dict[str, Any], paths: set[str]):
    try:
        wanted, default, module = by_datasets(metadata, paths)
    except (ValueError, FileNotFoundError, EmptyDatasetError):
        return  # nobody can load it
    scope = scope_of(metadata, paths)
    if not metadata.get("configs") and module in ("parquet", "text", "harbor"):
        unseen = set(fnmatch.filter(paths, "data/train-*.parquet")).difference(*wanted["default"].values())
        if unseen and module != "parquet":
            assert {*scope.ours.files} == unseen
            return
        if unseen:  # our own pattern goes on where no card speaks
            assert {*scope.ours.files} - unseen == {*wanted["default"].pop("train", [])}
            assert of(scope)[0]["default"].items() >= wanted["default"].items()
            return
    if not metadata.get("configs") and module in ("text", "harbor"):
        assert scope == Scope()  # documents, of which nobody has said that they are a dataset
    else:
        assert of(scope) == (wanted, default, module)


@pytest.mark.parametrize(
    "configs",
    [
        {"default": "data/*"},
        ["default"],
        [{"data_files": "data/*"}],
        [{"config_name": "default", "data_files": {"train": "data/*"}}],
        [{"config_name": "default", "data_files": [{"split": "train"}]}],
        [{"config_name": "default", "data_files": [{"split": "my-split", "path": "data/*"}]}],
        [{"config_name": "default", "data_files": [{"split": "a", "path": "x"}, {"split": "a", "path": "y"}]}],
        [{"config_name": "default", "data_files": 3}],
        [{"config_name": "default"}, {"config_name": "full", "default": True}],
        [{"config_name": "default", "data_files": "data/**.parquet"}],
    ],
)
def test_configs_that_nobody_can_load_are_one_sentence(configs: Any):
    with pytest.raises(ContractError, match="on the Hub"):
        scope_of({"configs": configs}, {"data/news.parquet"})
    with pytest.raises((ValueError, TypeError, AttributeError, FileNotFoundError)):
        by_datasets({"configs": configs}, {"data/news.parquet"})
