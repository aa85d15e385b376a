"""What the database has of the tables that are read: columns, what becomes text without loss, what may be read.

Asked once for each client; which columns a query needs is the query's business.
"""

from collections.abc import Collection, Mapping
from typing import NamedTuple

from govbr_assets.errors import SourceError
from govbr_assets.postgres.connection import Database

# Under a domain is its type and in an array its element, also when these are domains and arrays again. A row's own
# transaction number is kept by PostgreSQL's own tables alone, not by a view or another server's table.
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
        depth: arrays around its values: 0 for a plain value, 1 for an array of them.
        is_text: whether PostgreSQL's text of a value is the value.
        readable: whether the role may read it.
    """

    depth: int
    is_text: bool
    readable: bool


class Catalogue:
    """The columns of `news` and `themes`.

    Args:
        news: those of `news`, by name; `xmin` among them if it is there.
        themes: those of `themes`.
        kind: what `news` is, or a part of it, if its rows have no transaction number of their own; else empty.
        encoding: of all text.
    """

    def __init__(self, news: Mapping[str, Column], themes: Mapping[str, Column], kind: str, encoding: str) -> None:
        self.news, self.themes, self.kind, self._encoding = news, themes, kind, encoding

    @classmethod
    def of(cls, database: Database) -> "Catalogue":
        """Ask for it.

        Raises:
            SourceUnavailableError: PostgreSQL is away.
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
        """What a query for text has to set: bytes of no encoding come as they are, for us to judge them by row."""
        return {"client_encoding": self._encoding} if self._encoding == "SQL_ASCII" else {}

    @property
    def readable(self) -> set[str]:
        """The columns of `news` that the role may read."""
        return {name for name, column in self.news.items() if column.readable}

    @property
    def has_legacy(self) -> bool:
        """Whether rows have the ids under which the Hub may know them."""
        return "legacy_unique_id" in self.news

    def require(self, news: Collection[str], themes: Collection[str] = ()) -> None:
        """See that the role may read some columns; one that is not there, PostgreSQL names itself.

        Raises:
            SourceError: it may not; says which columns.
        """
        for table, has, wanted in (("news", self.news, news), ("themes", self.themes, themes)):
            denied = ", ".join(sorted(name for name in wanted if name in has and not has[name].readable))
            if denied:
                raise SourceError(
                    f"The role of GOVBR_POSTGRES_URL may not read these columns of `{table}`: {denied}. Grant it SELECT"
                    f" ({denied}) ON {table}."
                )


def as_text(value: str, column: Column | None) -> str:
    """Write the SQL of a value, which becomes text if that loses nothing; `core.contract` judges all others."""
    if not column or not column.is_text or column.depth > 1:
        return value
    return f"{value}::text{'[]' * column.depth}"
