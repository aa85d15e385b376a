"""Through a real PgBouncer, in all its modes: each answer is the query's, nothing of ours stays, or we say why not."""

import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import date, timedelta
from itertools import islice

import psycopg2
import pyarrow as pa
import pytest

from govbr_assets.core.conform import LeftOut
from govbr_assets.core.days import Day
from govbr_assets.core.late_rows import Watermark
from govbr_assets.errors import SourceError, SourceUnavailableError
from govbr_assets.local.load import load
from govbr_assets.local.news import sample_news
from govbr_assets.local.postgres import EmbeddedPostgres
from govbr_assets.postgres.connection import Database
from govbr_assets.postgres.news import NewsTable
from govbr_assets.postgres.row_query import in_window
from govbr_assets.publications import NEWS
from govbr_assets_tests.pgbouncer import pgbouncer

DAYS = [Day.of(f"2026-01-{number}") for number in range(12, 17)]
CLIENTS, READS = 6, 4


@pytest.fixture(scope="module")
def postgres_url(postgres: EmbeddedPostgres) -> Iterator[str]:
    """Give one database to all: nobody writes."""
    name = f"pooled_{os.getpid()}"
    yield postgres.create_database(name)
    postgres.drop_database(name)


@pytest.fixture(scope="module")
def news(postgres_url: str) -> dict[Day, pa.Table]:
    """Load some days, and say what they are when no pooler stands between."""
    load(postgres_url, sample_news(400, date(2026, 1, 12), date(2026, 1, 16)))
    take = NewsTable(postgres_url, NEWS).read_days(DAYS)
    return {day: take(day) for day in DAYS}


@contextmanager
def somebody_else(url: str) -> Iterator[set[tuple[str, str]]]:
    """Let another client of the pooler look, all the while, at what its sessions are set to."""
    seen: set[tuple[str, str]] = set()
    over = threading.Event()
    sql = """
        SELECT name, setting FROM pg_settings WHERE name LIKE 'govbr%' OR source = 'session'
        AND name NOT IN ('transaction_isolation', 'transaction_read_only', 'transaction_deferrable')
        UNION SELECT 'read only', 'on' WHERE current_setting('transaction_read_only') = 'on'
        UNION SELECT 'prepared', name FROM pg_prepared_statements"""

    def look() -> None:
        connection = psycopg2.connect(url)
        connection.autocommit = True
        while not over.is_set():
            with connection.cursor() as cursor:
                cursor.execute(sql)
                seen.update(cursor.fetchall())
        connection.close()

    thread = threading.Thread(target=look)
    thread.start()
    yield seen
    over.set()
    thread.join()


def read_in_turn(url: str, news: dict[Day, pa.Table], client: int) -> list[bool]:
    """Read days and look ids up, beginning with another day than the others do."""
    right, ours = [], NewsTable(url, NEWS)
    for number in range(client, client + READS):
        day = DAYS[number % len(DAYS)]
        if number % 2:
            right.append(ours.day(day).equals(news[day]))
        else:
            ids = news[day]["unique_id"].to_pylist()
            right.append(ours.lookup([*ids, "nobody's"])["unique_id"].to_pylist() == ids)
    return right


@pytest.mark.parametrize("mode", ["session", "transaction"])
def test_through_a_pooler_all_of_many_reads_at_once_are_right_and_nothing_of_ours_is_in_other_sessions(
    postgres_url: str, news: dict[Day, pa.Table], mode: str
):
    with (
        pgbouncer(postgres_url, mode, default_pool_size="3") as url,
        somebody_else(url) as seen,
        ThreadPoolExecutor(CLIENTS) as clients,
    ):
        right = list(clients.map(lambda client: read_in_turn(url, news, client), range(CLIENTS)))
    assert right == [[True] * READS] * CLIENTS
    assert seen == set()


def test_a_pooler_that_takes_no_startup_parameter_is_enough(postgres_url: str, news: dict[Day, pa.Table]):
    with pgbouncer(postgres_url, "transaction", ignore_startup_parameters="") as url:
        ours = NewsTable(url, NEWS)
        assert ours.day(DAYS[1]).equals(news[DAYS[1]])
        keys = pa.concat_tables(ours.keys(LeftOut()))
        assert keys.num_rows == sum(day.num_rows for day in news.values())
        assert ours.changed_since(Watermark(), DAYS[0], DAYS[-1]).mark.xid
        with pytest.raises(SourceError, match="unsupported startup parameter"):
            NewsTable(f"{url}?options=-c%20work_mem%3D8MB", NEWS).day(DAYS[1])


def test_statement_mode_is_refused_in_one_sentence_that_says_pooler_and_what_to_use(
    postgres_url: str, news: dict[Day, pa.Table]
):
    with pgbouncer(postgres_url, "statement") as url:
        for read in (lambda: NewsTable(url, NEWS).day(DAYS[0]), lambda: NewsTable(url, NEWS).lookup(["a"])):
            with pytest.raises(SourceError, match=r"connection pooler .*: use its transaction or session mode, or"):
                read()


def test_a_read_that_is_left_in_the_middle_leaves_a_pooler_as_it_was(postgres_url: str, news: dict[Day, pa.Table]):
    with pgbouncer(postgres_url, "transaction", default_pool_size="1") as url, somebody_else(url) as seen:
        ours = NewsTable(url, NEWS)
        for _ in range(2):
            list(islice(ours.keys(LeftOut()), 1))
            ours.read_days(DAYS)(DAYS[0])
        assert ours.day(DAYS[2]).equals(news[DAYS[2]])
    assert seen == set()


def test_a_setting_that_is_not_what_was_asked_for_refuses_the_answer(postgres_url: str):
    with pytest.raises(SourceError, match=r"connection pooler .*work_mem is 4MB"):
        list(Database(postgres_url).rows("SELECT 1", {"work_mem": "4096kB"}))


def test_rows_of_another_window_than_the_querys_are_refused(
    postgres_url: str, news: dict[Day, pa.Table], monkeypatch: pytest.MonkeyPatch
):
    wider = lambda start, end: in_window(start - timedelta(days=1), end)  # noqa: E731
    monkeypatch.setattr("govbr_assets.postgres.news.in_window", wider)
    with pytest.raises(SourceError, match="rows of other times"):
        NewsTable(postgres_url, NEWS).day(DAYS[1])


@pytest.mark.parametrize(
    ("settings", "passes"),
    [
        ({"max_client_conn": "0"}, True),
        ({"auth_type": "trust", "auth_file": "/dev/null"}, False),
        ({"query_wait_timeout": "1", "server_login_retry": "1"}, True),
    ],
)
def test_what_a_pooler_says_while_connecting_is_passing_only_if_it_passes(
    postgres_url: str, settings: dict[str, str], passes: bool
):
    gone = postgres_url.replace("port=5432", "port=1") if "query_wait_timeout" in settings else postgres_url
    with (
        pgbouncer(gone, "transaction", **settings) as url,
        pytest.raises(SourceUnavailableError if passes else SourceError),
    ):
        NewsTable(url, NEWS).day(DAYS[0])
