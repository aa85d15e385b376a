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

from govbr_assets.core.days import Day
from govbr_assets.dataset import Dataset
from govbr_assets.dataset.reach import out_of_reach
from govbr_assets.dataset.transaction import commit
from govbr_assets.errors import ContractError
from govbr_assets.local.hub import LocalHub
from govbr_assets.operations.compact.plan import compact
from govbr_assets.operations.restore import Restore, latest, resolve_revision, restore
from govbr_assets.publications import NEWS
from govbr_assets_tests.compaction_repo import few_files
from govbr_assets_tests.graph import Graph
from govbr_assets_tests.huggingface.test_hub import put
from govbr_assets_tests.operations.test_compact import rows
from govbr_assets_tests.stranger import exists, write
from govbr_assets_tests.tables import encode
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
        local_hub: where it is.
        repo_id: the repo.
        folder: for downloads.
    """

    def __init__(self, local_hub: LocalHub, repo_id: str, folder: Path) -> None:
        self.store, self.id, self._local_hub, self._folder = local_hub.store, repo_id, local_hub, folder
        self._seen: dict[str, Seen] = {}

    @property
    def hub(self) -> Dataset:
        """A client that knows nothing."""
        return Dataset.open(self.id, NEWS, token=self._local_hub.write_token, endpoint=self._local_hub.endpoint)

    def publish(self, *ids: str) -> str:
        """Publish a day's shard; return the sentence with which it is refused, if it is."""
        hub = self.hub
        plan = put(*ids)
        try:
            commit(hub, plan, hub.client.head())
        except ContractError as error:
            return str(error)
        return ""

    def compact(self) -> str:
        """Compact; return the sentence with which it is refused, if it is."""
        try:
            list(compact(self.hub, Day.of("2026-02-01")))
        except ContractError as error:
            return str(error)
        return ""

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
        if revision in self._seen:
            return self._seen[revision]
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
        self._seen[revision] = found | {("", str(default)): []}
        return self._seen[revision]

    def ours(self, revision: str = "main") -> list[str]:
        """Load what readers get who name nothing but the train split, sorted."""
        seen = self.seen(revision)
        default = next(name for config, name in seen if not config)
        return sorted(seen[default, "train"])


def _first_column(table: datasets.Dataset) -> list[Any]:
    return table.data.column(0).to_pylist()


@pytest.fixture
def repo(local_hub: LocalHub, repo_id: str, tmp_path: Path) -> Repo:
    return Repo(local_hub, repo_id, tmp_path / "downloads")


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
def test_other_splits_configs_and_lookup_tables_are_seen_as_before_after_a_day_and_a_compaction(
    repo: Repo, beside: str
):
    repo.write(BESIDE[beside])
    before, configs = others(repo.seen()), repo.card.get("configs", []) if "README.md" in BESIDE[beside] else []
    was = next((each for each in configs if each.get("default") or each["config_name"] == "default"), {})
    old_ids = [] if "none is the default" in beside else ["a", "b", "c"]
    files = {path: blob.oid for path, blob in repo.store.tree(repo.id).items() if path not in _ours(repo)}
    assert repo.publish("n1", "n2") == ""
    assert repo.compact() == ""
    for revision in repo.revisions[-2:]:
        assert repo.ours(revision) == sorted([*old_ids, "n1", "n2"])
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
    return {file.path for file in repo.hub.client.head().data_files}


