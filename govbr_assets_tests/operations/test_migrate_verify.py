"""The proof of a migration: what it is to notice is done to a file behind its back, and the file is not made."""

import io
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from govbr_assets.core import row_group_copy
from govbr_assets.core.columns import Column
from govbr_assets.core.digest import row_digests
from govbr_assets.core.spec import DatasetSpec
from govbr_assets.errors import ProofError
from govbr_assets.io import staging
from govbr_assets.io.staged import Rows
from govbr_assets.operations.migrate import wider_file
from govbr_assets.operations.migrate.new_columns import NewColumns
from govbr_assets.operations.migrate.new_values import values_schema
from govbr_assets.operations.migrate.wider_file import widen
from govbr_assets.operations.old_file import OldFile
from govbr_assets.publications import NEWS
from govbr_assets_tests.compaction_repo import with_a_bit_flipped, year_file
from govbr_assets_tests.operations.test_compact import rows

PATH = "data/train-2025-00.parquet"
SCORE = Column("score", pa.float64(), "n.score", "A number.", since=2)
WIDER = replace(NEWS, columns=(*NEWS.columns, SCORE))
FIRST = replace(NEWS, columns=(SCORE, *NEWS.columns))
SAID = {202501: {"a": 0.5}, 202507: {"b": -2.0}}
"""What PostgreSQL has; it has no `c`."""


def year(title: str = "") -> bytes:
    """Make a year with a row in January and two in July."""
    days = [rows("a", day="2025-01-01", title=title), rows("b", "c", day="2025-07-01", title=title)]
    return year_file(pa.concat_tables(days))


@pytest.fixture
def old(tmp_path: Path) -> OldFile:
    return opened(tmp_path / "old", year())


def opened(local: Path, content: bytes) -> OldFile:
    local.write_bytes(content)
    old = OldFile.of(local, 2025, NEWS)
    assert old
    return old


def values(month: int, ids: pa.Array) -> Rows:
    """Give what PostgreSQL says."""
    schema = values_schema(NEWS.schema.field("unique_id"), pa.schema([SCORE.field]))
    plain = pa.schema([*schema][:-1])
    said = pa.table([[*SAID[month]], [*SAID[month].values()]], schema=plain)
    said = said.append_column("digest", row_digests(said, plain))
    collector = staging.RowCollector(schema)
    collector.add(said.filter(pc.is_in(said["unique_id"], value_set=ids)))
    return collector.rows()


def scores(local: Path) -> dict[str, float | None]:
    found = pq.read_table(local, columns=["unique_id", "score"])
    return dict(zip(*(column.to_pylist() for column in found.columns), strict=True))


@pytest.mark.parametrize("spec", [WIDER, FIRST], ids=["behind all others", "before all others"])
@pytest.mark.parametrize("in_memory", [staging.STAGED_BYTES, 1], ids=["in memory", "on the disk"])
def test_a_file_gets_the_values_that_are_known_and_null_for_a_row_that_is_not(
    old: OldFile, tmp_path: Path, spec: DatasetSpec, in_memory: int, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(staging, "STAGED_BYTES", in_memory)
    made = widen(PATH, old, values, tmp_path, spec)
    found = pq.read_table(made.local)
    assert found.schema.equals(spec.schema, check_metadata=True)
    assert scores(made.local) == {"a": 0.5, "b": -2.0, "c": None}
    assert found.select(NEWS.schema.names).equals(pq.read_table(old.local).cast(NEWS.schema))
    assert (made.unknown, made.rows) == (1, 3)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["new-train-2025-00.parquet", "old"]


def test_the_row_groups_of_the_file_are_there_byte_for_byte_and_only_the_new_chunks_are_new(
    old: OldFile, tmp_path: Path
):
    made = widen(PATH, old, values, tmp_path, WIDER)
    before, after, metadata = old.local.read_bytes(), made.local.read_bytes(), pq.read_metadata(made.local)
    (fresh,) = made.fresh
    assert after[: fresh.start] == before[: fresh.start]
    new = [metadata.row_group(group).column(metadata.num_columns - 1) for group in range(2)]
    assert len(fresh) == sum(chunk.total_compressed_size for chunk in new)
    assert fresh.start == min(chunk.dictionary_page_offset or chunk.data_page_offset for chunk in new)
    assert fresh.start == 4 + sum(
        pq.read_metadata(old.local).row_group(group).column(column).total_compressed_size
        for group in range(2)
        for column in range(len(NEWS.columns))
    )


def test_a_file_that_cannot_be_copied_is_written_anew_before(old: OldFile, tmp_path: Path):
    sink = io.BytesIO()
    with pq.ParquetWriter(sink, NEWS.schema, bloom_filter_options={"title": {"ndv": 10}}) as writer:
        for group in range(2):
            writer.write_table(pq.ParquetFile(old.local).read_row_group(group))
    made = widen(PATH, opened(tmp_path / "strange", sink.getvalue()), values, tmp_path, WIDER)
    assert scores(made.local) == {"a": 0.5, "b": -2.0, "c": None}
    assert pq.read_table(made.local).select(NEWS.schema.names).equals(pq.read_table(old.local).cast(NEWS.schema))


Fault = Callable[[pytest.MonkeyPatch, Path], None]


def streamed(change: Callable[[pa.Table], pa.Table]) -> Fault:
    """Change the new columns of July on the way."""
    honest = NewColumns.tables

    def faulty(self: NewColumns) -> Iterator[pa.Table]:
        january, july = honest(self)
        yield from (january, change(july))

    return lambda patch, _: patch.setattr(NewColumns, "tables", faulty)


def always(value: float | None) -> Fault:
    return streamed(lambda rows: pa.table([pa.array([value] * rows.num_rows, pa.float64())], names=["score"]))


def another_file_is_copied(patch: pytest.MonkeyPatch, folder: Path) -> None:
    other = opened(folder / "other", year("Another"))
    patch.setattr(wider_file, "_copyable", lambda *_: other)


def a_byte_is_another(patch: pytest.MonkeyPatch, _: Path) -> None:
    spliced = with_a_bit_flipped(lambda placed: placed[0].chunks[5].place[0])
    patch.setattr(wider_file, "splice", spliced)


def two_months_change_places(patch: pytest.MonkeyPatch, _: Path) -> None:
    patch.setattr(wider_file, "splice", lambda groups, sink: row_group_copy.splice(groups[::-1], sink)[::-1])


@pytest.mark.parametrize(
    ("fault", "named"),
    [
        (a_byte_is_another, "not copied as it was"),
        (another_file_is_copied, "the old columns of"),
        (two_months_change_places, "out of order"),
        (always(7.0), "the new columns of"),
        (always(None), "the new columns of"),
        (streamed(lambda rows: rows.take([1, 0])), "the new columns of"),
        (streamed(lambda rows: rows.slice(1)), "should be there"),
        (streamed(lambda rows: rows.slice(0, 0)), "should be there"),
    ],
    ids=[
        "a byte of an old column",
        "another file's old columns",
        "row groups in another order",
        "a new value",
        "a value lost",
        "values of each other's rows",
        "a row lost",
        "all rows lost",
    ],
)
def test_what_is_changed_on_the_way_stops_the_migration(
    old: OldFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: Fault, named: str
):
    fault(monkeypatch, tmp_path)
    with pytest.raises(ProofError, match=named):
        widen(PATH, old, values, tmp_path, WIDER)
