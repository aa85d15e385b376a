"""SQL to Arrow, on a real PostgreSQL: exactly the day, exactly the contract, and no password in any error."""

import threading
from datetime import UTC, datetime, timedelta

import adbc_driver_postgresql.dbapi as adbc
import pyarrow as pa
import pytest

from govbr_assets.core.conform import LeftOut
from govbr_assets.core.days import Day
from govbr_assets.errors import ConfigurationError, ContractError, SourceError, SourceUnavailableError
from govbr_assets.local.load import load
from govbr_assets.local.news import sample_news
from govbr_assets.postgres.connection import Database
from govbr_assets.postgres.key_query import HASH_JOINS, keys_query
from govbr_assets.postgres.news import BuildQuery, NewsTable
from govbr_assets.postgres.row_query import ids_query, in_window, named, rows_query, too_large_query
from govbr_assets.publications import NEWS
from govbr_assets_tests.sql import execute

DAY = Day.of("2026-01-15")


def insert(database: str, /, **values: str) -> None:
    """Insert one row; values are SQL."""
    row = {"unique_id": "'a'", "agency_id": "1", "title": "'t'", "published_at": "'2026-01-15T12:00:00-03:00'"} | values
    execute(database, f"INSERT INTO news ({', '.join(row)}) VALUES ({', '.join(row.values())})")


@pytest.fixture
def url(postgres_url: str) -> str:
    execute(
        postgres_url,
        "INSERT INTO agencies (id, key, name) VALUES (1, 'mec', 'Ministério da Educação')",
        "INSERT INTO themes (id, code, label, level) VALUES (1, '01', 'Economia', 1), (2, '01.01', 'Comércio', 2)",
    )
    return postgres_url


def test_a_row_comes_out_with_every_column_in_its_place(url: str):
    insert(
        url, unique_id="'x'", subtitle="''", editorial_lead="null", url="'https://gov.br/x'", image_url="'i'",
        video_url="'v'", content="E'a\\u00a0b 🇧🇷'", category="'c'", tags="array['a', null, '']", theme_l1_id="1",
        theme_l2_id="2", most_specific_theme_id="2", summary="'s'", updated_datetime="'2026-01-16T00:00:00.123456Z'",
        extracted_at="'2026-01-17T01:02:03Z'", legacy_unique_id="'old'",
    )  # fmt: skip
    table = NewsTable(url, NEWS).day(DAY)
    assert table.schema.equals(NEWS.source_schema, check_metadata=True)
    row = table.drop_columns(["extracted_at"]).to_pylist()[0]
    assert table["extracted_at"].cast(pa.string())[0].as_py() == "2026-01-17 01:02:03.000000000"
    assert row == {
        "unique_id": "x", "agency": "mec", "published_at": datetime(2026, 1, 15, 15, tzinfo=UTC),
        "updated_datetime": datetime(2026, 1, 16, microsecond=123456, tzinfo=UTC), "title": "t", "subtitle": "",
        "editorial_lead": None, "url": "https://gov.br/x", "content": "a\u00a0b 🇧🇷", "image": "i", "video_url": "v",
        "category": "c", "tags": ["a", None, ""], "theme_1_level_1": "Economia", "theme_1_level_1_code": "01",
        "theme_1_level_1_label": "Economia", "theme_1_level_2_code": "01.01", "theme_1_level_2_label": "Comércio",
        "theme_1_level_3_code": None, "theme_1_level_3_label": None, "most_specific_theme_code": "01.01",
        "most_specific_theme_label": "Comércio", "summary": "s", "legacy_unique_id": "old",
    }  # fmt: skip


def test_the_window_is_half_open_in_instants_of_the_day(url: str):
    for name, at in {
        "before": DAY.start - timedelta(microseconds=1),
        "first": DAY.start,
        "last": DAY.end - timedelta(microseconds=1),
        "after": DAY.end,
    }.items():
        insert(url, unique_id=f"'{name}'", published_at=f"'{at.isoformat()}'")
    assert NewsTable(url, NEWS).day(DAY)["unique_id"].to_pylist() == ["first", "last"]


def test_rows_are_sorted_by_time_and_then_by_id_as_bytes(url: str):
    for name in ("é", "b", "B", "a"):
        insert(url, unique_id=f"'{name}'")
    assert NewsTable(url, NEWS).day(DAY)["unique_id"].to_pylist() == ["B", "a", "b", "é"]


def test_a_day_without_rows_is_an_empty_table_of_the_schema(url: str):
    table = NewsTable(url, NEWS).day(DAY)
    assert (table.num_rows, table.schema) == (0, NEWS.source_schema)


