"""A data file out of the row groups of others: months that stay, and months that were made anew, each in a file."""

from collections.abc import Iterable, Iterator, Mapping, Set
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq

from govbr_assets.core.row_group_copy import splice
from govbr_assets.core.row_groups import Chunk, RowGroup, row_groups
from govbr_assets.operations.old_file import OldFile, OldSide
from govbr_assets.operations.verify import verify_copy


@dataclass(frozen=True)
class AssembledFile:
    """What is in a file that was made.

    Attributes:
        rows: how many it has.
        months: of each of its row groups.
        fresh: the bytes of row groups that were made anew.
    """

    rows: int
    months: list[int]
    fresh: list[range]


@dataclass(frozen=True)
class _Group:
    """A row group for the new file: its month, and whether it was made anew."""

    month: int
    group: RowGroup
    fresh: bool


def assemble(local: Path, old: OldSide | None, made: Mapping[int, Path], changed: Set[int]) -> AssembledFile:
    """Put row groups into one file, byte for byte; if there is none, no file is made.

    Args:
        local: where the file is made.
        old: has the months that stay.
        made: a file with the rows of each other month that has some.
        changed: months of the old file that do not stay.

    Raises:
        ContractError: the old file has row groups that cannot be copied.
        ProofError: a row group was not copied as it was.
    """
    if len(made) == 1 and (old is None or changed >= set(old.months)):
        return _renamed(local, *next(iter(made.items())))
    with ExitStack() as stack:
        groups = [*_copied(stack, old, changed), *_made(stack, made)]
        groups.sort(key=lambda each: each.month)  # stable: the groups of a month stay in their order
        written: list[RowGroup] = []
        if groups:
            with local.open("w+b") as sink:
                written = splice([each.group for each in groups], sink)
                for each, new in zip(groups, written, strict=True):
                    verify_copy(each.group, new)
        rows, months = sum(each.group.rows for each in groups), [each.month for each in groups]
        fresh = [new for each, new in zip(groups, written, strict=True) if each.fresh]
        return AssembledFile(rows, months, side_by_side(chunk for new in fresh for chunk in new.chunks))


def _renamed(local: Path, month: int, made: Path) -> AssembledFile:
    """Take the file of the only month as it is: the same bytes as if its row groups were copied."""
    made.rename(local)
    metadata = pq.read_metadata(local)
    return AssembledFile(metadata.num_rows, [month] * metadata.num_row_groups, [range(local.stat().st_size)])


def _copied(stack: ExitStack, old: OldSide | None, changed: Set[int]) -> list[_Group]:
    """Take the row groups of months that stay as they are."""
    if not isinstance(old, OldFile) or changed >= set(old.months):
        return []
    file = stack.enter_context(old.local.open("rb"))
    pairs = zip(old.months, row_groups(file), strict=True)
    return [_Group(month, group, fresh=False) for month, group in pairs if month not in changed]


def _made(stack: ExitStack, made: Mapping[int, Path]) -> Iterator[_Group]:
    """Take the row groups of months that were made anew."""
    for month, path in made.items():
        file = stack.enter_context(path.open("rb"))
        for group in row_groups(file):
            yield _Group(month, group, fresh=True)


def side_by_side(chunks: Iterable[Chunk]) -> list[range]:
    """Return where column chunks are in their file, those side by side as one range."""
    found: list[range] = []
    for place in sorted((chunk.place for chunk in chunks), key=lambda place: place.start):
        beside = found.pop() if found and found[-1].stop == place.start else range(place.start, place.start)
        found.append(range(beside.start, place.stop))
    return found
