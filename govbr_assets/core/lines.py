"""Three-way merges of lines: an edit made in one formatting of a text, applied to another formatting."""

from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher


def carry_edit(
    text: Sequence[str], old: Sequence[str], new: Sequence[str], *, keep_comments: bool = False, pair: bool = False
) -> list[str]:
    """Apply the edit from `old` to `new` to a differently formatted text.

    Args:
        text: lines, each with its line end.
        old: the same content, as a library formats it.
        new: `old`, edited.
        keep_comments: whether comments and empty lines after removed lines stay.
        pair: whether replaced stretches of the same length in `old` and `text` count as the same lines, pairwise.

    Returns:
        The lines of the text where the edit does not touch them, else those of `new`.
    """
    result: list[str] = []
    ours = base = theirs = 0
    for our_start, start, their_start, length in _common(text, old, new, pair):
        here, edited = text[ours:our_start], new[theirs:their_start]
        if old[base:start] == edited:
            result += here
        else:
            result += [*edited, *(_trailing_comments(here, edited) if keep_comments else ())]
        result += text[our_start : our_start + length]
        ours, base, theirs = our_start + length, start + length, their_start + length
    return result


def differences(one: Sequence[str], other: Sequence[str]) -> int:
    """Return the number of lines of one text that have no match in the other."""
    return len(one) - sum(length for _, _, length in _matches(one, other))


def _common(
    text: Sequence[str], old: Sequence[str], new: Sequence[str], pair: bool
) -> Iterator[tuple[int, int, int, int]]:
    """Yield the stretches common to all three: their start in each, and their length."""
    theirs = _matches(old, new)
    for start, our_start, length in _matches(old, text, pair):
        for their_base, their_start, their_length in theirs:
            first, end = max(start, their_base), min(start + length, their_base + their_length)
            if first < end:
                yield our_start + first - start, first, their_start + first - their_base, end - first
    yield len(text), len(old), len(new), 0


def _matches(one: Sequence[str], other: Sequence[str], pair: bool = False) -> list[tuple[int, int, int]]:
    """Return the stretches of lines common to two texts, regardless of line ends."""
    bare = [[line.rstrip("\r\n") for line in lines] for lines in (one, other)]
    return [
        (start, other_start, end - start)
        for kind, start, end, other_start, other_end in SequenceMatcher(None, *bare, autojunk=False).get_opcodes()
        if kind == "equal" or (pair and end - start == other_end - other_start)
    ]


def _trailing_comments(removed: Sequence[str], instead: Sequence[str]) -> Sequence[str]:
    """Return the comments and empty lines at the end of the removed lines that are not in their replacement."""
    first = len(removed)
    while first and (not removed[first - 1].strip() or removed[first - 1].lstrip().startswith("#")):
        first -= 1
    trailing = removed[first:]
    kept = {line.strip() for line in instead}
    return [line for line in trailing if line.strip() not in kept or not line.strip()] if first else []
