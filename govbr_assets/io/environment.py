"""What others have left in the environment for the clients of the Hub, the viewer and alerts, which read it themselves.

Left to themselves they fail with bare exceptions, some while they are imported. Settings of ours are `definitions`'.
"""

import os
import ssl
import tempfile
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from socket import create_connection
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from govbr_assets.errors import BeginningError, ConfigurationError
from govbr_assets.io.settings import base_url, cleaned

_SECONDS = ("HF_HUB_DOWNLOAD_TIMEOUT", "HF_HUB_ETAG_TIMEOUT")
_OFFLINE = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")
_YES = ("1", "ON", "YES", "TRUE")  # as the Hub's client reads it
_CERTIFICATES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
_PROXIES = {"http": 80, "https": 443, "socks5": 1080, "socks5h": 1080}
"""Schemes of proxies, each with the port that it has by default."""

_SOCKS = {"socksio": "the Hub's client", "socks": "the viewer's (PySocks)"}
_PROBE = 3.0  # seconds for a connection to a proxy


def prepare() -> None:
    """Mend what the Hub's client reads once, when it is imported.

    Raises:
        BeginningError: a time-out is no number of seconds, with which it cannot be imported.
    """
    for name in ("HF_ENDPOINT", *_SECONDS):
        if name in os.environ and not cleaned(os.environ[name]):
            del os.environ[name]  # an empty one would be taken for a value
    for name in _SECONDS:
        seconds = cleaned(os.environ.get(name, "1"))
        if not seconds.isdecimal() or not int(seconds):
            raise BeginningError(f"{name} is {os.environ[name]!r}: write whole seconds, or leave it out.")
        if name in os.environ:
            os.environ[name] = cleaned(os.environ[name])
    try:
        os.environ["HF_ENDPOINT"] = base_url("HF_ENDPOINT", os.environ["HF_ENDPOINT"], "https://huggingface.co")
    except (KeyError, ConfigurationError):
        return  # it is not set, or whoever uses it will say what is wrong with it


def check_network(url: str) -> None:
    """Look at what every client of HTTP takes from the environment, before one asks for a URL.

    Raises:
        ConfigurationError: a proxy or a file of certificates that cannot be used, with the variable that names it.
    """
    for name in _CERTIFICATES:
        if value := os.environ.get(name):
            _check_certificates(name, value)
    found = getproxies()
    if "*" in [each.strip() for each in found.get("no", "").split(",")]:
        return
    # The Hub's client reads all of them, also those that it does not need for a host.
    places = {each: _check_proxy(_variable(each), found[each]) for each in ("http", "https", "all") if each in found}
    place = places.get(urlsplit(url).scheme) or places.get("all")
    if place and not proxy_bypass(urlsplit(url).hostname or ""):
        _check_connection(*place)


def check_hub(url: str) -> None:
    """Look at what the Hub's client takes from the environment, before it is used.

    Raises:
        ConfigurationError: as `check_network`, or it may not ask the Hub, or has no folder for itself.
    """
    for name in _OFFLINE:
        if os.environ.get(name, "").upper() in _YES:
            raise ConfigurationError(f"{name} is {os.environ[name]!r}, so that the Hub may not be asked: unset it.")
    check_network(url)
    _check_cache()


def _check_certificates(name: str, value: str) -> None:
    if name != "SSL_CERT_FILE" and Path(value).is_dir():
        return
    try:
        ssl.create_default_context(cafile=value)
    except (OSError, ValueError) as error:  # an SSLError is one
        raise ConfigurationError(
            f"{name} is {value!r}, which is no file of certificates ({_said(error)}): correct it, or unset it."
        ) from None


def _variable(scheme: str) -> str:
    """Name the variable that a proxy comes from; the lower-case one wins."""
    name = f"{scheme}_proxy"
    return name if name in os.environ else name.upper()


def _check_proxy(name: str, proxy: str) -> tuple[str, str, int]:
    """Read the address of a proxy: its variable, host and port."""
    try:
        parts = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
        host, port = parts.hostname, parts.port
    except ValueError:
        parts, host, port = urlsplit(""), None, None
    if parts.scheme not in _PROXIES or not host or any(each.isspace() for each in proxy):
        raise ConfigurationError(f"{name} names no proxy that can be read: write http://host:port, or unset it.")
    missing = [f"{package} for {client}" for package, client in _SOCKS.items() if find_spec(package) is None]
    if parts.scheme.startswith("socks") and missing:
        raise ConfigurationError(
            f"{name} names a SOCKS proxy, which needs packages that are not installed ({', '.join(missing)}): install"
            " them, name an HTTP proxy, or unset it."
        )
    return name, host, port or _PROXIES[parts.scheme]


def _check_connection(name: str, host: str, port: int) -> None:
    try:
        create_connection((host, port), _PROBE).close()
    except OSError as error:
        raise ConfigurationError(
            f"{name} names a proxy at {host}:{port} that takes no connection ({_said(error)}): correct it, unset it, or"
            " name hosts that need none in NO_PROXY."
        ) from None


@lru_cache(maxsize=1)
def _check_cache() -> None:
    """See that the Hub's client has a folder for the chunks that it sends; with no home it gets a temporary one."""
    chosen = os.environ.get("HF_XET_CACHE")
    home = Path(os.environ.get("HF_HOME") or Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache") / "huggingface")
    try:
        _write(Path(chosen or home / "xet").expanduser())
    except (OSError, RuntimeError) as error:  # no home is a RuntimeError
        if chosen:
            raise ConfigurationError(
                f"HF_XET_CACHE is {chosen!r}, where nothing can be written ({_said(error)}): correct it, or unset it."
            ) from None
        os.environ["HF_XET_CACHE"] = tempfile.mkdtemp(prefix="govbr-xet-")


def _write(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder):
        return


def _said(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)
