"""The proof of a migration: what it is to notice is done to a file behind its back, and the file is not made."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from govbr_assets.core.columns import Column
from govbr_assets.core.digest import row_digests
from govbr_assets.core.periods import digested
from govbr_assets.errors import ProofError
from govbr_assets.operations.migrate.new_values import NewValues, values_schema
from govbr_assets.operations.migrate.wider_file import WiderFile, widen
from govbr_assets.operations.old_file import OldFile
from govbr_assets.publications import NEWS
from govbr_assets_tests.compaction_repo import year_file
from govbr_assets_tests.operations.test_compact import rows

PATH = "data/train-2025-00.parquet"
WIDER = replace(NEWS, columns=(*NEWS.columns, Column("score", pa.float64(), "n.score", "A number.", since=2)))


@pytest.fixture
def old(tmp_path: Path) -> OldFile:
    """A year with a row in January and two in July."""
    local = tmp_path / "old"
    local.write_bytes(year_file(pa.concat_tables([rows("a", day="2025-01-01"), rows("b", "c", day="2025-07-01")])))
    old = OldFile.of(local, 2025, NEWS)
    assert old
    return old


def values() -> NewValues:
    """What PostgreSQL says: a score for `a` and `b`; `c` is not there."""
    spec = WIDER.with_columns(["score"])
    schema = values_schema(spec)
    said = {202501: {"a": 0.5}, 202507: {"b": -2.0}}
    tables = {month: pa.table([[*each], [*each.values()]], schema=schema) for month, each in said.items()}
    by_month = {month: each.append_column("digest", row_digests(each, schema)) for month, each in tables.items()}
    return NewValues(spec, by_month)


def changed(rows: pa.Table, name: str, value: object) -> pa.Table:
    """Give a column another value in all rows, with the digests that belong to it."""
    column = pa.array([value] * rows.num_rows, rows.schema.field(name).type)
    plain = rows.select(WIDER.schema.names)
    return digested(plain.set_column(plain.schema.get_field_index(name), name, column), WIDER)


def test_a_file_gets_the_values_that_are_known_and_null_for_a_row_that_is_not(old: OldFile, tmp_path: Path):
    made, joined = widen(PATH, old, values(), tmp_path, WIDER)
    assert made.local
    found = pq.read_table(made.local)
    assert found.schema.equals(WIDER.schema, check_metadata=False)
    assert dict(zip(*(found[name].to_pylist() for name in ("unique_id", "score")), strict=True)) == {
        "a": 0.5,
        "b": -2.0,
        "c": None,
    }
    assert found.select(NEWS.schema.names).equals(pq.read_table(old.local).cast(NEWS.schema))
    assert (joined.unknown, made.rows) == (1, 3)


@pytest.mark.parametrize(
    ("fault", "named"),
    [
        (lambda rows: changed(rows, "title", "Another"), "the old columns of"),
        (lambda rows: changed(rows, "score", 7.0), "the new columns of"),
        (lambda rows: changed(rows, "score", None), "the new columns of"),
        (lambda rows: rows.slice(1), "should be there"),
        (lambda rows: rows.slice(0, 0), "should be there"),
    ],
    ids=["an old column", "a new value", "a value lost", "a row lost", "all rows lost"],
)
def test_what_is_changed_on_the_way_stops_the_migration(
    old: OldFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: Callable[[pa.Table], pa.Table], named: str
):
    honest = WiderFile.rows

    def faulty(self: WiderFile, month: int) -> Iterator[pa.Table]:
        yield from (fault(each) if month == 202507 else each for each in honest(self, month))

    monkeypatch.setattr(WiderFile, "rows", faulty)
    with pytest.raises(ProofError, match=named):
        widen(PATH, old, values(), tmp_path, WIDER)
