"""The columns of the source tables: their kind, whether their text form is lossless, whether the role may read them.

Read once per client. Which columns a query needs belongs to the query.
"""

from collections.abc import Collection, Mapping
from typing import NamedTuple

from govbr_assets.errors import SourceError
from govbr_assets.postgres.connection import Database

# Domains are resolved to their base type and arrays to their element type, recursively. Only ordinary tables (heap)
# have the transaction id of a row in `xmin`; a view or a foreign table has none.
_CATALOGUE = """
    WITH RECURSIVE peeled AS (
        SELECT attrelid, attnum, attname, atttypid AS type, 0 AS depth FROM pg_attribute
        WHERE attrelid IN (to_regclass('news'), to_regclass('themes')) AND (attnum > 0 OR attname = 'xmin')
            AND NOT attisdropped
        UNION ALL
        SELECT attrelid, attnum, attname, CASE typtype WHEN 'd' THEN typbasetype ELSE typelem END,
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
    SELECT attrelid IS NOT DISTINCT FROM to_regclass('news') AS is_news, attname::text AS name, depth,
        typtype = 'e' OR typname IN ('text', 'varchar', 'bpchar', 'name', 'citext', 'uuid') AS is_text,
        has_column_privilege(attrelid, attnum, 'SELECT') AS readable, (SELECT min(kind) FROM other) AS kind,
        current_setting('server_encoding') AS encoding
    FROM peeled JOIN pg_type ON oid = type WHERE typtype <> 'd' AND typcategory <> 'A'"""


class Column(NamedTuple):
    """A column.

    Attributes:
        depth: levels of arrays: 0 for a scalar, 1 for an array of scalars.
        is_text: whether PostgreSQL's text form of a value loses nothing.
        readable: whether the role may read it.
    """

    depth: int
    is_text: bool
    readable: bool


class Catalogue:
    """The columns of `news` and `themes`.

    Args:
        news: columns of `news`, by name, including `xmin` if there is one.
        themes: columns of `themes`, by name.
        kind: the kind of relation, such as `view`, if rows of `news` or of a partition have no `xmin`; else empty.
        encoding: the server's encoding.
    """

    def __init__(self, news: Mapping[str, Column], themes: Mapping[str, Column], kind: str, encoding: str) -> None:
        self.news, self.themes, self.kind, self._encoding = news, themes, kind, encoding

    @classmethod
    def of(cls, database: Database) -> "Catalogue":
        """Read the catalogue of a database.

        Raises:
            SourceUnavailableError: PostgreSQL is unreachable.
            SourceError: there is no table `news`.
        """
        found = database.read(_CATALOGUE).to_pylist()
        news, themes = (
            {row["name"]: Column(*(row[name] for name in Column._fields)) for row in found if row["is_news"] == is_news}
            for is_news in (True, False)
        )
        if not news:
            raise SourceError(
                "PostgreSQL has no table `news`: point GOVBR_POSTGRES_URL at the database that has it, or grant"
                " its role USAGE on the schema."
            )
        return cls(news, themes, found[0]["kind"] or "", found[0]["encoding"])

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


def as_text(expression: str, column: Column | None) -> str:
    """Return a SQL expression cast to text if that loses nothing; other types are left to the contract's cast."""
    if not column or not column.is_text or column.depth > 1:
        return expression
    return f"{expression}::text{'[]' * column.depth}"
