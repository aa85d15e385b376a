"""A role from which PostgreSQL hides rows: nothing is read with it, by whichever way the rows would be hidden."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from urllib.parse import urlsplit

import pytest

from govbr_assets.core.conform import LeftOut
from govbr_assets.core.days import Day
from govbr_assets.core.late_rows import Watermark
from govbr_assets.errors import SourceError
from govbr_assets.postgres.news import NewsTable
from govbr_assets.publications import NEWS
from govbr_assets_tests.graph import Graph
from govbr_assets_tests.sql import execute

DAY = Day.of("2026-01-15")
HIDES = "USING (id % 10 <> 0)"
TABLES = ("news", "themes", "agencies")

READS: dict[str, Callable[[NewsTable], object]] = {
    "a day": lambda news: news.day(DAY),
    "a range": lambda news: [*map(news.read_days(days := [DAY, Day.of("2026-01-16")]), days)],
    "the rows that ids name": lambda news: news.lookup(["a", "b"]),
    "the keys of all rows": lambda news: list(news.keys(LeftOut())),
    "the days that changed": lambda news: news.changed_since(Watermark(), DAY, Day.of("2026-01-16")),
    "the newest day": lambda news: news.newest_day(DAY, DAY.end),
}
OF_NEWS_ALONE = ("the newest day", "the keys of all rows", "the days that changed")


@pytest.fixture
def reader(postgres_url: str) -> Iterator[str]:
    """Give the URL of a role that may read all tables, and has no other right."""
    execute(
        postgres_url,
        "INSERT INTO agencies (key, name) VALUES ('mec', 'Ministério da Educação')",
        "INSERT INTO themes (code, label, level) VALUES ('01', 'Economia', 1)",
        "INSERT INTO news (unique_id, agency_id, title, published_at, theme_l1_id)"
        " SELECT 'id' || i, 1, 't', '2026-01-15T12:00:00Z', 1 FROM generate_series(1, 20) i",
    )
    role = f"reader_{urlsplit(postgres_url).path[1:]}"
    execute(postgres_url, f"CREATE ROLE {role} LOGIN", f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}")
    yield postgres_url.replace("postgres@", f"{role}@", 1)
    execute(postgres_url, f"REASSIGN OWNED BY {role} TO postgres", f"DROP OWNED BY {role}", f"DROP ROLE {role}")


def role_of(url: str) -> str:
    return urlsplit(url).username or ""


def hide(postgres_url: str, table: str, policy: str = HIDES) -> None:
    execute(postgres_url, f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY", f"CREATE POLICY hides ON {table} {policy}")


def refused(url: str, *reads: str) -> list[str]:
    """Give what each way to read is refused with."""
    news, said = NewsTable(url, NEWS), []
    for read in reads or READS:
        with pytest.raises(SourceError, match="does not show this role all of the news") as caught:
            READS[read](news)
        said.append(str(caught.value))
    return said


def test_row_level_security_on_news_refuses_every_reading_in_the_servers_words(postgres_url: str, reader: str):
    hide(postgres_url, "news")
    for said in refused(reader):
        assert 'query would be affected by row-level security policy for table "news"' in said
        assert "BYPASSRLS" in said


def test_row_level_security_on_themes_refuses_what_joins_them_and_does_not_give_nulls(postgres_url: str, reader: str):
    hide(postgres_url, "themes")
    for said in refused(reader, *(read for read in READS if read not in OF_NEWS_ALONE)):
        assert 'policy for table "themes"' in said


def test_a_policy_is_not_judged_by_what_it_hides_today(postgres_url: str, reader: str):
    execute(postgres_url, "ALTER TABLE themes ENABLE ROW LEVEL SECURITY")
    refused(reader, "a day")  # without any policy every row is hidden
    for policy in ("USING (true)", "AS RESTRICTIVE USING (true)", "FOR SELECT USING (level = 1)"):
        hide(postgres_url, "themes", policy)
        refused(reader, "a day")
        execute(postgres_url, "DROP POLICY hides ON themes")


def test_a_policy_on_a_table_that_is_not_read_refuses_nothing(postgres_url: str, reader: str):
    hide(postgres_url, "agencies")
    assert NewsTable(reader, NEWS).day(DAY).equals(NewsTable(postgres_url, NEWS).day(DAY))


def test_a_policy_that_is_forced_upon_the_owner_refuses_the_owner(postgres_url: str, reader: str):
    role = role_of(reader)
    execute(postgres_url, *(f"ALTER TABLE {table} OWNER TO {role}" for table in TABLES))
    hide(postgres_url, "news")
    assert NewsTable(reader, NEWS).day(DAY).equals(NewsTable(postgres_url, NEWS).day(DAY))  # an owner sees all of it
    execute(postgres_url, "ALTER TABLE news FORCE ROW LEVEL SECURITY")
    refused(reader, "a day")


def test_a_view_over_a_table_with_a_policy_is_refused_for_whom_the_policy_is(postgres_url: str, reader: str):
    hide(postgres_url, "news")
    execute(postgres_url, "ALTER TABLE news RENAME TO all_news")
    for options in ("security_barrier", "security_invoker", "security_barrier, security_invoker"):
        execute(
            postgres_url,
            f"CREATE VIEW news WITH ({options}) AS SELECT * FROM all_news",
            f"GRANT SELECT ON news TO {role_of(reader)}",
        )
        if "security_invoker" in options:  # else it reads with the rights of its owner, who sees all
            refused(reader, "a day")
        else:
            assert NewsTable(reader, NEWS).day(DAY).equals(NewsTable(postgres_url, NEWS).day(DAY))
        execute(postgres_url, "DROP VIEW news")


def test_a_view_whose_owner_does_not_see_all_is_refused_for_everybody(postgres_url: str, reader: str):
    hide(postgres_url, "news")
    execute(
        postgres_url,
        "ALTER TABLE news RENAME TO all_news",
        "CREATE VIEW news WITH (security_barrier) AS SELECT * FROM all_news",
        f"ALTER VIEW news OWNER TO {role_of(reader)}",
    )
    refused(postgres_url, "a day")


def test_a_role_that_bypasses_policies_reads_everything(postgres_url: str, reader: str):
    for table in TABLES:
        hide(postgres_url, table)
    execute(postgres_url, f"ALTER ROLE {role_of(reader)} BYPASSRLS")
    assert NewsTable(reader, NEWS).day(DAY).equals(NewsTable(postgres_url, NEWS).day(DAY))


def test_a_role_whose_session_is_told_to_hide_rows_quietly_is_refused_all_the_same(postgres_url: str, reader: str):
    hide(postgres_url, "news")
    execute(postgres_url, f"ALTER ROLE {role_of(reader)} SET row_security = on")
    refused(f"{reader}&options=-c%20row_security%3Don", "a day")


def test_a_role_that_may_not_see_everything_publishes_nothing_and_reconciles_nothing(
    graph: Graph, postgres_url: str, reader: str
):
    assert graph.run("2026-01-15", checks=False).success
    before = graph.head.revision
    hide(postgres_url, "news")
    hidden = replace(graph, postgres_url=reader)
    for result in (hidden.run("2026-01-15", checks=False), hidden.reconcile()):
        assert not result.success
    assert graph.head.revision == before
