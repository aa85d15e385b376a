"""One row of the sample news: ids, addresses, themes, nulls and lengths as the real rows have them.

What stands in a row belongs here. How many rows there are (`news`), when they happen (`news_calendar`), their prose
(`news_text`) and the bodies and themes that they refer to (`news_catalog`) do not.
"""

import re
import unicodedata
from datetime import UTC, date, datetime, timedelta
from functools import cache
from hashlib import md5, sha256
from random import Random

import pyarrow as pa

from govbr_assets.local import news_words as words
from govbr_assets.local.news_calendar import SAO_PAULO
from govbr_assets.local.news_catalog import sample_agencies, sample_themes
from govbr_assets.local.news_text import headline, paragraphs, pick, sentence, topic

_TIME = pa.timestamp("us", tz="UTC")

NEWS_ROW_SCHEMA = pa.schema(
    [
        ("unique_id", pa.string()),
        ("legacy_unique_id", pa.string()),
        ("agency_id", pa.int32()),
        ("theme_l1_id", pa.int32()),
        ("theme_l2_id", pa.int32()),
        ("theme_l3_id", pa.int32()),
        ("most_specific_theme_id", pa.int32()),
        ("title", pa.string()),
        ("url", pa.string()),
        ("image_url", pa.string()),
        ("video_url", pa.string()),
        ("content", pa.string()),
        ("editorial_lead", pa.string()),
        ("subtitle", pa.string()),
        ("summary", pa.string()),
        ("category", pa.string()),
        ("tags", pa.list_(pa.string())),
        ("published_at", _TIME),
        ("updated_datetime", _TIME),
        ("extracted_at", _TIME),
        ("created_at", _TIME),
        ("updated_at", _TIME),
        ("content_hash", pa.string()),
    ]
)
"""The columns of `news` that a writer fills: all but the serial `id`, and `agency_key` and `agency_name` by trigger."""

IDS = 1 << 24
"""How many row numbers there are: an id ends with its number, shuffled, as six hex digits."""

_READABLE_IDS_SINCE = datetime(2026, 3, 1, 3, tzinfo=UTC)
"""A row that arrived earlier had an MD5 for an id, and keeps it as its legacy id."""

_MEDIAN_LENGTH, _LENGTH_SPREAD, _MAX_LENGTH = 3300, 0.54, 58_000
_PARAGRAPH_LENGTH = 206


def make_row(rng: Random, number: int, published_at: datetime, arrived_at: datetime) -> dict[str, object]:
    """Make the row with a number.

    Args:
        rng: where its chances come from.
        number: below `IDS`; no two numbers share a `unique_id`, whatever the chances.
        published_at: aware.
        arrived_at: when the scrapers bring it in, aware.

    Returns:
        One value for each field of `NEWS_ROW_SCHEMA`; texts may be `str` or UTF-8 `bytes`.
    """
    agency_id, agency = pick(rng, _agencies())
    title = headline(rng)
    slug = _slug(title)
    day = published_at.astimezone(SAO_PAULO).date()
    url = f"https://www.gov.br/{agency}/pt-br/assuntos/noticias/{day.year}/{slug}"
    image = f"{url}/{rng.getrandbits(64):016x}.jpeg/@@images/{rng.getrandbits(128):032x}.jpeg"
    content = _content(rng, title, image, day) if rng.random() > 0.003 else None
    legacy = md5(f"{agency}_{day}_{title}".encode(), usedforsecurity=False).hexdigest()
    return {
        "unique_id": f"{slug[:100]}_{number * 0x9E3779B1 % IDS:06x}",  # an odd factor moves every number elsewhere
        "legacy_unique_id": legacy if arrived_at < _READABLE_IDS_SINCE else None,
        "agency_id": agency_id,
        "title": title,
        "url": url,
        "image_url": image if rng.random() < 0.94 else None,
        "video_url": f"https://www.youtube.com/watch?v={rng.getrandbits(44):011x}" if rng.random() < 0.015 else None,
        "content": content,
        "content_hash": None if content is None else sha256(content).hexdigest()[:16],
        "published_at": published_at,
        **_extras(rng),
        **_themes(rng),
        **_later_times(rng, published_at, arrived_at),
    }


def _content(rng: Random, title: str, image: str, day: date) -> bytes:
    """Write an article in Markdown: a heading, a date, a picture and as many paragraphs as its length asks for."""
    length = _MEDIAN_LENGTH * rng.lognormvariate(0, _LENGTH_SPREAD)
    if rng.random() < 0.0005:
        length = rng.uniform(20_000, _MAX_LENGTH)
    head = f"{title}\n{'=' * len(title)}\n\nPublicado em {day:%d/%m/%Y}\n\n![{title}]({image})"
    pool = paragraphs()
    count = max(1, round((min(length, _MAX_LENGTH) - len(head)) / _PARAGRAPH_LENGTH))
    start = rng.randrange(len(pool) - count)
    return b"\n\n".join([head.encode(), *pool[start : start + count]])


def _extras(rng: Random) -> dict[str, object]:
    """Fill in what an editor may or may not have: mostly null, now and then an empty text."""
    draw = rng.random()
    word = pick(rng, words.FEMININE)
    category = (
        "No Category" if draw < 0.39 else "" if draw < 0.392 else word.capitalize() if draw < 0.7 else word.upper()
    )
    tags = [topic(rng)[0] for _ in range(rng.randint(1, 6))] if rng.random() < 0.36 else []
    return {
        "editorial_lead": pick(rng, words.MASCULINE).upper() if rng.random() < 0.03 else None,
        "subtitle": (sentence(rng) if rng.random() < 0.9 else "") if rng.random() < 0.1 else None,
        "summary": " ".join(sentence(rng) for _ in range(4)) if rng.random() < 0.12 else None,
        "category": category,
        "tags": tags or ([] if rng.random() < 0.7 else None),
    }


def _themes(rng: Random) -> dict[str, int | None]:
    """Classify the row: mostly down to the third level, sometimes less deep, and 4% not at all."""
    draw = rng.random()
    depth = 0 if draw < 0.04 else 1 if draw < 0.1 else 2 if draw < 0.2 else 3
    path = pick(rng, _theme_paths())[:depth]
    first, second, third = (*path, None, None, None)[:3]
    return {
        "theme_l1_id": first,
        "theme_l2_id": second,
        "theme_l3_id": third,
        "most_specific_theme_id": path[-1] if path else None,
    }


def _later_times(rng: Random, published_at: datetime, arrived_at: datetime) -> dict[str, datetime | None]:
    """Return when the publisher changed the page, if ever, and when the database heard of it."""
    changed_at = published_at + timedelta(minutes=rng.randint(1, 3000)) if rng.random() < 0.25 else None
    created_at = arrived_at + timedelta(seconds=rng.randint(1, 90))
    return {
        "updated_datetime": changed_at,
        "extracted_at": arrived_at,
        "created_at": created_at,
        "updated_at": created_at,
    }


@cache
def _agencies() -> list[tuple[int, str]]:
    agencies = sample_agencies()
    return list(zip(agencies["id"].to_pylist(), agencies["key"].to_pylist(), strict=True))


@cache
def _theme_paths() -> list[tuple[int, ...]]:
    """List the ids from the first level to the third, for each theme of the third."""
    themes = sample_themes()
    ids = dict(zip(themes["code"].to_pylist(), themes["id"].to_pylist(), strict=True))
    return [(ids[code[:2]], ids[code[:5]], ids[code]) for code in ids if code.count(".") == 2]


def _slug(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")
