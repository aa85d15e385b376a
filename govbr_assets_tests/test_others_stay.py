"""A repo that holds more than our dataset, or holds it elsewhere: what readers saw of others they see, of ours all.

Readers are the library `datasets` on a download of each revision: rules, formats and files are its own.
"""

import gzip
import io
import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import datasets
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from govbr_assets.core.contract import NEWS_SCHEMA
from govbr_assets.core.layout import encode
from govbr_assets_tests.graph import Graph
from govbr_assets_tests.stranger import exists, write
from govbr_assets_tests.test_fold import rows
from govbr_assets_tests.test_graph import failure

Files = Mapping[str, bytes | None]
Seen = dict[tuple[str, str], list[Any]]

OLD = rows("a", "b", "c", day="2025-06-01")
AGENCIES = pa.table({"key": ["mec", "agu"], "name": ["Educação", "União"]})
HELD_OUT = rows("t1", "t2", day="2026-01-15")
"""Rows of a day that is published, in a split of somebody else."""


def parquet(table: pa.Table) -> bytes:
    sink = io.BytesIO()
    pq.write_table(table, sink)
    return sink.getvalue()


def card(*configs: Mapping[str, Any], text: str = "# Ours\n", **more: Any) -> bytes:
    """Write a card, as people and `push_to_hub` do."""
    front = {"license": "mit", **more} | ({"configs": [*configs]} if configs else {})
    return f"---\n{yaml.safe_dump(front, sort_keys=False, allow_unicode=True)}---\n{text}".encode()


def config(name: str, data_files: Any = None, **more: Any) -> dict[str, Any]:
    return {"config_name": name} | ({"data_files": data_files} if data_files else {}) | more


def splits(**paths: str | list[str]) -> list[dict[str, Any]]:
    return [{"split": name, "path": path} for name, path in paths.items()]


class Repo:
    """A repo of somebody else, and what readers see of it.

    Args:
        graph: has the repo.
        folder: for downloads.
    """

    def __init__(self, graph: Graph, folder: Path) -> None:
        self.graph, self.store, self.id, self._folder = graph, graph.local_hub.store, graph.repo_id, folder

    def write(self, files: Files) -> str:
        """Commit as somebody else."""
        return write(self.store, self.id, files)

    @property
    def revisions(self) -> list[str]:
        """All revisions, oldest first."""
        known = exists(self.store, self.id)
        return [each.sha for each in reversed(self.store.commits(self.id))] if known else []

    @property
    def card(self) -> dict[str, Any]:
        """The front matter as it is."""
        return yaml.safe_load(self.text.split("---\n")[1])

    @property
    def text(self) -> str:
        """The card as it is."""
        return self.store.tree(self.id)["README.md"].path.read_text("utf-8")

    def seen(self, revision: str = "main") -> Seen:
        """Load every split of every config: the first column of each row, ids of news; and the default as ``."""
        revision = self.store.head(self.id) if revision == "main" else revision
        tree, place = self.store.tree(self.id, revision), self._folder / revision
        for path, blob in tree.items():
            (place / path).parent.mkdir(parents=True, exist_ok=True)
            (place / path).write_bytes(blob.path.read_bytes())
        names = datasets.get_dataset_config_names(str(place))
        found: Seen = {}
        for name in names:
            loaded = datasets.load_dataset(str(place), name, cache_dir=str(place / ".cache"))
            found |= {(name, str(split)): _first_column(table) for split, table in loaded.items()}
        default = datasets.get_dataset_default_config_name(str(place))
        return found | {("", str(default)): []}

    def ours(self, revision: str = "main") -> list[str]:
        """Load what readers get who name nothing but the train split, sorted."""
        seen = self.seen(revision)
        default = next(name for config, name in seen if not config)
        return sorted(seen[default, "train"])


def _first_column(table: datasets.Dataset) -> list[Any]:
    return table.data.column(0).to_pylist()


@pytest.fixture
def repo(graph: Graph, tmp_path: Path) -> Repo:
    return Repo(graph, tmp_path / "downloads")


def others(seen: Seen) -> Seen:
    """Leave our rows out."""
    default = next(name for config, name in seen if not config)
    return {key: found for key, found in seen.items() if key != (default, "train")}


