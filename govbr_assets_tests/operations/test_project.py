"""A projection on a real Hub: it mirrors the full dataset file by file, and fetches and sends nothing else."""

import csv
import io
import os
import random
import subprocess
import sys
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from govbr_assets.core.days import Day
from govbr_assets.core.layout import is_parquet
from govbr_assets.core.projection import Projection, RowFilter
from govbr_assets.dataset import Dataset
from govbr_assets.dataset.changeset import SourceRevision
from govbr_assets.errors import ContractError
from govbr_assets.local.hub import LocalHub
from govbr_assets.local.hub.actions import call
from govbr_assets.local.hub.faults import Fault
from govbr_assets.operations.compact.plan import compact
from govbr_assets.operations.project.compare import compare_projection
from govbr_assets.operations.project.plan import ProjectionReport, project
from govbr_assets.operations.restore import Restore, latest, resolve_revision, restore
from govbr_assets.publications import NEWS, REDUCED
from govbr_assets_tests import stranger
from govbr_assets_tests.tables import encode, shard, usual_card

TODAY = Day.of("2026-01-20")
LOAD = """
import sys
from datasets import load_dataset
for revision in sys.argv[2:]:
    print(load_dataset(sys.argv[1], revision=revision, split="train").num_rows)
"""
OLD_CARD = b"""---
license: cc-by-4.0
configs:
- config_name: default
  data_files:
  - split: train
    path: data/train-*
- config_name: agencies
  data_files: agencies.csv
dataset_info:
  features:
  - name: published_at
    dtype: string
  splits:
  - name: train
    num_bytes: 1
    num_examples: 1
  dataset_size: 1
---
Ours since 2024.
"""


class Pair:
    """The full dataset and its projection, as they lie on the Hub."""

    def __init__(self, local_hub: LocalHub, repo_id: str, projection: Projection = REDUCED) -> None:
        self.hub, self.repo_id, self.reduced_id, self.projection = local_hub, repo_id, f"{repo_id}-small", projection

    @property
    def full(self) -> Dataset:
        return Dataset.open(self.repo_id, NEWS, token=self.hub.write_token, endpoint=self.hub.endpoint)

    @property
    def reduced(self) -> Dataset:
        spec = self.projection.spec
        return Dataset.open(self.reduced_id, spec, token=self.hub.write_token, endpoint=self.hub.endpoint)

    def write(self, files: Mapping[str, bytes | None], repo_id: str = "") -> str:
        return stranger.write(self.hub.store, repo_id or self.repo_id, files)

    def project(self) -> list[ProjectionReport]:
        """Mirror, with clients that know nothing; return what each commit did, and check every one of them."""
        results = [each for each in project(self.full, self.reduced, self.projection) if each.committed]
        for result in results:
            report = result.report
            self.check(report.source or "", result.after or "")
        self.hub.faults.clear()
        return [each.report for each in results]

    def files(self, repo_id: str, revision: str = "main") -> dict[str, pa.Table]:
        tree = self.hub.store.tree(repo_id, revision)
        return {path: stranger.read(blob) for path, blob in tree.items() if is_parquet(path)}

    def check(self, source: str = "main", revision: str = "main") -> None:
        """See that a revision holds what one of the full dataset does, file by file and row by row."""
        wanted = self.wanted(source)
        selected = {file.path for file in self.reduced.client.at(self.sha(revision)).data_files}
        found = {path: rows for path, rows in self.files(self.reduced_id, revision).items() if path in selected}
        assert {*found} == {*wanted}
        for path, rows in wanted.items():
            assert found[path].equals(rows), path
            assert found[path].schema.equals(self.projection.spec.schema, check_metadata=True)

    def wanted(self, source: str) -> dict[str, pa.Table]:
        rows = {path: self._projected(table) for path, table in self.files(self.repo_id, source).items()}
        return {path: table for path, table in rows.items() if table.num_rows}

    def _projected(self, table: pa.Table) -> pa.Table:
        only = self.projection.rows
        keep = [not only or each in only.values for each in table[only.column if only else "url"].to_pylist()]
        return (
            table.filter(pa.array(keep, pa.bool_())).select(self.projection.columns).cast(self.projection.spec.schema)
        )

    def sha(self, revision: str) -> str:
        return self.hub.store.head(self.reduced_id) if revision == "main" else revision

    def source(self, revision: str = "main") -> str:
        commit = next(self.reduced.client.commits(revision))
        named = SourceRevision.parse(commit.message)
        return named.revision if named else ""


