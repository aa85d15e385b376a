"""Redaction of secrets in text: the values known to this process, then whatever has the form of a secret.

`errors` redacts every message of ours when an error is created, and `defs.failures` what Dagster records and what is
logged. Code that reads a setting with a secret calls `remember` before it does anything else with it.
"""

import json
import re
from contextlib import suppress
from functools import lru_cache
from urllib.parse import quote, quote_plus, unquote, unquote_plus, urlsplit

HIDDEN = "***"

_MIN_ANYWHERE, _MIN_WORD = 12, 4  # length from which a secret is replaced anywhere, and as a whole word
_MIN_VARIED = 8  # length from which a secret with several classes of characters is replaced anywhere
_CLASSES = tuple(map(re.compile, ("[a-z]", "[A-Z]", "[0-9]", "[^a-zA-Z0-9]")))
_DELIMITERS = "@/:?#"  # at which URL parsers disagree on the end of a password

_VALUE = r""""(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[^\s,;&]+"""  # quoted or not
_PATTERNS = (
    # User and password of a URL, including characters that should have been escaped; no port, and not our example.
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
_PROSE = re.compile(r"[A-Z_]+: [a-z]+")  # as in our own messages: `look at HF_TOKEN: it must be valid`

_known: set[str] = set()


def remember(*secrets: str | None) -> None:
    """Add secrets to those that `redact` replaces, in every form in which they may be printed; skip empty ones."""
    _known.update(form for secret in secrets if secret for form in _forms(secret))


def remember_url(url: str, *, path: bool = False) -> None:
    """Remember the secrets of a URL, as libpq and as Python parse it.

    Args:
        url: any URL, even a malformed one, or libpq's `key=value` pairs.
        path: whether its path and query are secret too, as those of a webhook.
    """
    remember(*_secrets_of(url))
    if path and (words := [word for word in re.split(r"[/?&=]", url.partition("://")[2])[1:] if word]):
        remember(url, *(word for word in words if len(word) >= _MIN_WORD))


def redact(text: str) -> str:
    """Replace the secrets in a text: those remembered, then whatever has the form of one.

    A short or plain secret is replaced only between quotes or as a value. Anywhere else it could be part of an ordinary
    word, and replacing it there would reveal it.
    """
    if pattern := _pattern(frozenset(_known)):
        text = pattern.sub(HIDDEN, text)
    for pattern, replacement in _PATTERNS:
        text = pattern.sub(replacement, text)
    return _NAMED.sub(_without_value, text)


def _without_value(found: re.Match[str]) -> str:
    """Return a name without its value, unless the value is the next word of a sentence."""
    return found[0] if _PROSE.fullmatch(found[0]) else f"{found[1]}{found[2]}{HIDDEN}"


@lru_cache(maxsize=8)
def _pattern(secrets: frozenset[str]) -> re.Pattern[str] | None:
    """Return one pattern for all remembered secrets, the longest first."""
    return re.compile("|".join(map(_expression, sorted(secrets, key=len, reverse=True)))) if secrets else None


def _expression(secret: str) -> str:
    """Return the pattern for a secret; the more it resembles an ordinary word, the stricter its context."""
    classes = sum(pattern.search(secret) is not None for pattern in _CLASSES)
    if len(secret) >= _MIN_ANYWHERE or (len(secret) >= _MIN_VARIED and classes > 1):
        return re.escape(secret)
    if len(secret) >= _MIN_WORD and classes > 1:
        return rf"(?<![^\W_]){re.escape(secret)}(?![^\W_])"
    return rf"""(?<=["'`=:@]){re.escape(secret)}(?=["'`@&;,)\s]|$)"""


def _forms(secret: str) -> set[str]:
    """Return the forms in which a secret may be printed: plain, URL-encoded, decoded, escaped, on one line."""
    plain = {secret, secret.strip(), unquote(secret), unquote_plus(secret)}
    encoded = {encode(text) for text in plain for encode in (quote, quote_plus, lambda text: quote(text, safe=""))}
    escaped = {form for text in plain for form in (json.dumps(text)[1:-1], repr(text)[1:-1], " ".join(text.split()))}
    return {form for form in plain | encoded | escaped if form.strip()}


def _secrets_of(url: str) -> set[str]:
    """Return the secrets of a URL or connection string, by every way of parsing it."""
    quoted = re.findall(r"(?i)password\s*=\s*('(?:[^'\\]|\\.)*'|[^\s&]+)", url)
    found = {form for value in quoted for form in (value.strip("'\""), re.sub(r"\\(.)", r"\1", value.strip("'\"")))}
    found |= set(re.findall(r"(?i)[?&;](?:\w*(?:secret|token|sig|key))=([^&#\s]+)", url))
    rest = url.partition("://")[2]
    before = re.split("[?#]", rest, maxsplit=1)[0]
    user, _, password = (before if "@" in before else rest).rpartition("@")[0].partition(":")
    found |= {password, *re.split(f"[{_DELIMITERS}]", password)}
    found |= {user} if url.lower().startswith("http") and not password else set()  # a token without a password
    with suppress(ValueError):  # a malformed URL was split above
        found.add(urlsplit(url).password or "")
    return found - {""}
