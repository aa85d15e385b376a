"""What `news` may be besides a table that is all ours: a view, another server's table, one of which we see a part."""

import os
import signal
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote

import pytest

import govbr_assets.local
from govbr_assets.core.conform import LeftOut
from govbr_assets.core.days import Day
from govbr_assets.core.late_rows import Watermark
from govbr_assets.errors import SourceError
from govbr_assets.local.postgres_server import Server
from govbr_assets.postgres.news import NewsTable
from govbr_assets.publications import NEWS
from govbr_assets_tests.automation import Automation
from govbr_assets_tests.defs.test_sensors import LATE, automation  # noqa: F401 - a fixture
from govbr_assets_tests.postgres.test_changed import FIRST, TODAY, row
from govbr_assets_tests.sql import execute

DEBIAN = max(Path("/usr/lib/postgresql").glob("*/lib/postgres_fdw.so"), default=None)
SCHEMA = Path(govbr_assets.local.__file__).with_name("schema.sql").read_text()
AGENCY = "INSERT INTO agencies (id, key, name) VALUES (1, 'mec', 'MEC')"
HALF_AN_HOUR = "now() - interval '30 minutes'"

VIEW = ["ALTER TABLE news RENAME TO base", "CREATE VIEW news AS SELECT * FROM base"]
WHOLE = {
    "a materialized view": [VIEW[0], "CREATE MATERIALIZED VIEW news AS SELECT * FROM base"],
    "a partitioned table": [
        VIEW[0],
        "CREATE TABLE news (LIKE base) PARTITION BY RANGE (published_at)",
        "ALTER TABLE news ATTACH PARTITION base DEFAULT",
    ],
    "a table with an heir": ["CREATE TABLE more () INHERITS (news)"],
}


@pytest.fixture
def url(postgres_url: str) -> str:
    execute(postgres_url, AGENCY)
    return postgres_url


@pytest.fixture(scope="module")
def debian() -> Iterator[str]:
    """A server with Debian's extensions, of which ours has none: where its sockets are."""
    if DEBIAN is None:
        pytest.skip("Debian's package postgresql is not installed")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "sockets").mkdir()
        (folder / "pginstall").symlink_to(DEBIAN.parents[1])
        server = Server(folder, folder, folder / "sockets")
        server.prepare("")
        with server.start() as process:
            while not server.is_ready() and process.poll() is None:
                time.sleep(0.02)
            yield str(folder / "sockets")
            process.send_signal(signal.SIGINT)


@pytest.fixture
def foreign(debian: str) -> tuple[str, str]:
    """A database whose `news` is another's, and that one."""
    postgres, source, foreign = (
        f"postgresql://postgres@/{name}?host={quote(debian, safe='')}&port=5432"
        for name in ("postgres", "source", "mirror")
    )
    execute(postgres, "CREATE DATABASE source", "CREATE DATABASE mirror")
    execute(source, SCHEMA.replace(" STORAGE EXTERNAL", ""), AGENCY)  # which an older server does not know
    execute(
        foreign,
        "CREATE EXTENSION postgres_fdw",
        "CREATE SERVER source FOREIGN DATA WRAPPER postgres_fdw"
        f" OPTIONS (host '{debian}', port '5432', dbname 'source')",
        "CREATE USER MAPPING FOR PUBLIC SERVER source OPTIONS (user 'postgres', password_required 'false')",
        "IMPORT FOREIGN SCHEMA public LIMIT TO (news, themes) FROM SERVER source INTO public",
    )
    return foreign, source


def test_a_foreign_table_is_never_said_not_to_have_changed_by_a_number_that_means_nothing(foreign: tuple[str, str]):
    url, source = foreign
    execute(source, row("old", "2026-01-10T12:00Z", HALF_AN_HOUR))
    news = NewsTable(url, NEWS)
    assert news.day(Day.of("2026-01-10"))["unique_id"].to_pylist() == ["old"]
    first = news.changed_since(Watermark(), FIRST, TODAY)
    assert (list(map(str, first.days)), first.rows, first.mark.xid) == (["2026-01-10"], 1, 0)
    assert "a foreign table" in first.note
    assert "only the reconciliation finds" in first.note
    assert news.changed_since(first.mark, FIRST, TODAY).days == ()
    execute(source, row("new", "2026-01-11T12:00Z", HALF_AN_HOUR), row("fresh", "2026-01-12T12:00Z"))
    earlier = Watermark(datetime.now(UTC) - timedelta(hours=1), 0)
    assert list(map(str, news.changed_since(earlier, FIRST, TODAY).days)) == ["2026-01-10", "2026-01-11"]
    execute(url, "ALTER FOREIGN TABLE news RENAME TO part", "CREATE TABLE news (LIKE part)")
    execute(url, "ALTER FOREIGN TABLE part INHERIT news")
    assert "a foreign table" in NewsTable(url, NEWS).changed_since(Watermark(), FIRST, TODAY).note