def test_every_row_falls_into_exactly_one_day(postgres_url: str):
    written = load(postgres_url, sample_news(3000, datetime(2018, 11, 1).date(), datetime(2018, 11, 8).date()))  # noqa: DTZ001
    news = NewsTable(postgres_url, NEWS)
    days = [news.day(Day.of(f"2018-11-{number:02}")) for number in range(1, 9)]
    assert sum(day.num_rows for day in days) == written == len(pa.concat_tables(days)["unique_id"].unique())


def test_a_legacy_id_that_another_row_owns_does_not_count(url: str):
    insert(url, unique_id="'owner'", published_at="'2020-01-01'")
    insert(url, unique_id="'a'", legacy_unique_id="'owner'")
    assert NewsTable(url, NEWS).day(DAY)["legacy_unique_id"].to_pylist() == [None]


def test_of_several_claimants_of_a_legacy_id_the_lowest_row_has_it(url: str):
    insert(url, unique_id="'first'", legacy_unique_id="'md5'", published_at="'2020-01-01T12:00:00Z'")
    insert(url, unique_id="'second'", legacy_unique_id="'md5'")
    news = NewsTable(url, NEWS)
    assert news.day(DAY)["legacy_unique_id"].to_pylist() == [None]
    assert news.day(Day.of("2020-01-01"))["legacy_unique_id"].to_pylist() == ["md5"]


def test_a_deployment_without_legacy_ids_works(url: str):
    execute(url, "ALTER TABLE news DROP COLUMN legacy_unique_id")
    insert(url)
    assert NewsTable(url, NEWS).day(DAY)["legacy_unique_id"].to_pylist() == [None]


@pytest.mark.parametrize(
    ("alter", "values", "named"),
    [
        ("", {"updated_datetime": "'infinity'"}, "updated_datetime of the row with id 1 .*: infinity "),
        ("", {"updated_datetime": "'-infinity'"}, "updated_datetime .*: -infinity "),
        ("", {"extracted_at": "'9999-12-31'"}, "extracted_at .* 9999-12-31"),
        ("", {"extracted_at": "'0044-03-15 BC'"}, "extracted_at .* outside the years"),
        ("", {"tags": "array[['a','b'],['c','d']]"}, "tags of the row with id 1 .* several dimensions"),
        ("ALTER COLUMN unique_id DROP NOT NULL", {"unique_id": "null"}, "unique_id of the row with id 1 .* is null"),
        ("ALTER COLUMN tags TYPE text", {"tags": "'a,b'"}, "tags of the row with id 1 .* type string: 'a,b'"),
        ("ALTER COLUMN category TYPE int USING 1", {"category": "7"}, "category of the row with id 1 .* int32: 7"),
        ("ALTER COLUMN summary TYPE jsonb USING null", {"summary": "'{}'"}, "summary of the row with id 1"),
    ],
)
def test_a_value_that_does_not_fit_is_named_by_column_row_and_value(url: str, alter: str, values: dict, named: str):
    if alter:
        execute(url, f"ALTER TABLE news {alter}")
    insert(url, **values)
    with pytest.raises(ContractError, match=named):
        NewsTable(url, NEWS).day(DAY)


