"""Row groups that get more columns: the chunks of the same rows in several Parquet files become those of one.

Nothing is decoded or copied here: `row_group_copy` writes the file. Which rows are the same is the caller's business.

Measured over HTTP with twelve row groups of 1.2 MB, in bytes fetched beside a file whose row groups lie side by side:
pandas and `datasets`, streaming too, the same; polars 1.00 to 1.02 times; DuckDB 1.5 the same, in one request more a
row group for all columns; DuckDB 2.0 the same for one column, 1.0 to 1.6 times for all; pyarrow the same, but for a
small new column up to twice as much, in two requests instead of thirteen.
"""

from collections.abc import Sequence
from typing import IO

from govbr_assets.core.parquet_footer import FILE_ORDERS, FILE_SCHEMA, footer_of
from govbr_assets.core.row_groups import GROUP_BYTES, GROUP_COMPRESSED, GROUP_SORTING, RowGroup
from govbr_assets.core.thrift_compact import Struct
from govbr_assets.errors import ContractError

_ELEMENT_NAME, _ELEMENT_CHILDREN = 4, 5
_SORTING_COLUMN = 1


def join_columns(files: Sequence[Sequence[RowGroup]], like: IO[bytes]) -> list[RowGroup]:
    """Put the columns of files side by side, row group by row group.

    Args:
        files: the row groups of each file; the files have different columns of the same rows. The order of rows that
            the first one declares is that of all.
        like: a Parquet file with the schema of all columns in their order, and any rows.

    Returns:
        Row groups with all columns, for `splice`.

    Raises:
        ContractError: a column is missing, stands twice, or was written as another type than `like` has; or row groups
            have different numbers of rows.
    """
    footer = footer_of(like)
    columns = _columns(footer)
    found = [_columns(groups[0].footer) for groups in files if groups]
    joined = {name: elements for each in found for name, elements in each.items()}
    if joined != columns or sum(map(len, found)) != len(columns) or not _same_orders(files, footer):
        raise ContractError("Files do not have the columns that they should together: write them anew.")
    if len({tuple(group.rows for group in groups) for groups in files}) != 1:
        raise ContractError("Files have different row groups, so that their columns cannot be joined.")
    return [_joined(parts, list(columns), footer) for parts in zip(*files, strict=True)]


def _columns(footer: Struct) -> dict[bytes, list[Struct]]:
    """Return the elements of the schema by the name of the column that they belong to."""
    _, *elements = footer[FILE_SCHEMA]
    columns, at = {}, 0
    while at < len(elements):
        end = _end(elements, at)
        columns[elements[at][_ELEMENT_NAME]] = elements[at:end]
        at = end
    return columns


def _end(elements: Sequence[Struct], at: int) -> int:
    """Find the element behind one and all that is in it."""
    end = at + 1
    for _ in range(elements[at].get(_ELEMENT_CHILDREN) or 0):
        end = _end(elements, end)
    return end


def _same_orders(files: Sequence[Sequence[RowGroup]], footer: Struct) -> bool:
    """Say whether the values of all columns have the order in which Arrow takes the least and the greatest of them."""
    known = footer[FILE_ORDERS][:1]
    footers = [group.footer for groups in files for group in groups[:1]]
    return all(order in known for each in footers for order in each.get(FILE_ORDERS) or [None])


def _joined(parts: Sequence[RowGroup], columns: Sequence[bytes], footer: Struct) -> RowGroup:
    """Put the columns of a row group side by side."""
    first, *_ = parts
    chunks = [chunk for part in parts for chunk in part.chunks]
    chunks.sort(key=lambda chunk: columns.index(chunk.column))  # stable: those of one column stay in their order
    sizes = {
        GROUP_BYTES: sum(part.metadata[GROUP_BYTES] for part in parts),
        GROUP_COMPRESSED: sum(len(chunk.place) for chunk in chunks),
    }
    sorting = first.metadata.get(GROUP_SORTING)
    if sorting:
        numbers = [chunks.index(first.chunks[each[_SORTING_COLUMN]]) for each in sorting]
        moved = [each.put({_SORTING_COLUMN: number}) for each, number in zip(sorting, numbers, strict=True)]
        sizes |= {GROUP_SORTING: moved}
    known = {each: value for each, value in sizes.items() if each in first.metadata}
    return RowGroup(first.rows, tuple(chunks), first.metadata.put(known), footer)