@pytest.fixture
def pair(local_hub: LocalHub, repo_id: str) -> Pair:
    return Pair(local_hub, repo_id)


def day(day: str, *names: str, count: int = 3) -> dict[str, bytes]:
    """Make the shard of a day, every row with an address of its own."""
    rows = shard(names or [f"{day}-{number}" for number in range(count)], at=Day.of(day).start + timedelta(hours=9))
    urls = pa.array([f"https://{day}/{number}" for number in range(rows.num_rows)])
    return {f"data/train-{day}.parquet": encode(rows.set_column(rows.column_names.index("url"), "url", urls))}


def test_an_old_sibling_is_moved_over_and_follows_days_a_compaction_a_rollback_and_a_lost_trailer(pair: Pair):
    first = pair.write({**day("2026-01-10"), **day("2026-01-11"), "README.md": usual_card(None).encode()})
    names = ("00000-of-00003", "00001-of-00003", "00002-of-00003", "2026-01-10-061203")
    old = {f"data/train-{name}.parquet": stranger.as_others_write(pa.table({"url": [name]})) for name in names}
    pair.write({**old, "README.md": OLD_CARD, "agencies.csv": b"a\n1\n", "notes.txt": b"mine"}, pair.reduced_id)
    (report,) = pair.project()
    assert report.source == first == pair.source()
    assert {*report.dropped} == {*old}
    card = pair.hub.store.tree(pair.reduced_id, "main")["README.md"].path.read_text()
    assert "num_examples" not in card
    assert card.endswith("Ours since 2024.\n")
    assert {"agencies.csv", "notes.txt"} < {*pair.hub.store.tree(pair.reduced_id, "main")}
    assert pair.project() == []
    for number in range(12, 19):
        pair.write(day(f"2026-01-{number}"))
        (report,) = pair.project()
        assert report.made == (f"data/train-2026-01-{number}.parquet",)
    before = pair.hub.store.head(pair.repo_id)
    assert list(compact(pair.full, TODAY))
    (report,) = pair.project()
    assert report.made == ("data/train-2026-00.parquet",)
    assert len(report.dropped) == 9
    full = pair.full
    assert list(restore(full, Restore(full, resolve_revision(full, before)), latest(full)))
    (report,) = pair.project()
    assert len(report.made) == 9
    pair.write({"data/train-2026-01-12.parquet": b"", **day("2026-01-13", "else")}, pair.reduced_id)
    (report,) = pair.project()
    assert {*report.made} == {f"data/train-2026-01-{number}.parquet" for number in (12, 13)}
    files = pair.hub.store.tree(pair.reduced_id, "main")
    pair.hub.store.delete(pair.reduced_id)
    broken = day("2026-01-15", "other", count=1)
    pair.write({**{path: blob.path.read_bytes() for path, blob in files.items()}, **broken}, pair.reduced_id)
    (report,) = pair.project()
    assert report.made == ("data/train-2026-01-15.parquet",)
    assert pair.project() == []


def test_a_steady_day_fetches_the_projected_columns_and_nothing_else_and_sends_one_commit(pair: Pair):
    pair.write({**day("2026-01-10"), "README.md": usual_card(None).encode()})
    pair.project()
    rows = shard([f"row {number}" for number in range(400)])
    noise = pa.array([random.Random(number).randbytes(3_000).hex() for number in range(400)])
    content = encode(rows.set_column(rows.column_names.index("content"), "content", noise))
    pair.write({"data/train-2026-01-15.parquet": content})
    pair.hub.faults.forget()
    assert len(pair.project()) == 1
    metadata = pq.read_metadata(io.BytesIO(content))
    chunks = [metadata.row_group(0).column(number) for number in range(metadata.num_columns)]
    projected = sum(each.total_compressed_size for each in chunks if each.path_in_schema in REDUCED.columns)
    fetched = sum(each.sent for each in pair.hub.faults.seen("GET", "/objects/|/resolve/|/blobs/"))
    assert projected < fetched < projected + (40 << 10) < len(content) / 5
    pair.hub.faults.forget()
    assert pair.project() == []
    assert not pair.hub.faults.seen("POST", "/commit/")
    assert len(pair.hub.faults.requests) < 15


