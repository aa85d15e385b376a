"""The prose of the sample news: Portuguese-looking headlines, sentences and paragraphs that mean nothing.

How words make a sentence and sentences a paragraph belongs here; the words (`news_words`) and which row gets which
text (`news`) do not.
"""

from collections.abc import Sequence
from functools import cache
from random import Random
from typing import TypeVar

from govbr_assets.local import news_words as words

_NOUNS = [(f"{stem}ação", "a") for stem in words.STEMS]
_NOUNS += [(noun, "a") for noun in words.FEMININE] + [(noun, "o") for noun in words.MASCULINE]
Random("nouns").shuffle(_NOUNS)  # the frequent ones should be of either gender

_PARAGRAPHS = 24_000
"""Some 5 MB of text: enough that an article seldom meets a paragraph of its neighbours in a Parquet page of 1 MB."""

T = TypeVar("T")


def headline(rng: Random) -> str:
    """Make a headline of some 75 characters."""
    subject = topic(rng)[0]
    if rng.random() < 0.06:
        subject = f"“{subject}”"
    tails = "".join(_tail(rng) for _ in range(rng.randint(0, 2)))
    return _upper_first(f"{subject} {_verb(rng)} {_with_article(rng)}{tails}")


def sentence(rng: Random) -> str:
    """Make a sentence of some 130 characters, full stop included."""
    clause = f"{_opener(rng)}{_with_article(rng)} {_verb(rng)} {_with_article(rng)}"
    return _upper_first(clause + "".join(_tail(rng) for _ in range(rng.randint(0, 4))) + ".")


@cache
def paragraphs() -> list[bytes]:
    """Make the pool that the articles take their bodies from.

    Returns:
        Markdown blocks of some 220 characters, in UTF-8: that is what Arrow and digests want, and a `str` with one
        emoji in it takes four bytes a character.
    """
    rng = Random("paragraphs")
    return [_paragraph(rng).encode() for _ in range(_PARAGRAPHS)]


def topic(rng: Random) -> tuple[str, str]:
    """Pick a noun with or without an adjective.

    Returns:
        The phrase, and the article of its gender, "a" or "o".
    """
    noun, article = pick(rng, _NOUNS)
    kind = rng.random()
    if kind < 0.35:
        return f"{noun} {pick(rng, words.ADJECTIVES)}", article
    if kind < 0.5:
        return f"{noun} {pick(rng, words.STEMS)}ad{article}", article
    return noun, article


def pick(rng: Random, items: Sequence[T]) -> T:
    """Pick an item, the first ones far more often than the last: a law of Zipf's kind."""
    return items[int(len(items) * rng.random() ** 1.5)]


def _paragraph(rng: Random) -> str:
    """Make a block of Markdown: mostly plain sentences."""
    kind = rng.random()
    if kind < 0.03:
        return f"### {_upper_first(topic(rng)[0])}\n\n{sentence(rng)}"
    if kind < 0.06:
        return "\n".join(f"* {_upper_first(_with_article(rng))}{_tail(rng)};" for _ in range(rng.randint(2, 5)))
    if kind < 0.14:
        return f"“{sentence(rng)[:-1]}”, afirmou {_person(rng)}. {sentence(rng)}"
    text = " ".join(sentence(rng) for _ in range(rng.randint(1, 3)))
    if kind < 0.22:
        return f"**{_upper_first(topic(rng)[0])}**\xa0— {text}"
    if kind < 0.26:
        return f"{text} Saiba mais sobre [{topic(rng)[0]}](https://www.gov.br/pt-br/noticias/{rng.randrange(10**6)})."
    if kind < 0.262:
        return f"{pick(rng, '📢🌱✅🚀')} {text}"
    return text


def _opener(rng: Random) -> str:
    """Start a sentence, or leave the start to its subject."""
    kind = rng.randrange(14)
    if kind == 0:
        return f"Segundo {_person(rng)}, "
    if kind == 1:
        return f"Em {pick(rng, words.CITIES)}, "
    if kind == 2:
        return f"Nesta {pick(rng, ('segunda', 'terça', 'quarta', 'quinta', 'sexta'))}-feira ({rng.randint(1, 28)}), "
    if kind == 3:
        return f"Durante {_with_article(rng)}, "
    if kind == 4:
        return pick(rng, ("Além disso, ", "Ainda assim, ", "De acordo com o balanço, ", "Com isso, ", "Por fim, "))
    return ""


def _tail(rng: Random) -> str:
    """Go on with a clause, from a complement to a place or a figure."""
    kind = rng.randrange(12)
    if kind == 0:
        return f" em {pick(rng, words.CITIES)}"
    if kind == 1:
        return f", com R$ {rng.randint(1, 900)},{rng.randint(0, 9)} milhões para {_with_article(rng)}"
    if kind == 2:
        return f" em {rng.randint(2, 5570)} municípios"
    if kind == 3:
        return f" até {rng.randint(2004, 2035)}"
    if kind == 4:
        return f", que {_verb(rng)} {_with_article(rng)}"
    if kind <= 7:
        return f" para {pick(rng, words.STEMS)}ar {_with_article(rng)}"
    noun, article = topic(rng)
    return f" {pick(rng, ('d', 'd', 'n', 'pel'))}{article} {noun}"


def _with_article(rng: Random) -> str:
    noun, article = topic(rng)
    return f"{article} {noun}"


def _verb(rng: Random) -> str:
    return pick(rng, words.STEMS) + pick(rng, ("ou", "a", "ará", "ava", "aria"))


def _person(rng: Random) -> str:
    return f"{pick(rng, words.FIRST)} {pick(rng, words.LAST)}"


def _upper_first(text: str) -> str:
    return text[0].upper() + text[1:]
