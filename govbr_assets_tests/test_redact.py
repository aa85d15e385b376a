"""Secrets: in whatever form and by whomever they are printed, none is in a text of ours or in what is recorded."""

import logging
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from dagster import AssetExecutionContext, DagsterInstance, asset, build_sensor_context, materialize, sensor
from dagster._serdes import serialize_value
from dagster._utils.error import serializable_error_info_from_exc_info

from govbr_assets import redact as room
from govbr_assets.dataset import Dataset
from govbr_assets.defs.resources import AlertResource, PostgresResource
from govbr_assets.errors import ConfigurationError, SourceUnavailableError
from govbr_assets.io.settings import cleaned, token
from govbr_assets.publications import NEWS
from govbr_assets.redact import redact, remember, remember_url
from govbr_assets_tests.graph import Graph


@pytest.fixture(autouse=True)
def nothing_known() -> Iterator[None]:
    before = set(room._known)
    room._known.clear()
    yield
    room._known.clear()
    room._known.update(before)


@pytest.mark.parametrize(
    ("url", "said", "secret"),
    [
        (
            "postgresql://u:first@Second99@host/db",
            'could not translate host name "Second99@host" to address',
            "Second99",
        ),
        ("postgresql://u:p@ss/w0rd-Long@host:5432/db", 'database "w0rd-Long@host:5432/db" does not exist', "w0rd-Long"),
        ("postgresql://u:p%40ss%20W0rd@host/db", "no user p@ss W0rd", "p@ss W0rd"),
        ("postgresql://u:p+ss+W0rd@host/db", "no user 'p ss W0rd'", "p ss W0rd"),
        ("postgresql://u:Wh?t0Now#Then@host/db", 'invalid port number: "Wh"; "t0Now#Then"', "t0Now"),
        ("postgresql://u@host/db?password=an0ther%21&sslmode=x", "bad an0ther! or an0ther%21", "an0ther"),
        ("host=h user=u password='quoted Secret7'", "near quoted Secret7", "quoted Secret7"),
        ("'postgresql://u:Left#Right:99@h/d'", "near Right:99 and Left", "Right:99"),
        ("sftp://u:Horse9Battery@files.example.org/x", "[Errno 111] Horse9Battery", "Horse9Battery"),
    ],
)
def test_the_real_values_of_a_url_go_first_as_libpq_and_as_python_split_it(url: str, said: str, secret: str):
    remember_url(url)
    assert secret not in redact(said)
    assert "***" in redact(said)


@pytest.mark.parametrize("password", ["e", "a", "is", "the", "news", "host", "1", "5432", "postgres"])
def test_a_short_or_plain_password_eats_no_letters_out_of_ordinary_words(password: str):
    remember_url(f"postgresql://u:{password}@host:5432/db")
    sentence = (
        "permission denied: the news of 2026-01-11 is a part of postgres_news_partition on port 5432 of this host"
    )
    assert redact(sentence) == sentence
    assert redact(f'password "{password}" is wrong') == 'password "***" is wrong'


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("aws_secret_access_key=wJalrXUtnFEMI/K7", "aws_secret_access_key=***"),
        ("GET /k?X-Amz-Credential=A%2F1&X-Amz-Signature=ab&x=1", "GET /k?X-Amz-Credential=***&X-Amz-Signature=***&x=1"),
        ("https://acc.blob.example.org/c?sv=1&sig=ab%2Fc&se=2", "https://acc.blob.example.org/c?sv=1&sig=***&se=2"),
        ("AccountName=x;AccountKey=abc==;Endpoint=y", "AccountName=x;AccountKey=***;Endpoint=y"),
        ("{'x-api-key': 'abc', 'y': 1}", "{'x-api-key': ***, 'y': 1}"),
        ("api-key: abcdef", "api-key: ***"),
        ("server=h;pwd=hunter;uid=u", "server=h;pwd=***;uid=u"),
        ("Authorization: token abcdef", "Authorization: token ***"),
        ("authorization=abcdef", "authorization=***"),
        ("key AKIAABCDEFGHIJKLMNOP does not exist", "key AKIA*** does not exist"),
        ("{'password': 'a\\'b9', 'y': 1}", "{'password': ***, 'y': 1}"),
        ("key AIzaSyA1234567890abcdefghijklmnopqrstuv", "key AIza***"),
        ("Cookie: token=abc; session=deadbeef\nHost: x", "Cookie: ***\nHost: x"),
        ("-----BEGIN PRIVATE KEY-----\\nMIIEv/Q+\\n-----END", "-----BEGIN PRIVATE KEY-----***-----END"),
        ("private_key='MII'", "private_key=***"),
        ("https://hooks.slack.com/services/T0/B0/abc", "https://hooks.slack.com/services/***"),
        ("proxy http://me:pa/ss@proxy:3128 is down", "proxy http://***@proxy:3128 is down"),
        ("hf://datasets/org/news@abc/data/x.parquet", "hf://datasets/org/news@abc/data/x.parquet"),
        ("http://127.0.0.1:8000/api/x@y", "http://127.0.0.1:8000/api/x@y"),
        ("Look at HF_TOKEN: it must be valid", "Look at HF_TOKEN: it must be valid"),
        ("write postgresql://user:password@host:5432/db", "write postgresql://user:password@host:5432/db"),
        ("basic authentication of the signature", "basic authentication of the signature"),
    ],
)  # fmt: skip
def test_what_has_the_shape_of_a_secret_goes_after_them_and_prose_stays(text: str, told: str):
    assert redact(text) == told