def test_rows_that_change_elsewhere_than_in_the_projected_columns_make_no_commit(pair: Pair):
    pair.write({**day("2026-01-10"), "README.md": usual_card(None).encode()})
    pair.project()
    (path, content), *_ = day("2026-01-10").items()
    rows = pq.read_table(io.BytesIO(content))
    other = rows.set_column(rows.column_names.index("content"), "content", pa.array(["other"] * rows.num_rows))
    pair.write({path: encode(other)})
    assert pair.project() == []
    assert not compare_projection(pair.full, pair.reduced, REDUCED).differences


def test_more_files_than_a_commit_may_have_come_in_several_that_are_each_a_state_of_the_full_dataset(
    pair: Pair, local_hub: LocalHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("govbr_assets.operations.project.plan.COMMIT_FILES", 3)
    pair.write({**day("2026-01-01"), "README.md": usual_card(None).encode()})
    for first in range(2, 10, 2):
        pair.write({**day(f"2026-01-0{first}"), **day(f"2026-01-0{first + 1}")})
    old = {f"data/train-old-{n}.parquet": stranger.as_others_write(pa.table({"url": [f"{n}"]})) for n in range(5)}
    others = {"lookup.parquet": encode(shard(["mine"])), "agencies.csv": b"a\n1\n", "README.md": OLD_CARD}
    pair.write({**old, **others}, pair.reduced_id)
    assert not next(project(pair.full, pair.reduced, REDUCED)).report.complete  # and the others never come
    reports = pair.project()
    assert len(reports) > 3
    assert all(len(each.made) <= 3 for each in reports)
    assert reports[-1].complete
    assert {path for path in pair.hub.store.tree(pair.reduced_id, "main") if "old" in path} == set()
    assert "lookup.parquet" in pair.hub.store.tree(pair.reduced_id, "main")
    pair.check()
    assert pair.project() == []
    ours = [each.revision for each in pair.reduced.client.commits() if SourceRevision.parse(each.message)]
    rows = [sum(table.num_rows for table in pair.wanted(pair.source(each)).values()) for each in ours]
    told = {"HF_ENDPOINT": local_hub.endpoint, "HF_HOME": str(tmp_path), "HF_TOKEN": local_hub.read_token}
    command = [sys.executable, "-c", LOAD, pair.reduced_id, *ours]
    loaded = subprocess.run(command, env=os.environ | told, capture_output=True, text=True, check=False)
    assert loaded.stdout.split() == list(map(str, rows)), loaded.stderr
    assert len({*rows}) > 3


@pytest.mark.parametrize("gone", ["the repo", "the files", "the rows"])
def test_a_full_dataset_that_is_empty_or_gone_empties_nothing(pair: Pair, gone: str):
    files = {**day("2026-01-10"), **day("2026-01-11")}
    pair.write({**files, "README.md": usual_card(None).encode()})
    pair.project()
    before = pair.hub.store.head(pair.reduced_id)
    if gone == "the repo":
        pair.hub.store.delete(pair.repo_id)
    else:
        pair.write(dict.fromkeys(files, None if gone == "the files" else encode(NEWS.schema.empty_table())))
    with pytest.raises(ContractError, match=f"{pair.reduced_id} stays as it is"):
        pair.project()
    assert pair.hub.store.head(pair.reduced_id) == before
    assert len(compare_projection(pair.full, pair.reduced, REDUCED).differences) == 2


def test_another_subset_of_columns_and_one_agency_of_files_that_others_wrote(local_hub: LocalHub, repo_id: str):
    some = Projection(NEWS, ("url", "tags", "unique_id"), "mec", RowFilter("agency", frozenset({"mec"})))
    pair = Pair(local_hub, repo_id, some)
    rows = shard(["a", "b", "c"])
    mixed = rows.set_column(1, "agency", pa.array(["mec", "anvisa", "mec"]))
    nobody = rows.set_column(1, "agency", pa.array(["anvisa"] * 3))
    legacy = mixed.select([*reversed(mixed.column_names)])  # in another order, in another writer's row groups
    files = {"legacy/a.parquet": stranger.as_others_write(legacy), "legacy/b.parquet": encode(nobody)}
    pair.write({**files, "README.md": b"---\nconfigs:\n- config_name: default\n  data_files: legacy/*.parquet\n---\n"})
    (report,) = pair.project()
    assert report.made == ("legacy/a.parquet",)
    assert "TIMESTAMPTZ" not in pair.hub.store.tree(pair.reduced_id, "main")["README.md"].path.read_text()  # no times
    assert pair.files(pair.reduced_id)["legacy/a.parquet"]["unique_id"].to_pylist() == ["a", "c"]
    assert pair.project() == []
    pair.write({"legacy/b.parquet": encode(mixed), "legacy/a.parquet": encode(nobody)})
    (report,) = pair.project()
    assert (report.made, report.dropped) == (("legacy/b.parquet",), ("legacy/a.parquet",))
    before = pair.hub.store.head(pair.reduced_id)
    pair.write({"legacy/b.parquet": encode(nobody)})
    with pytest.raises(ContractError, match=f"has no row that {pair.reduced_id} would have"):
        pair.project()
    assert pair.hub.store.head(pair.reduced_id) == before
    pair.write({"legacy/b.parquet": encode(mixed)})
    assert not compare_projection(pair.full, pair.reduced, some).differences


def test_a_full_dataset_of_csv_is_mirrored_as_parquet(pair: Pair):
    rows = shard(["a", "b"]).to_pylist()
    text = io.StringIO()
    writer = csv.DictWriter(text, NEWS.schema.names)
    writer.writeheader()
    writer.writerows({**row, "tags": "[]", "published_at": row["published_at"].isoformat()} for row in rows)
    pair.write({"news.csv": text.getvalue().encode()})
    (result,) = [each for each in project(pair.full, pair.reduced, REDUCED) if each.committed]
    assert result.report.made == ("news.csv.parquet",)
    assert pair.files(pair.reduced_id)["news.csv.parquet"]["title"].to_pylist() == ["Title of a", "Title of b"]
    assert not compare_projection(pair.full, pair.reduced, REDUCED).differences


def test_somebody_else_who_commits_meanwhile_is_planned_around(pair: Pair):
    pair.write({**day("2026-01-10"), "README.md": usual_card(None).encode()})
    pair.project()
    pair.write(day("2026-01-11"))
    other = {"notes.txt": b"mine", **day("2026-01-10", "other")}
    pair.hub.faults.add(Fault("POST", r"/commit/main$", call(lambda: pair.write(other, pair.reduced_id))))
    (report,) = pair.project()
    assert {*report.made} == {"data/train-2026-01-10.parquet", "data/train-2026-01-11.parquet"}
    assert "notes.txt" in pair.hub.store.tree(pair.reduced_id, "main")


def test_the_comparison_names_what_differs(pair: Pair):
    pair.write({**day("2026-01-10"), **day("2026-01-11"), **day("2026-01-12"), "README.md": usual_card(None).encode()})
    pair.project()
    assert not compare_projection(pair.full, pair.reduced, REDUCED).differences
    pair.write({**day("2026-01-10", "other"), **day("2026-01-13")})
    theirs = stranger.as_others_write(pa.table({"url": ["x"]}))
    pair.write({"data/train-2026-01-11.parquet": theirs, "data/train-2026-01-12.parquet": None}, pair.reduced_id)
    found = compare_projection(pair.full, pair.reduced, REDUCED)
    assert [(each.path[-10:-8], each.rows, each.found) for each in found.differences] == [
        ("10", 1, 3),
        ("11", 3, 1),
        ("12", 3, None),
        ("13", 3, None),
    ]
