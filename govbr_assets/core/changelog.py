"""The changelog of a dataset: entries that go before the older ones, in a file that may be somebody else's.

What was there stays byte for byte, but for an entry of ours that a newer one of the same day replaces. What an entry
says belongs to `release_text`.
"""

import re
from collections.abc import Iterator
from itertools import pairwise

from govbr_assets.core.releases import NAME

NEW_CHANGELOG = """# Histórico de versões

O que mudou em cada versão dos dados, a mais nova primeiro.

"""
"""What a new changelog begins with."""

_OUR_HEADING = re.compile(rf"## ({NAME})[ \t]*(?:\r\n|\r|\n|$)".encode())
_SECTION = re.compile(rb" {0,3}##(?:[ \t].*)?(?:\r\n|\r|\n)?", re.DOTALL)
_HEADING = re.compile(rb" {0,3}#{1,6}(?:[ \t].*)?(?:\r\n|\r|\n)?", re.DOTALL)
_FENCE = re.compile(rb" {0,3}(`{3,}|~{3,})")
_LINE = re.compile(rb"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
_BOM = b"\xef\xbb\xbf"


def with_entry(content: bytes | None, entry: str, replaced: str = "") -> bytes | None:
    """Add an entry to a changelog.

    Args:
        content: of the file; None if there is none.
        entry: its lines, the first of which is a heading such as `## 2026.01.20`; ends with a line end.
        replaced: an entry that this one takes the place of, if it is the newest of ours and has not been changed.

    Returns:
        The content with the entry before the newest of ours, or before the first section of somebody else's, or at
        the end; None if the file is no UTF-8, so that nothing can be added to it.
    """
    text = entry.encode()
    if content is None:
        return NEW_CHANGELOG.encode() + text
    if not _is_text(content):
        return None
    newline = _newline(content)
    text, old = text.replace(b"\n", newline), replaced.encode().replace(b"\n", newline)
    place = _place(content)
    if place is not None and old and content.startswith(old, place):
        return content[:place] + text + content[place + len(old) :]
    if place is not None:
        return content[:place] + text + newline + content[place:]
    gap = b"" if not content.removeprefix(_BOM) else newline if content.endswith((b"\n", b"\r")) else newline * 2
    return content + gap + text


def newest_name(content: bytes | None) -> str:
    """Return the release of which the newest entry of ours is; empty if there is none.

    Args:
        content: of the changelog.
    """
    place = None if content is None or not _is_text(content) else _place(content)
    found = None if content is None or place is None else _OUR_HEADING.match(content, place)
    return found[1].decode() if found else ""


def newest_entry(content: bytes | None, name: str) -> str:
    """Return what the newest entry of a release says, without its heading; empty if there is none.

    Args:
        content: of the changelog.
        name: of the release.
    """
    if content is None or not _is_text(content):
        return ""
    for (position, line), (end, _) in pairwise([*_headings(content), (len(content), b"")]):
        heading = _OUR_HEADING.fullmatch(line)
        if heading and heading[1].decode() == name:
            return "\n".join(content[position + len(line) : end].decode().splitlines()).strip()
    return ""


def _is_text(content: bytes) -> bool:
    """Return whether a file is UTF-8."""
    try:
        return "\0" not in content.decode()
    except UnicodeDecodeError:
        return False


def _newline(content: bytes) -> bytes:
    """Return the line end of a file's first line."""
    first = re.search(rb"\r\n|\r|\n", content)
    return first[0] if first else b"\n"


def _place(content: bytes) -> int | None:
    """Return where the newest entry begins, or else the first section; None if there is neither."""
    sections = [(position, line) for position, line in _headings(content) if _SECTION.fullmatch(line)]
    ours = (position for position, line in sections if _OUR_HEADING.fullmatch(line))
    return next(ours, sections[0][0] if sections else None)


def _headings(content: bytes) -> Iterator[tuple[int, bytes]]:
    """Find the headings that are not in code, each with its position."""
    position, fence = len(_BOM) if content.startswith(_BOM) else 0, b""
    for line in _LINE.findall(content[position:]):
        opened = _FENCE.match(line)
        if fence:
            fence = b"" if opened and opened[1].startswith(fence) else fence
        elif opened:
            fence = opened[1]
        elif _HEADING.fullmatch(line):
            yield position, line
        position += len(line)
