"""A network that swallows packets: noticed in seconds, heard through by signals, and waited for by nobody for ever."""

import os
import signal
import socket
import threading
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import count, islice
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from govbr_assets.core.conform import LeftOut
from govbr_assets.core.days import Day
from govbr_assets.core.late_rows import Watermark
from govbr_assets.errors import SourceUnavailableError
from govbr_assets.local.postgres import EmbeddedPostgres
from govbr_assets.local.silence import SilentNetwork, is_available, silent_network
from govbr_assets.postgres import connection
from govbr_assets.postgres.background import SilenceError, in_background
from govbr_assets.postgres.news import NewsTable
from govbr_assets.publications import NEWS
from govbr_assets_tests.graph import Graph
from govbr_assets_tests.sql import execute

NOT_SILENT = "The kernel does not drop packets for this user, so no network was silent: run this test as root on Linux."

DAY = Day.of("2026-01-15")
AT_ONCE = "keepalives_idle=1&keepalives_interval=1&keepalives_count=1&tcp_user_timeout=1000&connect_timeout=2"
BYTES = 200_000  # more than the catalogue that the driver reads while connecting, less than the rows


@contextmanager
def through(postgres_url: str, after: int | None, parameters: str = AT_ONCE) -> Iterator[tuple[SilentNetwork, str]]:
    """Give a URL that leads to the database by a network; skip what needs its silence where there can be none."""
    if after is not None and not is_available():
        pytest.skip(NOT_SILENT)
    parts = urlsplit(postgres_url)
    place = parse_qs(parts.query)
    with silent_network(Path(place["host"][0], f".s.PGSQL.{place['port'][0]}"), after) as network:
        yield network, f"postgresql://postgres@127.0.0.1:{network.port}{parts.path}?{parameters}"


@pytest.fixture(scope="module")
def large(postgres: EmbeddedPostgres) -> Iterator[str]:
    """A day of 20 MB, which nobody changes."""
    name = f"large_{os.getpid()}"
    url = postgres.create_database(name)
    execute(
        url,
        "INSERT INTO agencies (id, key, name) VALUES (1, 'mec', 'Ministério da Educação')",
        "INSERT INTO news (unique_id, agency_id, title, published_at, content) SELECT i::text, 1, 't',"
        " '2026-01-15T12:00:00Z', repeat(md5(i::text), 300) FROM generate_series(1, 2000) i",
    )
    yield url
    postgres.drop_database(name)


def test_packets_that_are_swallowed_in_the_middle_of_a_read_are_a_passing_error_in_seconds(large: str):
    with through(large, 5_000_000) as (network, url), pytest.raises(SourceUnavailableError, match="timed out"):
        NewsTable(url, NEWS).day(DAY)
    assert network.silent


def test_packets_that_are_swallowed_from_the_beginning_are_a_passing_error_too(large: str):
    with through(large, 0) as (network, url), pytest.raises(SourceUnavailableError):
        NewsTable(url, NEWS).day(DAY)
    assert network.silent


def terminate_this_process(network: SilentNetwork) -> None:
    """Send SIGTERM as soon as the network is silent."""
    while not network.silent:
        threading.Event().wait(0.01)
    os.kill(os.getpid(), signal.SIGTERM)


def test_a_signal_is_heard_while_the_network_is_silent(large: str):
    class Heard(BaseException):
        """The handler ran."""

    def hear(*_: object) -> None:
        raise Heard

    before = signal.signal(signal.SIGTERM, hear)
    try:
        with through(large, 5_000_000, "") as (network, url):
            rows = NewsTable(url, NEWS).read_days([DAY])
            threading.Thread(target=terminate_this_process, args=(network,)).start()
            with pytest.raises(Heard):
                rows(DAY)
    finally:
        signal.signal(signal.SIGTERM, before)


def test_a_run_that_is_told_to_end_in_a_silent_network_ends_and_is_not_begun_again(graph: Graph, large: str):
    with through(large, 5_000_000, "") as (network, url):
        threading.Thread(target=terminate_this_process, args=(network,)).start()
        result = replace(graph, postgres_url=url).run(str(DAY), retries=3, selection=["postgres_news_partition"])
    happened = [event.event_type_value for event in result.all_events]
    assert "STEP_FAILURE" in happened
    assert "STEP_UP_FOR_RETRY" not in happened
    assert "was told to end" in str(result.all_events)


def test_a_tick_waits_for_a_silent_network_no_longer_than_it_may(large: str, monkeypatch: pytest.MonkeyPatch):
    assert 2 * connection.SMALL_QUERY_SECONDS <= 45  # two queries, and a sensor's minute
    monkeypatch.setattr(connection, "SMALL_QUERY_SECONDS", 1.0)
    with through(large, 20_000, "") as (network, url):  # within the catalogue, so that nothing has an end but this
        with pytest.raises(SourceUnavailableError, match="silent for 1 seconds: look at GOVBR_POSTGRES_URL"):
            NewsTable(url, NEWS).changed_since(Watermark(), DAY, Day.of("2026-01-16"))
        assert network.silent


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ("", {"TCP_KEEPIDLE": 20, "TCP_KEEPINTVL": 5, "TCP_KEEPCNT": 4, "TCP_USER_TIMEOUT": 45_000}),
        ("keepalives_idle=7&tcp_user_timeout=0", {"TCP_KEEPIDLE": 7, "TCP_KEEPINTVL": 5, "TCP_USER_TIMEOUT": 0}),
    ],
)
def test_the_connection_has_keepalives_and_a_user_timeout_unless_the_url_says_otherwise(
    large: str, parameters: str, expected: dict[str, int]
):
    with through(large, None, parameters) as (network, url):
        keys = NewsTable(url, NEWS).keys(LeftOut())
        list(islice(keys, 1))
        (ours,) = sockets_to(network.port)
        options = {name: ours.getsockopt(socket.IPPROTO_TCP, getattr(socket, name)) for name in expected}
        assert ours.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        ours.close()
    assert options == expected


def sockets_to(port: int) -> list[socket.socket]:
    """Copy the sockets of this process that are connected to a port."""
    numbers = [int(link.name) for link in Path("/proc/self/fd").iterdir() if "socket:" in str(link.resolve())]
    copies = [socket.socket(fileno=os.dup(number)) for number in numbers]
    found = [copy for copy in copies if copy.family == socket.AF_INET and connected_to(copy) == port]
    for copy in copies:
        if copy not in found:
            copy.close()
    return found


def connected_to(copy: socket.socket) -> int | None:
    try:
        return copy.getpeername()[1]
    except OSError:  # it listens
        return None


def test_what_is_taken_in_the_background_comes_in_order_and_not_ahead_of_time():
    taken = []

    def numbers() -> Generator[int, None, None]:
        for number in count():
            taken.append(number)
            yield number

    assert list(islice(in_background(numbers, silence=10), 3)) == [0, 1, 2]
    assert taken == [0, 1, 2]


@pytest.mark.parametrize("error", [ValueError("x"), KeyboardInterrupt(), StopAsyncIteration()])
def test_what_is_raised_in_the_background_is_raised_where_it_is_waited_for(error: BaseException):
    def failing() -> Generator[int, None, None]:
        yield 1
        raise error

    stream = in_background(failing, silence=10)
    assert next(stream) == 1
    with pytest.raises(type(error)):
        next(stream)


def test_all_of_a_stream_has_one_end_however_lively_it_is():
    def endless() -> Generator[int, None, None]:
        for number in count():
            threading.Event().wait(0.01)
            yield number

    with pytest.raises(SilenceError):
        list(in_background(endless, silence=10, within=0.2))
