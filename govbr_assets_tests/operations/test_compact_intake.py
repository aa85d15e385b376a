"""Small files are staged together: however they are grouped, each counts by itself and is named by its path."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from govbr_assets.core.digest import row_digests
from govbr_assets.errors import ContractError, ProofError
from govbr_assets.huggingface.snapshot import DataFile
from govbr_assets.local.hub import LocalHub
from govbr_assets.operations.compact import intake
from govbr_assets.operations.compact.intake import Intake, TakenUp
from govbr_assets.operations.compact.shelf import Shelf
from govbr_assets.operations.verify import total
from govbr_assets.publications import NEWS
from govbr_assets_tests.folding import Folding, dozen, few_files, folding_in
from govbr_assets_tests.operations.test_compact import DISGUISES, rows
from govbr_assets_tests.stranger import as_others_write
from govbr_assets_tests.tables import encode

DAYS = ["2025-01-30", "2025-01-31", "2025-02-01", "2025-02-02", "2025-03-01"]


@pytest.fixture
def folding(local_hub: LocalHub, repo_id: str, tmp_path: Path) -> Iterator[Folding]:
    with folding_in(local_hub, repo_id, tmp_path / "temporary") as found:
        yield found


def shards(*sizes: int) -> dict[str, pa.Table]:
    """Make the rows of one shard after another, of so many rows each."""
    days = (f"2025-{1 + number // 28:02}-{1 + number % 28:02}" for number in range(len(sizes)))
    return {
        f"data/train-{day}.parquet": rows(*(f"{day}-{each}" for each in range(size)), day=day)
        for day, size in zip(days, sizes, strict=True)
    }


def taken_up(folder: Path, files: dict[str, pa.Table]) -> list[TakenUp]:
    contents = {path: encode(table) for path, table in files.items()}
    return list(Intake(folder).take_up((DataFile.of(path, content), content) for path, content in contents.items()))


def said(table: pa.Table) -> tuple[int, int]:
    """Count rows, and add up their digests."""
    return table.num_rows, total(row_digests(table.select(NEWS.schema.names), NEWS.schema))


@pytest.mark.parametrize("together", [1, 3, 1_000], ids=["each alone", "three rows", "all"])
def test_however_files_are_grouped_each_counts_by_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, together: int
):
    monkeypatch.setattr(intake, "TOGETHER_ROWS", together)
    files = shards(1, 2, 0, 3, 1, 5)
    taken = taken_up(tmp_path, files)
    assert [each.file.path for each in taken] == list(files)
    assert not any(NEWS.compare(each.schema) or each.breaking for each in taken)
    for each in taken:
        lot = each.spill.lot(each.file.path)
        assert (lot.rows, lot.digests % (1 << 64)) == said(files[each.file.path])
        assert lot.parts == ({202501} if lot.rows else set())
    assert len({each.spill for each in taken}) == {1: 6, 3: 4, 1_000: 1}[together]


def test_a_share_has_the_rows_of_its_files_and_no_others(tmp_path: Path):
    files = shards(2, 3, 4)
    shelf, (first, second, third) = Shelf(), taken_up(tmp_path, files)
    for each in (first, second, third):
        shelf.put(each.file, each.spill)
    (share,) = shelf.shares([first.file, third.file])
    expected = pa.concat_tables([files[first.file.path], files[third.file.path]])
    assert pa.concat_tables(share.read(202501)).select(NEWS.schema.names) == expected
    assert pa.concat_tables(share.all()).select(NEWS.schema.names) == expected
    (whole,) = shelf.shares([first.file, second.file, third.file])
    assert pa.concat_tables(whole.read(202501)).num_rows == 9
    assert share.parts == {202501}


def test_a_spill_stays_until_the_last_of_its_files_is_gone(tmp_path: Path):
    shelf, taken = Shelf(), taken_up(tmp_path, shards(1, 1))
    for each in taken:
        shelf.put(each.file, each.spill)
    shelf.keep_only([taken[1].file])
    assert taken[0].file not in shelf
    assert shelf.lot(taken[1].file).rows == 1
    shelf.keep_only([])
    assert list(tmp_path.iterdir()) == []


def test_files_of_several_schemas_are_grouped_by_schema(tmp_path: Path):
    tables = [rows("a", day=DAYS[0]), rows("b", day=DAYS[1])]
    odd = [DISGUISES["UTC"](rows(each, day=DAYS[2])) for each in "cd"]
    contents = {f"data/{number}.parquet": as_others_write(each) for number, each in enumerate([*tables, *odd])}
    taken = list(Intake(tmp_path).take_up((DataFile.of(path, each), each) for path, each in contents.items()))
    odd = [bool(NEWS.compare(each.schema)) for each in taken]
    assert odd == [each.breaking for each in taken] == [False, False, True, True]
    assert len({each.spill for each in taken}) == 2


def outside(table: pa.Table) -> pa.Table:
    return table.set_column(2, NEWS.schema.field(2), pa.array([1 << 60], NEWS.schema.field(2).type))


def no_text(table: pa.Table) -> pa.Table:
    return table.set_column(5, NEWS.schema.field(5), pa.array([b"\xff"]).view(pa.string()))


def no_id(table: pa.Table) -> pa.Table:
    return table.set_column(0, NEWS.schema.field(0), pa.nulls(1, pa.string()))


@pytest.mark.parametrize(("harm", "named"), [(outside, "published_at"), (no_text, "title"), (no_id, "unique_id")])
def test_of_files_that_are_taken_up_together_the_one_that_does_not_fit_is_named(
    folding: Folding, harm: Callable[[pa.Table], pa.Table], named: str
):
    files = {f"data/train-{day}.parquet": rows(day, day=day) for day in DAYS}
    bad = f"data/train-{DAYS[3]}.parquet"
    folding.write({path: encode(harm(table) if path == bad else table) for path, table in files.items()})
    with pytest.raises(ContractError, match=rf"Column {named} .*in {bad}"):
        folding.fold()
    assert folding.folds == []


def test_a_row_that_is_lost_among_those_of_other_files_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    sourced = intake.sourced
    monkeypatch.setattr(intake, "sourced", lambda table, sources: sourced(table, sources).slice(1))
    with pytest.raises(ProofError, match=r"data/train-2025-01-01\.parquet has 2 rows, of which 1 were read"):
        taken_up(tmp_path, shards(2, 1, 2))


@pytest.mark.parametrize("most", [4, 95])
@pytest.mark.parametrize("together", [1, 5, 1_000])
def test_any_grouping_gives_the_same_files_also_in_several_commits(
    folding: Folding, monkeypatch: pytest.MonkeyPatch, together: int, most: int
):
    files = dozen(folding.repo_id)
    one = Folding(folding.local_hub, f"{folding.repo_id}-one")
    one.write(files)
    one.fold()
    monkeypatch.setattr(intake, "TOGETHER_ROWS", together)
    few_files(monkeypatch, most)
    folding.write(files)
    steps = folding.fold()
    assert sorted(file.path for step in steps for file in step.report.compacted) == sorted(files)
    folding.check_history(max(most, 3))
    assert folding.contents == one.contents


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 4), min_size=1, max_size=8), st.integers(1, 12), st.data())
def test_any_choice_of_files_reads_back_as_their_rows(
    tmp_path_factory: pytest.TempPathFactory, sizes: list[int], together: int, data: st.DataObject
):
    files, shelf = shards(*sizes), Shelf()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(intake, "TOGETHER_ROWS", together)
        taken = taken_up(tmp_path_factory.mktemp("spills"), files)
    for each in taken:
        shelf.put(each.file, each.spill)
    chosen = data.draw(st.lists(st.sampled_from([each.file for each in taken]), unique=True))
    read = [table for share in shelf.shares(chosen) for table in share.read(202501)]
    found = pa.concat_tables([NEWS.schema.empty_table(), *(table.select(NEWS.schema.names) for table in read)])
    expected = pa.concat_tables([NEWS.schema.empty_table(), *(files[file.path] for file in chosen)])
    assert found.sort_by("unique_id") == expected.sort_by("unique_id")
    assert {source for each in read for source in each["source"].to_pylist()} <= {file.path for file in chosen}
