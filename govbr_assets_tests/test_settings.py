"""URL settings as people write them, and what others have left in the environment: it works, or is named at once."""

import base64
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests

from govbr_assets.alerts.outbox import AlertOutbox
from govbr_assets.dataset import Dataset
from govbr_assets.defs.resources import AlertResource, HubResource
from govbr_assets.errors import (
    BeginningError,
    ConfigurationError,
    HubDeniedError,
    HubUnavailableError,
    PermanentError,
    ViewerUncertainError,
)
from govbr_assets.huggingface.viewer import Viewer
from govbr_assets.io import environment
from govbr_assets.io.settings import base_url, web_url
from govbr_assets.io.storage.folder import Folder
from govbr_assets.local.hub import LocalHub
from govbr_assets.local.viewer import LocalViewer
from govbr_assets.publications import NEWS
from govbr_assets_tests.unreachable import tls_server

ROOT = Path(__file__).parents[1]
NETWORK = (
    *("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "all_proxy", "no_proxy"),
    *(
        "SSL_CERT_FILE",
        "REQUESTS_CA_BUNDLE",
        "CURL_CA_BUNDLE",
        "HF_HUB_OFFLINE",
        "TRANSFORMERS_OFFLINE",
        "HF_XET_CACHE",
    ),
)


@pytest.fixture(autouse=True)
def nothing_left_over(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NETWORK:
        monkeypatch.delenv(name, raising=False)
    environment._check_cache.cache_clear()


@pytest.fixture
def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.mark.parametrize(
    "written", ["{}", "{}/", "{}///", " {} ", "{}/\r\n", "'{}'", '"{}/" ', "\ufeff{}", "{}\u00a0", "upper"]
)
def test_the_url_of_a_service_works_as_people_write_it(written: str, hub: Dataset, local_hub: LocalHub):
    url = local_hub.endpoint.upper() if written == "upper" else written.format(local_hub.endpoint)
    hub.client.create()
    client = HubResource(repo_id=f" {hub.client.repo_id}\n", token=f"{local_hub.write_token}\n", endpoint=url).dataset()
    assert client.client.head().revision
    assert [commit.revision for commit in client.client.commits()] == [client.client.head().revision]
    assert base_url("X", url, "x") == local_hub.endpoint


URLS: dict[str, Any] = {
    "HF_ENDPOINT": lambda url, _: Dataset.open("org/news", NEWS, token="hf_x", endpoint=url),
    "GOVBR_VIEWER_URL": lambda url, _: Viewer(url, "org/news"),
    "GOVBR_ALERT_URL": lambda url, folder: AlertOutbox(url, Folder(str(folder))),
}


@pytest.mark.parametrize("name", URLS)
@pytest.mark.parametrize(
    "url",
    [
        "huggingface.co/s3cret", "//huggingface.co/s3cret", "htps://host/s3cret", "https:/host/s3cret", "https://",
        "https://ho st/s3cret", "https://host/s3cret and more", "https://host:port/s3cret", "https://host:99999/s3cret",
        "file:///etc/s3cret", "https://user:s3cret@", "https://hóst/s3cret", "https://[::1/s3cret", "http://?s3cret",
        "https://https://s3cret", "https://./s3cret", "https://s3cret..org", "https://%s3cret",
        f"https://{'s3cret' * 20}",
    ],
)  # fmt: skip
def test_a_malformed_url_is_named_by_its_setting_and_never_shown(name: str, url: str, tmp_path: Path):
    with pytest.raises(
        ConfigurationError, match=rf"^{name} is malformed, for it .*: write a URL such as https://"
    ) as caught:
        URLS[name](url, tmp_path)
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("name", ["HF_ENDPOINT", "GOVBR_VIEWER_URL"])
@pytest.mark.parametrize(
    "url", ["https://user:s3cret@host", "https://s3cret@host", "https://host/?s3cret=1", "https://host/#s3cret"]
)
def test_a_url_that_paths_are_added_to_has_no_user_and_no_question_mark(name: str, url: str, tmp_path: Path):
    with pytest.raises(ConfigurationError, match=f"^{name} h") as caught:
        URLS[name](url, tmp_path)
    assert "s3cret" not in str(caught.value)


def test_a_path_a_port_and_an_address_in_a_url_stay_as_they_are():
    url = "https://Mirror.Example.org:8443/Api/HF/"
    assert base_url("X", url, "x") == "https://mirror.example.org:8443/Api/HF"
    assert base_url("X", "http://[::1]:80/", "x") == "http://[::1]:80"
    assert web_url("X", "HTTPS://U:Pa@Host/T0?Key=A", "x") == "https://U:Pa@host/T0?Key=A"


@pytest.mark.parametrize("path", ["/datasets", "/api", "/org/news"])
def test_a_path_that_leads_to_no_hub_is_told_by_hf_endpoint(path: str, local_hub: LocalHub):
    with pytest.raises(HubDeniedError, match="Look at HF_ENDPOINT"):
        Dataset.open("org/news", NEWS, token=local_hub.write_token, endpoint=local_hub.endpoint + path).client.head()


def test_another_service_in_place_of_the_hub_is_told_by_hf_endpoint(viewer_server: LocalViewer):
    with pytest.raises(HubDeniedError, match="Look at HF_ENDPOINT"):
        Dataset.open("org/news", NEWS, token="hf_x", endpoint=viewer_server.url).client.head()


@pytest.mark.parametrize("lost", ["certificate", "no TLS", "name"])
def test_a_hub_to_which_no_way_leads_is_told_once_by_hf_endpoint(lost: str, local_hub: LocalHub, tmp_path: Path):
    try:
        socket.getaddrinfo("hub.invalid", 80)
    except socket.gaierror as error:
        if lost == "name" and error.errno != socket.EAI_NONAME:
            pytest.skip("no resolver that knows which names there are")
    with tls_server(tmp_path) as tls:
        no_tls = local_hub.endpoint.replace("http:", "https:")
        endpoint = {"certificate": tls, "no TLS": no_tls, "name": "http://hub.invalid"}[lost]
        with pytest.raises(HubDeniedError, match=r"^There is no way to the Hub while .* Look at HF_ENDPOINT"):
            Dataset.open("org/news", NEWS, token="hf_x", endpoint=endpoint).client.head()


def test_a_hub_that_takes_no_connection_may_be_back(free_port: int):
    with pytest.raises(HubUnavailableError, match="Connection refused"):
        Dataset.open("org/news", NEWS, token="hf_x", endpoint=f"http://127.0.0.1:{free_port}").client.head()


@pytest.mark.parametrize(("url", "link"), [
    ("https://ui.example.org/dagster/ ", "https://ui.example.org/dagster/runs/1"),
    ("ui.example.org", "GOVBR_UI_URL is malformed"),
    ("https://me:s3cret@ui.example.org", "GOVBR_UI_URL holds a user or a password"),
    ("' '", ""),
])  # fmt: skip
def test_an_alert_does_not_wait_for_the_url_of_the_ui(url: str, link: str):
    told = AlertResource(url="https://hooks.example.org/x", ui_url=url).link("1")
    assert told.startswith(link)
    assert "s3cret" not in told


def check() -> None:
    environment.check_hub("https://hub.example.org")


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("ALL_PROXY", "socks5://127.0.0.1:1080", "ALL_PROXY names a SOCKS proxy.*socksio"),
        ("https_proxy", "socks5h://user:s3cret@proxy", "https_proxy names a SOCKS proxy"),
        ("HTTPS_PROXY", "http://pro:xy:80:80", "HTTPS_PROXY names no proxy that can be read"),
        ("HTTP_PROXY", "ftp://user:s3cret@proxy", "HTTP_PROXY names no proxy"),
        ("ALL_PROXY", "http://", "ALL_PROXY names no proxy"),
        ("https_proxy", "proxy:port", "https_proxy names no proxy"),
        ("HTTPS_PROXY", "http://[::1", "HTTPS_PROXY names no proxy"),
        ("HF_HUB_OFFLINE", "1", "HF_HUB_OFFLINE is '1'"),
        ("TRANSFORMERS_OFFLINE", "yes", "TRANSFORMERS_OFFLINE is 'yes'"),
        ("SSL_CERT_FILE", "/nowhere/ca.pem", "SSL_CERT_FILE is '/nowhere/ca.pem'.*No such file"),
        ("REQUESTS_CA_BUNDLE", __file__, "REQUESTS_CA_BUNDLE is .* no file of certificates"),
        ("CURL_CA_BUNDLE", "/nowhere", "CURL_CA_BUNDLE is '/nowhere'"),
        ("HF_XET_CACHE", "/proc/nowhere", "HF_XET_CACHE is '/proc/nowhere', which is not writable"),
    ],
)
def test_what_is_left_over_in_the_environment_is_named_at_once(
    name: str, value: str, told: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError, match=f"^{told}") as caught:
        check()
    assert "s3cret" not in str(caught.value)
    monkeypatch.delenv(name)


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "all_proxy"])
def test_a_dead_proxy_is_named_at_once_unless_the_host_needs_none(
    name: str, free_port: int, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv(name, f"127.0.0.1:{free_port}")
    with pytest.raises(ConfigurationError, match=f"^{name} names a proxy at 127.0.0.1:{free_port} .*refused"):
        check()
    monkeypatch.setenv("NO_PROXY", "localhost, hub.example.org")
    check()
    monkeypatch.setenv("NO_PROXY", "*")
    check()


def test_a_proxy_for_another_scheme_is_not_asked_but_must_be_one(free_port: int, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{free_port}")
    check()
    monkeypatch.setenv("HTTP_PROXY", "what is this")
    with pytest.raises(ConfigurationError, match="HTTP_PROXY"):
        check()


def test_without_a_home_that_can_be_written_the_client_gets_a_temporary_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("HF_HOME", str(tmp_path / "file" / "home"))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    check()
    made = Path(os.environ["HF_XET_CACHE"])
    assert made.is_relative_to(tmp_path)
    assert made.is_dir()
    environment._check_cache.cache_clear()  # as at the end of the process
    assert not made.exists()


def test_without_a_temporary_folder_nothing_loads_and_tmpdir_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setattr("tempfile.tempdir", None)
    monkeypatch.setattr("tempfile._candidate_tempdir_list", lambda: [str(tmp_path / "nowhere")])
    with pytest.raises(BeginningError, match=r"^No folder for temporary files .* set TMPDIR"):
        environment.prepare()


def test_the_viewer_and_alerts_name_what_is_left_over_as_well(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, viewer_server: LocalViewer
):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere")
    with pytest.raises(ConfigurationError, match="REQUESTS_CA_BUNDLE"):
        Viewer(viewer_server.url, "org/news")


def load(**left_over: str) -> subprocess.CompletedProcess[str]:
    """Load the package in a process of its own, and say what the Hub's client has read."""
    code = (
        "import govbr_assets; from huggingface_hub import constants as c; print(c.ENDPOINT, c.HF_HUB_DOWNLOAD_TIMEOUT)"
    )
    command, variables = [sys.executable, "-c", code], os.environ | left_over
    return subprocess.run(command, env=variables, cwd=ROOT, capture_output=True, text=True, check=False)


def test_what_the_client_of_the_hub_reads_at_its_import_is_mended_before():
    done = load(
        HF_ENDPOINT=" 'HTTPS://Mirror.example.org/hf/'\n", HF_HUB_DOWNLOAD_TIMEOUT=" 7 ", HF_HUB_ETAG_TIMEOUT=""
    )
    assert done.stdout.split() == ["https://mirror.example.org/hf", "7"], done.stderr


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("HF_HUB_DOWNLOAD_TIMEOUT", "ten"),
        ("HF_HUB_ETAG_TIMEOUT", "10.5"),
        ("HF_HUB_DOWNLOAD_TIMEOUT", "10s"),
        ("HF_HUB_ETAG_TIMEOUT", "0"),
    ],
)
def test_a_time_out_that_is_no_number_is_one_sentence(name: str, value: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(name, value)
    with pytest.raises(BeginningError, match=f"^{name} is '{value}': write whole seconds, or leave it out"):
        environment.prepare()


def test_an_empty_variable_is_none(monkeypatch: pytest.MonkeyPatch):
    for name in ("HF_ENDPOINT", "HF_HUB_DOWNLOAD_TIMEOUT", "HF_HUB_ETAG_TIMEOUT"):
        monkeypatch.setenv(name, " ")
    environment.prepare()
    assert "HF_ENDPOINT" not in os.environ
    assert "HF_HUB_DOWNLOAD_TIMEOUT" not in os.environ


def test_a_run_with_a_left_over_proxy_ends_at_once(free_port: int, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{free_port}")
    resource = HubResource(repo_id="org/proxied", token="hf_x", endpoint="http://hub.example.org")
    with pytest.raises(PermanentError, match="HTTP_PROXY names a proxy"):
        resource.dataset()


@pytest.fixture
def netrc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "netrc"
    file.write_text("machine 127.0.0.1 login somebody password else\ndefault login somebody password else\n")
    file.chmod(0o600)
    monkeypatch.setenv("NETRC", str(file))
    assert requests.utils.get_netrc_auth("http://127.0.0.1") == ("somebody", "else")


class Listener(ThreadingHTTPServer):
    """Writes down who asks, on loopback, and sends a first request on to another path."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Asked)
        self.credentials: list[str | None] = []
        self.url = f"http://127.0.0.1:{self.server_address[1]}"


class _Asked(BaseHTTPRequestHandler):
    server: Listener  # pyright: ignore[reportIncompatibleVariableOverride]

    def do_GET(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.credentials.append(self.headers["Authorization"])
        self.send_response(204 if self.path.startswith("/on") else 307)
        self.send_header("Location", f"{self.server.url}/on")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_POST(self) -> None:
        self.do_GET()

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def listener() -> Iterator[Listener]:
    server = Listener()
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.mark.usefixtures("netrc")
@pytest.mark.parametrize(("token", "sent"), [("hf_x", "Bearer hf_x"), (None, None)])
def test_a_netrc_for_the_host_of_the_viewer_does_not_replace_our_token(
    token: str | None, sent: str | None, listener: Listener
):
    with pytest.raises(ViewerUncertainError):
        Viewer(listener.url, "org/news", token).rows("0" * 40)
    assert listener.credentials == [sent, sent]


@pytest.mark.usefixtures("netrc")
def test_a_netrc_gives_no_credentials_to_alerts(listener: Listener, tmp_path: Path):
    AlertOutbox(f"{listener.url}/hook", Folder(str(tmp_path)))._post(b"{}")
    assert listener.credentials == [None, None]


@pytest.mark.usefixtures("netrc")
def test_a_netrc_does_not_replace_the_token_for_the_hub(hub: Dataset):
    hub.client.create()
    assert hub.client.head().revision  # of a private repo, which nobody else may see


def test_a_user_and_a_password_in_the_url_of_alerts_are_used(listener: Listener, tmp_path: Path):
    url = listener.url.replace("://", "://me:Pass%40word@")
    AlertOutbox(f"{url}/on", Folder(str(tmp_path)))._post(b"{}")
    assert listener.credentials == [f"Basic {base64.b64encode(b'me:Pass@word').decode()}"]


def test_a_proxy_of_the_environment_is_still_used_for_the_viewer(listener: Listener, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HTTP_PROXY", listener.url)
    with pytest.raises(ViewerUncertainError):
        Viewer("http://viewer.example.org", "org/news", "hf_x").rows("0" * 40)
    assert listener.credentials[:1] == ["Bearer hf_x"]