SHARDED = {"data/train-00000-of-00001.parquet": parquet(OLD), "data/test-00000-of-00002.parquet": parquet(HELD_OUT)}
TRAIN = "data/train-*.parquet"

BESIDE: dict[str, Files] = {
    "a test split that the card has": SHARDED
    | {"README.md": card(config("default", splits(train="data/train-*", test="data/test-*")))},
    "a test split without a card": SHARDED,
    "splits by folders without a card": {
        "data/train-2025-06-01.parquet": encode(OLD),
        "validation/x.parquet": parquet(HELD_OUT),
        "README.md": card(config("default", splits(train=TRAIN, validation="validation/*", other="validation/x*"))),
    },
    "a second config as push_to_hub writes it": SHARDED
    | {
        "reduced/train-00000-of-00001.parquet": parquet(AGENCIES),
        "README.md": card(
            config("default", splits(train="data/train-*", test="data/test-*")),
            config("reduced", splits(train="reduced/train-*"), description="Few columns", drop_labels=True),
        ),
    },
    "a default of another name": SHARDED
    | {
        "other/x.parquet": parquet(AGENCIES),
        "README.md": card(
            config("other", "other/*.parquet"),
            config("full", splits(train="data/train-*"), default=True, version="1.0.0"),
        ),
    },
    "a lookup table with a config of its own": {
        "data/agencies.parquet": parquet(AGENCIES),
        "data/train-00000-of-00001.parquet": parquet(OLD),
        "README.md": card(config("default", TRAIN), config("agencies", "data/agencies.parquet")),
    },
    "a lookup table under our pattern": {
        "data/train-lookup.parquet": parquet(AGENCIES),
        "data/train-00000-of-00001.parquet": parquet(OLD),
        "README.md": card(config("default", ["data/train-0*"]), config("agencies", "data/train-lookup.parquet")),
    },
    "configs of which none is the default": {
        "full/x.parquet": parquet(AGENCIES),
        "reduced/x.parquet": parquet(AGENCIES),
        "README.md": card(config("full", data_dir="full"), config("reduced", "reduced/*")),
    },
    "files that no config has": {
        "data/train-00000-of-00001.parquet": parquet(OLD),
        "data/old.parquet": parquet(AGENCIES),
        "data/train-old.parquet": parquet(AGENCIES),
        "logo.png": b"PNG",
        "README.md": card(config("default", "data/train-0*.parquet")),
    },
}


@pytest.mark.parametrize("beside", BESIDE)
def test_other_splits_configs_and_lookup_tables_are_seen_as_before_after_a_day_and_a_fold(repo: Repo, beside: str):
    repo.write(BESIDE[beside])
    before, configs = others(repo.seen()), repo.card.get("configs", []) if "README.md" in BESIDE[beside] else []
    was = next((each for each in configs if each.get("default") or each["config_name"] == "default"), {})
    old_ids = [] if "none is the default" in beside else ["a", "b", "c"]
    files = {path: blob.oid for path, blob in repo.store.tree(repo.id).items() if path not in _ours(repo)}
    repo.graph.insert("n1", "n2", day="2026-01-15")
    assert repo.graph.run("2026-01-15", checks=False).success
    assert repo.ours() == sorted([*old_ids, "n1", "n2"])
    assert repo.graph.fold(checks=False).success
    assert repo.ours() == sorted([*old_ids, "n1", "n2"])
    for revision in repo.revisions[-2:]:
        seen = others(repo.seen(revision))
        assert seen.items() >= {key: found for key, found in before.items() if key != ("", "None")}.items()
    tree = repo.store.tree(repo.id)
    assert {path: tree[path].oid for path in files if path != "README.md"} == {
        path: oid for path, oid in files.items() if path != "README.md"
    }
    name = was.get("config_name", "default")
    now = {each["config_name"]: each for each in repo.card["configs"]}
    ours = now.pop(name)
    assert now == {each["config_name"]: each for each in configs if each["config_name"] != name}
    assert {**ours, "data_files": 0} == {"config_name": name, **was, "data_files": 0}
    assert "README.md" not in BESIDE[beside] or repo.text.endswith("# Ours\n")


def _ours(repo: Repo) -> set[str]:
    return {file.path for file in repo.graph.head.data_files}


