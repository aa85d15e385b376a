"""GOVBR_POSTGRES_URL: what psql takes, and libpq means, is taken; what is not is told with its reason and no secret."""

import os
import re
import socket
import struct
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from threading import Thread
from typing import NamedTuple
from urllib.parse import parse_qs, quote, urlsplit

import pytest

from govbr_assets.errors import (
    ConfigurationError,
    GovbrAssetsError,
    PermanentError,
    SourceError,
    SourceUnavailableError,
)
from govbr_assets.local.postgres import EmbeddedPostgres
from govbr_assets.local.silence import silent_network
from govbr_assets.postgres.connection import Database
from govbr_assets_tests.graph import Graph
from govbr_assets_tests.pgbouncer import pgbouncer
from govbr_assets_tests.sql import execute

SECRET = "Zq7+x y'Z"  # with what one parser or another makes something else of


class Place(NamedTuple):
    """Where a database with one row is, by socket and by port."""

    sockets: str
    port: str
    name: str


@pytest.fixture(scope="module")
def database(postgres: EmbeddedPostgres) -> Iterator[str]:
    name = f"urls_{os.getpid()}"
    url = postgres.create_database(name)
    execute(
        url,
        "INSERT INTO agencies (id, key, name) VALUES (1, 'mec', 'Ministério da Educação')",
        "INSERT INTO news (unique_id, agency_id, title, published_at) VALUES ('a', 1, 't', '2026-01-15T12:00:00Z')",
    )
    yield url
    postgres.drop_database(name)


@pytest.fixture(scope="module")
def place(database: str) -> Iterator[Place]:
    parts = urlsplit(database)
    sockets = parse_qs(parts.query)["host"][0]
    with silent_network(Path(sockets, ".s.PGSQL.5432")) as network:
        yield Place(sockets, str(network.port), parts.path[1:])


def rows(url: str) -> int:
    return Database(url).read("SELECT unique_id FROM news").num_rows


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://postgres@127.0.0.1:1,127.0.0.1:{port}/{name}",
        "postgresql://postgres@no-such-host.invalid:1,127.0.0.1:{port}/{name}?connect_timeout=3",
        "postgresql:///{name}?host={sockets}&user=postgres",
        "postgres://postgres@/{name}?host={sockets}",
        "postgresql+asyncpg://postgres@/{name}?host={sockets}&port=5432",
        "postgresql+psycopg2:///{name}?host={sockets}&user=postgres",
        "postgresql://?dbname={name}&host={sockets}&user=postgres",
        "postgresql://127.0.0.1:{port}?dbname={name}&user=postgres",
        "postgresql://postgres@{quoted}/{name}",
        "postgresql://postgres@{quoted}:5432,127.0.0.1:{port}/{name}?target_session_attrs=primary",
        "postgresql://postgres@127.0.0.1:{port}/{name}?target_session_attrs=read-write",
        "postgresql://postgres@127.0.0.1:{port}/{name}?target_session_attrs=prefer-standby",
        "postgresql://postgres:p?ss#w[rd@127.0.0.1:{port}/{name}",
        "postgresql://postgres@127.0.0.1:{port}/{name}?options=-c%20search_path%3Dpublic&",
        "host={sockets} dbname={name} user=postgres",
        "host=127.0.0.1,127.0.0.1 port=1,{port} dbname = {name} user='postgres' password='a b\\'c://'",
        "host='{sockets}'\n  dbname={name}\n  user=postgres application_name='one of ours'",
        "'postgresql://postgres@127.0.0.1:{port}/{name}'",
        '"host={sockets} dbname={name} user=postgres"\n',
    ],
)
def test_what_psql_takes_is_taken(place: Place, url: str):
    given = {name: getattr(place, name) for name in place._fields}
    assert rows(url.format(**given, quoted=quote(place.sockets, safe=""))) == 1


@pytest.mark.parametrize("url", ["postgresql:///?service=news", "service=news", "postgresql://{}:1/?service=news"])
def test_a_service_of_a_service_file_is_taken(place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str):
    services = tmp_path / "services.conf"
    services.write_text(f"[news]\nhost={place.sockets}\nport=5432\ndbname={place.name}\nuser=postgres\n")
    monkeypatch.setenv("PGSERVICEFILE", str(services))
    if "{}" in url:  # what the URL says wins
        with pytest.raises(SourceUnavailableError, match="port 1"):
            rows(url.format("127.0.0.1"))
    else:
        assert rows(url) == 1
    with pytest.raises(ConfigurationError, match=r'GOVBR_POSTGRES_URL .*"of nobody" not found'):
        rows("service='of nobody'")


