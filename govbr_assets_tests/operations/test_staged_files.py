"""Small files are read together: however they are grouped, every file counts by itself and is named by its path."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from govbr_assets.core.digest import row_digests
from govbr_assets.errors import ContractError, ProofError
from govbr_assets.huggingface.snapshot import DataFile
from govbr_assets.io.staged import table_of
from govbr_assets.local.hub import LocalHub
from govbr_assets.operations.compact import read_files as read_files_module
from govbr_assets.operations.compact.duplicates import DUPLICATES_SCHEMA
from govbr_assets.operations.compact.read_files import FilesRead, read_files
from govbr_assets.operations.compact.staged_files import StagedFiles
from govbr_assets.operations.verify import RowChecksum
from govbr_assets.publications import NEWS
from govbr_assets_tests.compaction_repo import CompactionRepo, compaction_repo_in, dozen, few_files
from govbr_assets_tests.operations.test_compact import DISGUISES, rows
from govbr_assets_tests.stranger import as_others_write
from govbr_assets_tests.tables import encode

DAYS = ["2025-01-30", "2025-01-31", "2025-02-01", "2025-02-02", "2025-03-01"]


@pytest.fixture
def repo(local_hub: LocalHub, repo_id: str, tmp_path: Path) -> Iterator[CompactionRepo]:
    with compaction_repo_in(local_hub, repo_id, tmp_path / "temporary") as found:
        yield found


def shards(*sizes: int) -> dict[str, pa.Table]:
    """Make the rows of one shard after another, of so many rows each."""
    days = (f"2025-{1 + number // 28:02}-{1 + number % 28:02}" for number in range(len(sizes)))
    return {
        f"data/train-{day}.parquet": rows(*(f"{day}-{each}" for each in range(size)), day=day)
        for day, size in zip(days, sizes, strict=True)
    }


def staged(folder: Path, files: dict[str, bytes]) -> tuple[StagedFiles, list[DataFile], list[FilesRead]]:
    """Stage files, and give them and how they were read together."""
    read, groups = list[FilesRead](), StagedFiles(folder, NEWS)
    coming = ((DataFile.of(path, content), content) for path, content in files.items())

    def noted() -> Iterator[FilesRead]:
        for group in read_files(coming, NEWS):
            read.append(group)
            yield group

    return groups, [file for file, _ in groups.stage(noted())], read


def encoded(files: dict[str, pa.Table]) -> dict[str, bytes]:
    return {path: encode(table) for path, table in files.items()}


@pytest.mark.parametrize("together", [1, 3, 1_000], ids=["each alone", "three rows", "all"])
def test_however_files_are_grouped_each_counts_by_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, together: int
):
    monkeypatch.setattr(read_files_module, "TOGETHER_ROWS", together)
    files = shards(1, 2, 0, 3, 1, 5)
    found, taken, read = staged(tmp_path, encoded(files))
    assert [each.path for each in taken] == list(files)
    for each in taken:
        assert not NEWS.compare(found[each].schema)
        table = files[each.path]
        assert found[each].checksum == RowChecksum.of(row_digests(table, NEWS.schema))
        assert found[each].months == ({202501} if table.num_rows else set())
    assert len(read) == {1: 6, 3: 4, 1_000: 1}[together]


def test_of_staged_files_some_are_read_and_no_others(tmp_path: Path):
    files = shards(2, 3, 4)
    found, (first, second, third), _ = staged(tmp_path, encoded(files))
    expected = pa.concat_tables([files[first.path], files[third.path]])
    for month in (202501, None):
        rows = table_of(found.rows([first, third], month))
        assert rows.select(NEWS.schema.names) == expected
    assert found.rows([first, second, third], 202501).num_rows == 9
    assert found.rows([first], 202502).num_rows == 0


def test_rows_that_lose_are_left_out_as_often_as_they_are_told(tmp_path: Path):
    twin = rows("twin", day="2025-01-01")
    files = {
        f"data/{name}": as_others_write(pa.concat_tables([twin, twin, rows(name, day="2025-01-01")])) for name in "ab"
    }
    found, taken, _ = staged(tmp_path, files)
    digest = row_digests(twin, NEWS.schema)[0].as_py()
    lost = pa.table([["twin"] * 3, [digest] * 3, ["data/a", "data/a", "data/b"]], schema=DUPLICATES_SCHEMA)
    left = table_of(found.rows(taken, 202501, lost))
    assert sorted(left["unique_id"].to_pylist()) == ["a", "b", "twin"]
    assert table_of(found.rows(taken[:1], 202501, lost))["unique_id"].to_pylist() == ["a"]


def test_the_rows_of_files_stay_on_the_disk_until_the_last_of_them_is_gone(tmp_path: Path):
    found, (first, second), _ = staged(tmp_path, encoded(shards(1, 1)))
    found.keep_only([second])
    assert first not in found
    assert found[second].checksum.rows == 1
    found.keep_only([])
    assert list(tmp_path.iterdir()) == []


def test_files_of_several_schemas_are_grouped_by_schema(tmp_path: Path):
    tables = [rows("a", day=DAYS[0]), rows("b", day=DAYS[1])]
    odd = [DISGUISES["UTC"](rows(each, day=DAYS[2])) for each in "cd"]
    contents = {f"data/{number}.parquet": as_others_write(each) for number, each in enumerate([*tables, *odd])}
    found, taken, read = staged(tmp_path, contents)
    assert [bool(NEWS.compare(found[each].schema)) for each in taken] == [False, False, True, True]
    assert len(read) == 2


def outside(table: pa.Table) -> pa.Table:
    return table.set_column(2, NEWS.schema.field(2), pa.array([1 << 60], NEWS.schema.field(2).type))


def no_text(table: pa.Table) -> pa.Table:
    return table.set_column(5, NEWS.schema.field(5), pa.array([b"\xff"]).view(pa.string()))


def no_id(table: pa.Table) -> pa.Table:
    return table.set_column(0, NEWS.schema.field(0), pa.nulls(1, pa.string()))


@pytest.mark.parametrize(("harm", "named"), [(outside, "published_at"), (no_text, "title"), (no_id, "unique_id")])
def test_of_files_that_are_taken_up_together_the_one_that_does_not_fit_is_named(
    repo: CompactionRepo, harm: Callable[[pa.Table], pa.Table], named: str
):
    files = {f"data/train-{day}.parquet": rows(day, day=day) for day in DAYS}
    bad = f"data/train-{DAYS[3]}.parquet"
    repo.write({path: encode(harm(table) if path == bad else table) for path, table in files.items()})
    with pytest.raises(ContractError, match=rf"Column {named} .*in {bad}"):
        repo.compact()
    assert repo.compactions == []


def test_a_row_that_is_lost_among_those_of_other_files_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    sourced = read_files_module.sourced
    monkeypatch.setattr(read_files_module, "sourced", lambda *args: sourced(*args).slice(1))
    with pytest.raises(ProofError, match=r"data/train-2025-01-01\.parquet has 2 rows, of which 1 were read"):
        staged(tmp_path, encoded(shards(2, 1, 2)))


@pytest.mark.parametrize("most", [4, 95])
@pytest.mark.parametrize("together", [1, 5, 1_000])
def test_any_grouping_gives_the_same_files_also_in_several_commits(
    repo: CompactionRepo, monkeypatch: pytest.MonkeyPatch, together: int, most: int
):
    files = dozen(repo.repo_id)
    one = CompactionRepo(repo.local_hub, f"{repo.repo_id}-one")
    one.write(files)
    one.compact()
    monkeypatch.setattr(read_files_module, "TOGETHER_ROWS", together)
    few_files(monkeypatch, most)
    repo.write(files)
    steps = repo.compact()
    assert sorted(file.path for step in steps for file in step.report.compacted) == sorted(files)
    repo.check_history(max(most, 3))
    assert repo.contents == one.contents


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 4), min_size=1, max_size=8), st.integers(1, 12), st.data())
def test_any_choice_of_files_reads_back_as_their_rows(
    tmp_path_factory: pytest.TempPathFactory, sizes: list[int], together: int, data: st.DataObject
):
    files = shards(*sizes)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(read_files_module, "TOGETHER_ROWS", together)
        found, taken, _ = staged(tmp_path_factory.mktemp("staged"), encoded(files))
    chosen = data.draw(st.lists(st.sampled_from(taken), unique=True))
    read = table_of(found.rows(chosen, 202501))
    expected = pa.concat_tables([NEWS.schema.empty_table(), *(files[file.path] for file in chosen)])
    assert read.select(NEWS.schema.names).sort_by("unique_id") == expected.sort_by("unique_id")
    assert {*read["source"].to_pylist()} <= {file.path for file in chosen}
