"""A range of days and one bad thing: days that can be had are published, the reason is told once, and no retry."""

from collections.abc import Sequence
from datetime import timedelta

import pytest
from dagster import DagsterEventType, ExecuteInProcessResult

from govbr_assets.core.days import Day
from govbr_assets.core.layout import encode, shard_path
from govbr_assets.errors import PermanentError, SourceError, SourceRowsError
from govbr_assets.postgres import PostgresNews
from govbr_assets_tests.graph import Graph
from govbr_assets_tests.scenes import verdict
from govbr_assets_tests.sql import execute
from govbr_assets_tests.stranger import write
from govbr_assets_tests.tables import shard
from govbr_assets_tests.test_changed import row

DAYS = [Day.of(f"2026-01-{number}") for number in range(11, 21)]
BAD = ("2026-01-13", "2026-01-14", "2026-01-18")

FAIL = """
    CREATE FUNCTION fail(state text) RETURNS text LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION 'it fails' USING ERRCODE = state; END $$"""
VIEW = """
    CREATE OR REPLACE VIEW news AS SELECT id, unique_id, legacy_unique_id, agency_key, published_at, updated_datetime,
        extracted_at, subtitle, editorial_lead, url, content, image_url, video_url, category, tags, summary,
        theme_l1_id, theme_l2_id, theme_l3_id, most_specific_theme_id, updated_at,
        CASE WHEN published_at::date::text = ANY ('{{{bad}}}') THEN {value} ELSE title END AS title FROM base"""
VALUES = {
    "a bad cast": "title::int::text",
    "a domain violation": "title::short::text",
    "a subquery of two rows": "(SELECT n::text FROM generate_series(1, 2) n)",
    "a timeout": "fail('57014')",
    "a program's limit": "fail('54000')",
    "a foreign server's words": "fail('HV00L')",
    "a page that is broken": "fail('XX001')",
}


def with_view(url: str, value: str, bad: Sequence[str] = BAD) -> None:
    """Let some days of the news fail."""
    execute(url, "CREATE DOMAIN short AS text CHECK (length(value) < 2)", FAIL, "ALTER TABLE news RENAME TO base")
    execute(url, VIEW.format(bad=",".join(bad), value=value))


@pytest.fixture
def url(postgres_url: str) -> str:
    execute(postgres_url, "INSERT INTO agencies (id, key, name) VALUES (1, 'mec', 'MEC')")
    titled = (row(f"id-{day}", f"{day}T12:00Z").replace("'t'", "'long'") for day in DAYS)
    execute(postgres_url, *titled)
    return postgres_url


@pytest.mark.parametrize(
    ("value", "planner"), [*((value, "sorts") for value in VALUES), ("a bad cast", "goes by index")]
)
def test_days_around_those_that_postgres_fails_at_can_be_had(url: str, value: str, planner: str):
    with_view(url, VALUES[value])
    if planner == "sorts":  # all is computed before the first row
        execute(url, "DROP INDEX news_published_at")
    take, taken, failed = PostgresNews(url).reading(DAYS), [], []
    for day in DAYS:
        try:
            taken += take(day)["unique_id"].to_pylist()
        except SourceRowsError:
            failed.append(str(day))
    assert tuple(failed) == BAD
    assert taken == [f"id-{day}" for day in DAYS if str(day) not in BAD]


@pytest.mark.parametrize("order", [[3, 1, 2], [1, 1, 1], [9, 0, 9], [0, 3, 2, 4, 3, 9]])
def test_a_day_can_be_taken_again_and_in_any_order(url: str, order: list[int]):
    with_view(url, VALUES["a bad cast"], BAD[:1])
    take = PostgresNews(url).reading(DAYS[:9])  # the last one is not among them
    for number in order:
        if str(DAYS[number]) == BAD[0]:
            with pytest.raises(SourceRowsError, match="invalid input syntax for type integer"):
                take(DAYS[number])
        else:
            assert take(DAYS[number])["unique_id"].to_pylist() == [f"id-{DAYS[number]}"]


def test_what_no_day_can_do_without_is_asked_for_once(url: str):
    with_view(url, VALUES["a bad cast"])
    take = PostgresNews(url).reading(DAYS)
    assert [take(day).num_rows for day in DAYS[:2]] == [1, 1]
    with pytest.raises(SourceRowsError):
        take(DAYS[2])
    execute(url, "ALTER VIEW news RENAME TO old_news")
    with pytest.raises(SourceError, match='relation "news" does not exist') as caught:
        take(DAYS[4])
    execute(url, "ALTER VIEW old_news RENAME TO news")
    with pytest.raises(SourceError) as again:
        take(DAYS[5])
    assert str(again.value) == str(caught.value)


def reason(result: ExecuteInProcessResult, said: str) -> str:
    """Give the sentence that a run failed with: it says something once, and no step was tried again."""
    kind, sentence = verdict(result)
    assert kind
    assert issubclass(kind, PermanentError)
    assert sentence.count(said) == 1, sentence
    assert not [event for event in result.all_events if event.event_type is DagsterEventType.STEP_UP_FOR_RETRY]
    return sentence


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        ("ALTER TABLE news RENAME title TO headline", "n.title does not exist"),
        ("ALTER TABLE news RENAME TO old_news", "no table `news`"),
        ("ALTER TABLE news ALTER COLUMN published_at TYPE text", "operator does not exist"),
        ("ALTER TABLE themes RENAME label TO name", "l1.label does not exist"),
    ],
)
def test_what_all_days_of_a_range_lack_is_told_once(graph: Graph, broken: str, said: str):
    graph.insert("a", day="2026-01-12")
    graph.execute(broken)
    sentence = reason(graph.run("2026-01-11", "2026-01-13", retries=2, checks=False), said)
    assert sentence.startswith("3 of 3 days are not on the Hub as they are in PostgreSQL. 2026-01-11..2026-01-13: ")


def test_days_of_a_range_around_a_bad_one_are_published_and_recorded_and_the_bad_one_is_named(graph: Graph):
    for day in DAYS[:4]:
        graph.insert(f"id-{day}", day=str(day))
    with_view(graph.postgres_url, VALUES["a domain violation"])
    result = graph.run("2026-01-11", "2026-01-14", retries=2, checks=False)
    sentence = reason(result, "violates check constraint")
    assert sentence.startswith("2 of 4 days are not on the Hub as they are in PostgreSQL, the others are. 2026-01-13..")
    assert sorted(graph.ids()) == ["data/train-2026-01-11.parquet", "data/train-2026-01-12.parquet"]
    assert sorted(graph.metadata(result)) == ["2026-01-11", "2026-01-12"]


def test_an_id_with_a_nul_on_the_hub_names_no_row_and_hinders_no_day(graph: Graph):
    for day in DAYS[:3]:
        graph.insert(f"id-{day}", f"more-{day}", day=str(day))
    at = DAYS[1].start + timedelta(hours=9)
    write(graph.local_hub.store, graph.repo_id, {shard_path(DAYS[1]): encode(shard(["a\0b", "id-2026-01-12"], at=at))})
    assert graph.run("2026-01-11", "2026-01-13", checks=False).success
    assert {name for ids in graph.ids().values() for name in ids} == {
        f"{what}-{day}" for day in DAYS[:3] for what in ("id", "more")
    }