FULL = OLD.set_column(
    NEWS_SCHEMA.get_field_index("tags"),
    NEWS_SCHEMA.field("tags"),
    pa.array([["x", "é"], None, []], pa.list_(pa.string())),
).set_column(
    NEWS_SCHEMA.get_field_index("content"),
    NEWS_SCHEMA.field("content"),
    pa.array(['"Quoted", with\na line', None, "07"]),
)
"""Rows as others have them elsewhere, with what text files are bad at."""


def as_objects(table: pa.Table) -> list[dict[str, Any]]:
    return [
        {name: each.isoformat() if isinstance(each, datetime) else each for name, each in row.items()}
        for row in table.to_pylist()
    ]


def as_csv(table: pa.Table, separator: str = ",") -> bytes:
    objects = [row | {"tags": None if row["tags"] is None else json.dumps(row["tags"])} for row in as_objects(table)]
    return pd.DataFrame(objects).to_csv(index=False, sep=separator).encode()


def as_jsonl(table: pa.Table) -> bytes:
    return b"".join(json.dumps(row).encode() + b"\n" for row in as_objects(table))


ELSEWHERE: dict[str, Files] = {
    "the root, without a card": {"news.parquet": parquet(FULL)},
    "a sub-folder, by the card": {
        "data/2024/01/x.parquet": parquet(FULL),
        "README.md": card(config("default", splits(train="data/**/*.parquet"))),
    },
    "folders of splits, without a card": {
        "default/train/0.parquet": parquet(FULL),
        "default/test/0.parquet": parquet(HELD_OUT),
    },
    "data/news.parquet by data/*.parquet": {
        "data/news.parquet": parquet(FULL.slice(0, 1)),
        "data/train-2025-06-01.parquet": encode(FULL.slice(1)),
        "README.md": card(config("default", "data/*.parquet")),
    },
    "the folder of a config": {
        "full/data/train-00000-of-00001.parquet": parquet(FULL),
        "full/data/test-00000-of-00001.parquet": parquet(HELD_OUT),
        "README.md": card(config("full", data_dir="full", default=True), config("old", "full/data/test*")),
    },
    "CSV, by the card": {"csv/news.csv": as_csv(FULL), "README.md": card(config("default", "csv/*.csv"))},
    "CSV with semicolons": {
        "news.csv": as_csv(FULL, ";"),
        "README.md": card(config("default", "*.csv", sep=";", description="Ours")),
    },
    "TSV, packed, without a card": {"news.tsv.gz": gzip.compress(as_csv(FULL, "\t"))},
    "JSONL, by the card": {"data/news.jsonl": as_jsonl(FULL), "README.md": card(config("default", "data/news.jsonl"))},
    "JSONL, packed, without a card": {"news.jsonl.gz": gzip.compress(as_jsonl(FULL))},
    "a JSON array": {"data/news.json": json.dumps(as_objects(FULL), indent=1).encode()},
}


@pytest.mark.parametrize("where", ELSEWHERE)
def test_rows_that_lie_elsewhere_stop_a_day_with_one_sentence_until_a_compaction_moves_them_over(
    repo: Repo, where: str
):
    base = repo.write(ELSEWHERE[where])
    before, text = repo.seen(), repo.text if "README.md" in ELSEWHERE[where] else None
    assert repo.ours() == ["a", "b", "c"]
    repo.graph.insert("n1", "n2", day="2026-01-15")
    told = failure(repo.graph.run("2026-01-15", checks=False))
    count = 1 if "news.parquet by" in where else 3
    assert f"{count} rows of the dataset lie where data/train-*.parquet does not reach" in told
    assert "weekly_consolidation" in told
    assert repo.store.head(repo.id) == base
    assert repo.graph.fold().success
    assert repo.ours() == ["a", "b", "c"]
    assert others(repo.seen()) == others(before)
    hub = repo.graph.hub
    files = hub.head().data_files
    assert [file.path for file in files] == ["data/train-2025-00.parquet"]
    moved = pq.read_table(repo.store.tree(repo.id)[files[0].path].path)
    assert moved.equals(FULL)
    assert len(repo.revisions) == repo.revisions.index(base) + 2
    assert text is None or repo.text.split("---\n")[2] == text.split("---\n")[2]
    assert repo.graph.run("2026-01-15", checks=False).success
    assert repo.ours() == ["a", "b", "c", "n1", "n2"]
    assert others(repo.seen()) == others(before)
