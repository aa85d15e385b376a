"""The verification: our own code is broken in one place after another, and no such compaction is published."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import IO, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from govbr_assets.core import merge, periods, row_group_copy
from govbr_assets.core.row_groups import RowGroup
from govbr_assets.errors import ProofError
from govbr_assets.huggingface.snapshot import DataFile
from govbr_assets.io.staged import StagedRows
from govbr_assets.local.hub import LocalHub
from govbr_assets.operations.compact import duplicates
from govbr_assets.operations.compact.duplicates import Duplicates
from govbr_assets.operations.compact.inputs import CompactionInputs
from govbr_assets.operations.compact.staged_files import StagedFiles
from govbr_assets.publications import NEWS
from govbr_assets_tests.compaction_repo import CompactionRepo, compaction_repo_in, with_a_bit_flipped, year_file
from govbr_assets_tests.operations.test_compact import rows
from govbr_assets_tests.stranger import as_others_write
from govbr_assets_tests.tables import encode

Break = Callable[[pytest.MonkeyPatch], None]

LATE, NAMES = "2025-07-07", ("b", "a", "d", "c")


@pytest.fixture
def repo(local_hub: LocalHub, repo_id: str, tmp_path: Path) -> Iterator[CompactionRepo]:
    """A year with months that stay and one that gets rows, some of which stand twice."""
    with compaction_repo_in(local_hub, repo_id, tmp_path / "temporary") as found:
        old = pa.concat_tables([rows("x", "y", day="2025-01-01"), rows("twin", "z", day=LATE)])
        moved = pa.concat_tables([rows("moved", day=f"2025-0{month}-11") for month in (7, 8)])
        twins = [rows(*NAMES, day=LATE), rows("twin", day=LATE), moved]
        found.write(
            {
                "data/train-2025-00.parquet": year_file(old),
                f"data/train-{LATE}.parquet": encode(rows("e", "f", day=LATE)),
                "data/train-x.parquet": as_others_write(pa.concat_tables(twins)),
            }
        )
        yield found


def after(where: str, change: Callable[[Any], Any]) -> Break:
    """Change what one of our functions gives."""

    def arm(patch: pytest.MonkeyPatch) -> None:
        module, name = where.rsplit(".", 1)
        function = getattr(import_module(f"govbr_assets.{module}"), name)
        patch.setattr(f"govbr_assets.{where}", lambda *args: change(function(*args)))

    return arm


def without_the_first(table: pa.Table) -> pa.Table:
    return table.slice(1)


def with_another_title(table: pa.Table) -> pa.Table:
    titles = pc.replace_substring(table["title"], "Title of a", "Title of A")
    return table.set_column(table.schema.get_field_index("title"), "title", titles)


def with_a_null_for_a_text(table: pa.Table) -> pa.Table:
    texts = pc.if_else(pc.equal(table["unique_id"], "a"), pa.scalar(None, pa.string()), table["content"])
    return table.set_column(table.schema.get_field_index("content"), "content", texts)


def with_a_time_a_tick_later(table: pa.Table) -> pa.Table:
    times = pa.chunked_array([pc.add(table["published_at"].combine_chunks().cast(pa.int64()), 1)])
    return table.set_column(2, "published_at", times.cast(NEWS.schema.field(2).type))


def backwards(table: pa.Table) -> pa.Table:
    return table.take(pa.array(range(table.num_rows - 1, -1, -1), pa.int64()))


def twice_the_first(table: pa.Table) -> pa.Table:
    return pa.concat_tables([table.slice(0, 1), table])


def another_id(table: pa.Table) -> pa.Table:
    return table.set_column(0, "unique_id", pc.replace_substring(table["unique_id"], "a", "a2"))


def other_bytes(patch: pytest.MonkeyPatch, where: float) -> None:
    """Let a byte of a row group that is copied go wrong, once it is written."""

    def at(placed: Sequence[RowGroup]) -> int:
        run = range(placed[0].chunks[0].place.start, placed[0].chunks[-1].place.stop)
        return run[int(where * (len(run) - 1))]

    patch.setattr("govbr_assets.operations.assemble.splice", with_a_bit_flipped(at))


def one_row_group_less(patch: pytest.MonkeyPatch) -> None:
    def spliced(groups: Sequence[RowGroup], sink: IO[bytes]) -> list[RowGroup]:
        placed = row_group_copy.splice(groups[:-1], sink)
        return [*placed, placed[-1]]

    patch.setattr("govbr_assets.operations.assemble.splice", spliced)


def another_schema(patch: pytest.MonkeyPatch) -> None:
    """Write texts of another type; nothing of the old year is there to notice that."""

    def written(sink: IO[bytes], tables: Iterable[pa.Table], *_: object) -> int:
        whole = pa.concat_tables([NEWS.schema.empty_table(), *tables])
        pq.write_table(whole.set_column(9, "content", whole["content"].cast(pa.large_string())), sink)
        return whole.num_rows

    patch.setattr("govbr_assets.operations.rewrite.encode_to", written)
    patch.setattr("govbr_assets.operations.assemble._copied", lambda *_: [])


def everybody_stays(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Duplicates, "losing_in", lambda chosen, _: chosen.losing.slice(0, 0))


def all_that_stand_twice_go(patch: pytest.MonkeyPatch) -> None:
    """Let no row of an id that stands twice survive, be it the best one."""

    def chosen(*args: Any) -> Duplicates:
        right = duplicates.choose_winners(*args)
        return Duplicates(right.winning, pa.concat_tables([right.winning, right.losing]))

    patch.setattr("govbr_assets.operations.compact.inputs.choose_winners", chosen)


def lost_on_the_way(parting: Callable[[pa.Table], Iterable[tuple[int, pa.Table]]]) -> Any:
    """Lose a row when rows are parted."""
    return lambda table: ((key, part.slice(1) if part.num_rows > 1 else part) for key, part in parting(table))


def lost_when_parted_by_month(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("govbr_assets.operations.compact.staged_files.by_month", lost_on_the_way(periods.by_month))


def lost_when_merged(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("govbr_assets.operations.rewrite.merge", lambda *args: map(without_the_first, merge.merge(*args)))


def a_file_that_is_forgotten(patch: pytest.MonkeyPatch) -> None:
    """Read nothing back of one file that is taken up, be it with others."""
    rows_of = StagedFiles.rows

    def others(here: StagedFiles, files: Iterable[DataFile], *args: Any) -> StagedRows:
        return rows_of(here, [file for file in files if file.path != f"data/train-{LATE}.parquet"], *args)

    patch.setattr(StagedFiles, "rows", others)


def a_row_that_goes_is_not_there(patch: pytest.MonkeyPatch) -> None:
    def leaving(_: CompactionInputs, file: DataFile) -> pa.Table:
        return pa.table([["nobody"], [0], [file.path]], schema=duplicates.DUPLICATES_SCHEMA)

    patch.setattr(CompactionInputs, "leaving", leaving)


IN_ORDER = "operations.rewrite.in_order"
BROKEN: dict[str, tuple[Break, str]] = {
    "a row is lost": (after(IN_ORDER, without_the_first), "The rows of data/train-2025-00"),
    "a row comes twice": (after(IN_ORDER, twice_the_first), "stands out of order"),
    "a cell is another one": (after(IN_ORDER, with_another_title), "The rows of data/train-2025-00"),
    "a cell is null": (after(IN_ORDER, with_a_null_for_a_text), "The rows of data/train-2025-00"),
    "a time is a tick later": (after(IN_ORDER, with_a_time_a_tick_later), "The rows of data/train-2025-00"),
    "a row has another id": (after(IN_ORDER, another_id), "The rows of data/train-2025-00"),
    "rows are in disorder": (after(IN_ORDER, backwards), "stands out of order"),
    "an id of two equal rows stands twice": (everybody_stays, "stands out of order|stands twice|more than once"),
    "a copied row group has another first byte": (lambda patch: other_bytes(patch, 0), "not copied as it was"),
    "a copied row group has another byte": (lambda patch: other_bytes(patch, 0.5), "not copied as it was"),
    "a copied row group has another last byte": (lambda patch: other_bytes(patch, 1), "not copied as it was"),
    "a row group is missing": (one_row_group_less, ""),
    "another schema": (another_schema, "another schema"),
    "every row of an id goes": (all_that_stand_twice_go, ""),
    "a row is lost when rows are parted by month": (lost_when_parted_by_month, ""),
    "a row is lost when rows are merged": (lost_when_merged, "The rows of data/train-2025-00"),
    "a row that is to go is not there": (
        a_row_that_goes_is_not_there,
        "'nobody' is to be deleted from data/train-2025",
    ),
    "a file is forgotten": (a_file_that_is_forgotten, ""),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_compaction_that_is_wrong_is_not_published(repo: CompactionRepo, name: str):
    arm, reason = BROKEN[name]
    head = repo.head
    with pytest.MonkeyPatch.context() as patch:
        arm(patch)
        with pytest.raises(ProofError, match=reason or None):
            repo.compact()
    repo.check_nothing_left()
    assert repo.head == head
    repo.compact()
    repo.check_history()
    repo.check_compacted(repo.base)


def test_nor_is_one_that_leaves_an_id_twice_on_two_days(repo: CompactionRepo, monkeypatch: pytest.MonkeyPatch):
    apart = pa.concat_tables([rows("apart", day=day) for day in ("2024-03-03", "2024-04-04")])
    head = repo.write({"data/train-x.parquet": as_others_write(apart)})
    everybody_stays(monkeypatch)
    with pytest.raises(ProofError):
        repo.compact()
    assert repo.head == head
