"""Days with new and changed rows, asked of a real PostgreSQL: each once, none missed, late commits and all."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta

import adbc_driver_postgresql.dbapi as adbc
import pytest

from govbr_assets.core.days import Day
from govbr_assets.core.late_rows import Changes, Watermark
from govbr_assets.errors import SourceUnavailableError
from govbr_assets.local.load import load
from govbr_assets.local.news import sample_news
from govbr_assets.postgres.news import NewsTable
from govbr_assets.publications import NEWS
from govbr_assets_tests.sql import execute

FIRST, TODAY = Day.of("2003-01-01"), Day.of("2026-01-20")
OLD = "now() - interval '3 days'"


@pytest.fixture
def url(postgres_url: str) -> str:
    execute(postgres_url, "INSERT INTO agencies (id, key, name) VALUES (1, 'mec', 'Ministério da Educação')")
    return postgres_url


def row(unique_id: str, published_at: str, changed_at: str = "now()") -> str:
    """Write the statement that inserts a row."""
    return (
        "INSERT INTO news (unique_id, agency_id, title, published_at, created_at, updated_at, extracted_at)"
        f" VALUES ('{unique_id}', 1, 't', '{published_at}', {changed_at}, {changed_at}, {changed_at})"
    )


def changed(url: str, since: Watermark, first: Day = FIRST, end: Day = TODAY) -> tuple[list[str], Changes]:
    found = NewsTable(url, NEWS).changed_since(since, first, end)
    return [str(day) for day in found.days], found


@contextmanager
def transaction(url: str) -> Iterator[adbc.Cursor]:
    """Open a transaction that ends when told."""
    with adbc.connect(url) as connection, connection.cursor() as cursor:
        yield cursor
        connection.commit()


def test_the_first_reading_looks_a_day_back_and_the_next_ones_see_each_row_once(url: str):
    execute(url, row("old", "2026-01-10T12:00Z", OLD), row("new", "2026-01-11T12:00Z"))
    days, first = changed(url, Watermark())
    assert (days, first.rows) == (["2026-01-11"], 1)
    assert changed(url, first.mark)[0] == []
    execute(url, row("b", "2026-01-12T12:00Z"), "UPDATE news SET title = 'u' WHERE unique_id = 'old'")
    days, second = changed(url, first.mark)
    assert (days, second.rows) == (["2026-01-10", "2026-01-12"], 2)
    assert second.newest
    assert abs(second.newest - datetime.now(UTC)) < timedelta(minutes=5)
    assert changed(url, second.mark)[0] == []


def test_days_are_those_of_sao_paulo_and_the_window_is_half_open(url: str):
    for number, at in enumerate(["2026-01-11T02:59:59Z", "2026-01-11T03:00Z", "2026-01-20T02:59:59Z"]):
        execute(url, row(f"in{number}", at))
    for number, at in enumerate(["2026-01-20T03:00Z", "2025-12-31T12:00Z", "infinity", "-infinity"]):
        execute(url, row(f"out{number}", at))
    days, found = changed(url, Watermark(), first=Day.of("2026-01-01"))
    assert (days, found.rows) == (["2026-01-10", "2026-01-11", "2026-01-19"], 3)


@pytest.mark.parametrize("savepoint", [False, True])
def test_a_late_commit_with_an_older_time_is_found(url: str, savepoint: bool):
    execute(url, row("old", "2026-01-10T12:00Z", OLD))
    with transaction(url) as late:
        if savepoint:  # a row in it has a transaction number of its own, which no snapshot tells
            late.execute("SAVEPOINT one")
        late.execute("UPDATE news SET title = 'late' WHERE unique_id = 'old'")
        execute(url, row("other", "2026-01-12T12:00Z"))
        days, first = changed(url, Watermark())
        assert days == ["2026-01-12"]
        _, second = changed(url, first.mark)
    days, third = changed(url, second.mark)
    assert "2026-01-10" in days
    assert third.newest
    assert third.mark.at
    assert changed(url, third.mark)[0] == []


def test_a_transaction_that_writes_late_and_began_before_an_earlier_reading_is_found(url: str):
    execute(url, row("old", "2026-01-10T12:00Z", OLD))
    with transaction(url) as late:
        late.execute("SELECT now()")
        late.fetchall()
        _, first = changed(url, Watermark())
        late.execute("UPDATE news SET title = 'late' WHERE unique_id = 'old'")
    days, second = changed(url, first.mark)
    assert days == ["2026-01-10"]
    assert second.newest
    assert first.mark.at
    assert second.newest < first.mark.at


def test_after_a_week_without_a_reading_all_of_the_week_is_found(url: str):
    before = Watermark(datetime.now(UTC) - timedelta(days=7), 0)
    for number in range(7):
        execute(url, row(f"id{number}", f"2026-01-{number + 10}T12:00Z", f"now() - interval '{number} days'"))
    assert changed(url, before)[0] == [f"2026-01-{number + 10}" for number in range(7)]


def test_a_mark_from_a_server_with_more_transactions_hides_nothing(url: str):
    execute(url, row("a", "2026-01-10T12:00Z"))
    assert changed(url, Watermark(datetime.now(UTC), 10**12))[0] == ["2026-01-10"]


@pytest.mark.parametrize("gone", [["updated_at"], ["updated_at", "created_at"]])
def test_without_updated_at_the_time_of_arrival_counts(url: str, gone: list[str]):
    execute(url, *(f"ALTER TABLE news DROP COLUMN {name}" for name in gone), "DROP TRIGGER news_touch ON news")
    names = [name for name in ("created_at", "extracted_at") if name not in gone]
    for unique_id, at in (("old", OLD), ("new", "now()")):
        execute(
            url,
            f"INSERT INTO news (unique_id, agency_id, title, published_at, {', '.join(names)})"
            f" VALUES ('{unique_id}', 1, 't', '2026-01-1{len(unique_id)}T12:00Z', {', '.join([at] * len(names))})",
        )
    _, found = changed(url, Watermark())
    assert (found.rows, len(found.days)) == (1, 1)
    assert found.newest
    assert found.newest.tzinfo


def test_a_time_without_a_zone_is_utc(url: str):
    execute(url, "ALTER TABLE news ALTER COLUMN updated_at TYPE timestamp USING updated_at AT TIME ZONE 'UTC'")
    execute(url, row("a", "2026-01-10T12:00Z", "now() AT TIME ZONE 'UTC'"))
    days, found = changed(url, Watermark())
    assert days == ["2026-01-10"]
    assert found.newest
    assert abs(found.newest - datetime.now(UTC)) < timedelta(minutes=5)


def test_a_mass_update_travels_as_one_line_a_day(postgres_url: str):
    url = postgres_url
    load(url, sample_news(3000, date(2020, 1, 1), date(2021, 12, 31)))
    _, first = changed(url, Watermark())
    execute(url, "UPDATE news SET title = title || '!'")
    with adbc.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT count(DISTINCT (published_at AT TIME ZONE 'America/Sao_Paulo')::date) FROM news")
        ((days,),) = cursor.fetchall()
    found = NewsTable(url, NEWS).changed_since(first.mark, FIRST, TODAY)
    assert (found.rows, len(found.days)) == (3000, days)


def test_a_server_that_is_away_is_told_without_its_password():
    with pytest.raises(SourceUnavailableError) as caught:
        changed("postgresql://user:s%40cret@127.0.0.1:1/news", Watermark())
    assert "cret" not in str(caught.value)


def test_numbers_of_transactions_are_told_apart_when_their_32_bits_have_gone_round():
    xmax = 3 * 2**32 + 5
    for number in (xmax - 1, xmax - 5, xmax - 6, xmax - 2**32 + 1):
        assert xmax - ((xmax - number % 2**32) & 4294967295) == number
