"""Projections: datasets that are some columns, and maybe some rows, of another one, file by file.

Which ones there are says `publications`; how the files of one are kept current, `operations.project`.
"""

from dataclasses import dataclass, field, replace
from functools import cached_property
from hashlib import sha256

import pyarrow as pa
import pyarrow.compute as pc

from govbr_assets.core.layout import is_parquet
from govbr_assets.core.spec import DatasetSpec, Introduction
from govbr_assets.errors import ConfigurationError


@dataclass(frozen=True)
class RowFilter:
    """Which rows a projection has: those whose value of one column is among some.

    Attributes:
        column: a column of the full dataset with texts or whole numbers, among those of the projection or not.
        values: the wanted ones.
    """

    column: str
    values: frozenset[str] | frozenset[int]

    def apply(self, rows: pa.Table) -> pa.Table:
        """Keep the wanted rows, in their order."""
        wanted = pa.array(sorted(self.values), rows.schema.field(self.column).type)
        return rows.filter(pc.is_in(rows[self.column], wanted))


@dataclass(frozen=True)
class Projection:
    """A dataset that mirrors another one file by file. It needs no key: rows stand in the order of the other's files.

    Attributes:
        of: the full dataset.
        columns: names of its columns, in the order of the files of this one.
        name: for people.
        rows: which rows; None has all of them.
        introduction: what a new dataset card says of it.
    """

    of: DatasetSpec
    columns: tuple[str, ...]
    name: str
    rows: RowFilter | None = None
    introduction: Introduction = field(default_factory=Introduction)

    def __post_init__(self) -> None:
        types = {column.name: column.type for column in self.of.columns}
        if not self.columns:
            raise ConfigurationError(f"The projection {self.name} in publications.py has no columns: name some.")
        if unknown := [name for name in self.sources if name not in types]:
            raise ConfigurationError(
                f"The projection {self.name} in publications.py has column {unknown[0]}, which {self.of.name} has not."
            )
        if self.rows and not (pa.types.is_string(kind := types[self.rows.column]) or pa.types.is_integer(kind)):
            raise ConfigurationError(
                f"The projection {self.name} in publications.py takes rows by {self.rows.column}, which is {kind}: take"
                " a column of texts or of whole numbers."
            )
        if self.rows:
            wanted = str if pa.types.is_string(types[self.rows.column]) else int
            self._check_values(self.rows, wanted, types[self.rows.column])
        self.spec  # noqa: B018 - raises if these columns cannot be published together

    def _check_values(self, rows: RowFilter, wanted: type, kind: pa.DataType) -> None:
        """Raise if a value is none that the column can have."""
        if wrong := [value for value in rows.values if not isinstance(value, wanted)]:
            raise ConfigurationError(
                f"The projection {self.name} in publications.py takes rows whose {rows.column} is {wrong[0]!r}, and it"
                f" is {kind}: write {'texts' if wanted is str else 'whole numbers'}."
            )

    @cached_property
    def spec(self) -> DatasetSpec:
        """What the files of this dataset hold; it has no key."""
        declared = {column.name: column for column in self.of.columns}
        return DatasetSpec(
            name=self.name,
            columns=tuple(replace(declared[name], since=1) for name in self.columns),  # it follows the other's schema
            key="",
            alias="",
            event_time=self.of.event_time if self.of.event_time in self.columns else "",
            newest_by=(),
            layout=self.of.layout,
            introduction=self.introduction,
            joins=self.of.joins,
        )

    @cached_property
    def sources(self) -> tuple[str, ...]:
        """The columns of the full dataset that are read."""
        return tuple(dict.fromkeys([*self.columns, *([self.rows.column] if self.rows else [])]))

    @cached_property
    def fingerprint(self) -> str:
        """Columns and rows in eight hex digits: files of another projection are not taken for those of this one."""
        rows = (self.rows.column, sorted(self.rows.values)) if self.rows else None
        return sha256(repr((self.spec.fingerprint, rows)).encode()).hexdigest()[:8]

    def apply(self, rows: pa.Table) -> pa.Table:
        """Project rows of the full dataset.

        Args:
            rows: [n rows x columns], at least `sources`, with the published types.

        Returns:
            [m rows x columns] of `spec.schema`, in the same order.
        """
        wanted = self.rows.apply(rows) if self.rows else rows
        return wanted.select(self.spec.schema.names)

    def path(self, source: str) -> str:
        """Name the file that mirrors one: the same path; a file of another format gets the ending of Parquet."""
        return source if is_parquet(source) else f"{source}.parquet"
