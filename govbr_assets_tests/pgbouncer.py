"""A real PgBouncer, the Debian package, in front of the tests' PostgreSQL."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

PROGRAM = shutil.which("pgbouncer", path=f"{os.defpath}:/usr/sbin:/usr/local/sbin")


@contextmanager
def pgbouncer(postgres_url: str, mode: str, **settings: str) -> Iterator[str]:
    """Run a pooler for the database of a URL, and give the URL that leads through it.

    Args:
        postgres_url: of the embedded PostgreSQL, by its socket.
        mode: session, transaction or statement.
        settings: further ones of PgBouncer.
    """
    if PROGRAM is None:
        pytest.skip("PgBouncer is not installed: apt-get install pgbouncer")
    parts = urlsplit(postgres_url)
    name, place = parts.path[1:], {key: values[0] for key, values in parse_qs(parts.query).items()}
    with socket.socket() as free, tempfile.TemporaryDirectory(prefix="pooler-", dir="/tmp") as folder:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        given = {
            "listen_addr": "127.0.0.1", "listen_port": str(port), "unix_socket_dir": "", "auth_type": "any",
            "pool_mode": mode, "ignore_startup_parameters": "options,extra_float_digits", "logfile": "", **settings,
        }  # fmt: skip
        free.close()
        database = f"{name} = host={place['host']} port={place['port']} dbname={name} user=postgres"
        lines = ["[databases]", database, "[pgbouncer]", *(f"{key} = {value}" for key, value in given.items())]
        configuration = Path(folder) / "pgbouncer.ini"
        configuration.write_text("\n".join(lines))
        with _running(configuration, port):
            yield f"postgresql://somebody@127.0.0.1:{port}/{name}"


@contextmanager
def _running(configuration: Path, port: int) -> Iterator[None]:
    assert PROGRAM
    account = {}
    if os.geteuid() == 0:  # it refuses to run as root, and the socket is for the server's user
        nobody = pwd.getpwnam("nobody")
        account = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
        for path in (configuration.parent, configuration):
            os.chown(path, nobody.pw_uid, nobody.pw_gid)
    log = configuration.with_suffix(".log")
    with log.open("wb") as output:
        process = subprocess.Popen(
            [PROGRAM, str(configuration)], stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd="/", **account
        )
    try:
        end = time.monotonic() + 10
        while not _answers(port):
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < end, log.read_text()
            time.sleep(0.02)
        yield
    finally:
        process.kill()
        process.wait()


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True
