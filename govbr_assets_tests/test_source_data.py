"""What PostgreSQL may hold: other encodings, other types, ids and times that are none. Right, or refused by row."""

import re
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest
from dagster import AssetCheckSeverity

import govbr_assets.local
from govbr_assets.core.conform import LeftOut
from govbr_assets.core.days import Day
from govbr_assets.errors import ContractError, SourceError
from govbr_assets.local.postgres import EmbeddedPostgres
from govbr_assets.postgres import PostgresNews
from govbr_assets_tests.graph import Graph
from govbr_assets_tests.sql import execute

DAY = Day.of("2026-01-15")
SCHEMA = Path(govbr_assets.local.__file__).with_name("schema.sql").read_text()
AGENCY = "INSERT INTO agencies (id, key, name) VALUES (1, 'mec', 'MEC')"

_numbers = count()


def row(**values: str) -> str:
    """Write the statement that inserts a row; values are SQL."""
    whole = {"unique_id": "'a'", "agency_id": "1", "title": "'t'", "published_at": "'2026-01-15T12:00-03:00'"} | values
    return f"INSERT INTO news ({', '.join(whole)}) VALUES ({', '.join(whole.values())})"


@pytest.fixture
def encoded(postgres: EmbeddedPostgres) -> Iterator[Callable[[str], str]]:
    """Make databases of some encoding, with the tables of the news and an agency."""
    made: list[str] = []

    def make(encoding: str) -> str:
        name = f"encoded_{next(_numbers)}"
        made.append(name)
        like = f"TEMPLATE template0 ENCODING '{encoding}' LC_COLLATE 'C' LC_CTYPE 'C'"
        execute(postgres.url, f"CREATE DATABASE {name} {like}")
        url = postgres.url.replace("/govbr?", f"/{name}?")
        execute(url, SCHEMA, AGENCY)
        return url

    yield make
    for name in made:
        postgres.drop_database(name)


@pytest.fixture
def url(postgres_url: str) -> str:
    execute(postgres_url, AGENCY)
    return postgres_url


@pytest.mark.parametrize(
    ("encoding", "text", "client"),
    [
        ("LATIN1", "São João é ½ ª", ""),
        ("LATIN1", "São João é ½ ª", "LATIN1"),
        ("WIN1252", "“aspas” 1 €", "LATIN1"),
        ("LATIN2", "Łódź", "SQL_ASCII"),
        ("UTF8", "🇧🇷\u00a0", "LATIN1"),
        ("UTF8", "🇧🇷\u00a0", "SQL_ASCII"),
    ],
)
def test_text_of_a_database_in_another_encoding_is_right_whatever_the_client_encoding(
    encoded: Callable[[str], str], monkeypatch: pytest.MonkeyPatch, encoding: str, text: str, client: str
):
    database = encoded(encoding)
    bytes_of_it = text.encode({"WIN1252": "cp1252", "LATIN2": "iso8859-2"}.get(encoding, encoding)).hex()
    spelled = f"convert_from('\\x{bytes_of_it}', '{encoding}')"
    execute(database, row(title=spelled, unique_id=spelled, tags=f"ARRAY[{spelled}, null]"))
    if client:
        monkeypatch.setenv("PGCLIENTENCODING", client)
    news = PostgresNews(database)
    (found,) = news.day(DAY).to_pylist()
    assert (found["title"], found["unique_id"], found["tags"]) == (text, text, [text, None])
    assert news.find([text, "nobody's"])["unique_id"].to_pylist() == [text]
    assert next(news.keys(LeftOut())).num_rows == 0


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"title": r"E'Jos\xe7'"}, r"title of the row with id 2 .* no valid UTF-8: b'Jos\\xe7'"),
        ({"content": r"repeat('x', 500) || E'a\xc3' || repeat('y', 500)"}, r"content .* id 2 .*b'x+a\\xc3y+'"),
        ({"unique_id": r"E'\xff'"}, "unique_id of the row with id 2"),
        ({"legacy_unique_id": r"E'\xe7a'"}, "legacy_unique_id of the row with id 2"),
        ({"tags": r"ARRAY['a', E'\xed\xa0\x80', null]"}, r"tags of the row with id 2 .* b'\\xed\\xa0\\x80'"),
        ({"theme_l1_id": "1"}, "theme_1_level_1 of the row with id 2"),
    ],
)
def test_bytes_that_are_no_text_stop_their_day_by_column_row_and_value_and_no_other(
    encoded: Callable[[str], str], values: dict[str, str], said: str
):
    database = encoded("SQL_ASCII")
    execute(database, r"INSERT INTO themes (id, code, label, level) VALUES (1, '01', E'Sa\xfade', 1)")
    execute(database, row(unique_id="'José é texto'"), row(**{"unique_id": "'b'"} | values))
    execute(database, row(unique_id="'c'", published_at="'2026-01-16T12:00Z'"))
    news = PostgresNews(database)
    take = news.reading([DAY, Day.of("2026-01-16")])
    with pytest.raises(ContractError, match=said):
        take(DAY)
    assert take(Day.of("2026-01-16"))["unique_id"].to_pylist() == ["c"]
    keys = [each for table in news.keys(LeftOut()) for each in table["unique_id"].to_pylist()]
    assert {"José é texto", "c"} <= {*keys}
    assert news.find(["José é texto", "c"]).num_rows == 2


