"""Rows on the disk take no memory but that of what is asked for."""

import tracemalloc
from pathlib import Path

import pyarrow as pa
import pytest

from govbr_assets.io.sizes import joined_small
from govbr_assets.io.staged import StagedRows
from govbr_assets.io.staging import RowFile, collected

SCHEMA = pa.schema([("unique_id", pa.string()), ("content", pa.string()), ("tags", pa.list_(pa.string()))])
_BATCHES, _ROWS, _CONTENT = 20, 100, 10_000


def _batch(number: int) -> pa.Table:
    ids = [f"noticia-{number}-{each}" for each in range(_ROWS)]
    return pa.table([ids, ["x" * _CONTENT] * _ROWS, [["um", None]] * _ROWS], schema=SCHEMA)


@pytest.mark.parametrize("named", [False, True])
@pytest.mark.parametrize("columns", [["unique_id"], ["tags", "unique_id"]])
def test_columns_of_rows_on_the_disk_hold_no_memory_of_the_others(
    columns: list[str], tmp_path: Path, *, named: bool
) -> None:
    file = RowFile(SCHEMA, tmp_path / "rows" if named else None)
    numbers = [number for each in range(_BATCHES) for number in file.write(_batch(each))]
    file.finish()
    before = pa.total_allocated_bytes()

    found = pa.concat_tables([file.rows([number]).select(columns).table() for number in numbers])

    assert found.equals(pa.concat_tables(map(_batch, range(_BATCHES))).select(columns))
    assert pa.total_allocated_bytes() - before < _ROWS * _CONTENT


def test_a_mask_over_rows_on_the_disk_holds_no_memory_of_them() -> None:
    file = RowFile(SCHEMA)
    numbers = [number for each in range(_BATCHES) for number in file.write(_batch(each))]
    file.finish()
    peaks = list[int]()
    before = pa.total_allocated_bytes()

    def ends_with_7(rows: StagedRows) -> pa.Array:
        """Look at all ids, and at how much memory they take."""
        ids = rows["unique_id"]
        peaks.append(pa.total_allocated_bytes() - before)
        return pa.array([each.endswith("7") for each in ids.to_pylist()])

    found = file.rows(numbers, ends_with_7)

    assert found.num_rows == _BATCHES * _ROWS // 10
    assert max(peaks) < _ROWS * _CONTENT


def test_rows_beyond_what_may_be_in_memory_come_back_as_they_were() -> None:
    rows = collected(map(_batch, range(_BATCHES)), SCHEMA, 0)

    assert isinstance(rows, StagedRows)
    assert rows.table().equals(pa.concat_tables(map(_batch, range(_BATCHES))))


def test_what_was_written_to_the_disk_takes_no_memory_any_more():
    rows = _batch(0).slice(0, 1)
    collected([rows], SCHEMA, 0)  # what Python makes once
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        held = [collected([rows], SCHEMA, 0) for _ in range(_BATCHES)]
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert all(each.num_rows == 1 for each in held)
    assert (after - before) / len(held) < 100_000


@pytest.mark.parametrize(("rows", "size", "wanted"), [(3, 1 << 20, [3, 3, 1]), (100, 1, [1] * 7), (100, 1 << 20, [7])])
def test_small_tables_are_joined_until_they_have_rows_or_bytes_enough(rows: int, size: int, wanted: list[int]):
    tables = [_batch(0).slice(number, 1) for number in range(7)]

    found = list(joined_small(iter(tables), rows, size))

    assert [each.num_rows for each in found] == wanted
    assert pa.concat_tables(found).equals(pa.concat_tables(tables))