@pytest.mark.parametrize("kind", WHOLE)
def test_a_source_whose_rows_tell_their_transaction_is_read_by_it(url: str, kind: str):
    execute(url, row("a", "2026-01-11T12:00Z"), *WHOLE[kind])
    found = NewsTable(url, NEWS).changed_since(Watermark(), FIRST, TODAY)
    assert (list(map(str, found.days)), found.note) == (["2026-01-11"], "")
    assert found.mark.xid
    assert NewsTable(url, NEWS).day(Day.of("2026-01-11")).num_rows == 1
    assert sum(table.num_rows for table in NewsTable(url, NEWS).keys(LeftOut())) == 1


def test_a_view_is_read_by_updated_at_each_row_once_when_it_is_old_enough(url: str):
    execute(url, row("old", "2026-01-10T12:00Z", HALF_AN_HOUR), row("fresh", "2026-01-11T12:00Z"), *VIEW)
    news = NewsTable(url, NEWS)
    first = news.changed_since(Watermark(), FIRST, TODAY)
    assert (list(map(str, first.days)), first.rows) == (["2026-01-10"], 1)
    assert "a view" in first.note
    assert news.changed_since(first.mark, FIRST, TODAY).days == ()
    by_transaction = Watermark(datetime.now(UTC) - timedelta(minutes=20), 7)  # it was a table: its mark hides less
    assert list(map(str, news.changed_since(by_transaction, FIRST, TODAY).days)) == ["2026-01-10"]


@pytest.mark.parametrize("columns", ["created_at, extracted_at", ""])
def test_a_view_without_updated_at_leaves_late_news_to_the_reconciliation_and_says_so(url: str, columns: str):
    more = f", {columns}" if columns else ""
    execute(url, row("a", "2026-01-10T12:00Z", HALF_AN_HOUR), VIEW[0])
    execute(url, f"CREATE VIEW news AS SELECT id, unique_id, published_at{more} FROM base")
    mark = Watermark(datetime(2026, 1, 1, tzinfo=UTC), 5)
    found = NewsTable(url, NEWS).changed_since(mark, FIRST, TODAY)
    assert (found.mark, found.days) == (mark, ())
    assert "there is no `updated_at`: only the reconciliation finds late news" in found.note


def test_a_table_without_any_time_says_what_it_needs(url: str):
    execute(url, *(f"ALTER TABLE news DROP COLUMN {name}" for name in ("updated_at", "created_at", "extracted_at")))
    assert (
        "none of updated_at, created_at, extracted_at"
        in NewsTable(url, NEWS).changed_since(Watermark(), FIRST, TODAY).note
    )


def test_rights_to_single_columns_are_enough_and_one_that_lacks_is_named(url: str):
    role = f"reader_{os.getpid()}"
    columns = [
        "id", "unique_id", "legacy_unique_id", "agency_key", "published_at", "updated_datetime", "extracted_at",
        "subtitle", "editorial_lead", "url", "content", "image_url", "video_url", "category", "tags", "summary",
        "theme_l1_id", "theme_l2_id", "theme_l3_id", "most_specific_theme_id", "updated_at",
    ]  # fmt: skip
    execute(url, row("a", "2026-01-10T12:00Z", HALF_AN_HOUR), f"CREATE ROLE {role} LOGIN")
    try:
        execute(url, f"GRANT SELECT ({', '.join(columns)}) ON news TO {role}", f"GRANT SELECT ON themes TO {role}")
        theirs = url.replace("//postgres@", f"//{role}@")
        with pytest.raises(SourceError, match=r"of `news`: title\. Grant it SELECT \(title\) ON news"):
            NewsTable(theirs, NEWS).day(Day.of("2026-01-10"))
        assert sum(table.num_rows for table in NewsTable(theirs, NEWS).keys(LeftOut())) == 1
        found = NewsTable(theirs, NEWS).changed_since(Watermark(), FIRST, TODAY)
        assert (list(map(str, found.days)), "none to `xmin`" in found.note) == (["2026-01-10"], True)
        execute(url, f"GRANT SELECT (title) ON news TO {role}")
        assert NewsTable(theirs, NEWS).day(Day.of("2026-01-10")).num_rows == 1
        execute(url, f"GRANT SELECT ON news TO {role}")
        assert NewsTable(theirs, NEWS).changed_since(Watermark(), FIRST, TODAY).note == ""
    finally:
        execute(url, f"DROP OWNED BY {role}", f"DROP ROLE {role}")


def test_the_sensor_falls_back_says_it_in_each_tick_and_raises_one_alert(automation: Automation):  # noqa: F811
    graph = automation.graph
    automation.alert_url = "http://127.0.0.1:9/alerts"
    graph.insert("a")
    graph.execute(f"ALTER TABLE news DISABLE TRIGGER news_touch; UPDATE news SET updated_at = {HALF_AN_HOUR}", *VIEW)
    first, second = automation.tick(LATE), automation.tick(LATE)
    assert [each.partition_key for each in first.run_requests] == ["2026-01-15"]
    assert second.run_requests == []
    assert "No change of a closed day is seen. `news` is, or has a part that is, a view" in str(second.skip_message)
    waiting = list((graph.folder / "alerts" / "waiting").iterdir())
    assert len(waiting) == 1
    assert "updated_at" in waiting[0].read_text()
