"""The sample news looks like the real news, is the same every time, and arrives in PostgreSQL whole."""

import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from zoneinfo import ZoneInfo

import adbc_driver_manager
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from adbc_driver_postgresql import dbapi

from govbr_assets.local.load import load
from govbr_assets.local.news import late_news, sample_news
from govbr_assets.local.news_catalog import sample_agencies, sample_themes
from govbr_assets.local.news_row import NEWS_ROW_SCHEMA
from govbr_assets.local.postgres import EmbeddedPostgres

SAO_PAULO = ZoneInfo("America/Sao_Paulo")
MONDAY, SUNDAY_WEEK = date(2026, 1, 5), date(2026, 1, 18)
MIGRATION = datetime(2026, 3, 1, tzinfo=SAO_PAULO)


def _table(rows: int, first_day: date, last_day: date, seed: int = 0) -> pa.Table:
    return pa.Table.from_batches(list(sample_news(rows, first_day, last_day, seed)), schema=NEWS_ROW_SCHEMA)


def _local(column: pa.ChunkedArray) -> list[datetime]:
    return [at.astimezone(SAO_PAULO) for at in column.to_pylist()]


def _share(column: pa.ChunkedArray, value: str) -> float:
    return column.to_pylist().count(value) / len(column)


@pytest.fixture(scope="module")
def history() -> pa.Table:
    """Twenty thousand rows of 23 years."""
    return _table(20_000, date(2003, 1, 1), date(2026, 4, 30))


@pytest.fixture(scope="module")
def fortnight() -> pa.Table:
    """Two weeks of 2026, at the real 160 rows a day."""
    return _table(2_240, MONDAY, SUNDAY_WEEK)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    with EmbeddedPostgres(tmp_path_factory.mktemp("postgres")) as server:
        yield server


def _query(url: str, sql: str) -> list[tuple]:
    with dbapi.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall()


# --- the same every time


def test_same_arguments_give_the_same_rows_in_another_process_whatever_the_batches():
    code = (
        "from datetime import date; from hashlib import sha256; import pyarrow as pa, sys\n"
        "from govbr_assets.local.news import sample_news\n"
        "rows = pa.Table.from_batches(list(sample_news(70, date(2026, 1, 5), date(2026, 1, 9), 7, batch_rows=30)))\n"
        "sys.stdout.write(sha256(repr(rows.to_pylist()).encode()).hexdigest())"
    )
    there = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    here = _table(70, date(2026, 1, 5), date(2026, 1, 9), seed=7)
    assert there == sha256(repr(here.to_pylist()).encode()).hexdigest()


def test_batches_are_full_but_for_the_last():
    sizes = [batch.num_rows for batch in sample_news(70, MONDAY, SUNDAY_WEEK, batch_rows=30)]
    assert sizes == [30, 30, 10]


def test_another_seed_gives_other_rows():
    one, other = _table(200, MONDAY, SUNDAY_WEEK, seed=1), _table(200, MONDAY, SUNDAY_WEEK, seed=2)
    assert not set(one["unique_id"].to_pylist()) & set(other["unique_id"].to_pylist())
    assert one["published_at"] != other["published_at"]


def test_late_news_is_the_same_every_time_but_for_its_arrival():
    arrived_at = datetime(2026, 5, 1, 12, tzinfo=UTC)
    assert late_news(MONDAY, 5, arrived_at=arrived_at).equals(late_news(MONDAY, 5, arrived_at=arrived_at))
    before = datetime.now(UTC)
    now = late_news(MONDAY, 5)
    assert now["unique_id"] == late_news(MONDAY, 5, arrived_at=arrived_at)["unique_id"]
    assert all(before <= at <= datetime.now(UTC) for at in now["extracted_at"].to_pylist())


# --- ids


def test_ids_are_unique_and_readable(history: pa.Table):
    ids = history["unique_id"]
    assert pc.count_distinct(ids).as_py() == history.num_rows
    assert pc.all(pc.match_substring_regex(ids, r"^[a-z0-9][a-z0-9-]{0,99}_[0-9a-f]{6}$")).as_py()