@pytest.fixture
def guarded(database: str) -> Iterator[str]:
    """Give host, port and database of a server that asks for `SECRET`."""
    with tempfile.TemporaryDirectory(prefix="users-", dir="/tmp") as folder:
        Path(folder).chmod(0o755)  # the pooler's user must be able to read it, wherever tests have their files
        users = Path(folder) / "users.txt"
        users.write_text(f'"ana" "{SECRET}"\n')
        with pgbouncer(database, "transaction", auth_type="plain", auth_file=str(users)) as url:
            yield url.partition("@")[2]


def test_a_password_means_what_libpq_says_it_means(guarded: str, tmp_path: Path):
    host, _, name = guarded.partition("/")
    assert rows(f"postgresql://ana:{quote(SECRET, safe='')}@{guarded}") == 1
    assert rows(f"postgresql://ana:{quote(SECRET, safe='+')}@{guarded}") == 1
    assert rows(f"postgresql://ana@{guarded}?password={quote(SECRET, safe='+')}") == 1  # a plus is no blank
    pairs = f"host=127.0.0.1 port={host.partition(':')[2]} dbname={name} user=ana"
    escaped = SECRET.replace("'", "\\'")
    assert rows(f"{pairs} password='{escaped}'") == 1
    passwords = tmp_path / "passwords"
    passwords.write_text(f"*:*:*:ana:{SECRET}\n")
    passwords.chmod(0o600)
    assert rows(f"{pairs} passfile={passwords}") == 1
    with pytest.raises(SourceError, match=r"look at GOVBR_POSTGRES_URL.*password authentication failed|auth failed"):
        rows(f"postgresql://ana:{quote('Zq7 x')}@{guarded}")


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("postgresql://u:first@{}@host/db", "an @ too many"),
        ("postgresql://u:first/{}@host/db", "an @ too many"),
        ("postgresql://u:first@{}@h1:1,h2:2/db", "an @ too many"),
        ("postgresql://host?password={}@b", "an @ too many"),
        ("postgresql://host:5432?user=u&password={}@b", "an @ too many"),
        ("postgresql://u:{}%zz@host/db", "hexadecimal digits"),
        ("postgresql://u:100%{}@host/db", "hexadecimal digits"),
        ("postgresql://u@host/db?password={}%", "hexadecimal digits"),
        ("postgresql://u:a%00{}@host/db", "hexadecimal digits"),
        ("postgresql://u:{}", "host or port"),
        ("postgresql://u:p@[::1/{}", "host or port"),
        ("postgresql://u:p@::1/{}", "host or port"),
        ("postgresql://u@h/db?password=a&{}", "name=value"),
        ("postgresql://u@h/db?password=a={}", "name=value"),
        ("jdbc:postgresql://u:{}@host/db", "write postgresql://"),
        ("cockroachdb://u:{}@host/db", "write postgresql://"),
        ("psql 'postgresql://u:{}@host/db'", "write postgresql://"),
        ("host=h password=a {}", "single quotes"),
        ("host=h;port=5432;password={}", "separated by blanks"),
        ("host=h,password={}", "separated by blanks"),
        ("host=h password='a {}", "single quotes"),
        ("{}", "write postgresql://"),
    ],
)
def test_what_libpq_would_take_for_something_else_is_told_with_its_reason_and_without_a_secret(url: str, reason: str):
    with pytest.raises(ConfigurationError, match="GOVBR_POSTGRES_URL is malformed") as caught:
        Database(url.format("Second99"))
    assert reason in str(caught.value)
    assert "Second99" not in str(caught.value)


