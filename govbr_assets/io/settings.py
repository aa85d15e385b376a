"""What the value of a setting must look like: cleaned of what copying leaves round it, or refused by its name.

No sentence shows the value, which may be a secret or hold one. Where values come from is `definitions`' business.
"""

import re
from urllib.parse import urlsplit

from govbr_assets.errors import ConfigurationError

_INVISIBLE = (
    "\ufeff\u200b\u200c\u200d\u2060"  # what copying from a page or a file leaves, and `str.strip` does not take
)
_QUOTES = "\"'`"
_MOST_OF_A_HOST = 254  # characters that the names of hosts have at most
_NAME, _ADDRESS = r"(?!-)[\w-]{1,63}(?:\.[\w-]{1,63})*\.?", r"[0-9a-f.]*:[0-9a-f:.]*(?:%[\w.-]+)?"
_HOST = re.compile(f"{_NAME}|{_ADDRESS}")


def cleaned(value: str) -> str:
    """Take away blanks, line ends, byte order marks and a pair of quotes round a value."""
    value = _stripped(value)
    if len(value) > 1 and value[0] == value[-1] and value[0] in _QUOTES:
        value = _stripped(value[1:-1])
    return value


def token(name: str, value: str) -> str:
    """Clean a token.

    Args:
        name: of the setting.
        value: empty stays empty.

    Raises:
        ConfigurationError: it holds what no HTTP header takes.
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
    """Clean the URL of a service, without a slash at its end.

    Args:
        name: of the setting.
        value: empty stays empty.
        example: of a right one.

    Raises:
        ConfigurationError: nothing can be asked for there.
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
    """Say what is wrong with a URL; nothing if nothing is."""
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
    return "" if host and _HOST.fullmatch(host) and len(host) < _MOST_OF_A_HOST else "has no host"


def base_url(name: str, value: str, example: str) -> str:
    """Clean the URL of a service that paths are added to; see `web_url`.

    Raises:
        ConfigurationError: it has a question mark, a fragment, or a user.
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
    """Strip what is blank or invisible at both ends."""
    before = None
    while before != value:
        before, value = value, value.strip().strip(_INVISIBLE)
    return value
