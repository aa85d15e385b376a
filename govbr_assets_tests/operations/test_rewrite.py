"""A file made anew: streams merged, rows deleted and inserted, the best version of an id, each against plain Python."""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings

from govbr_assets.core.digest import row_digests
from govbr_assets.core.merge import merge
from govbr_assets.core.periods import by_month, digested, in_order, sourced, version_ranks
from govbr_assets.dataset.parquet import encode
from govbr_assets.errors import ProofError
from govbr_assets.io.staged import StagedRows, table_of
from govbr_assets.io.staging import collected
from govbr_assets.operations.compact.duplicates import choose_winners
from govbr_assets.operations.old_file import OldFile
from govbr_assets.operations.rewrite import FileEdit, RewrittenFile, rewrite
from govbr_assets.operations.row_deletes import Deletes
from govbr_assets.publications import NEWS
from govbr_assets_tests.compaction_repo import year_file
from govbr_assets_tests.core.test_periods import Row, any_rows, cuts, near_rows, news, pieces
from govbr_assets_tests.operations.test_compact import rows

PATH = "data/train-2025-00.parquet"


def ordered(some: Sequence[Row]) -> pa.Table:
    return table_of(in_order(news([row for row in some if row[1] is not None]), NEWS))


@settings(deadline=None)
@given(any_rows, any_rows, cuts, cuts)
def test_two_streams_in_order_become_one(some: list[Row], others: list[Row], at: list[int], other_at: list[int]):
    first, second = ordered(some), ordered(others)
    found = pa.concat_tables(
        [NEWS.schema.empty_table(), *merge(iter(pieces(first, at)), iter(pieces(second, other_at)), NEWS)]
    )
    wanted = table_of(in_order(pa.concat_tables([first, second]), NEWS))
    names = ["published_at", "unique_id"]
    assert found.select(names).equals(wanted.select(names))
    assert Counter(row_digests(found, NEWS.schema).to_pylist()) == Counter(row_digests(wanted, NEWS.schema).to_pylist())


def test_streams_are_merged_with_a_table_of_each_in_memory():
    taken: list[str] = []

    def stream(name: str) -> Iterator[pa.Table]:
        for number in range(3):
            taken.append(f"{name}{number}")
            yield rows(f"{name}{number}", day=f"2025-01-0{number + 1}")

    merged = merge(stream("a"), stream("b"), NEWS)
    next(merged)
    assert taken == ["a0", "b0"]


@given(near_rows)
def test_of_each_id_the_row_of_the_highest_rank_stays_once(some: list[Row]):
    table = sourced(news(some), "x", NEWS)
    times = Counter(row[0] for row in some)
    twice = pa.array([name for name, count in times.items() if count > 1], pa.string())
    chosen = choose_winners(twice, [lambda: iter(part for _, part in by_month(table))], NEWS)
    deletes = Deletes(chosen.losing)
    stay = Counter[tuple[str, int]]()
    for _, part in by_month(table):
        left = part.filter(pc.invert(deletes.mark(part)))
        stay.update(zip(left["unique_id"].to_pylist(), left["digest"].to_pylist(), strict=True))
    deletes.check("x")
    best: dict[str, tuple[int, ...]] = {}
    for name, rank in version_ranks(table, NEWS):
        best[name] = max(rank, best.get(name, rank))
    assert stay == Counter({(name, rank[-1]): 1 for name, rank in best.items()})
    winners = zip(*(chosen.winning[name].to_pylist() for name in ("unique_id", "digest")), strict=True)
    assert dict(winners) == {name: best[name][-1] for name in twice.to_pylist()}


@pytest.fixture
def old(tmp_path: Path) -> OldFile:
    """A year with a row in January and three in July, of which one id stands on two days."""
    local = tmp_path / "old"
    july = [rows("b", "c", day="2025-07-01"), rows("b", day="2025-07-02")]
    local.write_bytes(year_file(pa.concat_tables([rows("a", day="2025-01-01"), *july])))
    old = OldFile.of(local, 2025, NEWS)
    assert old
    return old


def made(old: OldFile | None, folder: Path, deletes: dict[str, int | None], **inserts: pa.Table) -> RewrittenFile:
    delete = pa.table({"unique_id": [*deletes], "digest": pa.array(deletes.values(), pa.int64())})
    insert = {int(month.removeprefix("m")): digested(table, NEWS) for month, table in inserts.items()}
    return rewrite(PATH, old, FileEdit(delete, insert), folder, NEWS)


def test_rows_are_deleted_whatever_version_they_are_and_others_come(old: OldFile, tmp_path: Path):
    found = made(old, tmp_path, {"b": None}, m202503=rows("d", day="2025-03-01"))
    assert found.local
    assert pq.read_table(found.local)["unique_id"].to_pylist() == ["a", "d", "c"]
    assert (found.rows, found.months) == (3, [202501, 202503, 202507])
    assert (found.deleted.rows, found.inserted.rows) == (2, 1)


def test_of_a_version_that_is_named_only_that_one_goes(old: OldFile, tmp_path: Path):
    digest = digested(rows("b", day="2025-07-02"), NEWS)["digest"][0].as_py()
    found = made(old, tmp_path, {"b": digest})
    assert found.local
    assert pq.read_table(found.local)["unique_id"].to_pylist() == ["a", "b", "c"]


def test_a_file_of_which_no_row_is_left_is_not_made(old: OldFile, tmp_path: Path):
    found = made(old, tmp_path, dict.fromkeys("abc"))
    assert (found.local, found.rows, found.months) == (None, 0, [])
    assert found.deleted.rows == 4
    assert [path.name for path in tmp_path.iterdir()] == ["old"]


@pytest.mark.parametrize("digest", [None, 0], ids=["any version", "another version"])
def test_a_row_that_is_to_go_must_be_there(old: OldFile, tmp_path: Path, digest: int | None):
    name = "nobody" if digest is None else "c"
    with pytest.raises(ProofError, match=rf"'{name}' is to be deleted from {PATH}"):
        made(old, tmp_path, {name: digest})


def test_a_file_of_one_day_is_the_file_that_is_written_at_once(tmp_path: Path):
    day = rows("a", "b", day="2025-01-15")
    found = made(None, tmp_path, {}, m202501=day)
    assert found.local
    assert found.local.read_bytes() == encode(day, NEWS)


def test_new_rows_that_wait_on_the_disk_come_into_memory_a_month_at_a_time(old: OldFile, tmp_path: Path):
    """Each month alone would find room there, and all months of a year do not."""
    months = [rows(f"new-{month}", day=f"2025-{month:02}-09") for month in range(1, 7)]
    edit = FileEdit.of(["b"], collected(months, NEWS.schema, 0), NEWS)
    assert [isinstance(each, StagedRows) for each in edit.insert.values()] == [True] * 6
    found = rewrite(PATH, old, edit, tmp_path, NEWS)
    assert found.local
    names = ["a", *(f"new-{month}" for month in range(1, 7)), "c"]
    assert pq.read_table(found.local)["unique_id"].to_pylist() == names
