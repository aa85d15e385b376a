"""The dataset card: its metadata as the Hub parses it, and edits that leave all other bytes unchanged.

This module finds the front matter in `README.md`; `card_yaml` parses its YAML, and `front_matter` edits it.
"""

import re
from collections.abc import Callable, Iterator, MutableMapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from govbr_assets.core.card_yaml import Metadata, read_metadata
from govbr_assets.core.front_matter import edit_metadata
from govbr_assets.core.layout import CARD_PATH
from govbr_assets.core.round_trip import same
from govbr_assets.errors import ContractError

_END = r"(?:\r\n|\r|\n)"
_HUB_FENCES = re.compile(rf"(\ufeff?\s*---{_END})([\S\s]*?{_END})(---[ \t]*(?:\r\n|\n|$))")
_LENIENT_FENCES = re.compile(rf"(\ufeff?\s*---[ \t]*{_END})((?:[\S\s]*?{_END})??)((?:---|\.\.\.)[ \t]*(?:\r\n|\n|$))")
_OPENING_FENCE = re.compile(rf"\ufeff?\s*---[ \t]*({_END}|$)")


@contextmanager
def card_of(repo_id: str) -> Iterator[None]:
    """Name the repo in errors about its card: rules for a card do not know whose it is, and there can be two."""
    try:
        yield
    except ContractError as error:
        if CARD_PATH not in str(error) or repo_id in str(error):
            raise
        raise ContractError(f"{repo_id}: {error}") from error.__cause__


@dataclass(frozen=True)
class Card:
    """A dataset card.

    Attributes:
        text: the contents of `README.md`.
    """

    text: str

    @classmethod
    def parse(cls, content: bytes | None) -> "Card":
        """Parse a card.

        Args:
            content: of `README.md`; None if there is none.

        Raises:
            ContractError: it is not UTF-8, or readers cannot load its front matter.
        """
        try:
            text = (content or b"").decode()
        except UnicodeDecodeError as error:
            line, byte = error.object.count(b"\n", 0, error.start) + 1, error.object[error.start]
            raise ContractError(
                f"README.md on the Hub is not UTF-8: byte 0x{byte:02X} in line {line}; save it as UTF-8."
            ) from error
        if "\0" in text:
            raise ContractError("README.md on the Hub holds NUL bytes, as UTF-16 does: save it as UTF-8.")
        card = cls(text)
        card.metadata  # noqa: B018 - raises if it cannot be parsed
        return card

    @cached_property
    def metadata(self) -> Metadata:
        """The metadata as the Hub and its client parse it; aliases are expanded."""
        found = _HUB_FENCES.match(self.text)
        return read_metadata(found[2], _next_line(found[1])) if found else {}

    def edited(self, edit: Callable[[MutableMapping[Any, Any]], None]) -> "Card":
        """Return a card with edited metadata.

        Args:
            edit: changes a copy of the metadata in place.

        Returns:
            The edited card; this one if the Hub parses that metadata from it already.

        Raises:
            ContractError: the front matter cannot be edited with all else unchanged; the message names the line.
        """
        opening, front, closing, body = self._parts()
        target = read_metadata(front, _next_line(opening))
        edit(target)
        if same(target, self.metadata):
            return self
        newline = "\r\n" if opening.endswith("\r\n") else "\n"
        card = Card(opening + edit_metadata(front, target, newline, _next_line(opening)) + closing + body)
        if not same(card.metadata, target):
            raise ContractError("The front matter of README.md on the Hub cannot be edited: write it anew.")
        return card

    def with_body(self, edit: Callable[[str], str]) -> "Card":
        """Return a card with an edited body: the text behind the front matter, all of it if there is none."""
        found = _HUB_FENCES.match(self.text)
        start = found.end() if found else 0
        return Card(self.text[:start] + edit(self.text[start:]))

    def encode(self) -> bytes:
        """Return the contents of `README.md`."""
        return self.text.encode()

    def _parts(self) -> tuple[str, str, str, str]:
        """Split the text into opening fence, front matter, closing fence and body; fences become valid for the Hub."""
        if found := _HUB_FENCES.match(self.text):
            return found[1], found[2], found[3], self.text[found.end() :]
        if found := _LENIENT_FENCES.match(self.text):
            opening = re.sub(r"[ \t]+(?=[\r\n]+\Z)", "", found[1])
            closing = found[3].replace("...", "---")
            return opening, found[2], closing, self.text[found.end() :]
        if _OPENING_FENCE.match(self.text):
            raise ContractError("The front matter of README.md on the Hub has no closing `---`: add it.")
        mark = "\ufeff" if self.text.startswith("\ufeff") else ""
        text = self.text.removeprefix(mark)
        newline = "\r\n" if "\r\n" in text else "\n"
        fence = "---" + newline
        return mark + fence, "", fence, (newline if text.strip() else "") + text


def _next_line(before: str) -> int:
    """Return the number of the line that follows a text."""
    return len(re.findall(_END, before)) + 1
