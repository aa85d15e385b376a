"""A range of days and one bad thing: days that can be had are published, the reason is told once, and no retry."""

from collections.abc import Mapping
from datetime import timedelta

import pytest
from dagster import DagsterEventType, ExecuteInProcessResult

from govbr_assets.core.days import Day
from govbr_assets.errors import PermanentError, SourceError, SourceRowsError
from govbr_assets.postgres.news import NewsTable
from govbr_assets.publications import NEWS
from govbr_assets_tests.graph import Graph
from govbr_assets_tests.postgres.test_changed import row
from govbr_assets_tests.scenes import verdict
from govbr_assets_tests.sql import execute
from govbr_assets_tests.stranger import write
from govbr_assets_tests.tables import encode, shard

DAYS = [Day.of(f"2026-01-{number}") for number in range(11, 26)]
BAD = (13, 14, 16, 18, 19, 20, 24)  # of January, each in another way

FAIL = """
    CREATE FUNCTION fail(state text) RETURNS text LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION 'it fails' USING ERRCODE = state; END $$"""
VIEW = """
    CREATE VIEW news AS SELECT id, unique_id, legacy_unique_id, agency_key, published_at, updated_datetime,
        extracted_at, subtitle, editorial_lead, url, content, image_url, video_url, category, tags, summary,
        theme_l1_id, theme_l2_id, theme_l3_id, most_specific_theme_id, updated_at,
        CASE extract(day FROM published_at) {cases} ELSE title END AS title FROM base"""
VALUES = {
    "a bad cast": "title::int::text",
    "a domain violation": "title::short::text",
    "a subquery of two rows": "(SELECT n::text FROM generate_series(1, 2) n)",
    "a timeout": "fail('57014')",
    "a program's limit": "fail('54000')",
    "a foreign server's words": "fail('HV00L')",
    "a page that is broken": "fail('XX001')",
}


def with_view(url: str, bad: Mapping[int, str]) -> None:
    """Let the news of some days of January fail, each in its own way."""
    cases = " ".join(f"WHEN {day} THEN {VALUES[kind]}" for day, kind in bad.items())
    execute(url, "CREATE DOMAIN short AS text CHECK (length(value) < 2)", FAIL, "ALTER TABLE news RENAME TO base")
    execute(url, VIEW.format(cases=cases))


@pytest.fixture
def url(postgres_url: str) -> str:
    execute(postgres_url, "INSERT INTO agencies (id, key, name) VALUES (1, 'mec', 'MEC')")
    titled = (row(f"id-{day}", f"{day}T12:00Z").replace("'t'", "'long'") for day in DAYS)
    execute(postgres_url, *titled)
    return postgres_url


@pytest.mark.parametrize("planner", ["sorts", "goes by index"])
def test_days_around_those_that_postgres_fails_at_can_be_had(url: str, planner: str):
    with_view(url, dict(zip(BAD, VALUES, strict=True)))
    if planner == "sorts":  # all is computed before the first row
        execute(url, "DROP INDEX news_published_at")
    take, taken, failed = NewsTable(url, NEWS).read_days(DAYS), [], []
    for day in DAYS:
        try:
            taken += take(day)["unique_id"].to_pylist()
        except SourceRowsError:
            failed.append(str(day))
    assert failed == [f"2026-01-{day}" for day in BAD]
    assert taken == [f"id-{day}" for day in DAYS if str(day) not in failed]


def test_a_day_can_be_taken_again_and_in_any_order(url: str):
    with_view(url, {13: "a bad cast"})
    news = NewsTable(url, NEWS)
    for order in ([3, 1, 2], [1, 1], [9, 0, 2, 4, 2]):
        take = news.read_days(DAYS[:9])  # the last one is not among them
        for number in order:
            if number == 2:
                with pytest.raises(SourceRowsError, match="invalid input syntax for type integer"):
                    take(DAYS[number])
            else:
                assert take(DAYS[number])["unique_id"].to_pylist() == [f"id-{DAYS[number]}"]


