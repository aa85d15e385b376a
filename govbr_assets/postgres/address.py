"""The connection string for libpq, from GOVBR_POSTGRES_URL.

libpq parses the setting itself, as psql does, so that hosts, sockets, services and password files mean what its
documentation says. This module adds defaults in front, where parameters of the setting override them (those of a
service file do not), and rejects what libpq would misread or quote in an error message with a part of the password.

Source: https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING
"""

import re
from collections.abc import Iterator
from urllib.parse import quote

from govbr_assets.errors import ConfigurationError

# A silent network is detected after about 45 seconds instead of two hours. No other setting is sent to the server: a
# pooler would reject it, drop it, or leave it in the session for another client. Poolers track the encoding by client;
# without it PGCLIENTENCODING would apply, to which not every server can convert.
_DEFAULTS = {
    "client_encoding": "UTF8",
    "connect_timeout": "10",
    "keepalives_idle": "20",
    "keepalives_interval": "5",
    "keepalives_count": "4",
    "tcp_user_timeout": "45000",
}
_SCHEMES = ("postgresql", "postgres")
_EXPECTED = "write postgresql://user:password@host:5432/database"
_PAIR = re.compile(r"\s*(\w+)\s*=\s*('(?:[^'\\]|\\.)*'|(?:[^\s'\\]|\\.)(?:[^\s\\]|\\.)*|)(?=\s|$)", re.DOTALL)
_HOST = re.compile(r"(\[[^\[\]]+\]|[^:\[\]]*)(:\d*)?")


def address(setting: str) -> str:
    """Return the connection string of a setting, with our defaults.

    Args:
        setting: a libpq URI or `key=value` pairs; a driver in the scheme (`+psycopg2`) is ignored.

    Returns:
        A URI or `key=value` pairs, like the setting.

    Raises:
        ConfigurationError: libpq would reject or misread it.
    """
    scheme, uri, rest = setting.partition("://")
    if uri and re.fullmatch(r"[\w+.:-]+", scheme):
        return _of_uri(scheme, rest)
    return _of_pairs(setting)


def _of_uri(scheme: str, rest: str) -> str:
    if scheme.partition("+")[0] not in _SCHEMES:
        raise _malformed(_EXPECTED)
    if re.search(r"%(?![0-9A-Fa-f]{2})|%00", rest):
        raise _malformed("not every % has two hexadecimal digits behind it, write %25 for one that means itself")
    # libpq ends the user at the first @ before a slash, and begins the parameters at the first ? after that.
    found = re.match(r"[^@/]*@", rest)
    user = found[0] if found else ""
    place, _, parameters = rest[len(user) :].partition("?")
    if "@" in place or re.search(r"^[^:]*\?|[?&](ssl)?password=", user):
        raise _malformed("it has an @ too many, write %40 for one in a password, and %2F for a slash")
    if not all(_HOST.fullmatch(host) for host in place.partition("/")[0].split(",")):
        raise _malformed(f"its host or port cannot be read, {_EXPECTED}")
    pairs = [part.split("=") for part in parameters.split("&") if part]
    if not all(len(pair) == 2 for pair in pairs):
        raise _malformed("a parameter behind ? is not name=value, write %26 for an & in a value and %3D for an =")
    ours = "&".join(f"{name}={quote(value)}" for name, value in _DEFAULTS.items())
    return f"postgresql://{user}{place}?{ours}{'&' if parameters else ''}{parameters}"


def _of_pairs(setting: str) -> str:
    if not (pairs := list(_pairs(setting))):
        raise _malformed(_EXPECTED)
    if any(re.search("[;,]\\w+=", value) for name, value in pairs if name == "host"):
        raise _malformed("its key=value pairs must be separated by blanks")
    ours = " ".join(f"{name}={value}" for name, value in _DEFAULTS.items())
    return f"{ours} {setting}"


def _pairs(setting: str) -> Iterator[tuple[str, str]]:
    position = 0
    while found := _PAIR.match(setting, position):
        yield found[1], found[2]
        position = found.end()
    if setting[position:].strip():
        raise _malformed(f"{_EXPECTED}, or key=value pairs with a value that has a blank in single quotes")


def _malformed(why: str) -> ConfigurationError:
    return ConfigurationError(f"GOVBR_POSTGRES_URL is malformed: {why}.")
