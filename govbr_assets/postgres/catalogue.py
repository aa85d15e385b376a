"""The columns of the source tables: their kind, whether their text form is lossless, whether the role may read them.

Read once per client. Which columns a query needs belongs to the query.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from govbr_assets.core.columns import Column as Published
from govbr_assets.core.columns import Join
from govbr_assets.errors import SourceError
from govbr_assets.postgres.connection import Database

# Domains are resolved to their base type and arrays to their element type, recursively. Only ordinary tables (heap)
# have the transaction id of a row in `xmin`; a view or a foreign table has none.
_CATALOGUE = """
    WITH RECURSIVE wanted (table_name, oid) AS (VALUES :tables), peeled AS (
        SELECT table_name, attrelid, attnum, attname, atttypid AS type, 0 AS depth
        FROM pg_attribute JOIN wanted ON oid = attrelid
        WHERE (attnum > 0 OR attname = 'xmin') AND NOT attisdropped
        UNION ALL
        SELECT table_name, attrelid, attnum, attname, CASE typtype WHEN 'd' THEN typbasetype ELSE typelem END,
            depth + (typtype <> 'd')::int
        FROM peeled JOIN pg_type ON oid = type WHERE typtype = 'd' OR typcategory = 'A'
    ), part AS (
        SELECT to_regclass('news')::oid AS oid
        UNION SELECT inhrelid FROM pg_inherits JOIN part ON inhparent = oid
    ), other AS (
        SELECT CASE relkind WHEN 'v' THEN 'view' WHEN 'f' THEN 'foreign table' ELSE 'table of ' || amname END AS kind
        FROM part JOIN pg_class USING (oid) LEFT JOIN pg_am ON pg_am.oid = relam
        WHERE relkind <> 'p' AND amname IS DISTINCT FROM 'heap'
    )
    SELECT table_name, attname::text AS name, depth,
        typtype = 'e' OR typname IN ('text', 'varchar', 'bpchar', 'name', 'citext', 'uuid') AS is_text,
        has_column_privilege(attrelid, attnum, 'SELECT') AS readable,
        EXISTS (SELECT FROM pg_index WHERE indrelid = attrelid AND indisunique AND indisvalid AND indnkeyatts = 1
            AND indkey[0] = attnum AND indpred IS NULL) AS is_unique,
        EXISTS (SELECT FROM pg_class c JOIN pg_am a ON a.oid = c.relam WHERE c.oid = attrelid AND amname = 'heap')
            AS in_heap,
        (SELECT min(kind) FROM other) AS kind,
        current_setting('server_encoding') AS encoding
    FROM peeled JOIN pg_type ON oid = type WHERE typtype <> 'd' AND typcategory <> 'A'"""


class Column(NamedTuple):
    """A column.

    Attributes:
        depth: levels of arrays: 0 for a scalar, 1 for an array of scalars.
        is_text: whether PostgreSQL's text form of a value loses nothing.
        readable: whether the role may read it.
        is_unique: whether no value of it is there twice, by an index.
        in_heap: whether the rows of its table tell the transaction that wrote them, in `xmin`.
    """

    depth: int
    is_text: bool
    readable: bool
    is_unique: bool
    in_heap: bool


class Catalogue:
    """The columns of `news` and `themes`.

    Args:
        news: columns of `news`, by name, including `xmin` if there is one.
        themes: columns of `themes`, by name.
        kind: the kind of relation, such as `view`, if rows of `news` or of a partition have no `xmin`; else empty.
        encoding: the server's encoding.
        joined: columns of joined tables, by table and name.
    """

    def __init__(
        self,
        news: Mapping[str, Column],
        themes: Mapping[str, Column],
        kind: str,
        encoding: str,
        joined: Mapping[str, Mapping[str, Column]],
    ) -> None:
        self.news, self.themes, self.kind, self._encoding, self.joined = news, themes, kind, encoding, joined

    @classmethod
    def of(cls, database: Database, joins: Sequence[Join] = ()) -> "Catalogue":
        """Read the catalogue of a database.

        Args:
            database: which.
            joins: the tables that columns come from beside `news` and its themes.

        Raises:
            SourceUnavailableError: PostgreSQL is unreachable.
            SourceError: there is no table `news`.
        """
        names = ["news", "themes", *(join.table for join in joins)]
        tables = ", ".join(f"('{name}', to_regclass('{name}')::oid)" for name in names)
        found = database.read(_CATALOGUE.replace(":tables", tables)).to_pylist()
        by_table: dict[str, dict[str, Column]] = {name: {} for name in names}
        for row in found:
            by_table[row["table_name"]][row["name"]] = Column(*(row[name] for name in Column._fields))
        news, themes = by_table.pop("news"), by_table.pop("themes")
        if not news:
            raise SourceError(
                "PostgreSQL has no table `news`: point GOVBR_POSTGRES_URL at the database that has it, or grant"
                " its role USAGE on the schema."
            )
        return cls(news, themes, found[0]["kind"] or "", found[0]["encoding"], by_table)

    @property
    def settings(self) -> dict[str, str]:
        """Settings for queries of text: without an encoding, bytes are sent as they are and validated row by row."""
        return {"client_encoding": self._encoding} if self._encoding == "SQL_ASCII" else {}

    @property
    def readable(self) -> set[str]:
        """Names of the columns of `news` that the role may read."""
        return {name for name, column in self.news.items() if column.readable}

    @property
    def has_legacy(self) -> bool:
        """Whether `news` has the column of legacy ids."""
        return "legacy_unique_id" in self.news

    def require(self, news: Collection[str], themes: Collection[str] = ()) -> None:
        """Raise unless the role may read some columns; a missing column is left to PostgreSQL's own error.

        Raises:
            SourceError: the role may not; the message names the columns.
        """
        for table, columns, names in (("news", self.news, news), ("themes", self.themes, themes)):
            denied = ", ".join(sorted(name for name in names if name in columns and not columns[name].readable))
            if denied:
                raise SourceError(
                    f"The role of GOVBR_POSTGRES_URL may not read these columns of `{table}`: {denied}. Grant it SELECT"
                    f" ({denied}) ON {table}."
                )

    def require_joined(self, join: Join, columns: Sequence[Published]) -> None:
        """Raise unless the role may read what columns need of a joined table, and no row can be doubled by it.

        Raises:
            SourceError: it is not so; the message names table, column and what to do.
        """
        there, users = self.joined[join.table], [each for each in columns if join.alias in dict(each.sources)]
        user = users[0].name if users else "none"
        if not there:
            raise SourceError(
                f"PostgreSQL has no table `{join.table}`, from which publications.py reads column {user}: create it, or"
                " grant the role of GOVBR_POSTGRES_URL USAGE on its schema."
            )
        wanted = {name for each in users for alias, name in each.sources if alias == join.alias}
        wanted |= {join.on, join.changed}
        if missing := sorted(wanted - there.keys()):
            raise SourceError(
                f"Table `{join.table}` in PostgreSQL has no column {missing[0]}, which publications.py reads: add it"
                " there, or correct the declaration."
            )
        if denied := ", ".join(sorted(name for name in wanted if not there[name].readable)):
            raise SourceError(
                f"The role of GOVBR_POSTGRES_URL may not read these columns of `{join.table}`: {denied}. Grant it"
                f" SELECT ({denied}) ON {join.table}."
            )
        if not there[join.on].is_unique:
            raise SourceError(
                f"Table `{join.table}` in PostgreSQL may have several rows of one {join.on}, and each row of news would"
                f" be published as often: give it a unique index, CREATE UNIQUE INDEX ON {join.table} ({join.on})."
            )


def as_text(expression: str, column: Column | None) -> str:
    """Return a SQL expression cast to text if that loses nothing; other types are left to the contract's cast."""
    if not column or not column.is_text or column.depth > 1:
        return expression
    return f"{expression}::text{'[]' * column.depth}"