FULL = OLD.set_column(
    NEWS.schema.get_field_index("tags"),
    NEWS.schema.field("tags"),
    pa.array([["x", "é"], None, []], pa.list_(pa.string())),
).set_column(
    NEWS.schema.get_field_index("content"),
    NEWS.schema.field("content"),
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
def test_rows_that_lie_elsewhere_are_told_in_one_sentence_until_a_compaction_moves_them_over(repo: Repo, where: str):
    base = repo.write(ELSEWHERE[where])
    before, text = repo.seen(), repo.text if "README.md" in ELSEWHERE[where] else None
    hub, count = repo.hub, 1 if "news.parquet by" in where else 3
    told = out_of_reach(hub, hub.client.head())
    assert f"{count} rows of the dataset lie where data/train-*.parquet does not reach" in told
    assert "weekly_consolidation" in told
    assert repo.compact() == ""
    assert repo.ours() == ["a", "b", "c"]
    (path,) = _ours(repo)
    assert path == "data/train-2025-00.parquet"
    assert pq.read_table(repo.store.tree(repo.id)[path].path).equals(FULL)
    assert len(repo.revisions) == repo.revisions.index(base) + 2
    assert text is None or repo.text.split("---\n")[2] == text.split("---\n")[2]
    assert repo.publish("n1") == ""
    assert repo.ours() == ["a", "b", "c", "n1"]
    assert others(repo.seen()) == others(before)


def test_a_day_is_refused_while_rows_lie_elsewhere_and_published_when_they_were_moved_over(
    graph: Graph, tmp_path: Path
):
    repo = Repo(graph.local_hub, graph.repo_id, tmp_path)
    base = repo.write(ELSEWHERE["CSV, by the card"])
    graph.insert("n1", day="2026-01-15")
    for first, last in (("2026-01-15", ""), ("2026-01-14", "2026-01-15")):
        told = failure(graph.run(first, last, checks=False))
        assert "3 rows of the dataset lie where data/train-*.parquet does not reach (csv/news.csv)" in told
    assert graph.reconcile().success
    assert repo.store.head(repo.id) == base
    assert graph.compact().success
    assert graph.run("2026-01-15").success
    assert repo.ours() == ["a", "b", "c", "n1"]


def roll_back_to(repo: Repo, revision: str) -> None:
    """Run the way back, with a client that knows nothing."""
    hub = repo.hub
    assert list(restore(hub, Restore(hub, resolve_revision(hub, revision)), latest(hub)))


FEATURES = {"features": [{"name": "unique_id", "dtype": "string"}, {"name": "agency", "dtype": "string"}]}


@pytest.mark.parametrize(
    "where", ["the root, without a card", "the folder of a config", "CSV with semicolons", "a list"]
)
def test_a_rollback_to_before_the_first_compaction_brings_back_what_the_card_must_say_of_the_files(
    repo: Repo, where: str
):
    two = {"a/1.parquet": parquet(FULL.slice(0, 1)), "b.parquet": parquet(FULL.slice(1))}
    listed = {**two, "README.md": card(config("default", ["a/*.parquet", "b.parquet"]))}
    base = repo.write(ELSEWHERE.get(where, listed))
    before = repo.seen()
    assert repo.compact() == repo.publish("n1") == ""
    newest_text = repo.text.replace("---\nlicense: mit\n", "---\nlicense: apache-2.0\n") + "\nMore of it.\n"
    repo.write({"README.md": newest_text.encode()})
    roll_back_to(repo, base)
    assert repo.seen() == before
    assert repo.text.endswith("\nMore of it.\n")
    assert repo.card.get("license", "apache-2.0") == "apache-2.0"
    there = repo.store.tree(repo.id, base)
    now, text = repo.store.tree(repo.id), {"README.md", "CHANGELOG.md"}
    assert {path: blob for path, blob in now.items() if path not in text} == {
        path: blob for path, blob in there.items() if path not in text
    }
    assert text <= now.keys()
    assert repo.compact() == ""
    assert repo.ours() == ["a", "b", "c"]


def test_a_rollback_brings_back_the_features_that_the_files_had(repo: Repo):
    old = pa.table({"unique_id": ["a"], "agency": ["mec"]})
    said = card(config("default", "news.parquet"), dataset_info=FEATURES)
    base = repo.write({"news.parquet": parquet(old), "README.md": said})
    before = repo.seen()
    repo.write(
        {"news.parquet": None, "data/train-2025-00.parquet": encode(OLD), "README.md": card(config("default", TRAIN))}
    )
    roll_back_to(repo, base)
    assert repo.seen() == before
    assert repo.card["dataset_info"] == FEATURES


def empty_of(schema: pa.Schema, groups: int = 1) -> bytes:
    """Make a file without rows: with one row group that is empty, or without any."""
    sink = io.BytesIO()
    with pq.ParquetWriter(sink, schema) as writer:
        for _ in range(groups):
            writer.write_table(schema.empty_table())
    return sink.getvalue()


WITHOUT_ROWS = {
    "of the contract": empty_of(NEWS.schema),
    "of pandas": parquet(pa.Table.from_pandas(pd.DataFrame(columns=NEWS.schema.names))),
    "of other columns": empty_of(AGENCIES.schema),
    "with an empty row group first": b"",
}


@pytest.mark.parametrize("way", ["a day", "a compaction"])
@pytest.mark.parametrize("kind", WITHOUT_ROWS)
def test_a_file_without_rows_first_in_data_goes_with_the_next_commit_or_is_told_of(repo: Repo, kind: str, way: str):
    content, kept = WITHOUT_ROWS[kind], [] if WITHOUT_ROWS.get(kind) else ["z"]
    if not content:
        sink = io.BytesIO()
        with pq.ParquetWriter(sink, NEWS.schema) as writer:
            writer.write_table(NEWS.schema.empty_table())
            writer.write_table(rows("z", day="2024-05-05"))
        content = sink.getvalue()
    files = {"data/train-0000.parquet": content, "data/train-2025-06-01.parquet": encode(OLD)}
    repo.write({**files, "README.md": card(config("default", TRAIN))})
    with pytest.raises(datasets.exceptions.DatasetGenerationError):
        repo.seen()
    if way == "a day" and kept:
        assert "its first row group has no rows" in repo.publish("n1")
        way = "a compaction"
    if way == "a compaction":
        assert repo.compact() == ""
        assert repo.ours() == ["a", "b", "c", *kept]
    assert repo.publish("n1") == ""
    assert repo.ours() == ["a", "b", "c", "n1", *kept]


@pytest.mark.parametrize("path", ["{name}.py", ".huggingface.yaml"])
def test_a_loading_script_or_metadata_beside_the_card_is_told_before_anything_is_sent(repo: Repo, path: str):
    path = path.format(name=repo.id.rpartition("/")[2])
    base = repo.write(
        {path: b"x", "data/train-2025-06-01.parquet": encode(OLD), "README.md": card(config("default", TRAIN))}
    )
    for told in (repo.publish("n1"), repo.compact()):
        assert f"{path} on the Hub" in told
    assert repo.store.head(repo.id) == base
    repo.write({path: None})
    assert repo.publish("n1") == ""


def test_the_last_rows_do_not_leave_a_repo_in_which_others_could_not_be_loaded_without_them(graph: Graph):
    shown = [config("default", splits(train="data/train-*.parquet")), config("agencies", splits(train="agencies/*"))]
    graph.insert("n1", day="2026-01-15")
    assert graph.run("2026-01-15", checks=False).success
    store = graph.local_hub.store
    base = write(store, graph.repo_id, {"README.md": card(*shown), "agencies/a.parquet": parquet(AGENCIES)})
    graph.execute("DELETE FROM news")
    refused = graph.run("2026-01-15", checks=False, config={"hf_parquet_shard": {"allow_removals": True}})
    assert "no file of the dataset would be left" in failure(refused)
    assert store.head(graph.repo_id) == base


@pytest.mark.parametrize("legacy", [["gone"], ["gone", "kept"]])
def test_a_day_whose_only_rows_are_in_an_uncompacted_foreign_file_is_refused_and_not_said_to_differ_in_nothing(
    graph: Graph, legacy: list[str], tmp_path: Path
):
    repo = Repo(graph.local_hub, graph.repo_id, tmp_path)
    foreign = {"data/train-00000-of-00001.parquet": parquet(rows(*legacy, day="2026-01-15"))}
    repo.write({**foreign, "README.md": card(config("default", TRAIN))})
    graph.insert(*(name for name in legacy if name == "kept"), day="2026-01-15")
    told = failure(graph.run("2026-01-15", checks=False, config={"hf_parquet_shard": {"unfolded": "stop"}}))
    assert (
        f"Rows of 2026-01-15 ({len(legacy)}) are in files that are not compacted (data/train-00000-of-00001.parquet)"
        in told
    )
    result = graph.run("2026-01-15", checks=False)  # which leaves them
    assert graph.metadata(result)["2026-01-15"]["unfolded"] == len(legacy)
    assert graph.compact(checks=False).success
    allowed = {"hf_parquet_shard": {"unfolded": "stop", "allow_removals": True}}
    assert graph.run("2026-01-15", checks=False, config=allowed).success
    assert repo.hub.client.head().data_files == [] or repo.ours() == [name for name in legacy if name == "kept"]


@pytest.mark.parametrize("kind", ["Parquet", "JSONL"])
def test_more_files_elsewhere_than_a_commit_has_are_moved_over_in_a_series_with_every_row_once_at_each_revision(
    repo: Repo, kind: str, monkeypatch: pytest.MonkeyPatch
):
    few_files(monkeypatch, 3)
    tables = [rows(f"id{number}", day=f"202{number}-05-05") for number in range(7)]
    if kind == "Parquet":
        files = {f"old/{number}.parquet": parquet(each) for number, each in enumerate(tables)}
    else:
        files = {f"old/{number}.jsonl": as_jsonl(each) for number, each in enumerate(tables)}
    base = repo.write({**files, "README.md": card(config("default", "old/*"))})
    assert repo.compact() == ""
    steps = repo.revisions[repo.revisions.index(base) + 1 :]
    assert len(steps) > 1
    for revision in steps:
        assert repo.ours(revision) == [f"id{number}" for number in range(7)]
    assert not [path for path in repo.store.tree(repo.id) if path.startswith("old/")]
    assert repo.card["configs"] == [config("default", splits(train=TRAIN))]


def half_moved_over(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> str:
    """Kill a compaction behind its first commit, which has moved over more files than it can delete."""
    few_files(monkeypatch, 3)
    files = {f"old/{number}.jsonl": as_jsonl(rows(f"id{number}", day="2025-05-05")) for number in range(7)}
    files["old/others.jsonl"] = files["old/6.jsonl"]  # nobody selects it
    base = repo.write({**files, "README.md": card(config("default", "old/[0-9].jsonl"))})
    steps = compact(repo.hub, Day.of("2026-02-01"))
    next(steps)
    steps.close()  # type: ignore[attr-defined]
    assert len([path for path in repo.store.tree(repo.id) if path.startswith("old/")]) == 6
    return base


@pytest.mark.parametrize("between", ["nothing", "a day and a note"])
def test_what_a_killed_compaction_had_moved_over_is_deleted_by_the_next_one_and_nothing_of_others(
    repo: Repo, monkeypatch: pytest.MonkeyPatch, between: str
):
    half_moved_over(repo, monkeypatch)
    ids = [f"id{number}" for number in range(7)]
    if between != "nothing":
        assert repo.publish("n1") == ""
        repo.write({"note.txt": b"x", "old/0.jsonl": b'{"unique_id": "new"}\n', "old/later.csv": b"a\n1\n"})
    others = {"old/others.jsonl"} | ({"old/0.jsonl", "old/later.csv"} if between != "nothing" else set[str]())
    assert repo.compact() == ""
    assert {path for path in repo.store.tree(repo.id) if path.startswith("old/")} == others
    assert repo.ours() == ids + ([] if between == "nothing" else ["n1"])
    head = repo.store.head(repo.id)
    assert repo.compact() == ""
    assert repo.store.head(repo.id) == head


def test_files_that_were_selected_again_since_they_were_moved_over_are_deleted_by_nobody(
    repo: Repo, monkeypatch: pytest.MonkeyPatch
):
    roll_back_to(repo, half_moved_over(repo, monkeypatch))
    repo.write({"README.md": card(config("default", "old/0.jsonl"))})  # their owner wants them no more, and keeps them
    assert repo.compact() == ""
    assert {f"old/{number}.jsonl" for number in range(1, 7)} <= repo.store.tree(repo.id).keys()
    assert repo.ours() == ["id0"]


RIGHT = [
    {"name": field.name} | ({"list": "string"} if field.name == "tags" else {"dtype": str(field.type)})
    for field in NEWS.schema
]


def info(name: str, features: Any, **counts: int) -> dict[str, Any]:
    """Say of a config what `push_to_hub` does."""
    sizes = [{"name": split, "num_bytes": 9, "num_examples": count} for split, count in counts.items()]
    return {"config_name": name, "features": features, "splits": sizes, "download_size": 9, "dataset_size": 9}


def test_the_sizes_and_columns_that_the_card_tells_of_other_configs_with_our_files_are_right_after_each_commit(
    repo: Repo,
):
    null = [{**each, "dtype": "null"} if each["name"] == "video_url" else each for each in RIGHT]
    names = [{"name": name, "dtype": "string"} for name in AGENCIES.schema.names]
    told = [info("full", null, train=3), info("all", null, train=3), info("agencies", names, train=2)]
    index = NEWS.schema.get_field_index("video_url")
    configs = config("agencies", "x/*"), config("full", TRAIN, default=True), config("all", "data/*.parquet")
    base = repo.write(
        {
            "data/train-00000-of-00001.parquet": parquet(OLD.set_column(index, "video_url", pa.nulls(3))),
            "x/a.parquet": parquet(AGENCIES),
            "README.md": card(*configs, dataset_info=told),
        }
    )
    before = repo.seen()
    assert repo.compact() == repo.publish("n1") == ""
    for revision in repo.revisions[-2:]:
        seen = repo.seen(revision)
        assert seen["all", "train"] == seen["full", "train"]
        assert seen["agencies", "train"] == before["agencies", "train"]
    assert repo.ours() == ["a", "b", "c", "n1"]
    assert repo.card["dataset_info"] == [
        *({"config_name": name, "features": RIGHT} for name in ("full", "all")),
        told[2],
    ]
    roll_back_to(repo, base)
    assert repo.seen() == before
    assert [each["features"] for each in repo.card["dataset_info"]] == [names, null, null]


REFUSED: dict[str, tuple[Files, str]] = {
    "images": ({"images/a.png": b"PNG"}, "read as imagefolder"),
    "a table that is no news": ({"agencies.parquet": parquet(AGENCIES)}, "has no column unique_id"),
    "a dataset at an address": (
        {"README.md": card(config("default", "https://example.org/news.parquet"))},
        "not, or not surely, in the repo",
    ),
    "a config that would select our files": (
        {
            "data/agencies.parquet": parquet(AGENCIES),
            "README.md": card(config("default", TRAIN), config("agencies", "data/*.parquet")),
        },
        "The split train of the config agencies in README.md on the Hub would select data/train-2026-01-15.parquet",
    ),
    "a file of others where our shard goes": (
        {
            "data/train-2026-01-15.parquet": parquet(AGENCIES),
            "README.md": card(
                config("default", "data/train-2025*.parquet"), config("x", "data/train-2026-01-15.parquet")
            ),
        },
        "data/train-2026-01-15.parquet on the Hub is in the place of a file of the dataset",
    ),
    "two defaults": (
        {"README.md": card(config("default", TRAIN), config("x", "x/*", default=True))},
        "several default configs",
    ),
    "a first config of CSV": (
        {"x.csv": b"a\n1\n", "README.md": card(config("x", "x.csv"), config("default", TRAIN))},
        "for one format",
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_be_published_beside_others_is_one_sentence_and_nothing_is_sent(repo: Repo, what: str):
    files, sentence = REFUSED[what]
    base = repo.write(files)
    assert sentence in repo.publish("n")
    assert repo.store.head(repo.id) == base


BAD_TEXT: dict[str, tuple[bytes, str]] = {
    "n.csv": (
        as_csv(FULL).replace(b"2025-06-01T09:01", b"yesterday 09:01"),
        "Column published_at of the row with unique_id 'b'",
    ),
    "o.csv": (as_csv(FULL) + b"too,few\n", "has 2 columns and not 24"),
    "p.csv": (as_csv(FULL).replace(b"Quoted", b"\xe9"), "cannot be read as text in UTF-8"),
    "q.csv": (as_csv(FULL).replace(b'""x""', b"x"), "Column tags of the row with unique_id 'a'"),
    "r.jsonl": (as_jsonl(FULL).replace(b'"Title of b"', b"7"), "Column title of the row with unique_id 'b'"),
    "s.jsonl": (as_jsonl(FULL) + b"{oops\n", "Line 4 of s.jsonl is no JSON object"),
    "t.json": (b"[" + as_jsonl(FULL).replace(b"\n", b",")[:-40], "Behind row 2 t.json is no JSON array"),
    "u.jsonl": (as_jsonl(FULL.drop_columns("image")), "Column image is missing in u.jsonl"),
    "v.jsonl.gz": (gzip.compress(as_jsonl(FULL))[:-20], "v.jsonl.gz on the Hub cannot be read"),
}


@pytest.mark.parametrize("path", BAD_TEXT)
def test_text_that_cannot_become_the_contracts_without_loss_is_named_by_file_column_and_row(repo: Repo, path: str):
    content, sentence = BAD_TEXT[path]
    base = repo.write({path: content})
    told = repo.compact()
    assert sentence in told
    assert path in told
    assert repo.store.head(repo.id) == base
