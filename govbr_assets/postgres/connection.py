"""A PostgreSQL database, one query at a time: each in a connection and a read-only transaction of its own.

Nothing is trusted to stay as it was set: a pooler may ignore what a connection asks for, and hand its session to
somebody else after each transaction, or each statement. So settings hold for the transaction only, are read back
within it, and it is proven that query and settings met in one; nothing of ours remains in the session.
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
from govbr_assets.postgres.errors import DRIVER_ERRORS, POOLER, failure
from govbr_assets.redact import remember_url

MAX_CONCURRENT_RUNS = 20.0
"""Seconds for a query whose answer is small: two of them leave time in a sensor's minute."""

_PATIENCE = 1800.0  # seconds that a query for many rows may take, and be silent

_BEGIN = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"

# `row_security` makes a query fail from which a policy would hide rows.
_SETTINGS = {"row_security": "off", "client_encoding": "UTF8", "timezone": "UTC"}
_PROOF = {"transaction_read_only": "on", "transaction_isolation": "repeatable read"}


class Database:
    """One PostgreSQL database, read only.

    Args:
        url: what libpq takes, a URI or `key=value` pairs; a driver in the scheme (`+psycopg2`) is ignored.

    Raises:
        ConfigurationError: libpq would not take it.
    """

    def __init__(self, url: str) -> None:
        remember_url(url)  # for libpq and servers repeat what they cannot read
        self._conninfo = address(cleaned(url))
        self._settings = {**_SETTINGS}
        if "application_name" not in self._conninfo:
            self._settings["application_name"] = "govbr_assets"

    def rows(self, sql: str, settings: Mapping[str, str] = {}, *, within: float | None = None) -> Iterator[pa.Table]:
        """Run a query and stream its rows, some 1 MB at a time; an empty table first, which tells the columns.

        Args:
            sql: one statement without parameters.
            settings: of PostgreSQL, for this query.
            within: seconds for all of it; None lets it be silent for half an hour.

        Raises:
            SourceUnavailableError: PostgreSQL is away, went away in the middle, or is silent.
            SourceError: PostgreSQL refuses, hides rows, or stands behind a pooler that cannot be trusted.
            ConfigurationError: libpq does not take the URL.
        """
        seconds = within or _PATIENCE
        limit = f"{within:.0f}s" if within else "30min"  # as the server spells it
        settings = {**self._settings, "statement_timeout": limit, **settings}
        try:
            silence = seconds + 60  # the server's own limit comes first
            yield from in_background(lambda: self._rows(sql, settings), silence=silence, within=within)
        except SilenceError:
            text = f"PostgreSQL has been silent for {seconds:.0f} seconds: look at GOVBR_POSTGRES_URL and the network."
            raise SourceUnavailableError(text) from None

    def read(self, sql: str) -> pa.Table:
        """Run a query whose answer is small, as `rows` does, in at most `AT_ONCE` seconds."""
        return pa.concat_tables(self.rows(sql, within=MAX_CONCURRENT_RUNS))

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
            raise failure(error) from None


@contextmanager
def _transaction(connection: AdbcConnection, settings: Mapping[str, str]) -> Iterator[None]:
    """Hold one read-only transaction with these settings, and prove at its end that it was one."""
    connection.set_autocommit(False)
    _execute(connection, "; ".join([_BEGIN, *(f"SET LOCAL {name} = '{value}'" for name, value in settings.items())]))
    expected = {**settings, **_PROOF}
    before = _proof(connection, expected)
    if wrong := [f"{name} is {before[name]}" for name, value in expected.items() if before[name] != value]:
        raise SourceError(POOLER.format(", ".join(wrong)))
    yield
    if _proof(connection, expected) != before:
        raise SourceError(POOLER.format("the session has changed within a transaction"))
    connection.set_autocommit(True)  # ends it: a pooler throws a session away that is left within a transaction


def _proof(connection: AdbcConnection, names: Iterable[str]) -> dict[str, str]:
    """Ask for settings, and for what tells one transaction from every other."""
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
    """Drop the driver's notes on fields, which differ between servers."""
    return rows.cast(pa.schema([pa.field(field.name, field.type) for field in rows.schema]))
