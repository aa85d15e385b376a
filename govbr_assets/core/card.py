"""The dataset card: its metadata as the Hub reads it, and edits of it after which all other bytes are as before.

Where the metadata stands in `README.md` is decided here; YAML is read in `card_yaml` and written in `front_matter`.
"""

import re
from collections.abc import Callable, MutableMapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from govbr_assets.core.card_yaml import Metadata, read_metadata
from govbr_assets.core.dataset_info import correct_info
from govbr_assets.core.front_matter import edit_metadata
from govbr_assets.core.round_trip import same
from govbr_assets.core.scope import DEFAULT
from govbr_assets.core.selection import select_usual
from govbr_assets.errors import ContractError

_END = r"(?:\r\n|\r|\n)"
_AS_THE_HUB_READS = re.compile(rf"(\ufeff?\s*---{_END})([\S\s]*?{_END})(---[ \t]*(?:\r\n|\n|$))")
_AS_PEOPLE_WRITE = re.compile(rf"(\ufeff?\s*---[ \t]*{_END})((?:[\S\s]*?{_END})??)((?:---|\.\.\.)[ \t]*(?:\r\n|\n|$))")
_OPEN = re.compile(rf"\ufeff?\s*---[ \t]*({_END}|$)")

_NEW_CARD = b"""---
language:
- pt
---

# Not\xc3\xadcias do governo federal

Not\xc3\xadcias publicadas pelos \xc3\xb3rg\xc3\xa3os do governo brasileiro, um arquivo Parquet por dia em `data/`.
"""


@dataclass(frozen=True)
class Card:
    """A dataset card.

    Attributes:
        text: all of `README.md`.
    """

    text: str

    @classmethod
    def parse(cls, content: bytes | None) -> "Card":
        """Read a card.

        Args:
            content: of `README.md`; None if there is none.

        Raises:
            ContractError: it is no text in UTF-8, or its front matter is nothing that readers can load.
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
        card.metadata  # noqa: B018 - raises if it cannot be read
        return card

    @cached_property
    def metadata(self) -> Metadata:
        """What the Hub and its client read as metadata; an alias is a copy."""
        read = _AS_THE_HUB_READS.match(self.text)
        return read_metadata(read[2], _lines(read[1])) if read else {}

    def edited(self, edit: Callable[[MutableMapping[Any, Any]], None]) -> "Card":
        """Edit the metadata.

        Args:
            edit: changes a copy of the metadata.

        Returns:
            A card with that metadata; this one if the Hub reads that from it already.

        Raises:
            ContractError: the front matter cannot be edited so that all else stays; names the line.
        """
        opening, front, closing, body = self._parts()
        wish = read_metadata(front, _lines(opening))
        edit(wish)
        if same(wish, self.metadata):
            return self
        newline = "\r\n" if opening.endswith("\r\n") else "\n"
        card = Card(opening + edit_metadata(front, wish, newline, _lines(opening)) + closing + body)
        if not same(card.metadata, wish):
            raise ContractError("The front matter of README.md on the Hub cannot be edited: write it anew.")
        return card

    def encode(self) -> bytes:
        """Give the content of `README.md`."""
        return self.text.encode()

    def _parts(self) -> tuple[str, str, str, str]:
        """Split the text into opening fence, front matter, closing fence and body; fences are as the Hub reads them."""
        if read := _AS_THE_HUB_READS.match(self.text):
            return read[1], read[2], read[3], self.text[read.end() :]
        if meant := _AS_PEOPLE_WRITE.match(self.text):
            opening = re.sub(r"[ \t]+(?=[\r\n]+\Z)", "", meant[1])
            closing = meant[3].replace("...", "---")
            return opening, meant[2], closing, self.text[meant.end() :]
        if _OPEN.match(self.text):
            raise ContractError("The front matter of README.md on the Hub has no closing `---`: add it.")
        mark = "\ufeff" if self.text.startswith("\ufeff") else ""
        text = self.text.removeprefix(mark)
        newline = "\r\n" if "\r\n" in text else "\n"
        fence = "---" + newline
        return mark + fence, "", fence, (newline if text.strip() else "") + text


def appendable_card(content: bytes | None, edit: Callable[[MutableMapping[Any, Any]], None] | None = None) -> Card:
    """Make a card safe for adding shards: `configs` that select our files, our columns, and no sizes that go stale.

    Args:
        content: of `README.md` on the Hub; None when there is none.
        edit: of its metadata, for a repo with other files than ours; None for one without.

    Returns:
        The same card where nothing has to change, so that an unchanged card costs no upload.

    Raises:
        ContractError: the card cannot be read, or not be edited.
    """
    return Card.parse(_NEW_CARD if content is None else content).edited(edit or _make_appendable)


def _make_appendable(metadata: MutableMapping[Any, Any]) -> None:
    select_usual(metadata)
    correct_info(metadata, DEFAULT)


def _lines(before: str) -> int:
    """Count at which line of the file goes on what stands behind a text."""
    return len(re.findall(_END, before)) + 1