def test_rows_that_arrived_before_march_2026_have_a_legacy_id_and_no_others(history: pa.Table):
    arrived_early = pc.less(history["extracted_at"], pa.scalar(MIGRATION, history["extracted_at"].type))
    assert pc.is_valid(history["legacy_unique_id"]) == arrived_early
    assert 0.01 < 1 - pc.mean(arrived_early.cast("int8")).as_py() < 0.2
    legacy = history["legacy_unique_id"].drop_null()
    assert pc.all(pc.match_substring_regex(legacy, "^[0-9a-f]{32}$")).as_py()
    assert pc.count_distinct(legacy).as_py() == len(legacy)


def test_no_late_row_can_have_an_id_of_the_sample(history: pa.Table):
    late = pa.Table.from_batches([late_news(day, 200, seed) for day in (MONDAY, SUNDAY_WEEK) for seed in (0, 1)])
    assert pc.count_distinct(late["unique_id"]).as_py() == 800
    # The last six digits are the row's number times an odd factor. Undone, they show in which half the number is.
    undo = pow(0x9E3779B1, -1, 1 << 24)
    late_numbers = [int(id_[-6:], 16) * undo % (1 << 24) for id_ in late["unique_id"].to_pylist()]
    numbers = [int(id_[-6:], 16) * undo % (1 << 24) for id_ in history["unique_id"].to_pylist()]
    assert numbers == list(range(history.num_rows))
    assert min(late_numbers) >= 1 << 23


def test_more_rows_than_ids_are_refused():
    with pytest.raises(ValueError, match="ids"):
        sample_news((1 << 23) + 1, MONDAY, SUNDAY_WEEK)


def test_a_range_without_a_day_is_refused():
    with pytest.raises(ValueError, match="no day"):
        sample_news(10, SUNDAY_WEEK, MONDAY)


# --- when


def test_rows_come_oldest_first_and_stay_inside_the_range(history: pa.Table):
    published = _local(history["published_at"])
    assert history["published_at"].to_pylist() == sorted(history["published_at"].to_pylist())
    assert {at.date() for at in published} <= {date(2003, 1, 1) + timedelta(days=n) for n in range(8521)}
    assert (published[0].year, published[-1].date()) == (2003, date(2026, 4, 30))


def test_every_day_of_a_fortnight_has_rows_and_weekends_have_few(fortnight: pa.Table):
    days = Counter(at.date() for at in _local(fortnight["published_at"]))
    assert sorted(days) == [MONDAY + timedelta(days=n) for n in range(14)]
    assert days.total() == 2_240
    assert max(rows for day, rows in days.items() if day.weekday() >= 5) < 60
    assert min(rows for day, rows in days.items() if day.weekday() < 5) > 150


def test_history_grows_over_the_years(history: pa.Table):
    years = Counter(at.year for at in _local(history["published_at"]))
    assert sorted(years) == list(range(2003, 2027))
    assert years[2025] > 2 * years[2022] > 8 * years[2017] > 0


def test_old_rows_stand_at_midnight_which_in_summer_time_is_23_hours_of_the_published_offset(history: pa.Table):
    old = [at for at in _local(history["published_at"]) if at.year < 2025]
    offset = timedelta(hours=-3)
    published = Counter(f"{(at.astimezone(UTC) + offset):%H:%M:%S}" for at in old)
    assert 0.88 < published["00:00:00"] / len(old) < 0.94
    assert 0.025 < published["23:00:00"] / len(old) < 0.08


def test_new_rows_are_published_in_office_hours_and_seldom_late_in_the_evening():
    hours = Counter(at.hour for at in _local(_table(10_000, date(2026, 2, 2), date(2026, 2, 15))["published_at"]))
    assert 0.007 < (hours[21] + hours[22] + hours[23]) / 10_000 < 0.016
    assert sum(hours[hour] for hour in range(8, 19)) / 10_000 > 0.75
    assert 0.03 < hours[0] / 10_000 < 0.08


