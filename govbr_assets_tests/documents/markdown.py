"""Reads the documents: their commands, code blocks, headings and links. What must hold of them is in the tests."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted(
    path for pattern in ("*.md", "docs/**/*.md", "deploy/**/*.md", ".github/**/*.md") for path in ROOT.glob(pattern)
)
SHELL = ("bash", "console", "sh", "shell")
_PROGRAMS = (
    r"(?:[A-Z_]+=\S* )*(?:apt-get|bash|buildah|curl|dagster|dagster-daemon|dagster-webserver|dg|docker|gcloud|git|"
    r"govbr-assets|hf|make|pip|psql|python3?|systemctl|terraform|uvx?|\.venv/bin/\w+)"
)
_INLINE_COMMAND = re.compile(rf"{_PROGRAMS} \S.*", re.DOTALL)
"""Code within a sentence that is a command: a program that is known and at least one word more."""


@dataclass(frozen=True)
class Block:
    """A fenced block.

    Attributes:
        language: that it names; empty if it names none.
        text: its lines.
    """

    language: str
    text: str

    @property
    def commands(self) -> Iterator[str]:
        """The commands of a shell block: with prompts those lines alone, without comments, continued lines joined."""
        lines = self.text.splitlines()
        prompted = [line[2:] for line in lines if line.startswith("$ ")]
        joined = re.sub(r"\\\n\s*|(?<=\|)\n\s*", " ", "\n".join(prompted or lines))
        for line in joined.splitlines():
            if command := re.sub(r"(^|\s+)#.*$", "", line).strip():
                yield re.sub(r"(?<=\S)  +", " ", command)


class Document:
    """A document, parsed as GitHub does.

    Attributes:
        path: where it is.
        name: the same from the root of the repository.
    """

    def __init__(self, path: Path) -> None:
        self.path, self.name = path, str(path.relative_to(ROOT))
        self._tokens = MarkdownIt("commonmark").enable("table").parse(path.read_text("utf-8"))

    @property
    def blocks(self) -> list[Block]:
        """Its code blocks."""
        kinds = ("fence", "code_block")
        return [Block(each.info.strip(), each.content) for each in self._tokens if each.type in kinds]

    @property
    def inline_code(self) -> list[str]:
        """Code within its sentences and tables."""
        return [each.content for each in self._inline if each.type == "code_inline"]

    @property
    def commands(self) -> list[str]:
        """The commands of its shell blocks, in order."""
        return [command for block in self.blocks if block.language in SHELL for command in block.commands]

    @property
    def mentions(self) -> list[str]:
        """Commands within its sentences and tables, maybe without their last words."""
        return [*filter(_INLINE_COMMAND.fullmatch, self.inline_code)]

    @property
    def links(self) -> list[str]:
        """Targets of links and images."""
        return [str(each.attrs.get("href") or each.attrs.get("src")) for each in self._inline if each.attrs]

    @property
    def anchors(self) -> set[str]:
        """What a link can name after `#`: GitHub's form of each heading."""
        found = set[str]()
        for opened, title in zip(self._tokens, self._tokens[1:], strict=False):
            if opened.type == "heading_open":
                text = "".join(each.content for each in title.children or [])
                slug = re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")
                found.add(next(each for each in (slug, *(f"{slug}-{n}" for n in range(1, 99))) if each not in found))
        return found

    def rows(self, *headings: str) -> list[list[str]]:
        """The rows of all tables whose head begins with these words, cells as they are written."""
        tables, rows = list[list[list[str]]](), list[list[str]]()
        for before, each in zip(self._tokens, self._tokens[1:], strict=False):
            if before.type == "table_open":
                tables.append(rows := [])
            if each.type == "tr_open":
                rows.append([])
            if each.type == "inline" and before.type in ("th_open", "td_open"):
                rows[-1].append(each.content)
        return [row for head, *below in tables if head[: len(headings)] == [*headings] for row in below]

    @property
    def _inline(self) -> Iterator[Token]:
        return (child for each in self._tokens for child in each.children or [])


@cache
def documents() -> dict[str, Document]:
    """All documents by their names."""
    return {str(path.relative_to(ROOT)): Document(path) for path in DOCUMENTS}


@cache
def benchmarks() -> set[str]:
    """The names of the benchmarks, without importing what they compare the product with."""
    return set(re.findall(r'"(\w+)": \w+\.run\b', (ROOT / "govbr_assets_tests/benchmarks/__main__.py").read_text()))