def test_a_server_that_goes_away_in_the_middle_is_a_passing_error(url: str):
    execute(
        url,
        "INSERT INTO news (unique_id, agency_id, title, published_at, content) SELECT i::text, 1, 't',"
        " '2026-01-15T12:00:00Z', repeat(md5(i::text), 300) FROM generate_series(1, 20000) i",
    )
    batches = NewsTable(url, NEWS)._batches(in_window(DAY.start, DAY.end))
    next(batches)
    next(batches)
    execute(url, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'govbr_assets'")
    with pytest.raises(SourceUnavailableError, match="Reading the news from PostgreSQL failed"):
        list(batches)


def test_a_connection_cannot_write(url: str):
    delete = "WITH gone AS (DELETE FROM news RETURNING id) SELECT * FROM gone"
    with pytest.raises(SourceError, match="read-only transaction"):
        Database(url).read(delete)


def test_a_missing_table_or_column_is_named(postgres_url: str):
    execute(postgres_url, "ALTER TABLE news RENAME COLUMN title TO headline")
    with pytest.raises(SourceError, match=r"n\.title does not exist"):
        NewsTable(postgres_url, NEWS).day(DAY)
    execute(postgres_url, "DROP TABLE news")
    with pytest.raises(SourceError, match="no table `news`"):
        NewsTable(postgres_url, NEWS).day(DAY)


@pytest.mark.parametrize("driver", ["postgresql", "postgresql+psycopg2", "postgres"])
def test_a_driver_in_the_scheme_is_ignored(url: str, driver: str):
    insert(url)
    assert NewsTable(url.replace("postgresql", driver, 1), NEWS).day(DAY).num_rows == 1


@pytest.mark.parametrize(
    "url",
    [
        "postgresql+psycopg2://user:s%40cret@127.0.0.1:1/news",
        "postgresql://user:s%40cret@127.0.0.1:1/news?application_name=s@cret",
        "postgresql://user@127.0.0.1:1/news?password=s@cret",
        "postgresql://user:s%40cret@no-such-host.invalid/news?connect_timeout=2",
        "postgresql://user:s%40cret@127.0.0.1/news?no_such_option=s@cret",
    ],
)
def test_no_password_is_in_an_error(url: str):
    with pytest.raises((SourceUnavailableError, ConfigurationError)) as caught:
        NewsTable(url, NEWS).day(DAY)
    assert "s@cret" not in str(caught.value)
    assert "s%40cret" not in str(caught.value)
    assert caught.value.__suppress_context__


@pytest.mark.parametrize(
    "url", ["", "news", "mysql://a:s@cret@h/d", "postgresql://a:s@cret@h:port/d", "host=x password=s@cret s@cret"]
)
def test_a_malformed_url_is_named_by_its_setting_without_its_password(url: str):
    with pytest.raises(ConfigurationError, match="GOVBR_POSTGRES_URL is malformed") as caught:
        NewsTable(url, NEWS)
    assert "s@cret" not in str(caught.value)


def test_a_password_that_postgres_repeats_is_blotted_out(url: str):
    secret = "invalid_value_42"
    with pytest.raises(ConfigurationError) as caught:
        NewsTable(f"{url}&password={secret}&sslmode={secret}", NEWS).day(DAY)
    assert secret not in str(caught.value)
    assert "***" in str(caught.value)


def test_threads_may_read_at_once(url: str):
    insert(url)
    news, counts = NewsTable(url, NEWS), []
    threads = [threading.Thread(target=lambda: counts.append(news.day(DAY).num_rows)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counts == [1] * 4


def test_a_range_is_one_query_cut_into_its_days(postgres_url: str):
    load(postgres_url, sample_news(4000, datetime(2018, 10, 30).date(), datetime(2018, 11, 8).date()))  # noqa: DTZ001
    days = [Day.of(f"2018-11-{number:02}") for number in range(2, 7)]
    news = NewsTable(postgres_url, NEWS)
    take = news.read_days(days)
    for day in days:
        assert take(day).equals(news.day(day)), day


def test_days_without_rows_and_days_not_taken_are_passed_over(url: str):
    insert(url, unique_id="'a'", published_at="'2026-01-12T12:00:00Z'")
    insert(url, unique_id="'b'", published_at="'2026-01-15T12:00:00Z'")
    insert(url, unique_id="'c'", published_at="'2026-01-16T12:00:00Z'")
    take = NewsTable(url, NEWS).read_days([Day.of(f"2026-01-{number}") for number in range(11, 17)])
    taken = {number: take(Day.of(f"2026-01-{number}"))["unique_id"].to_pylist() for number in (11, 12, 13, 16)}
    assert taken == {11: [], 12: ["a"], 13: [], 16: ["c"]}


def test_rows_between_two_days_belong_to_neither(url: str):
    for number in (12, 13, 14):
        insert(url, unique_id=f"'id{number}'", published_at=f"'2026-01-{number}T12:00:00Z'")
    days = [Day.of("2026-01-12"), Day.of("2026-01-14")]
    take = NewsTable(url, NEWS).read_days(days)
    assert [take(day)["unique_id"].to_pylist() for day in days] == [["id12"], ["id14"]]


def test_a_bad_day_of_a_range_does_not_stop_the_days_after_it(url: str):
    insert(url, unique_id="'bad'", updated_datetime="'infinity'", published_at="'2026-01-15T12:00:00Z'")
    insert(url, unique_id="'good'", published_at="'2026-01-16T12:00:00Z'")
    take = NewsTable(url, NEWS).read_days([Day.of("2026-01-15"), Day.of("2026-01-16")])
    with pytest.raises(ContractError):
        take(Day.of("2026-01-15"))
    assert take(Day.of("2026-01-16"))["unique_id"].to_pylist() == ["good"]


def keys(url: str) -> list[tuple[str, str | None, datetime]]:
    found = list(NewsTable(url, NEWS).keys(LeftOut()))
    assert all(table.schema.equals(NEWS.source_keys_schema, check_metadata=True) for table in found)
    return [tuple(row.values()) for table in found for row in table.to_pylist()]


def test_the_keys_of_all_rows_come_in_order_of_time_whatever_their_day(url: str):
    for name, year in {"c": 2026, "a": 1970, "b": 2003}.items():
        insert(url, unique_id=f"'{name}'", published_at=f"'{year}-01-15T12:00:00Z'")
    assert keys(url) == [(name, None, datetime(year, 1, 15, 12, tzinfo=UTC)) for name, year in
                         (("a", 1970), ("b", 2003), ("c", 2026))]  # fmt: skip


def test_no_rows_have_no_keys(url: str):
    assert keys(url) == []


def test_a_legacy_id_counts_for_the_first_claimant_if_nobody_owns_it_on_whatever_day(url: str):
    insert(url, unique_id="'owner'", legacy_unique_id="'old'")
    insert(url, unique_id="'late'", legacy_unique_id="'old'", published_at="'2003-01-01T12:00:00Z'")
    insert(url, unique_id="'robbed'", legacy_unique_id="'owner'", published_at="'2004-01-01T12:00:00Z'")
    insert(url, unique_id="'itself'", legacy_unique_id="'itself'", published_at="'2005-01-01T12:00:00Z'")
    assert {unique_id: legacy for unique_id, legacy, _ in keys(url)} == {
        "owner": "old", "late": None, "robbed": None, "itself": None,
    }  # fmt: skip


def test_keys_and_whole_rows_say_the_same_of_every_row(postgres_url: str):
    load(postgres_url, sample_news(4000, datetime(2018, 10, 30).date(), datetime(2018, 11, 8).date()))  # noqa: DTZ001
    days = [Day.of(f"2018-{day}") for day in ("10-30", "10-31", *(f"11-0{number}" for number in range(1, 9)))]
    take = NewsTable(postgres_url, NEWS).read_days(days)
    whole = pa.concat_tables([take(day) for day in days]).select(NEWS.source_keys_schema.names)
    order = [("published_at", "ascending"), ("unique_id", "ascending")]
    assert pa.concat_tables(NewsTable(postgres_url, NEWS).keys(LeftOut())).sort_by(order).equals(whole.sort_by(order))
    assert whole["legacy_unique_id"].null_count < whole.num_rows


def test_the_query_for_keys_joins_by_hash_whatever_the_planner_expects(postgres_url: str):
    load(postgres_url, sample_news(300, datetime(2018, 10, 30).date(), datetime(2018, 11, 8).date()))  # noqa: DTZ001
    with adbc.connect(postgres_url, autocommit=True) as connection, connection.cursor() as cursor:
        cursor.adbc_statement.set_options(**{"adbc.postgresql.use_copy": "false"})  # it takes no EXPLAIN
        for name, value in HASH_JOINS.items():
            cursor.execute(f"SET {name} = '{value}'")
        cursor.execute(f"EXPLAIN {keys_query(NewsTable(postgres_url, NEWS)._catalogue)}")
        plan = str(cursor.fetchall())
    assert "Hash" in plan
    assert "Nested Loop" not in plan


@pytest.mark.parametrize("build", [rows_query, too_large_query, ids_query])
def test_rows_with_some_ids_are_found_by_an_index_for_either_id(postgres_url: str, build: BuildQuery):
    """Each differing day asks for such rows: a query that reads the whole table makes the days cost rows each."""
    with adbc.connect(postgres_url, autocommit=True) as connection, connection.cursor() as cursor:
        cursor.adbc_statement.set_options(**{"adbc.postgresql.use_copy": "false"})  # it takes no EXPLAIN
        for plan in ("seqscan", "hashjoin", "mergejoin"):  # which the planner prefers for a small table
            cursor.execute(f"SET enable_{plan} = off")
        catalogue = NewsTable(postgres_url, NEWS)._catalogue
        cursor.execute(f"EXPLAIN {build(NEWS, catalogue, named(catalogue, ['a', 'b']))}")
        plan = str(cursor.fetchall())
    for name in ("unique_id", "legacy_unique_id"):
        assert f"Index Cond: (({name})::text = (jsonb_array_elements_text(" in plan


def test_a_table_without_legacy_ids_has_keys_all_the_same(url: str):
    execute(url, "ALTER TABLE news DROP COLUMN legacy_unique_id")
    insert(url)
    assert [(unique_id, legacy) for unique_id, legacy, _ in keys(url)] == [("a", None)]
