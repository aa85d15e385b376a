"""What PostgreSQL may hold: other encodings, other types, ids and times that are none. Right, or refused by row."""

import os
import re
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import psycopg2
import pytest
from dagster import AssetCheckSeverity

import govbr_assets.local
from govbr_assets.core.conform import LeftOut
from govbr_assets.core.days import Day
from govbr_assets.errors import ContractError, SourceError, SourceRowsError
from govbr_assets.local.postgres import EmbeddedPostgres
from govbr_assets.postgres import row_query
from govbr_assets.postgres.news import NewsTable
from govbr_assets.publications import NEWS
from govbr_assets_tests.graph import Graph
from govbr_assets_tests.pgbouncer import pgbouncer
from govbr_assets_tests.sql import execute

DAY = Day.of("2026-01-15")
SCHEMA = Path(govbr_assets.local.__file__).with_name("schema.sql").read_text()
AGENCY = "INSERT INTO agencies (id, key, name) VALUES (1, 'mec', 'MEC')"

_numbers = count()


def row(**values: str) -> str:
    """Write the statement that inserts a row; values are SQL."""
    whole = {"unique_id": "'a'", "agency_id": "1", "title": "'t'", "published_at": "'2026-01-15T12:00-03:00'"} | values
    return f"INSERT INTO news ({', '.join(whole)}) VALUES ({', '.join(whole.values())})"


@pytest.fixture(scope="module")
def encoded(postgres: EmbeddedPostgres) -> Iterator[Callable[[str], str]]:
    """Give the database of an encoding, with the tables of the news as they are made, and an agency."""
    made: dict[str, str] = {}

    def give(encoding: str) -> str:
        name = f"encoded_{encoding.lower()}"
        url = postgres.url.replace("/govbr?", f"/{name}?")
        if encoding not in made:
            like = f"TEMPLATE template0 ENCODING '{encoding}' LC_COLLATE 'C' LC_CTYPE 'C'"
            execute(postgres.url, f"CREATE DATABASE {name} {like}")
            made[encoding] = name
        execute(url, "DROP SCHEMA public CASCADE", "CREATE SCHEMA public", SCHEMA, AGENCY)
        return url

    yield give
    for name in made.values():
        postgres.drop_database(name)


@pytest.fixture(scope="module")
def database(postgres: EmbeddedPostgres) -> Iterator[str]:
    name = f"data_{os.getpid()}"
    url = postgres.create_database(name)
    execute(url, TYPES)
    yield url
    postgres.drop_database(name)


@pytest.fixture
def url(database: str) -> str:
    """Give a database with the tables of the news as they are made, and an agency."""
    name = f"case_{next(_numbers)}"
    execute(database, f"CREATE SCHEMA {name}", f"SET search_path = {name}, public", SCHEMA, AGENCY)
    return f"{database}&options=-c%20search_path%3D{name},public"


@pytest.mark.parametrize(
    ("encoding", "text", "clients"),
    [
        ("LATIN1", "São João é ½ ª", ("", "LATIN1")),
        ("WIN1252", "“aspas” 1 €", ("LATIN1",)),
        ("LATIN2", "Łódź", ("SQL_ASCII",)),
        ("UTF8", "🇧🇷\u00a0", ("LATIN1", "SQL_ASCII")),
    ],
)
def test_text_of_a_database_in_another_encoding_is_right_whatever_the_client_encoding(
    encoded: Callable[[str], str], monkeypatch: pytest.MonkeyPatch, encoding: str, text: str, clients: tuple[str, ...]
):
    database = encoded(encoding)
    bytes_of_it = text.encode({"WIN1252": "cp1252", "LATIN2": "iso8859-2"}.get(encoding, encoding)).hex()
    spelled = f"convert_from('\\x{bytes_of_it}', '{encoding}')"
    execute(database, row(title=spelled, unique_id=spelled, tags=f"ARRAY[{spelled}, null]"))
    for client in clients:
        monkeypatch.setenv("PGCLIENTENCODING", client)
        if not client:
            monkeypatch.delenv("PGCLIENTENCODING")
        news = NewsTable(database, NEWS)
        (found,) = news.day(DAY).to_pylist()
        assert (found["title"], found["unique_id"], found["tags"]) == (text, text, [text, None])
        assert news.lookup([text, "nobody's"])["unique_id"].to_pylist() == [text]
        assert next(news.keys(LeftOut())).num_rows == 0


