"""Cleaning and validation of the values of settings. Where they come from belongs to `definitions`.

No message quotes a value, since it may be or contain a secret.
"""

import re
from urllib.parse import urlsplit

from govbr_assets.errors import ConfigurationError

_INVISIBLE = "\ufeff\u200b\u200c\u200d\u2060"  # left by copy and paste, and ignored by `str.strip`
_QUOTES = "\"'`"
_MAX_HOST = 254  # characters of a host name
_NAME, _ADDRESS = r"(?!-)[\w-]{1,63}(?:\.[\w-]{1,63})*\.?", r"[0-9a-f.]*:[0-9a-f:.]*(?:%[\w.-]+)?"
_HOST = re.compile(f"{_NAME}|{_ADDRESS}")


def cleaned(value: str) -> str:
    """Strip blanks, line ends, byte order marks and one pair of quotes from a value."""
    value = _stripped(value)
    if len(value) > 1 and value[0] == value[-1] and value[0] in _QUOTES:
        value = _stripped(value[1:-1])
    return value


def whole_number(value: str) -> int | None:
    """Read a whole number in ASCII digits, 15 at most; None if it is none."""
    return int(value) if re.fullmatch(r"[0-9]{1,15}", value) else None


def token(name: str, value: str) -> str:
    """Clean and validate a token.

    Args:
        name: of the setting.
        value: empty stays empty.

    Raises:
        ConfigurationError: it cannot be sent in an HTTP header.
    """
    value = cleaned(value)
    if not re.fullmatch(r"[!-~]*", value):
        raise ConfigurationError(
            f"{name} holds a blank, a line end or a character that is not ASCII: write the token and nothing else."
        )
    if value.startswith(f"{name}="):
        raise ConfigurationError(f"{name} begins with its own name: write the token and nothing else.")
    if set(value) & set(_QUOTES):
        raise ConfigurationError(f"{name} holds a quote: write the token without quotes.")
    return value


def web_url(name: str, value: str, example: str) -> str:
    """Clean and validate the URL of a service.

    Args:
        name: of the setting.
        value: empty stays empty.
        example: a valid URL, for the message.

    Returns:
        The URL without a slash at its end.

    Raises:
        ConfigurationError: it is not an http or https URL with a host.
    """
    value = cleaned(value)
    if not value:
        return ""
    if problem := _problem(value):
        raise ConfigurationError(f"{name} is malformed, for it {problem}: write a URL such as {example}.")
    scheme, _, rest = value.partition("://")
    authority, slash, path = rest.partition("/")
    user, at, host = authority.rpartition("@")
    return f"{scheme.lower()}://{user}{at}{host.lower()}{slash}{path}".rstrip("/")


def _problem(url: str) -> str:
    """Return what is wrong with a URL; empty if it is valid."""
    if not re.fullmatch(r"[!-~]+", url):
        return "holds a blank or a character that is not ASCII"
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "has no host and port that can be read"
    if parts.scheme not in ("http", "https") or "://" not in url:
        return "does not begin with http:// or https://"
    if "://" in url.partition("://")[2]:
        return "holds :// twice"
    return "" if host and _HOST.fullmatch(host) and len(host) < _MAX_HOST else "has no host"


def base_url(name: str, value: str, example: str) -> str:
    """Clean and validate the URL of a service to which paths are appended; arguments as of `web_url`.

    Raises:
        ConfigurationError: it has a query, a fragment or a user.
    """
    value = web_url(name, value, example)
    parts = urlsplit(value)
    if parts.query or parts.fragment or "?" in value or "#" in value:
        raise ConfigurationError(
            f"{name} has a ? or a #, to which no path can be added: write a URL such as {example}."
        )
    if "@" in parts.netloc:
        raise ConfigurationError(f"{name} holds a user or a password, which nobody asks for there: write {example}.")
    return value


def _stripped(value: str) -> str:
    """Strip blank and invisible characters at both ends."""
    before = None
    while before != value:
        before, value = value, value.strip().strip(_INVISIBLE)
    return value
