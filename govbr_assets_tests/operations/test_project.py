"""A projection on a real Hub: it mirrors the full dataset file by file, and fetches and sends nothing else."""

import csv
import io
import os
import random
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from govbr_assets.core.columns import Column
from govbr_assets.core.days import Day
from govbr_assets.core.projection import Projection, RowFilter
from govbr_assets.dataset.changeset import SourceRevision
from govbr_assets.dataset.parquet import encode as encode_as
from govbr_assets.errors import ConfigurationError, ContractError
from govbr_assets.local.hub import LocalHub
from govbr_assets.local.hub.actions import call
from govbr_assets.local.hub.faults import Fault
from govbr_assets.operations.compact.plan import compact
from govbr_assets.operations.project.compare import compare_projection
from govbr_assets.operations.project.plan import project
from govbr_assets.operations.restore import Restore, latest, resolve_revision, restore
from govbr_assets.publications import NEWS, REDUCED
from govbr_assets_tests import stranger
from govbr_assets_tests.operations.pair import OLD_CARD, OLD_FILES, Pair, day
from govbr_assets_tests.tables import encode, shard, usual_card

TODAY = Day.of("2026-01-20")
LOAD = """
import sys
from datasets import load_dataset
for revision in sys.argv[2:]:
    print(load_dataset(sys.argv[1], revision=revision, split="train").num_rows)
"""


@pytest.fixture
def pair(local_hub: LocalHub, repo_id: str) -> Pair:
    return Pair(local_hub, repo_id)


def test_an_old_sibling_is_moved_over_and_follows_days_a_compaction_a_rollback_and_a_lost_trailer(pair: Pair):
    first = pair.write({**day("2026-01-10"), **day("2026-01-11"), "README.md": usual_card(None).encode()})
    pair.write({**OLD_FILES, "README.md": OLD_CARD, "agencies.csv": b"a\n1\n", "notes.txt": b"mine"}, pair.reduced_id)
    (report,) = pair.project()
    assert report.source == first == pair.source()
    assert {*report.dropped} == {*OLD_FILES}
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


def with_other_texts(files: Mapping[str, bytes], text: str = "other") -> dict[str, bytes]:
    """Change a column that is not projected."""
    found = {path: pq.read_table(io.BytesIO(content)) for path, content in files.items()}
    return {
        path: encode(rows.set_column(rows.column_names.index("content"), "content", pa.array([text] * rows.num_rows)))
        for path, rows in found.items()
    }


def test_rows_that_change_elsewhere_than_in_the_projected_columns_make_no_commit_and_are_looked_at_once(
    pair: Pair, tmp_path: Path
):
    files = day("2026-01-10")
    mirrored = pair.write({**files, "README.md": usual_card(None).encode()})
    pair.project()
    newest = pair.write(with_other_texts(files))
    assert pair.project() == []
    found = compare_projection(pair.full, pair.reduced, REDUCED)
    assert (found.source, found.behind, found.differences) == (newest, 0, ())
    assert pair.source() == mirrored
    data = "data/train"
    pair.kept = tmp_path
    for looks in (True, False):  # the first time that anything is kept, and from then on
        pair.hub.faults.forget()
        assert pair.project() == []
        assert not compare_projection(pair.full, pair.reduced, REDUCED).differences
        assert bool(pair.hub.faults.seen("GET", data)) == looks
    pair.write({"notes.txt": b"mine"}, pair.reduced_id)
    pair.write(with_other_texts(files, "again") | day("2026-01-11"))
    found = compare_projection(pair.full, pair.reduced, REDUCED)
    assert (found.behind, [each.path for each in found.differences]) == (1, ["data/train-2026-01-11.parquet"])
    (report,) = pair.project()
    assert report.made == ("data/train-2026-01-11.parquet",)


