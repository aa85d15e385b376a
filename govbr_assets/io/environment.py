"""Checks of environment variables that the HTTP clients and the Hub's client read themselves.

Without these checks the clients fail with exceptions of their own, some during import. Settings of this project belong
to `definitions`.
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
_TRUE = ("1", "ON", "YES", "TRUE")  # values that the Hub's client takes for true
_CERTIFICATES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
_PROXIES = {"http": 80, "https": 443, "socks5": 1080, "socks5h": 1080}
"""Schemes of proxies, with their default ports."""

_SOCKS = {"socksio": "the Hub's client", "socks": "the viewer's (PySocks)"}
_PROBE_SECONDS = 3.0  # to connect to a proxy


def prepare() -> None:
    """Correct the variables that the Hub's client reads during its import, and check that there is a temporary folder.

    Raises:
        BeginningError: a timeout is not a whole number of seconds, or the Hub's address has no port that can be read,
            so that the client cannot be imported; or no folder for temporary files can be written.
    """
    try:
        tempfile.gettempdir()
    except FileNotFoundError:
        raise BeginningError("No folder for temporary files can be written: set TMPDIR to one that can.") from None
    for name in ("HF_ENDPOINT", *_SECONDS):
        if name in os.environ and not cleaned(os.environ[name]):
            del os.environ[name]  # the client would use the empty value
    for name in _SECONDS:
        seconds = cleaned(os.environ.get(name, "1"))
        if not seconds.isdecimal() or not int(seconds):
            raise BeginningError(f"{name} is {os.environ[name]!r}: write whole seconds, or leave it out.")
        if name in os.environ:
            os.environ[name] = cleaned(os.environ[name])
    try:
        os.environ["HF_ENDPOINT"] = base_url("HF_ENDPOINT", os.environ["HF_ENDPOINT"], "https://huggingface.co")
    except KeyError:
        return  # it is not set
    except ConfigurationError as error:  # which is reported when it is used, if the client can be imported with it
        try:
            _ = urlsplit(os.environ["HF_ENDPOINT"]).port
        except ValueError:
            raise BeginningError(str(error)) from None


def check_network(url: str) -> None:
    """Check the proxy and certificate variables before a URL is requested.

    Raises:
        ConfigurationError: a proxy or certificate file cannot be used; the message names the variable.
    """
    for name in _CERTIFICATES:
        if value := os.environ.get(name):
            _check_certificates(name, value)
    found = getproxies()
    if "*" in [host.strip() for host in found.get("no", "").split(",")]:
        return
    # The Hub's client parses all of them, even those that do not apply to the URL.
    proxies = {name: _check_proxy(_variable(name), found[name]) for name in ("http", "https", "all") if name in found}
    proxy = proxies.get(urlsplit(url).scheme) or proxies.get("all")
    if proxy and not proxy_bypass(urlsplit(url).hostname or ""):
        _check_connection(*proxy)


def check_hub(url: str) -> None:
    """Check the variables of the Hub's client before it is used.

    Raises:
        ConfigurationError: as `check_network`, or the client is in offline mode, or has no writable cache folder.
    """
    for name in _OFFLINE:
        if os.environ.get(name, "").upper() in _TRUE:
            raise ConfigurationError(f"{name} is {os.environ[name]!r}, so that the Hub may not be asked: unset it.")
    check_network(url)
    _check_cache()


def _check_certificates(name: str, value: str) -> None:
    if name != "SSL_CERT_FILE" and Path(value).is_dir():
        return
    try:
        _load_certificates(value)
    except (OSError, ValueError) as error:  # SSLError is an OSError
        raise ConfigurationError(
            f"{name} is {value!r}, which is no file of certificates ({_reason(error)}): correct it, or unset it."
        ) from None


@lru_cache(maxsize=8)  # the variables mostly name one file, for each client again
def _load_certificates(value: str) -> None:
    ssl.create_default_context(cafile=value)


def _variable(scheme: str) -> str:
    """Return the name of the variable for a proxy; the lower-case one takes precedence."""
    name = f"{scheme}_proxy"
    return name if name in os.environ else name.upper()


def _check_proxy(name: str, proxy: str) -> tuple[str, str, int]:
    """Parse the address of a proxy; return its variable, host and port."""
    try:
        parts = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
        host, port = parts.hostname, parts.port
    except ValueError:
        parts, host, port = urlsplit(""), None, None
    if parts.scheme not in _PROXIES or not host or any(character.isspace() for character in proxy):
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
        create_connection((host, port), _PROBE_SECONDS).close()
    except OSError as error:
        raise ConfigurationError(
            f"{name} names a proxy at {host}:{port} that accepts no connection ({_reason(error)}): correct it, unset"
            " it, or list the hosts that need none in NO_PROXY."
        ) from None


@lru_cache(maxsize=1)  # which also keeps the temporary folder until the process ends
def _check_cache() -> tempfile.TemporaryDirectory[str] | None:
    """Check that the client's cache folder is writable; without a home directory, set and return a temporary one."""
    chosen = os.environ.get("HF_XET_CACHE")
    home = Path(os.environ.get("HF_HOME") or Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache") / "huggingface")
    try:
        write_in(Path(chosen or home / "xet").expanduser())
    except (OSError, RuntimeError) as error:  # RuntimeError: no home directory
        if chosen:
            raise ConfigurationError(
                f"HF_XET_CACHE is {chosen!r}, which is not writable ({_reason(error)}): correct it, or unset it."
            ) from None
        made = tempfile.TemporaryDirectory(prefix="govbr-xet-", ignore_cleanup_errors=True)
        os.environ["HF_XET_CACHE"] = made.name
        return made
    return None


def write_in(folder: Path) -> None:
    """Write in a folder, which is made if it is not there, and leave nothing.

    Raises:
        OSError: it cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder):
        return


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)
