"""What is published, declared once: the columns of a dataset, and all that is made of them.

The columns of each dataset are listed in `publications`, and `conform` says what a row must be to fit them. It is in
`core`, below `dataset`, because the queries of `postgres` and the rules on rows are made from it too.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256

import pyarrow as pa

from govbr_assets.core.compatibility import SchemaDiff, compare
from govbr_assets.core.conform_file import conform_file
from govbr_assets.core.layout import FileLayout

_DIGEST = pa.field("digest", pa.int64())


@dataclass(frozen=True)
class Column:
    """A published column.

    Attributes:
        name: on the Hub.
        type: in Arrow and on the Hub; text, a list of texts, or a time.
        sql: `table.column` of the source query (`postgres.row_query`): `n` is `news`, `l1` to `l3` are its themes.
        description: one sentence for people.
        dictionary: its values repeat, and each is written once a row group.
        statistics: files say the least and the greatest value of each row group; for short values only.
    """

    name: str
    type: pa.DataType
    sql: str
    description: str
    dictionary: bool = False
    statistics: bool = False

    @property
    def field(self) -> pa.Field:
        """The column in an Arrow schema."""
        return pa.field(self.name, self.type)

    @property
    def parquet_path(self) -> str:
        """The column in a Parquet file, where a list is two levels above its elements."""
        return f"{self.name}.list.element" if pa.types.is_list(self.type) else self.name


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
        version: of the schema, from 1 on.
    """

    name: str
    columns: tuple[Column, ...]
    key: str
    alias: str
    event_time: str
    newest_by: tuple[str, ...]
    layout: FileLayout
    introduction: Introduction = Introduction()
    version: int = 1

    @cached_property
    def schema(self) -> pa.Schema:
        """The schema of every file: [n columns]."""
        return pa.schema([column.field for column in self.columns])

    @cached_property
    def source_schema(self) -> pa.Schema:
        """Rows as they are read from the source: `schema`, and behind it the alias."""
        return self.schema.append(pa.field(self.alias, self.schema.field(self.key).type))

    @cached_property
    def keys_schema(self) -> pa.Schema:
        """The key of a row and its time."""
        return pa.schema([self.schema.field(name) for name in (self.key, self.event_time) if name])

    @cached_property
    def source_keys_schema(self) -> pa.Schema:
        """Both ids of a row of the source, and its time."""
        return pa.schema([self.source_schema.field(name) for name in (self.key, self.alias, self.event_time)])

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
        return described | {self.alias: "Id under which the Hub may know the row from before; null if there is none."}

    @property
    def sorted_by(self) -> list[tuple[str, str]]:
        """The order of rows in every file, as Arrow takes it; empty if it is that of the files that are mirrored."""
        return [(self.event_time, "ascending"), (self.key, "ascending")] if self.key else []

    @cached_property
    def fingerprint(self) -> str:
        """Names and types of the columns in eight hex digits: digests of rows compare only where it is the same."""
        columns = [(field.name, str(field.type)) for field in self.schema]
        return sha256(repr(columns).encode()).hexdigest()[:8]