def test_a_series_passes_over_states_whose_changes_it_does_not_show(pair: Pair, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("govbr_assets.operations.project.plan.COMMIT_FILES", 2)
    days = [day(f"2026-01-0{number}") for number in range(1, 5)]
    pair.write({path: content for each in days for path, content in each.items()})
    pair.project()
    for first in (0, 2):
        pair.write(with_other_texts({**days[first], **days[first + 1]}))
    newest = pair.write(day("2026-01-09"))
    (report,) = pair.project()
    assert (report.source, report.made, report.complete) == (newest, ("data/train-2026-01-09.parquet",), True)


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


def test_a_column_that_is_not_in_the_full_dataset_yet_is_waited_for(local_hub: LocalHub, repo_id: str):
    grown = replace(NEWS, columns=(*NEWS.columns, Column("tone", pa.string(), "n.tone", "How it sounds.", since=2)))
    pair = Pair(local_hub, repo_id, Projection(grown, ("title", "tone"), "tone"))
    pair.write(day("2026-01-10"))
    with pytest.raises(ContractError, match=r"-small stays as it is: .* declares schema 2.*: run the job"):
        pair.project()
    (path, content), *_ = day("2026-01-10").items()
    rows = pq.read_table(io.BytesIO(content)).append_column("tone", pa.array(["glad", None, "sad"]))
    pair.write({path: encode_as(rows, grown)})
    (report,) = pair.project()
    assert report.made == (path,)


def test_a_full_dataset_whose_history_was_squashed_is_compared_and_a_projection_of_another_declaration_made_anew(
    pair: Pair,
):
    files = {**day("2026-01-10"), **day("2026-01-11"), "README.md": usual_card(None).encode()}
    pair.write(files)
    pair.project()
    head = pair.hub.store.head(pair.reduced_id)
    pair.hub.store.delete(pair.repo_id)
    squashed = pair.write(files)
    assert pair.project() == []
    assert compare_projection(pair.full, pair.reduced, REDUCED).source == squashed
    assert pair.hub.store.head(pair.reduced_id) == head
    ours = [path for path in files if path.startswith("data/")]
    quoted = 'it\'s "url" | {} https://2026-01-11/1'
    pair.write(day("2026-01-11", quoted, "other"))
    for columns, only in (
        (("title", "unique_id"), None),
        (("unique_id",), RowFilter("unique_id", frozenset({quoted, "2026-01-10-0"}))),
        (REDUCED.columns, None),
    ):
        pair.projection = Projection(NEWS, columns, "reduced", only)
        assert len(compare_projection(pair.full, pair.reduced, pair.projection).differences) == 2
        (report,) = pair.project()
        assert [*report.made] == ours
        assert pair.project() == []


@pytest.mark.parametrize(
    ("columns", "rows", "words"),
    [
        (("title", "tone"), None, "has column tone, which news has not"),
        (("title",), RowFilter("tags", frozenset({"a"})), "takes rows by tags, which is list<element: string>: take"),
        ((), None, "The projection wrong in publications.py has no columns"),
        (("title", "title"), None, "Column title is declared more than once"),
        (
            ("title",),
            RowFilter("agency", frozenset({1})),
            "takes rows whose agency is 1, and it is string: write texts",
        ),
        (("title",), RowFilter("agency", frozenset({"mec", 1})), "takes rows whose agency is 1, and it is string"),  # pyright: ignore[reportArgumentType]
    ],
)
def test_a_projection_that_cannot_be_made_is_refused_when_it_is_declared(
    columns: tuple[str, ...], rows: RowFilter | None, words: str
):
    with pytest.raises(ConfigurationError, match=words):
        Projection(NEWS, columns, "wrong", rows)


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


def test_the_card_of_the_projection_counts_its_rows_anew_with_each_release_and_keeps_all_else(pair: Pair):
    pair.write({**day("2026-01-10"), "README.md": usual_card(None).encode()})
    pair.project()
    assert ROWS.format(3, 1, "2026-01-10") in card(pair)
    before = card(pair)
    pair.write(day("2026-01-11"))
    pair.project()
    assert card(pair) == before
    assert list(compact(pair.full, TODAY))
    pair.project()
    after = card(pair)
    assert ROWS.format(6, 2, "2026-01-11") in after
    assert after.split("<!-- govbr_assets:")[::2] == before.split("<!-- govbr_assets:")[::2]
    assert "CHANGELOG.md" not in pair.hub.store.tree(pair.reduced_id)
    broken = after.replace("<!-- govbr_assets:end -->", "").encode()
    pair.write({"README.md": broken}, pair.reduced_id)
    pair.write(day("2026-01-12"))
    assert list(compact(pair.full, TODAY))
    (result,) = [each for each in project(pair.full, pair.reduced, REDUCED) if each.committed]
    assert result.unwritten[0].startswith("The marks of govbr_assets in README.md have no end")
    assert card(pair) == broken.decode()


ROWS = "| 2026 | {} | {} | 2026-01-10 | {} |\n"


def card(pair: Pair) -> str:
    return pair.hub.store.tree(pair.reduced_id, "main")["README.md"].path.read_text()
