"""What is published, declared once: the columns of a dataset, and all that is made of them.

The columns of each dataset are listed in `publications`, and `conform` says what a row must be to fit them. It is in
`core`, below `dataset`, because the queries of `postgres` and the rules on rows are made from it too.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from hashlib import sha256

import pyarrow as pa

from govbr_assets.core.column_rules import check_columns_declared
from govbr_assets.core.columns import CLAIM, Column, Join
from govbr_assets.core.compatibility import SchemaDiff, compare
from govbr_assets.core.conform_file import conform_file
from govbr_assets.core.layout import FileLayout

_DIGEST = pa.field("digest", pa.int64())


@dataclass(frozen=True)
class Introduction:
    """What a new dataset card says of a dataset.

    Attributes:
        title: of the card, in Portuguese.
        text: what the dataset is, in Portuguese.
        english: the same in a few English sentences.
        languages: of its texts, by ISO 639-1.
        tags: by which the Hub's search finds it.
        columns: descriptions of columns in Portuguese, by name; one without has the English one alone.
    """

    title: str = "Conjunto de dados"
    text: str = "Linhas de uma tabela de um banco de dados, publicadas dia a dia."
    english: str = "Rows of a database table, published day by day."
    languages: tuple[str, ...] = ("pt",)
    tags: tuple[str, ...] = ()
    columns: Mapping[str, str] = field(default_factory=dict, hash=False)


@dataclass(frozen=True)
class DatasetSpec:
    """A published dataset.

    Attributes:
        name: for people.
        columns: in their order in every file.
        key: the column that tells rows apart; empty if none does, as in a projection, which mirrors files.
        alias: the id under which the Hub may know a row besides, which only the source has.
        event_time: the column that says which day a row belongs to; empty only in a projection without it.
        newest_by: columns that decide between versions of a row, the first one first; the greatest wins.
        layout: which file a row belongs in.
        introduction: what a new dataset card says of it.
        joins: tables beside `news` that columns come from.

    Raises:
        ConfigurationError: columns cannot be published together.
    """

    name: str
    columns: tuple[Column, ...]
    key: str
    alias: str
    event_time: str
    newest_by: tuple[str, ...]
    layout: FileLayout
    introduction: Introduction = Introduction()
    joins: tuple[Join, ...] = ()

    def __post_init__(self) -> None:
        check_columns_declared(self.columns, self.joins)

    @cached_property
    def version(self) -> int:
        """The version of the schema, from 1 on: each column that is added makes another one."""
        return max(column.since for column in self.columns)

    def at(self, version: int) -> "DatasetSpec":
        """Give the dataset as it was declared when its schema had a version: without the columns of later ones."""
        return self if version >= self.version else _at(self, version)

    def with_columns(self, names: Iterable[str]) -> "DatasetSpec":
        """Give the same with some of the columns only, its key and its time always among them."""
        wanted = {self.key, self.event_time, *names}
        columns = (replace(each, since=1) for each in self.columns if each.name in wanted)
        return replace(self, columns=tuple(columns), newest_by=tuple(name for name in self.newest_by if name in wanted))

    def version_of(self, schema: pa.Schema) -> int:
        """Tell the version whose columns a file has, whoever wrote it: the greatest without a gap, or 0."""
        found = {*schema.names}
        missing = [column.since for column in self.columns if column.name not in found]
        return min(missing) - 1 if missing else self.version

    @cached_property
    def schema(self) -> pa.Schema:
        """The schema of every file: [n columns]."""
        return pa.schema([column.field for column in self.columns])

    @cached_property
    def source_schema(self) -> pa.Schema:
        """Rows as they are read from the source: `schema`, and behind it the alias."""
        return self.schema.append(pa.field(self.claim, self.schema.field(self.key).type))

    @property
    def claim(self) -> str:
        """The column of the alias in rows of the source: another than one of this name that is published as it is."""
        return CLAIM if self.alias in self.schema.names else self.alias

    @cached_property
    def keys_schema(self) -> pa.Schema:
        """The key of a row and its time."""
        return pa.schema([self.schema.field(name) for name in (self.key, self.event_time) if name])

    @cached_property
    def source_keys_schema(self) -> pa.Schema:
        """Both ids of a row of the source, and its time."""
        key, at = self.keys_schema
        return pa.schema([key, pa.field(self.alias, key.type), at])

    @cached_property
    def digests_schema(self) -> pa.Schema:
        """The keys of a row, and the digest of all of it: [3 columns]."""
        return self.keys_schema.append(_DIGEST)

    @cached_property
    def digested_schema(self) -> pa.Schema:
        """A row on its way into a file: `schema`, and its digest."""
        return self.schema.append(_DIGEST)

    @cached_property
    def sourced_schema(self) -> pa.Schema:
        """The same, and the path of the file that it comes from."""
        return self.digested_schema.append(pa.field("source", pa.string()))

    def select(self, names: Iterable[str]) -> pa.Schema:
        """Return the schema of some columns."""
        return pa.schema([self.schema.field(name) for name in names])

    def conform(self, rows: pa.Table, source: str, names: Iterable[str] | None = None) -> pa.Table:
        """Give rows of a file, whoever wrote it, the published types; without loss or not at all.

        Args:
            rows: [n rows x m columns] of the file.
            source: the path of the file, for the error message.
            names: the columns that are wanted; None takes all, and then no other column may have values.

        Returns:
            [n rows x columns] of `select(names)`.

        Raises:
            ContractError: something would be lost or guessed; the message names file, column, row and value.
        """
        return conform_file(rows, source, self.schema if names is None else self.select(names))

    def conform_keys(self, rows: pa.Table, source: str, names: Iterable[str]) -> pa.Table:
        """Give ids and times of a file the published types, as `conform` does, but take faulty ones as well.

        A null id names no row, and a time outside of the years 1 to 9999 is of no day: neither makes the other rows of
        the file unknown. The whole row is rejected where it would be published.

        Args:
            rows: [n rows x columns of `keys_schema`] of the file, all or some.
            source: the path of the file, for the error message.
            names: the columns that are wanted.
        """
        return conform_file(rows, source, self.select(names), faulty_keys=True)

    def compare(self, schema: pa.Schema) -> SchemaDiff:
        """Compare the schema of a file with that of every file of this dataset."""
        return compare(schema, self.schema)

    @cached_property
    def descriptions(self) -> dict[str, str]:
        """What each column says, by its name; the alias as well."""
        described = {column.name: column.description for column in self.columns}
        if not self.alias:
            return described
        return described | {self.claim: "Id under which the Hub may know the row from before; null if there is none."}

    @property
    def sorted_by(self) -> list[tuple[str, str]]:
        """The order of rows in every file, as Arrow takes it; empty if it is that of the files that are mirrored."""
        return [(self.event_time, "ascending"), (self.key, "ascending")] if self.key else []

    @cached_property
    def fingerprint(self) -> str:
        """Names and types of the columns in eight hex digits: digests of rows compare only where it is the same."""
        columns = [(field.name, str(field.type)) for field in self.schema]
        return sha256(repr(columns).encode()).hexdigest()[:8]


@cache
def _at(spec: DatasetSpec, version: int) -> DatasetSpec:
    """Give the columns of a version."""
    return replace(spec, columns=tuple(column for column in spec.columns if column.since <= version))
