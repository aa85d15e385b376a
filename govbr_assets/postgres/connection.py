"""A connection to PostgreSQL: its URL with our defaults, queries as streams of Arrow, no password in any failure."""

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit, urlunsplit

import adbc_driver_manager
import adbc_driver_postgresql
import pyarrow as pa
from adbc_driver_manager import AdbcConnection, AdbcStatement  # `dbapi` would import pyarrow.dataset, pandas and polars
from adbc_driver_manager._reader import AdbcRecordBatchReader  # as `dbapi` uses it: errors of a stream keep their code

from govbr_assets.errors import (
    ConfigurationError,
    GovbrAssetsError,
    SourceError,
    SourceRowsError,
    SourceUnavailableError,
)

_OPTIONS = "-c default_transaction_read_only=on -c timezone=UTC -c statement_timeout=30min"
_PASSING = ("08", "40", "531", "532", "533", "55P03", "57P01", "57P02", "57P03", "57P05", "58000", "58030", "72")
"""How the SQLSTATE of an error begins that another try can cure: connection, conflict, resources, lock, shutdown, disk.

Source: https://www.postgresql.org/docs/current/errcodes-appendix.html
"""

_OF_ALL_ROWS = ("0A", "25", "26", "28", "34", "3D", "3F", "42", "57P04")
"""How one begins that no choice of rows can avoid: unsupported, names, rights, types, the state of the session."""

_UNDECODABLE = "ReadRecord failed"  # how the driver's own failure begins, which has no SQLSTATE

_HINTS: dict[type[GovbrAssetsError], str] = {
    SourceUnavailableError: "look at GOVBR_POSTGRES_URL and the server",
    SourceError: "see the table's columns, and the rights of the role",
    SourceRowsError: "see the values of these rows, and what a view makes of them",
}


class Database:
    """One PostgreSQL database, read only.

    Args:
        url: `postgresql://user:password@host:port/database`; a driver in the scheme (`+psycopg2`) is ignored.
    """

    def __init__(self, url: str) -> None:
        self._url, self._secrets = _connection_url(url)

    @contextmanager
    def connection(self) -> Iterator[AdbcConnection]:
        """Connect, and speak of failures without a password."""
        try:
            with adbc_driver_postgresql.connect(self._url) as database, AdbcConnection(database) as connection:
                yield connection
        except GovbrAssetsError:
            raise
        except adbc_driver_manager.Error as error:
            raise self._told(_kind(error), error) from None
        except OSError as error:
            raise self._told(SourceUnavailableError, error) from None
        except pa.ArrowException as error:
            raise self._told(SourceError, error) from None

    def _told(self, kind: type[GovbrAssetsError], error: Exception) -> GovbrAssetsError:
        """Tell what PostgreSQL said in one line, with every secret blotted out."""
        text = " ".join(str(error).split("Query was:")[0].split())
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return kind(f"Reading the news from PostgreSQL failed ({_HINTS[kind]}): {text}")


@contextmanager
def query(connection: AdbcConnection, sql: str, *values: str) -> Iterator[pa.RecordBatchReader]:
    """Run a query and stream its rows."""
    with AdbcStatement(connection) as statement:
        statement.set_sql_query(sql)
        statement.set_options(**{"adbc.postgresql.batch_size_hint_bytes": "1048576"})
        if values:
            names = [f"${number}" for number in range(1, len(values) + 1)]
            statement.prepare()
            statement.bind(pa.record_batch([pa.array([value]) for value in values], names))
        stream, _ = statement.execute_query()
        yield AdbcRecordBatchReader._import_from_c(stream.address)


def tables(connection: AdbcConnection, sql: str) -> Iterator[pa.Table]:
    """Run a query and stream its rows, some 1 MB at a time; an empty table first, which tells the columns."""
    with query(connection, sql) as reader:
        yield _without_metadata(reader.schema.empty_table())
        for batch in reader:
            yield _without_metadata(pa.Table.from_batches([batch]))


def _kind(error: adbc_driver_manager.Error) -> type[GovbrAssetsError]:
    """Say what an error is: its SQLSTATE decides; without one, the connection is not there or has broken."""
    if not error.sqlstate:
        passes = isinstance(error, adbc_driver_manager.OperationalError) and _UNDECODABLE not in str(error)
        return SourceUnavailableError if passes else SourceError
    if error.sqlstate.startswith(_PASSING):
        return SourceUnavailableError
    return SourceError if error.sqlstate.startswith(_OF_ALL_ROWS) else SourceRowsError


def _connection_url(url: str) -> tuple[str, list[str]]:
    """Turn a setting into a libpq URL with our defaults, and list the secrets in it."""
    malformed = "GOVBR_POSTGRES_URL is malformed: write postgresql://user:password@host:5432/database."
    try:
        parts = urlsplit(url)
        password = parts.password or ""
        _ = parts.port
    except ValueError:
        raise ConfigurationError(malformed) from None
    if parts.scheme.partition("+")[0] not in ("postgresql", "postgres") or not url.partition("://")[2]:
        raise ConfigurationError(malformed)
    query = dict(parse_qsl(parts.query))
    secrets = {password, unquote(password), query.get("password", ""), quote(query.get("password", ""))}
    query = {"application_name": "govbr_assets", "connect_timeout": "10", **query}
    query["client_encoding"] = "UTF8"  # whatever the server or PGCLIENTENCODING says: Arrow's text is UTF-8
    query["options"] = f"{query.get('options', '')} {_OPTIONS}".strip()
    target = parts._replace(scheme="postgresql", query=urlencode(query, quote_via=quote))
    return urlunsplit(target), sorted(filter(None, secrets), key=len, reverse=True)


def _without_metadata(rows: pa.Table) -> pa.Table:
    """Drop the driver's notes on fields, which differ between servers."""
    return rows.cast(pa.schema([pa.field(field.name, field.type) for field in rows.schema]))