def test_what_no_day_can_do_without_is_asked_for_once(url: str):
    with_view(url, {13: "a bad cast"})
    take = NewsTable(url, NEWS).read_days(DAYS)
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
        (
            "ALTER TABLE news RENAME TO base; CREATE MATERIALIZED VIEW news AS SELECT * FROM base WITH NO DATA",
            '"news" has not been populated',
        ),
    ],
)
def test_what_all_days_of_a_range_lack_is_no_matter_of_their_rows(postgres_url: str, broken: str, said: str):
    execute(postgres_url, broken)
    with pytest.raises(SourceError, match=said) as caught:
        NewsTable(postgres_url, NEWS).read_days(DAYS)(DAYS[0])
    assert not isinstance(caught.value, SourceRowsError)


def test_what_all_days_of_a_range_lack_is_told_once(graph: Graph):
    graph.execute("ALTER TABLE news RENAME title TO headline")
    sentence = reason(graph.run("2026-01-11", "2026-01-13", retries=2, checks=False), "n.title does not exist")
    assert sentence.startswith("3 of 3 days are not on the Hub as they are in PostgreSQL. 2026-01-11..2026-01-13: ")


def test_days_of_a_range_around_bad_ones_are_published_and_recorded_and_the_bad_ones_are_named(graph: Graph):
    for day in DAYS[:6]:
        graph.insert(f"id-{day}", f"more-{day}", day=str(day))
    graph.execute("UPDATE news SET tags = '{{a},{b}}' WHERE unique_id = 'more-2026-01-14'")
    graph.execute("UPDATE news SET extracted_at = 'infinity' WHERE unique_id = 'more-2026-01-15'")
    with_view(graph.postgres_url, {13: "a domain violation"})
    result = graph.run("2026-01-11", "2026-01-16", retries=2, checks=False)
    sentence = reason(result, "violates check constraint")
    assert sentence.startswith(
        "3 of 6 days are not on the Hub as they are in PostgreSQL, the others are. 2026-01-13: Reading"
    )
    assert "; 2026-01-14: Column tags of the row with id 8 " in sentence
    assert sentence.endswith("one dimension; 2026-01-15: " + INFINITE)
    published = ["2026-01-11", "2026-01-12", "2026-01-16"]
    assert sorted(graph.ids()) == [f"data/train-{day}.parquet" for day in published]
    assert sorted(graph.metadata(result)) == published
    logged = [entry.user_message for entry in graph.instance.all_logs(result.run_id)]
    reasons = [message for message in logged if message.startswith("2026-01-14 is left out: Column tags")]
    assert len(reasons) == 2  # by the asset that it befell, and by the one that publishes
    found = graph.reconcile(deep=True)
    told = graph.metadata(found, "hub_reconciliation")[""]
    assert (told["postgres_rows"], told["hub_rows"], told["differing_days"], told["refused_days"]) == (12, 6, 3, 3)
    graph.execute("UPDATE base SET published_at = '2026-01-13T12:00Z' WHERE unique_id = 'id-2026-01-12'")
    sentence = reason(graph.run("2026-01-11", "2026-01-12", retries=2, checks=False), "violates check constraint")
    assert "What became of 1 rows that the Hub has under 2026-01-12 and PostgreSQL has not cannot be told" in sentence
    assert sorted(graph.ids()) == [f"data/train-{day}.parquet" for day in published]


INFINITE = (
    "Column extracted_at of the row with id 10 in PostgreSQL is outside the years 1 to 9999: infinity cannot be"
    " published as timestamp[ns]."
)


def test_an_id_with_a_nul_on_the_hub_names_no_row_and_hinders_no_day(graph: Graph):
    for day in DAYS[:3]:
        graph.insert(f"id-{day}", f"more-{day}", day=str(day))
    at = DAYS[1].start + timedelta(hours=9)
    write(
        graph.local_hub.store,
        graph.repo_id,
        {NEWS.layout.day_path(DAYS[1]): encode(shard(["a\0b", "id-2026-01-12"], at=at))},
    )
    assert graph.run("2026-01-11", "2026-01-13", checks=False).success
    assert {name for ids in graph.ids().values() for name in ids} == {
        f"{what}-{day}" for day in DAYS[:3] for what in ("id", "more")
    }