def test_a_view_in_another_encoding_behind_a_pooler_fails_at_its_own_days_in_right_letters(
    encoded: Callable[[str], str],
):
    database = encoded("LATIN1")
    execute(database, row(unique_id="'é'", title="'São'"), row(title="'ção'", published_at="'2026-01-16T12:00Z'"))
    execute(database, "ALTER TABLE news RENAME title TO text", "ALTER TABLE news RENAME TO base")
    fails = "CASE WHEN unique_id = 'a' THEN text::int::text ELSE text END AS title"
    execute(database, f"CREATE VIEW news AS SELECT *, {fails} FROM base")
    with pgbouncer(database, "transaction", default_pool_size="1") as url:
        other = psycopg2.connect(url, client_encoding="LATIN1")
        other.autocommit = True
        news = NewsTable(url, NEWS)
        take = news.read_days([DAY, Day.of("2026-01-16")])
        assert take(DAY)["title"].to_pylist() == ["São"]
        with pytest.raises(SourceRowsError, match=r'computes them\): ERROR: invalid input .* integer: "ção"$'):
            take(Day.of("2026-01-16"))
        assert news.lookup(["é", "日本"]).num_rows == 1
        with other.cursor() as cursor:
            cursor.execute("SELECT current_setting('client_encoding'), current_setting('row_security')")
            assert cursor.fetchall() == [("LATIN1", "on")]
        other.close()


NO_TEXT = [
    ({"title": r"E'Jos\xe7'"}, r"title of the row with id 1 .* no valid UTF-8: b'Jos\\xe7'"),
    ({"content": r"repeat('x', 500) || E'a\xc3' || repeat('y', 500)"}, r"content .* id 2 .*b'x+a\\xc3y+'"),
    ({"unique_id": r"E'\xff'"}, "unique_id of the row with id 3"),
    ({"legacy_unique_id": r"E'\xe7a'"}, "legacy_unique_id of the row with id 4"),
    ({"tags": r"ARRAY['a', E'\xed\xa0\x80', null]"}, r"tags of the row with id 5 .* b'\\xed\\xa0\\x80'"),
    ({"theme_l1_id": "1"}, "theme_1_level_1 of the row with id 6"),
    ({"id": r"E'i\xe7'", "title": r"E'\xe7'"}, r"title of the row with id i\\xe7 in PostgreSQL is no valid UTF-8"),
]


def test_bytes_that_are_no_text_stop_their_day_by_column_row_and_value_and_no_other(encoded: Callable[[str], str]):
    database, days = encoded("SQL_ASCII"), [Day.of(f"2026-01-{11 + number}") for number in range(len(NO_TEXT) + 1)]
    execute(database, r"INSERT INTO themes (id, code, label, level) VALUES (1, '01', E'Sa\xfade', 1)")
    execute(database, "ALTER TABLE news DROP COLUMN id, ADD COLUMN id text PRIMARY KEY")
    for number, (day, (values, _)) in enumerate(zip(days, NO_TEXT, strict=False)):
        faulty = {"id": f"'{number + 1}'", "unique_id": f"'bad{number}'", "published_at": f"'{day}T12:00Z'"} | values
        good = row(id=f"'good{number}'", unique_id=f"'José é texto {number}'", published_at=f"'{day}T12:00Z'")
        execute(database, good, row(**faulty))
    execute(database, row(id="'c'", unique_id="'c'", published_at=f"'{days[-1]}T12:00Z'"))
    news, left_out = NewsTable(database, NEWS), LeftOut()
    take = news.read_days(days)
    for day, (_, said) in zip(days, NO_TEXT, strict=False):
        with pytest.raises(ContractError, match=said):
            take(day)
    assert take(days[-1])["unique_id"].to_pylist() == ["c"]
    keys = {each for table in news.keys(left_out) for each in table["unique_id"].to_pylist()}
    assert {"José é texto 0", "bad0", "c"} <= keys
    assert left_out.rows == 2  # of one only its old id is none
    assert news.lookup(["José é texto 0", "c"]).num_rows == 2


