"""Small files of a repo that were read: the last ones in memory, and dataset cards between runs as well."""

from collections.abc import Callable
from typing import Protocol

_MOST = 8  # files, cards mostly, that are remembered


class RepoCache(Protocol):
    """What is kept of a repo between runs: dataset cards by content id, and what it held last."""

    def card(self, content: str) -> bytes | None:
        """Return a card; None if it is not kept."""
        ...

    def keep_card(self, content: str, card: bytes) -> None:
        """Keep a card."""
        ...

    def tree(self, repo: str) -> bytes | None:
        """Return what a repo held last; None if it is not kept."""
        ...

    def keep_tree(self, repo: str, tree: bytes) -> None:
        """Keep what a repo holds, in place of what it held before."""
        ...


class SmallFiles:
    """The small files that were read last, by content id: the card is asked for at every revision.

    Args:
        cards: where cards are kept between runs; None for nowhere.
    """

    def __init__(self, cards: RepoCache | None) -> None:
        self._cards = cards
        self._last: dict[str, bytes] = {}

    def get(self, content: str, read: Callable[[], bytes]) -> bytes:
        """Return a file that is remembered, else read it."""
        if content not in self._last:
            self._remember(content, read())
        return self._last[content]

    def card(self, content: str, read: Callable[[], bytes]) -> bytes:
        """Return a card that is remembered or kept, else read it, and keep it."""
        card = self._last.get(content)
        if card is None and self._cards:
            card = self._cards.card(content)
        if card is None:
            card = read()
            if self._cards:
                self._cards.keep_card(content, card)
        self._remember(content, card)
        return card

    def _remember(self, content: str, file: bytes) -> None:
        self._last.pop(content, None)
        self._last = dict([*self._last.items(), (content, file)][-_MOST:])
