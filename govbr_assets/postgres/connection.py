"""One PostgreSQL query at a time, each in its own connection and read-only transaction.

A pooler may ignore the settings of a connection, and give its session to another client after each transaction or even
each statement. So settings are local to the transaction, are read back within it, and the transaction is verified to
be one and the same before and after the query. No setting remains in the session.
"""

from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from typing import Any

import adbc_driver_postgresql
import pyarrow as pa
from adbc_driver_manager import AdbcConnection, AdbcStatement  # `dbapi` would import pyarrow.dataset, pandas and polars
from adbc_driver_manager._reader import AdbcRecordBatchReader  # as `dbapi` uses it: errors of a stream keep their code

from govbr_assets.errors import SourceError, SourceUnavailableError
from govbr_assets.io.settings import cleaned
from govbr_assets.postgres.address import address
from govbr_assets.postgres.background import SilenceError, in_background
from govbr_assets.postgres.errors import DRIVER_ERRORS, POOLER, translate
from govbr_assets.redact import remember_url

SMALL_QUERY_SECONDS = 20.0
"""Time limit of a query with a small result: two of them fit into the minute of a sensor's tick."""

_MAX_SILENCE = 1800.0  # seconds without a row, for a query with many

_BEGIN = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"

# With `row_security` off, a query fails if a policy would hide rows from it.
_SETTINGS = {"row_security": "off", "client_encoding": "UTF8", "timezone": "UTC"}
_TRANSACTION = {"transaction_read_only": "on", "transaction_isolation": "repeatable read"}


class Database:
    """One PostgreSQL database, read only.

    Args:
        url: a libpq URI or `key=value` pairs; a driver in the scheme (`+psycopg2`) is ignored.

    Raises:
        ConfigurationError: libpq would reject it.
    """

    def __init__(self, url: str) -> None:
        remember_url(url)  # libpq and servers quote what they cannot parse
        self._conninfo = address(cleaned(url))
        self._settings = {**_SETTINGS}
        if "application_name" not in self._conninfo:
            self._settings["application_name"] = "govbr_assets"

    def rows(self, sql: str, settings: Mapping[str, str] = {}, *, within: float | None = None) -> Iterator[pa.Table]:
        """Run a query and stream its result in batches of about 1 MB.

        Args:
            sql: one statement without parameters.
            settings: PostgreSQL settings for this query.
            within: seconds for the whole query; None allows half an hour without a row.

        Yields:
            Tables of rows; the first one is empty and gives the columns.

        Raises:
            SourceUnavailableError: PostgreSQL is unreachable or silent, or the connection broke.
            SourceError: PostgreSQL rejects the query, hides rows, or is behind a pooler that splits transactions.
            ConfigurationError: libpq rejects the URL.
        """
        seconds = within or _MAX_SILENCE
        limit = f"{within:.0f}s" if within else "30min"  # as the server spells it
        settings = {**self._settings, "statement_timeout": limit, **settings}
        try:
            silence = seconds + 60  # the server's own limit comes first
            yield from in_background(lambda: self._rows(sql, settings), silence=silence, within=within)
        except SilenceError:
            text = f"PostgreSQL has been silent for {seconds:.0f} seconds: look at GOVBR_POSTGRES_URL and the network."
            raise SourceUnavailableError(text) from None

    def read(self, sql: str) -> pa.Table:
        """Run a query with a small result, as `rows` does, within `SMALL_QUERY_SECONDS`."""
        return pa.concat_tables(self.rows(sql, within=SMALL_QUERY_SECONDS))

    def _rows(self, sql: str, settings: Mapping[str, str]) -> Generator[pa.Table, Any, None]:
        try:
            with (
                adbc_driver_postgresql.connect(self._conninfo) as database,
                AdbcConnection(database) as connection,
                _transaction(connection, settings),
                closing(_stream(connection, sql)) as stream,
            ):
                yield from stream
        except DRIVER_ERRORS as error:
            raise translate(error) from None


@contextmanager
def _transaction(connection: AdbcConnection, settings: Mapping[str, str]) -> Iterator[None]:
    """Open a read-only transaction with these settings; verify at its end that it is still the same one."""
    connection.set_autocommit(False)
    _execute(connection, "; ".join([_BEGIN, *(f"SET LOCAL {name} = '{value}'" for name, value in settings.items())]))
    expected = {**settings, **_TRANSACTION}
    before = _identity(connection, expected)
    if wrong := [f"{name} is {before[name]}" for name, value in expected.items() if before[name] != value]:
        raise SourceError(POOLER.format(", ".join(wrong)))
    yield
    if _identity(connection, expected) != before:
        raise SourceError(POOLER.format("the session has changed within a transaction"))
    connection.set_autocommit(True)  # ends it: a pooler discards a session that is returned within a transaction


def _identity(connection: AdbcConnection, names: Iterable[str]) -> dict[str, str]:
    """Return the current settings, and the session and the start time that identify the transaction."""
    settings = ", ".join(f"current_setting('{name}') AS {name}" for name in names)
    sql = f"SELECT {settings}, pg_backend_pid()::text AS session, now()::text AS began"
    return pa.concat_tables(_stream(connection, sql)).to_pylist()[0]


def _execute(connection: AdbcConnection, sql: str) -> None:
    with AdbcStatement(connection) as statement:
        statement.set_sql_query(sql)
        statement.execute_update()


def _stream(connection: AdbcConnection, sql: str) -> Generator[pa.Table, Any, None]:
    with AdbcStatement(connection) as statement:
        statement.set_sql_query(sql)
        statement.set_options(**{"adbc.postgresql.batch_size_hint_bytes": "1048576"})
        stream, _ = statement.execute_query()
        with AdbcRecordBatchReader._import_from_c(stream.address) as reader:
            yield _without_metadata(reader.schema.empty_table())
            for batch in reader:
                yield _without_metadata(pa.Table.from_batches([batch]))


def _without_metadata(rows: pa.Table) -> pa.Table:
    """Drop the driver's field metadata, which differs between servers."""
    return rows.cast(pa.schema([pa.field(field.name, field.type) for field in rows.schema]))
