"""Alerts over real HTTP: each once, none lost while the receiver is away, and never a secret in one."""

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from govbr_assets.alerts import outbox as room
from govbr_assets.alerts.message import Alert, overdue_alert
from govbr_assets.alerts.outbox import AlertOutbox
from govbr_assets.defs.resources import AlertResource
from govbr_assets.errors import AlertRefusedError, ConfigurationError
from govbr_assets.io.storage.folder import Folder
from govbr_assets.redact import redact
from govbr_assets_tests.unreachable import tls_server

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
TWO_DAYS = timedelta(days=2)


class Receiver(ThreadingHTTPServer):
    """Takes alerts on loopback, and answers as it is told: a status, `slow`, `gone`, or 200 when nothing is left."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.messages: list[dict[str, Any]] = []
        self.answers: list[int | str] = []
        self.location = ""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/services/T0/B0/s3cret-path"


class _Handler(BaseHTTPRequestHandler):
    server: Receiver  # pyright: ignore[reportIncompatibleVariableOverride]

    def do_POST(self) -> None:
        message = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        assert self.headers["Content-Type"] == "application/json"
        self.server.messages.append(message)
        answer = self.server.answers.pop(0) if self.server.answers else 200
        if answer == "slow":
            time.sleep(1)
        if answer in ("slow", "gone"):
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        if answer == "trickle":  # a byte now and then, and never a whole answer
            for _ in range(20):
                self.wfile.write(b"H")
                time.sleep(0.1)
            return
        self.send_response(int(answer))
        if self.server.location:
            self.send_header("Location", self.server.location)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        pass


@contextmanager
def receiving() -> Iterator[Receiver]:
    server = Receiver()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as server:
        yield server


@pytest.fixture
def alerts(receiver: Receiver, tmp_path: Path) -> AlertOutbox:
    return AlertOutbox(receiver.url, Folder(str(tmp_path)))


def alert(key: str = "run-1", **told: str) -> Alert:
    return Alert(key, "hf_parquet_shard failed.", "hf_parquet_shard", **told)


def test_a_message_has_a_text_for_slack_and_the_fields_for_machines():
    message = json.loads(
        alert(partition="2026-01-15", error="No.", run_id="1", link="https://ui.example.org/runs/1").message()
    )
    assert message == {
        "text": "hf_parquet_shard failed.\nNo.\nhttps://ui.example.org/runs/1",
        "asset": "hf_parquet_shard",
        "partition": "2026-01-15",
        "error": "No.",
        "run_id": "1",
        "link": "https://ui.example.org/runs/1",
    }


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("at postgresql://user:p@ss/w:rd@host:5432/db", "at postgresql://***@host:5432/db"),
        ("at postgresql+psycopg2://user:pass@host/db failed", "at postgresql+psycopg2://***@host/db failed"),
        ("push to https://ghp_abc@github.com/x", "push to https://***@github.com/x"),
        ("token hf_AbCdEfGhIjKlMnOpQr is bad", "token hf_*** is bad"),
        ("Authorization: Bearer abc.def-ghi", "Authorization: Bearer ***"),
        ('{"password": "a b c", "x": 1}', '{"password": ***, "x": 1}'),
        ("host=x password=secret dbname=y", "host=x password=*** dbname=y"),
        ("https://host/?token=abc&day=1", "https://host/?token=***&day=1"),
        ("see https://huggingface.co/docs, or mail a@b.org", "see https://huggingface.co/docs, or mail a@b.org"),
        ("hf_parquet_shard of hf_existing_ids failed", "hf_parquet_shard of hf_existing_ids failed"),
    ],
)
def test_what_looks_like_a_secret_is_blotted_out_and_the_rest_is_not(text: str, told: str):
    assert redact(text) == told


@given(
    st.text(max_size=40),
    st.text(st.characters(categories=("L", "N")), min_size=12, max_size=40),
    st.sampled_from(["postgresql://user:{}@host/db", "hf_{}", "Bearer {}", "password={}", "'token': '{}'"]),
    st.sampled_from(["", " ", "\n", ". "]),
)
def test_no_secret_is_in_a_message_whatever_stands_around_it(around: str, secret: str, form: str, gap: str):
    secret = f"s3cret{secret}"
    message = alert(error=f"{around} {form.format(secret)}{gap}{around}").message().decode()
    assert secret not in json.loads(message)["text"]
    assert "s3cret" not in message


def test_a_long_error_is_cut_short():
    assert len(json.loads(alert(error="x" * 100_000).message())["text"]) < 1_100


def test_an_alert_is_sent_once_however_often_it_is_put(alerts: AlertOutbox, receiver: Receiver):
    for _ in range(3):
        alerts.enqueue(alert())
        alerts.enqueue(alert())
        alerts.deliver()
    assert [each["asset"] for each in receiver.messages] == ["hf_parquet_shard"]


def test_another_process_does_not_send_it_again(alerts: AlertOutbox, receiver: Receiver, tmp_path: Path):
    alerts.enqueue(alert())
    assert alerts.deliver() == 1
    other = AlertOutbox(receiver.url, Folder(str(tmp_path)))
    other.enqueue(alert())
    assert other.deliver() == 0
    assert len(receiver.messages) == 1


@pytest.mark.parametrize("status", [429, 500, 502, 503])
def test_a_receiver_that_fails_once_is_tried_again_at_once(alerts: AlertOutbox, receiver: Receiver, status: int):
    receiver.answers = [status]
    alerts.enqueue(alert())
    assert alerts.deliver() == 1
    assert len(receiver.messages) == 2


@pytest.mark.parametrize("status", [301, 401, 403, 404, 500])
def test_an_alert_that_is_refused_waits_and_the_others_behind_it(alerts: AlertOutbox, receiver: Receiver, status: int):
    receiver.answers = [status] * 3
    alerts.enqueue(alert())
    alerts.enqueue(alert("run-2", run_id="2"))
    with pytest.raises(AlertRefusedError, match=f"answers {status}: the alert waits") as caught:
        alerts.deliver()
    assert "s3cret-path" not in str(caught.value)
    receiver.answers, receiver.messages = [], []
    assert alerts.deliver() == 2
    assert [each["run_id"] for each in receiver.messages] == ["", "2"]
    assert alerts.deliver() == 0


@pytest.mark.parametrize("status", [400, 413, 422])
def test_an_alert_that_the_receiver_refuses_for_what_it_says_lets_the_others_pass(
    alerts: AlertOutbox, receiver: Receiver, status: int
):
    for number in range(7):
        alerts.enqueue(alert(f"run-{number}", run_id=f"{number}"))
    receiver.answers = [status, 200, status]
    with pytest.raises(AlertRefusedError, match=f"answers {status}: the alert waits"):
        alerts.deliver()
    assert [each["run_id"] for each in receiver.messages] == list("0123456")
    assert [alerts.deliver() for _ in range(2)] == [2, 0]
    assert [each["run_id"] for each in receiver.messages[7:]] == list("02")


def test_an_alert_that_is_just_being_written_is_left_to_its_writer(alerts: AlertOutbox, receiver: Receiver):
    with alerts._folder.writing("alerts/waiting/run-1.json") as file:
        file.write(alert().message()[:20])
        assert alerts.deliver() == 0
        file.write(alert().message()[20:])
    assert alerts.deliver() == 1
    assert len(receiver.messages) == 1


def test_an_alert_waits_for_a_receiver_that_is_away(receiver: Receiver, tmp_path: Path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{free.getsockname()[1]}/s3cret-path"
    away = AlertOutbox(nobody, Folder(str(tmp_path)))
    away.enqueue(alert())
    with pytest.raises(AlertRefusedError, match="Nobody takes alerts") as caught:
        away.deliver()
    assert "s3cret-path" not in str(caught.value)
    assert caught.value.__suppress_context__
    assert AlertOutbox(receiver.url, Folder(str(tmp_path))).deliver() == 1


@pytest.mark.parametrize("answer", ["slow", "gone", "trickle", 504, 408, 502])
def test_an_alert_whose_answer_is_504_late_broken_off_or_missing_is_sent_again_until_one_is_2xx(
    alerts: AlertOutbox, receiver: Receiver, answer: str | int, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(room, "_ALERT_SECONDS", 0.3)
    monkeypatch.setattr(room, "_MAX_ATTEMPTS", 1)
    receiver.answers = [answer, answer]
    alerts.enqueue(alert())
    for _ in range(2):
        with pytest.raises(AlertRefusedError, match="the alert waits") as caught:
            alerts.deliver()
        assert "s3cret-path" not in str(caught.value)
    monkeypatch.undo()
    assert [alerts.deliver() for _ in range(3)] == [1, 0, 0]
    alerts.enqueue(alert())
    assert alerts.deliver() == 0
    assert len(receiver.messages) == 3


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_an_alert_that_a_plain_2xx_has_taken_is_never_sent_twice(alerts: AlertOutbox, receiver: Receiver, status: int):
    receiver.answers = [status]
    alerts.enqueue(alert())
    assert [alerts.deliver() for _ in range(2)] == [1, 0]
    assert len(receiver.messages) == 1


@pytest.mark.parametrize("status", [307, 308])
def test_a_redirect_that_keeps_the_post_is_followed(
    alerts: AlertOutbox,
    receiver: Receiver,
    status: int,
):
    with receiving() as other:
        receiver.answers, receiver.location = [status], other.url
        alerts.enqueue(alert())
        assert alerts.deliver() == 1
    assert len(receiver.messages) == len(other.messages) == 1
    assert receiver.messages == other.messages


@pytest.mark.parametrize("status", [301, 302, 303])
def test_a_redirect_that_would_lose_the_post_is_named_with_its_host_and_not_followed(
    alerts: AlertOutbox, receiver: Receiver, status: int
):
    receiver.answers, receiver.location = [status], "https://hooks.example.org/s3cret-path"
    alerts.enqueue(alert())
    with pytest.raises(AlertRefusedError, match=rf"answers {status} and redirects to hooks\.example\.org") as caught:
        alerts.deliver()
    assert "s3cret-path" not in str(caught.value)
    receiver.location = ""
    assert alerts.deliver() == 1


def test_redirects_in_a_circle_are_named(alerts: AlertOutbox, receiver: Receiver):
    receiver.answers, receiver.location = [307] * 20, receiver.url
    alerts.enqueue(alert())
    with pytest.raises(AlertRefusedError, match="answers 307"):
        alerts.deliver()


def test_a_receiver_with_a_wrong_certificate_is_named_and_the_alert_waits(tmp_path: Path, receiver: Receiver):
    with tls_server(tmp_path) as url:
        away = AlertOutbox(url, Folder(str(tmp_path)))
        away.enqueue(alert())
        with pytest.raises(AlertRefusedError, match="The certificate of GOVBR_ALERT_URL is not valid"):
            away.deliver()
    assert AlertOutbox(receiver.url, Folder(str(tmp_path))).deliver() == 1


def test_many_alerts_at_a_slow_receiver_do_not_hold_a_delivery_longer_than_its_time(
    alerts: AlertOutbox, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
):
    clock = count()
    monkeypatch.setattr(room, "time", SimpleNamespace(monotonic=lambda: 6 * next(clock), sleep=time.sleep))
    for number in range(5):
        alerts.enqueue(alert(f"run-{number}"))
    assert [alerts.deliver() for _ in range(6)] == [1, 1, 1, 1, 1, 0]
    assert len(receiver.messages) == 5


def test_a_crash_while_it_is_sent_does_not_send_it_twice(alerts: AlertOutbox, receiver: Receiver):
    class Crash(BaseException):
        pass

    def crash(message: bytes) -> None:
        AlertOutbox._post(alerts, message)
        raise Crash

    alerts.enqueue(alert())
    alerts._post = crash  # pyright: ignore[reportAttributeAccessIssue]
    with pytest.raises(Crash):
        alerts.deliver()
    del alerts._post
    alerts.enqueue(alert())
    assert alerts.deliver() == 0
    assert len(receiver.messages) == 1


def test_a_crash_between_the_two_notes_of_a_delivery_does_not_send_it_twice(alerts: AlertOutbox, receiver: Receiver):
    alerts.enqueue(alert())
    alerts._folder.write("alerts/sent/run-1.json", b"{}")
    assert alerts.deliver() == 0
    assert not receiver.messages
    assert alerts._folder.names("alerts/waiting") == []


def test_a_few_are_sent_at_a_time_and_the_rest_after_them(alerts: AlertOutbox, receiver: Receiver):
    for number in range(12):
        alerts.enqueue(alert(f"run-{number:02}"))
    assert [alerts.deliver() for _ in range(4)] == [5, 5, 2, 0]
    assert len(receiver.messages) == 12


def test_without_a_url_there_is_nothing_to_send_with(tmp_path: Path):
    assert AlertResource(url="", storage_url=str(tmp_path)).client() is None
    assert list(tmp_path.iterdir()) == []


def test_a_malformed_url_is_named_by_its_setting_and_not_repeated(tmp_path: Path):
    with pytest.raises(ConfigurationError, match="GOVBR_ALERT_URL is malformed") as caught:
        AlertResource(url="hooks.example.org/s3cret", storage_url=str(tmp_path)).client()
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(("age", "late"), [(timedelta(hours=47), False), (TWO_DAYS, True), (timedelta(days=9), True)])
def test_nothing_made_for_too_long_is_an_alert(age: timedelta, late: bool):
    assert bool(overdue_alert("hub_reconciliation", NOW - age, NOW, TWO_DAYS)) == late


def test_one_lapse_has_one_key_and_the_next_one_another():
    last = NOW - TWO_DAYS
    keys = [
        told.key
        for at, now in [(last, NOW), (last, NOW + timedelta(days=3)), (NOW, NOW + TWO_DAYS)]
        if (told := overdue_alert("hub_reconciliation", at, now, TWO_DAYS))
    ]
    assert keys == ["lapse-hub_reconciliation-20261122T120000"] * 2 + ["lapse-hub_reconciliation-20261124T120000"]