@pytest.mark.parametrize("text", ["token" * 20_000, "://a:" * 20_000, "a-" * 50_000, '"token":"' * 10_000])
def test_a_long_text_is_redacted_in_linear_time(text: str):
    assert redact(text)


@pytest.mark.parametrize(
    "around", ["{}\n", "{}\r\n", " {}", "\ufeff{}", "{}\u00a0", "'{}'", '"{}\n"', "\u200b{} \t", "` {} `"]
)
def test_a_token_is_cleaned_of_what_copying_left_round_it(around: str):
    assert token("HF_TOKEN", around.format("hf_abcdef")) == "hf_abcdef"


@pytest.mark.parametrize(
    "value",
    [
        "hf_abc def", "hf_abc\nhf_def", "hf_abc\u00a0def", "hf_ação", "hf_abc\x00", "hf_ab'c", 'HF="x',
        "HF_TOKEN=hf_abc", "Bearer hf_abc", "“hf_abc”",
    ],
)  # fmt: skip
def test_a_token_that_no_header_takes_is_refused_in_one_sentence_without_it(value: str):
    with pytest.raises(ConfigurationError, match=r"^HF_TOKEN (holds|begins)") as caught:
        Dataset.open("org/news", NEWS, token=value)
    assert value not in str(caught.value)
    assert "abc" not in str(caught.value)


def test_a_setting_of_blanks_or_quotes_is_as_good_as_none():
    assert [cleaned(each) for each in ("", " ", "''", '" "', "\ufeff\n")] == [""] * 5
    with pytest.raises(ConfigurationError, match="GOVBR_POSTGRES_URL is not set"):
        PostgresResource(url="' '").client()


EXAMPLE = "postgresql://user:password@host:5432/database."


def recorded(instance: DagsterInstance) -> str:
    """Write down all that Dagster remembers of its runs, as its storage does."""
    runs = instance.get_runs()
    entries = [record.event_log_entry for run in runs for record in instance.get_records_for_run(run.run_id).records]
    return "\n".join([*map(serialize_value, entries), *map(serialize_value, runs)])


def test_an_error_of_ours_is_its_sentence_on_the_console_with_no_stack(graph: Graph, capfd: pytest.CaptureFixture[str]):
    assert not graph.run("2026-01-15", postgres=PostgresResource(url="")).success
    lines = "".join(capfd.readouterr()).splitlines()
    assert any(line.endswith("Failure: GOVBR_POSTGRES_URL is not set: set it, such as " + EXAMPLE) for line in lines)
    assert not [line for line in lines if line.startswith(("Stack Trace", "  File "))]


@pytest.mark.parametrize("retries", [0, 1])
def test_no_secret_is_in_the_records_of_a_run_nor_on_its_console(
    graph: Graph, retries: int, capfd: pytest.CaptureFixture[str]
):
    graph.insert("a")
    postgres = PostgresResource(url=f"postgresql://u:first@Second99@{graph.postgres_url.rpartition('@')[2]}")
    assert not graph.run("2026-01-15", retries=retries, postgres=postgres).success
    told = recorded(graph.instance) + "".join(capfd.readouterr())
    assert "GOVBR_POSTGRES_URL" in told
    assert "Second99" not in told


def test_the_causes_of_an_error_of_a_library_are_recorded_without_secrets(capfd: pytest.CaptureFixture[str]):
    class ForeignError(Exception):
        def __str__(self) -> str:
            return "cannot connect with Tr0ub4dor&3 to x?X-Amz-Signature=abc123"

    @asset
    def failing(context: AssetExecutionContext) -> None:
        remember("Tr0ub4dor&3")
        context.log.warning("trying with %s", "Tr0ub4dor&3")
        logging.getLogger("library").error("failed with Tr0ub4dor&3", exc_info=ForeignError())
        try:
            try:
                raise ForeignError
            except ForeignError as error:
                raise ValueError("Tr0ub4dor&3", 1) from error
        except ValueError as error:
            raise SourceUnavailableError(f"Nobody there: {error}") from error

    instance = DagsterInstance.ephemeral()
    assert not materialize([failing], instance=instance, raise_on_error=False).success
    told = recorded(instance) + "".join(capfd.readouterr())
    assert "Nobody there" in told
    assert "Tr0ub4dor" not in told
    assert "abc123" not in told


def test_a_tick_of_a_sensor_tells_no_secret_either():
    remember_url("https://hooks.example.org/services/T0/s3cret-path", path=True)

    @sensor(job_name="any")
    def ticking() -> None:
        raise OSError("Max retries exceeded with url: /services/T0/s3cret-path")

    told = ""
    try:
        ticking(build_sensor_context())
    except OSError:
        told = str(serializable_error_info_from_exc_info(sys.exc_info()))
    assert "Max retries" in told
    assert "s3cret" not in told


def test_a_log_line_whose_arguments_do_not_fit_is_left_to_whoever_prints_it():
    record = logging.getLogRecordFactory()("x", logging.INFO, "", 1, "%d of %s", ("a",), None)
    assert record.args == ("a",)


def test_the_parts_of_an_alert_url_are_secrets_and_its_host_is_none(tmp_path: Any):
    AlertResource(url="https://hooks.example.org/T0/abcDEF123?key=zyx98765", storage_url=str(tmp_path)).client()
    told = redact(
        "hooks.example.org: /T0/abcDEF123 and zyx98765 at https://hooks.example.org/T0/abcDEF123?key=zyx98765"
    )
    assert "abcDEF123" not in told
    assert "zyx98765" not in told
    assert told.startswith("hooks.example.org: ")