def test_no_database_has_an_id_that_it_cannot_spell_and_all_others_are_found(encoded: Callable[[str], str], url: str):
    others = ["a", "é", "$ids$", "it's", "\\", '"', "\u0001"]
    for database in (url, encoded("LATIN1"), encoded("SQL_ASCII")):
        execute(database, AGENCY.replace("(1,", "(2,").replace("'mec'", "'x'"))
        execute(database, *(row(unique_id=f"'{each.replace(chr(39), chr(39) * 2)}'") for each in others))
        wanted = ["a\0b", "\0", *others, "日本", "🇧🇷", "€"]
        assert sorted(PostgresNews(database).find(wanted)["unique_id"].to_pylist()) == sorted(others)


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


@pytest.mark.parametrize(
    ("column", "kind", "value", "expected"),
    [
        ("category", "citext", "'Notícia'", "Notícia"),
        ("category", "kind", "'vídeo'", "vídeo"),
        ("category", "char(12)", "' nota'", " nota"),
        ("category", "name", "'nota'", "nota"),
        ("category", "outer_label", "'nota '", "nota "),
        ("category", "uuid", "'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),
        ("tags", "citext[]", "array['É', null]::citext[]", ["É", None]),
        ("tags", "char(4)[]", "array['é']", ["é"]),
        ("tags", "kind[]", "array['nota']::kind[]", ["nota"]),
        ("tags", "name[]", "'[0:1]={a,b}'", ["a", "b"]),
        ("tags", "outer_labels", "array['a', 'b']", ["a", "b"]),
        ("tags", "label_list", "array['a']", ["a"]),
        ("tags", "varchar(9)[]", "'{}'", []),
        ("unique_id", "uuid", "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),
        ("unique_id", "citext", "'ÁB'", "ÁB"),
        ("unique_id", "char(40)", "'short'", "short"),
        ("legacy_unique_id", "char(40)", "'short'", "short"),
        ("legacy_unique_id", "uuid", "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),
    ],
)
def test_types_whose_text_is_their_value_are_published_as_it(
    url: str, column: str, kind: str, value: str, expected: object
):
    execute(url, TYPES, f"ALTER TABLE news DROP COLUMN {column}, ADD COLUMN {column} {kind}")
    execute(url, row(**{column: value}))
    news = PostgresNews(url)
    (found,) = news.day(DAY).to_pylist()
    assert found[column] == expected
    keys = [each for table in news.keys(LeftOut()) for each in table.to_pylist()]
    assert [(each["unique_id"], each["legacy_unique_id"]) for each in keys] == [
        (found["unique_id"], found["legacy_unique_id"])
    ]
    for name in filter(None, (found["unique_id"], found["legacy_unique_id"])):
        assert news.find([name]).to_pylist() == [found]


@pytest.mark.parametrize("kind", ["uuid DEFAULT gen_random_uuid()", "bigserial"])
def test_the_primary_key_may_be_of_any_type(url: str, kind: str):
    execute(url, f"ALTER TABLE news DROP COLUMN id, ADD COLUMN id {kind} PRIMARY KEY")
    execute(url, row(unique_id="'b'", legacy_unique_id="'old'"), row(legacy_unique_id="'old'"))
    news = PostgresNews(url)
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
        ("unique_id", "text", "''", "unique_id of the row with id 1 .* is blank"),
        ("unique_id", "text", "E' \\t\\u00a0'", "unique_id of the row with id 1 .* is blank"),
        ("unique_id", "char(9)", "' '", "unique_id of the row with id 1 .* is blank"),
        ("unique_id", "text", "null", "unique_id of the row with id 1 .* is null"),
    ],
)
def test_other_values_are_refused_by_column_and_row_with_what_to_cast(
    url: str, column: str, kind: str, value: str, said: str
):
    execute(url, TYPES, f"ALTER TABLE news DROP COLUMN {column}, ADD COLUMN {column} {kind}", row(**{column: value}))
    with pytest.raises(ContractError, match=said):
        PostgresNews(url).day(DAY)


def test_a_time_that_cannot_be_compared_with_a_day_is_told_in_postgres_words(url: str):
    execute(url, "ALTER TABLE news ALTER COLUMN published_at TYPE text")
    with pytest.raises(SourceError, match="operator does not exist: text >= timestamp with time zone"):
        PostgresNews(url).day(DAY)


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


def test_a_published_row_that_loses_its_time_stays_where_it_is_and_is_told(graph: Graph):
    graph.execute("ALTER TABLE news ALTER COLUMN published_at DROP NOT NULL")
    graph.insert("a", "b")
    assert graph.run("2026-01-15", checks=False).success
    graph.execute("UPDATE news SET published_at = null WHERE unique_id = 'a'", "UPDATE news SET title = 'new'")
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
