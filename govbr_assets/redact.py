"""The one function that takes secrets out of text: the values that this process knows, then what looks like one.

The lowest room: `errors` redacts every message of ours with it when an error is made, `failures` what Dagster records
and what anybody logs. Whoever reads a setting with a secret in it calls `remember` before he does anything else.
"""

import json
import re
from contextlib import suppress
from functools import lru_cache
from urllib.parse import quote, quote_plus, unquote, unquote_plus, urlsplit

HIDDEN = "***"

_ANYWHERE, _WHOLE = 12, 4  # characters from which on a secret is replaced anywhere, and as a whole word
_VARIED = 8  # from which on one of several kinds of characters is replaced anywhere
_KINDS = tuple(map(re.compile, ("[a-z]", "[A-Z]", "[0-9]", "[^a-zA-Z0-9]")))
_DELIMITERS = "@/:?#"  # where one parser or another ends a password in a URL

_VALUE = r""""(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[^\s,;&]+"""  # of a name, in quotes or without
_SHAPES = (
    # A URL's user and password, also with what should have been escaped in them; no port, and no example of ours.
    (
        re.compile(r"://(?!user:password@)(?:[^\s/?#:@]{0,99}:(?!\d+[/?#\s])\S{0,999}|[^\s/?#]{0,999})@"),
        f"://{HIDDEN}@",
    ),
    (re.compile(r"\b(hf|gh[a-z]|xox[a-z]|sk|glpat)([_-])[^\W_]{16,}[\w-]*"), rf"\1\2{HIDDEN}"),
    (re.compile(r"\beyJ[\w-]{10,}\.[\w-]{10,}(?:\.[\w-]*)?"), HIDDEN),
    (re.compile(r"\b(AKIA|ASIA)[A-Z0-9]{12,}\b"), rf"\1{HIDDEN}"),
    (re.compile(r"\b(AIza)[\w-]{30,}"), rf"\1{HIDDEN}"),
    (re.compile(r"(-----BEGIN [A-Z ]{0,20}PRIVATE KEY-----)[^-]{0,9999}"), rf"\1{HIDDEN}"),
    (re.compile(r"(?i)\b((?:set-)?cookie[\"']?\s{0,3}[:=]\s{0,3})[^\r\n]+"), rf"\1{HIDDEN}"),
    (re.compile(r"(hooks\.slack\.com/\w+|discord(?:app)?\.com/api/webhooks)/[^\s\"']+"), rf"\1/{HIDDEN}"),
    (re.compile(r"""(?i)(authorization["']?\s*[:=]\s*["']?)([a-z][\w-]*\s+)?[^\s"',;]+"""), rf"\1\2{HIDDEN}"),
    (re.compile(r"((?i:\b(?:bearer|basic))\s+)(?=[\w.~+/=-]*[^a-z\s.])[\w.~+/=-]{8,}"), rf"\1{HIDDEN}"),
    (re.compile(rf"""(?i)((?<![a-z0-9])(?:sig|pwd|pass)["']?\s*[=:]\s*)(?:{_VALUE})"""), rf"\1{HIDDEN}"),
)
_NAMED = re.compile(
    r"(?i)((?:passw(?:or)?d|passphrase|secret|token|credential|signature|(?:api|access|account|private)[-_]?key)[\w-]{0,40})"
    rf"""(["']?\s{{0,3}}[=:]\s{{0,3}})({_VALUE})"""
)
_PROSE = re.compile(r"[A-Z_]+: [a-z]+")  # of our own sentences: `look at HF_TOKEN: it must be valid`

_known: set[str] = set()


def remember(*secrets: str | None) -> None:
    """Know secrets from now on, in every form in which they may be printed; empty ones are passed over."""
    _known.update(form for secret in secrets if secret for form in _forms(secret))


def remember_url(url: str, *, path: bool = False) -> None:
    """Know the secrets of a URL, as libpq and as Python would split it.

    Args:
        url: any URL, also a malformed one, or `key=value` pairs as libpq takes them.
        path: whether its path and its query are secrets as well, as those of a web hook are.
    """
    remember(*_secrets_of(url))
    if path and (words := [word for word in re.split(r"[/?&=]", url.partition("://")[2])[1:] if word]):
        remember(url, *(word for word in words if len(word) >= _WHOLE))


def redact(text: str) -> str:
    """Take secrets out of a text: those that are known, then what looks like one.

    A short or plain secret is taken out only where it stands by itself: between quotes, or as a value. Else it would
    eat letters out of ordinary words, and tell by that what it is.
    """
    if pattern := _pattern(frozenset(_known)):
        text = pattern.sub(HIDDEN, text)
    for shape, instead in _SHAPES:
        text = shape.sub(instead, text)
    return _NAMED.sub(_without_value, text)


def _without_value(found: re.Match[str]) -> str:
    """Hide a value, unless it is the next word of a sentence."""
    return found[0] if _PROSE.fullmatch(found[0]) else f"{found[1]}{found[2]}{HIDDEN}"


@lru_cache(maxsize=8)
def _pattern(secrets: frozenset[str]) -> re.Pattern[str] | None:
    """Make one expression of all known secrets, the longest first."""
    return re.compile("|".join(map(_expression, sorted(secrets, key=len, reverse=True)))) if secrets else None


def _expression(secret: str) -> str:
    """Say where a secret is replaced, by how much it resembles an ordinary word."""
    kinds = sum(kind.search(secret) is not None for kind in _KINDS)
    if len(secret) >= _ANYWHERE or (len(secret) >= _VARIED and kinds > 1):
        return re.escape(secret)
    if len(secret) >= _WHOLE and kinds > 1:
        return rf"(?<![^\W_]){re.escape(secret)}(?![^\W_])"
    return rf"""(?<=["'`=:@]){re.escape(secret)}(?=["'`@&;,)\s]|$)"""


def _forms(secret: str) -> set[str]:
    """List how a secret may be printed: as it is, encoded, decoded, escaped, on one line."""
    plain = {secret, secret.strip(), unquote(secret), unquote_plus(secret)}
    encoded = {encode(each) for each in plain for encode in (quote, quote_plus, lambda text: quote(text, safe=""))}
    escaped = {form for each in plain for form in (json.dumps(each)[1:-1], repr(each)[1:-1], " ".join(each.split()))}
    return {form for form in plain | encoded | escaped if form.strip()}


def _secrets_of(url: str) -> set[str]:
    """Split a URL or a connection string in all the ways in which somebody may."""
    quoted = re.findall(r"(?i)password\s*=\s*('(?:[^'\\]|\\.)*'|[^\s&]+)", url)
    found = {form for value in quoted for form in (value.strip("'\""), re.sub(r"\\(.)", r"\1", value.strip("'\"")))}
    found |= set(re.findall(r"(?i)[?&;](?:\w*(?:secret|token|sig|key))=([^&#\s]+)", url))
    rest = url.partition("://")[2]
    before = re.split("[?#]", rest, maxsplit=1)[0]
    user, _, password = (before if "@" in before else rest).rpartition("@")[0].partition(":")
    found |= {password, *re.split(f"[{_DELIMITERS}]", password)}
    found |= {user} if url.lower().startswith("http") and not password else set()  # a token alone
    with suppress(ValueError):  # what is malformed was split above
        found.add(urlsplit(url).password or "")
    return {each for each in found if each}