def test_a_day_without_midnight_has_its_rows_all_the_same():
    rows = _table(3_000, date(2018, 11, 3), date(2018, 11, 5))
    published = _local(rows["published_at"])
    on_the_day = [at for at in published if at.date() == date(2018, 11, 4)]
    assert {at.date() for at in published} == {date(2018, 11, 3), date(2018, 11, 4), date(2018, 11, 5)}
    # The clocks went from 00:00 to 01:00: what would be at midnight is at the first instant of the day.
    assert min(on_the_day) == datetime(2018, 11, 4, 3, tzinfo=UTC)
    assert Counter(on_the_day).most_common(1)[0][1] > 0.8 * len(on_the_day)


def test_half_of_the_rows_arrive_a_day_later_and_a_few_after_years(history: pa.Table):
    pairs = zip(history["published_at"].to_pylist(), history["extracted_at"].to_pylist(), strict=True)
    delays = sorted(extracted_at - published_at for published_at, extracted_at in pairs)
    assert timedelta(0) < delays[0]
    assert timedelta(hours=22) < delays[len(delays) // 2] < timedelta(hours=26)
    assert 0.008 < sum(delay > timedelta(days=5.6) for delay in delays) / len(delays) < 0.02
    assert delays[-5] > timedelta(days=730)
    assert all(pc.greater(history["created_at"], history["extracted_at"]).to_pylist())


# --- what


def test_lengths_are_those_of_real_news(history: pa.Table):
    lengths = sorted(pc.utf8_length(history["content"]).drop_null().to_pylist())
    assert 3_100 < lengths[len(lengths) // 2] < 3_500
    assert 7_500 < lengths[int(0.95 * len(lengths))] < 8_500
    assert 30_000 < lengths[-1] < 60_000
    assert pc.max(pc.utf8_length(history["title"])).as_py() < 250


def test_nulls_and_empty_texts_are_where_the_real_ones_are(history: pa.Table):
    nulls = {name: history[name].null_count / history.num_rows for name in history.column_names}
    never = {"unique_id", "agency_id", "title", "url", "category", "published_at", "extracted_at", "created_at"}
    assert {name for name in never if nulls[name]} == set()
    assert all(nulls[name] > 0.8 for name in ("subtitle", "editorial_lead", "video_url", "summary"))
    assert 0.5 < nulls["updated_datetime"] < 0.95
    assert 0.02 < nulls["image_url"] < 0.1
    assert 0 < nulls["content"] == nulls["content_hash"] < 0.01
    assert 0 < _share(history["category"], "") < 0.01
    assert 0 < _share(history["subtitle"], "") < 0.03
    assert 0.37 < _share(history["category"], "No Category") < 0.41


def test_tags_are_null_or_empty_or_several(history: pa.Table):
    counts = Counter(None if tags is None else len(tags) for tags in history["tags"].to_pylist())
    assert all(counts[size] > 100 for size in (None, 0, 1, 2, 3, 4))
    assert None not in pc.list_flatten(history["tags"]).to_pylist()


def test_markdown_has_what_trips_readers_up(history: pa.Table):
    content = history["content"].drop_null()
    for pattern, least in (
        ("\xa0", 0.2),
        ("“", 0.3),
        (r"\*\*", 0.2),
        ("\n### ", 0.1),
        ("\n\\* ", 0.1),
        ("🌱|📢|🚀", 0.01),
    ):
        found = pc.mean(pc.match_substring_regex(content, pattern).cast("int8")).as_py()
        assert least < found < 0.99, pattern


def test_themes_lead_from_the_first_level_to_the_most_specific(history: pa.Table):
    themes = {theme["id"]: theme for theme in sample_themes().to_pylist()}
    columns = ["theme_l1_id", "theme_l2_id", "theme_l3_id", "most_specific_theme_id"]
    depths = Counter()
    for *path, most_specific in zip(*(history[name].to_pylist() for name in columns), strict=True):
        known = [themes[id_] for id_ in path if id_ is not None]
        assert [theme["level"] for theme in known] == list(range(1, len(known) + 1))
        assert [theme["code"] for theme in known[:-1]] == [theme["parent_code"] for theme in known[1:]]
        assert most_specific == (known[-1]["id"] if known else None)
        depths[len(known)] += 1
    assert all(depths[depth] > 0.02 * history.num_rows for depth in (0, 1, 2, 3))


def test_there_are_160_agencies_and_all_publish(history: pa.Table):
    agencies = sample_agencies()
    assert pc.count_distinct(agencies["key"]).as_py() == agencies.num_rows == 160
    assert set(history["agency_id"].to_pylist()) == set(agencies["id"].to_pylist())


def test_themes_are_a_tree_of_three_levels():
    themes = sample_themes()
    codes = set(themes["code"].to_pylist())
    assert len(codes) == themes.num_rows
    assert Counter(themes["level"].to_pylist()).keys() == {1, 2, 3}
    assert set(themes["parent_code"].drop_null().to_pylist()) <= codes
    assert themes.slice(0, 1).to_pylist()[0] == {
        "id": 1,
        "code": "01",
        "label": "Economia e Finanças",
        "full_name": "01 - Economia e Finanças",
        "level": 1,
        "parent_code": None,
    }


# --- in PostgreSQL


@pytest.fixture(scope="module")
def loaded(server: EmbeddedPostgres, fortnight: pa.Table) -> str:
    """A database with the fortnight, and three late rows of its first day in a second call."""
    url = server.create_database("sample")
    assert load(url, fortnight.to_batches(max_chunksize=500)) == fortnight.num_rows
    assert load(url, [late_news(MONDAY, 3)]) == 3
    return url


def test_every_row_of_every_day_arrives(loaded: str, fortnight: pa.Table):
    days = Counter(at.date() for at in _local(fortnight["published_at"]))
    days[MONDAY] += 3
    sql = "SELECT (published_at AT TIME ZONE 'America/Sao_Paulo')::date, count(*) FROM news GROUP BY 1"
    assert dict(_query(loaded, sql)) == days


def test_what_comes_out_is_what_went_in(loaded: str, fortnight: pa.Table):
    columns = ", ".join(NEWS_ROW_SCHEMA.names)
    with dbapi.connect(loaded) as connection, connection.cursor() as cursor:
        cursor.execute(f"SELECT {columns} FROM news ORDER BY id LIMIT {fortnight.num_rows}")
        out = cursor.fetch_arrow_table()
    assert out.cast(NEWS_ROW_SCHEMA).equals(fortnight)
    assert "\xa0" in "".join(filter(None, fortnight["content"].to_pylist()))
    assert any("🌱" in text for text in filter(None, fortnight["content"].to_pylist()))


def test_the_trigger_names_the_agency(loaded: str):
    sql = "SELECT count(*) FROM news n JOIN agencies a ON a.id = n.agency_id WHERE {}"
    assert _query(loaded, sql.format("n.agency_key = a.key AND n.agency_name = a.name")) == [(2_243,)]


def test_the_catalogue_is_written_once_and_its_sequences_go_on(loaded: str):
    assert _query(loaded, "SELECT count(*) FROM agencies") == [(160,)]
    assert _query(loaded, "SELECT count(*) FROM themes") == [(sample_themes().num_rows,)]
    for table, rows in (("agencies", 160), ("themes", sample_themes().num_rows)):
        assert _query(loaded, f"SELECT nextval(pg_get_serial_sequence('{table}', 'id'))") == [(rows + 1,)]


def test_a_batch_that_fails_leaves_nothing_behind(server: EmbeddedPostgres):
    url = server.create_database("broken")
    batch = late_news(MONDAY, 3)
    with pytest.raises(adbc_driver_manager.Error, match="duplicate key"):
        load(url, [batch, batch])
    assert _query(url, "SELECT (SELECT count(*) FROM news) + (SELECT count(*) FROM agencies)") == [(0,)]


def test_no_batches_fill_the_catalogue_only(server: EmbeddedPostgres):
    url = server.create_database("bare")
    assert load(url, []) == 0
    assert _query(url, "SELECT (SELECT count(*) FROM agencies), (SELECT count(*) FROM news)") == [(160, 0)]