def test_rows_that_are_too_large_are_named_and_looked_up_whatever_their_text_and_time_are(
    encoded: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(row_query, "ROW_BYTES", 1000)
    database, large = encoded("SQL_ASCII"), {"content": "repeat('x', 2000)"}
    execute(database, row(unique_id=r"E'Jos\xe7'", **large), row(unique_id="'b'"))
    for name, at in (("never", "infinity"), ("then", "0044-03-15 BC")):
        execute(database, row(unique_id=f"'{name}'", published_at=f"'{at}'", **large))
    news = NewsTable(database, NEWS)
    assert news.day(DAY)["unique_id"].to_pylist() == ["b"]
    take = news.too_large([DAY, Day.of("2026-01-16")])
    assert r"1 of the day's rows in PostgreSQL are over" in take(DAY)
    assert r"the row with id 1 (unique_id 'Jos\\xe7') has 0.0 MB, of which column content has 0.0 MB" in take(DAY)
    assert take(Day.of("2026-01-16")) == ""
    left_out = LeftOut()
    assert news.too_large_ids([DAY], left_out) == [r"Jos\xe7"]
    assert "the row with id 1 (unique_id 'Jos" in str(left_out.examples)
    assert news.too_large_among(["b", "never", "then", "nobody's"]) == {"never", "then"}


def test_no_database_has_an_id_that_it_cannot_spell_and_all_others_are_found(encoded: Callable[[str], str]):
    others = ["a", "é", "$ids$", "it's", "\\", '"', "\u0001"]
    for encoding in ("UTF8", "LATIN1", "SQL_ASCII"):
        database = encoded(encoding)
        execute(database, *(row(unique_id=f"'{each.replace(chr(39), chr(39) * 2)}'") for each in others))
        wanted = ["a\0b", "\0", *others, "日本", "€"]
        assert sorted(NewsTable(database, NEWS).lookup(wanted)["unique_id"].to_pylist()) == sorted(others)


CITEXT = """
    CREATE TYPE citext;
    CREATE FUNCTION citextin(cstring) RETURNS citext LANGUAGE internal IMMUTABLE STRICT AS 'textin';
    CREATE FUNCTION citextout(citext) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'textout';
    CREATE FUNCTION citextsend(citext) RETURNS bytea LANGUAGE internal STABLE STRICT AS 'textsend';
    CREATE TYPE citext (INPUT = citextin, OUTPUT = citextout, SEND = citextsend, INTERNALLENGTH = VARIABLE,
        STORAGE = extended, CATEGORY = 'S', COLLATABLE = true);
    CREATE CAST (citext AS text) WITHOUT FUNCTION AS IMPLICIT;
    CREATE CAST (text AS citext) WITHOUT FUNCTION AS ASSIGNMENT"""  # as the extension has it, which is not at hand
TYPES = f"""{CITEXT};
    CREATE TYPE kind AS ENUM ('nota', 'vídeo');
    CREATE DOMAIN label AS varchar(50);
    CREATE DOMAIN outer_label AS label;
    CREATE DOMAIN labels AS text[];
    CREATE DOMAIN outer_labels AS labels;
    CREATE DOMAIN label_list AS label[]"""


UUID = "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"


@pytest.mark.parametrize(
    ("category", "tags", "ids"),
    [
        (("citext", "'Notícia'", "Notícia"), ("citext[]", "array['É', null]::citext[]", ["É", None]), ()),
        (("kind", "'vídeo'", "vídeo"), ("char(4)[]", "array['é']", ["é"]), ("unique_id", "uuid", f"'{UUID}'", UUID)),
        (("char(12)", "' nota'", " nota"), ("kind[]", "array['nota']::kind[]", ["nota"]), ()),
        (("name", "'nota'", "nota"), ("name[]", "'[0:1]={a,b}'", ["a", "b"]), ("unique_id", "citext", "'ÁB'", "ÁB")),
        (
            ("outer_label", "'nota '", "nota "),
            ("outer_labels", "array['a', 'b']", ["a", "b"]),
            ("unique_id", "char(40)", "'short'", "short"),
        ),
        (
            ("uuid", f"'{UUID.upper()}'", UUID),
            ("label_list", "array['a']", ["a"]),
            ("legacy_unique_id", "char(40)", "'short'", "short"),
        ),
        (("text", "null", None), ("varchar(9)[]", "'{}'", []), ("legacy_unique_id", "uuid", f"'{UUID}'", UUID)),
    ],
)
def test_types_whose_text_is_their_value_are_published_as_it(
    url: str,
    category: tuple[str, str, object],
    tags: tuple[str, str, object],
    ids: tuple[str, str, str, object] | tuple[()],
):
    columns = [("category", *category), ("tags", *tags), *([ids] if ids else [])]
    execute(url, *(f"ALTER TABLE news DROP COLUMN {name}, ADD COLUMN {name} {kind}" for name, kind, *_ in columns))
    execute(url, row(**{name: value for name, _, value, _ in columns}))
    news = NewsTable(url, NEWS)
    (found,) = news.day(DAY).to_pylist()
    assert {name: found[name] for name, *_ in columns} == {name: expected for name, *_, expected in columns}
    keys = [each for table in news.keys(LeftOut()) for each in table.to_pylist()]
    assert [(each["unique_id"], each["legacy_unique_id"]) for each in keys] == [
        (found["unique_id"], found["legacy_unique_id"])
    ]
    for name in filter(None, (found["unique_id"], found["legacy_unique_id"])):
        assert news.lookup([name]).to_pylist() == [found]


@pytest.mark.parametrize("kind", ["uuid DEFAULT gen_random_uuid()", "bigserial"])
def test_the_primary_key_may_be_of_any_type(url: str, kind: str):
    execute(url, f"ALTER TABLE news DROP COLUMN id, ADD COLUMN id {kind} PRIMARY KEY")
    execute(url, row(unique_id="'b'", legacy_unique_id="'old'"), row(legacy_unique_id="'old'"))
    news = NewsTable(url, NEWS)
    claims = [each for table in news.keys(LeftOut()) for each in table["legacy_unique_id"].to_pylist()]
    assert sorted(claims, key=str) == [None, "old"]
    assert sorted(news.day(DAY)["legacy_unique_id"].to_pylist(), key=str) == [None, "old"]


@pytest.mark.parametrize(
    ("column", "kind", "value", "said"),
    [
        ("tags", "outer_labels", "'{{a,b},{c,d}}'", "tags of the row with id 1 .* several dimensions"),
        ("tags", "citext[]", "array[['a'],['b']]::citext[]", "tags of the row with id 1 .* several dimensions"),
        ("tags", "labels[]", "'{\"{a}\"}'", "tags of the row with id 1"),
        ("tags", "int[]", "'{1}'", r"tags of the row with id 1 .*: cast it to text\[\]"),
        ("category", "jsonb", "'{}'", "category of the row with id 1 .* has type json: .*: cast it to text"),
        ("category", "numeric", "1.5", "category of the row with id 1 .*: cast it to text"),
        ("extracted_at", "text", "'2026-01-01'", "extracted_at of the row with id 1 .*: cast it to timestamptz"),
        ("updated_datetime", "date", "'2026-01-01'", "updated_datetime .* id 1 .*: cast it to timestamptz"),
        ("published_at", "date", "'2026-01-16'", "published_at .*: cast it to timestamptz"),
        ("unique_id", "int", "7", "unique_id of the row with id 1 .*: cast it to text"),
        ("unique_id", "char(9)", "' '", "unique_id of the row with id 1 .* is blank"),
    ],
)
def test_other_values_are_refused_by_column_and_row_with_what_to_cast(
    url: str, column: str, kind: str, value: str, said: str
):
    execute(url, f"ALTER TABLE news DROP COLUMN {column}, ADD COLUMN {column} {kind}", row(**{column: value}))
    with pytest.raises(ContractError, match=said):
        NewsTable(url, NEWS).day(DAY)


def test_an_id_that_is_none_is_refused_by_row(url: str):
    execute(url, "ALTER TABLE news ALTER COLUMN unique_id DROP NOT NULL")
    values = {"''": "blank", "E' \\t\\u00a0'": "blank", "null": "null"}
    days = [Day.of(f"2026-01-{11 + number}") for number in range(len(values))]
    for day, value in zip(days, values, strict=True):
        execute(url, row(unique_id=value, published_at=f"'{day}T12:00Z'"))
    take = NewsTable(url, NEWS).read_days(days)
    for number, (day, why) in enumerate(zip(days, values.values(), strict=True)):
        with pytest.raises(ContractError, match=f"unique_id of the row with id {number + 1} .* is {why}"):
            take(day)


def test_a_time_that_cannot_be_compared_with_a_day_is_told_in_postgres_words(url: str):
    execute(url, "ALTER TABLE news ALTER COLUMN published_at TYPE text")
    with pytest.raises(SourceError, match="operator does not exist: text >= timestamp with time zone"):
        NewsTable(url, NEWS).day(DAY)


UNPUBLISHABLE = {
    "unique_id .* is null": {"unique_id": "null"},
    "unique_id .* is blank": {"unique_id": "'  '"},
    "published_at .* is null": {"published_at": "null"},
    "published_at .* is outside the years": {"published_at": "'infinity'"},
    "published_at of the row with id 5 .* is outside the years": {"published_at": "'-infinity'"},
}


def test_rows_that_are_published_nowhere_are_counted_and_told_and_block_no_day(graph: Graph):
    graph.execute("ALTER TABLE news ALTER COLUMN unique_id DROP NOT NULL, ALTER COLUMN published_at DROP NOT NULL")
    graph.execute(AGENCY)
    for number, values in enumerate(UNPUBLISHABLE.values()):
        graph.execute(row(**{"unique_id": f"'bad{number}'"} | values))
    graph.insert("b", day="2026-01-16")
    result = graph.reconcile(deep=True)
    assert result.success
    told = graph.metadata(result, "hub_reconciliation")[""]
    assert (told["unpublishable_rows"], told["missing"], told["refused_days"]) == (5, 1, 0)
    for said in UNPUBLISHABLE:
        assert re.search(said, str(told["unpublishable"])), said
    (evaluation,) = result.get_asset_check_evaluations()
    assert (evaluation.passed, evaluation.severity) == (False, AssetCheckSeverity.ERROR)


@pytest.mark.parametrize("time", ["null", "'infinity'", "'-infinity'", "'10000-01-01'", "'0044-03-15 BC'"])
def test_a_published_row_that_loses_its_time_stays_where_it_is_and_is_told(graph: Graph, time: str):
    graph.execute("ALTER TABLE news ALTER COLUMN published_at DROP NOT NULL")
    graph.insert("a", "b")
    assert graph.run("2026-01-15", checks=False).success
    graph.execute(f"UPDATE news SET published_at = {time} WHERE unique_id = 'a'", "UPDATE news SET title = 'new'")
    assert graph.run("2026-01-15", checks=False).success
    assert graph.ids() == {"data/train-2026-01-15.parquet": ["a", "b"]}
    result = graph.reconcile(deep=True)
    told = graph.metadata(result, "hub_reconciliation")[""]
    assert (told["differing_days"], told["unpublishable_rows"], told["postgres_rows"]) == (0, 1, 1)
    (evaluation,) = result.get_asset_check_evaluations()
    assert (evaluation.passed, evaluation.severity) == (False, AssetCheckSeverity.WARN)


def test_a_day_that_cannot_be_compared_is_not_said_to_be_equal(graph: Graph):
    graph.insert("a")
    assert graph.run("2026-01-15", checks=False).success
    graph.execute("UPDATE news SET tags = '{{a},{b}}'")
    result = graph.reconcile(deep=True)
    told = graph.metadata(result, "hub_reconciliation")[""]
    assert (told["differing_days"], told["refused_days"]) == (0, 1)
    (evaluation,) = result.get_asset_check_evaluations()
    assert (evaluation.passed, evaluation.severity) == (False, AssetCheckSeverity.ERROR)