@pytest.mark.parametrize(
    ("parameter", "reason"),
    [
        ("sslmode=Zq7sometimes", "invalid sslmode value"),
        ("no_such_option=1", "no_such_option"),
        ("target_session_attrs=writable", "invalid target_session_attrs value"),
        ("channel_binding=perhaps", "invalid channel_binding value"),
        ("port=99999", "invalid port number"),
        ("connect_timeout=ten", "invalid integer value"),
        ("keepalives_idle=ten", "PGcancel|invalid integer value"),
    ],
)
def test_what_libpq_itself_refuses_is_told_once_by_the_settings_name(place: Place, parameter: str, reason: str):
    url = f"postgresql://postgres:{quote(SECRET, safe='')}@127.0.0.1:{place.port}/{place.name}?{parameter}"
    with pytest.raises(PermanentError, match=reason) as caught:
        rows(url)
    assert "GOVBR_POSTGRES_URL" in str(caught.value)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "ends", "reason"),
    [
        ("postgresql://postgres@127.0.0.1:{port}/nowhere", SourceError, '"nowhere" does not exist'),
        ("postgresql://postgres@127.0.0.1:{port}/%E9", SourceError, "does not exist"),
        ("postgresql://nobody_here@127.0.0.1:{port}/{name}", SourceError, '"nobody_here" does not exist'),
        ("postgresql://postgres@127.0.0.1:1,127.0.0.1:{port}/nowhere", SourceError, "does not exist"),
        ("postgresql://postgres@127.0.0.1:{port}/{name}?sslmode=require", SourceError, "SSL"),
        ("postgresql://postgres@127.0.0.1:{port}/{name}?options=-c%20nothing%3D1", SourceError, "nothing"),
        ("postgresql://postgres@127.0.0.1:{port}/{name}?target_session_attrs=standby", SourceError, "standby"),
        ("postgresql://postgres@127.0.0.1:1/{name}", SourceUnavailableError, "refused"),
        ("postgresql://postgres@[::1]:1/{name}", SourceUnavailableError, "::1"),
        ("postgresql:///{name}?host=/no/such/folder", SourceUnavailableError, "Is the server running"),
        ("postgresql://postgres@no-such-host.invalid/{name}", SourceUnavailableError, "translate host name"),
        (
            "postgresql://postgres@127.0.0.1:1,127.0.0.1:{port}/{name}?target_session_attrs=standby",
            SourceUnavailableError,
            "standby",
        ),
    ],
)
def test_only_what_may_pass_is_tried_again_while_connecting(
    place: Place, url: str, ends: type[GovbrAssetsError], reason: str
):
    with pytest.raises(ends, match=reason) as caught:
        rows(url.format(**place._asdict()))
    assert "GOVBR_POSTGRES_URL" in str(caught.value)


def test_a_role_that_has_all_its_connections_may_have_one_later(database: str):
    role = f"few_{os.getpid()}"
    execute(database, f"CREATE ROLE {role} LOGIN CONNECTION LIMIT 0")
    try:
        with pytest.raises(SourceUnavailableError, match="too many connections for role"):
            rows(database.replace("postgres@", f"{role}@"))
        execute(database, f"ALTER ROLE {role} NOLOGIN CONNECTION LIMIT 5")
        with pytest.raises(SourceError, match="not permitted to log in"):
            rows(database.replace("postgres@", f"{role}@"))
    finally:
        execute(database, f"DROP ROLE {role}")


@contextmanager
def refusing(severity: str, text: str) -> Iterator[str]:
    """Run a server that refuses everybody before he has said his password, in its own words."""
    fields = (b"S", severity), (b"V", "FATAL"), (b"C", "57P01"), (b"M", text)
    said = b"".join(name + value.encode() + b"\0" for name, value in fields) + b"\0"

    def serve() -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            with client:
                size, code = struct.unpack("!II", client.recv(8))
                if code == 80877103:  # it asks for TLS first
                    client.sendall(b"N")
                    size, _ = struct.unpack("!II", client.recv(8))
                client.recv(size - 8)
                client.sendall(b"E" + struct.pack("!I", len(said) + 4) + said)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        Thread(target=serve, daemon=True).start()
        yield f"postgresql://u:p@127.0.0.1:{listener.getsockname()[1]}/db"
        listener.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize(
    ("severity", "text", "passes"),
    [
        ("FATAL", "the database system is starting up", True),
        ("FATAL", "the database system is not yet accepting connections", True),
        ("FATAL", "sorry, too many clients already", True),
        ("FATAL", "remaining connection slots are reserved for roles with the SUPERUSER attribute", True),
        ("FATAL", "o sistema de banco de dados está iniciando", True),
        ("FATAL", "desculpe, muitos clientes conectados", True),
        ("FATAL", 'no pg_hba.conf entry for host "10.0.0.1", user "u", database "db", no encryption', False),
        ("FATAL", 'autenticação do tipo senha falhou para usuário "u"', False),
        ("FATAL", "Passwort-Authentifizierung für Benutzer »u« fehlgeschlagen", False),
        ("ВАЖНО", "пользователь «u» не прошёл проверку подлинности (по паролю)", False),
    ],
)
def test_a_server_may_refuse_in_its_own_language_and_only_what_passes_is_tried_again(
    severity: str, text: str, passes: bool
):
    with (
        refusing(severity, text) as url,
        pytest.raises(SourceUnavailableError if passes else SourceError, match=re.escape(text)),
    ):
        rows(url)


def test_a_wrong_password_ends_a_run_at_once_and_is_told_without_it(graph: Graph, guarded: str):
    wrong = replace(graph, postgres_url=f"postgresql://ana:Wrong-Second99@{guarded}")
    result = wrong.run("2026-01-15", retries=2)
    told = [event for event in result.all_events if event.is_failure]
    assert not result.success
    assert not [event for event in result.all_events if event.event_type_value == "STEP_UP_FOR_RETRY"]
    assert "GOVBR_POSTGRES_URL" in str(told)
    assert "Second99" not in str(result.all_events)
