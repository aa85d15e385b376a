"""Lines of texts: an edit made in one writing of a text, carried over to another one."""

from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher


def carry_edit(
    text: Sequence[str], old: Sequence[str], new: Sequence[str], *, keep_comments: bool = False, pair: bool = False
) -> list[str]:
    """Carry the edit that leads from `old` to `new` over to a text that says what `old` says in another writing.

    Args:
        text: lines, each with its end.
        old: the same, as a library writes them.
        new: those of `old`, edited.
        keep_comments: whether comments and empty lines stay that stand behind what is removed.
        pair: whether as many lines in another writing are taken for the same lines, one by one.

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
            result += [*edited, *(_comments_behind(here, edited) if keep_comments else ())]
        result += text[our_start : our_start + length]
        ours, base, theirs = our_start + length, start + length, their_start + length
    return result


def differences(one: Sequence[str], other: Sequence[str]) -> int:
    """Count the lines of one text that the other one has not at their place."""
    return len(one) - sum(length for _, _, length in _matches(one, other))


def _common(
    text: Sequence[str], old: Sequence[str], new: Sequence[str], pair: bool
) -> Iterator[tuple[int, int, int, int]]:
    """Find the stretches that all three have: where they begin in each, and how many lines they are."""
    theirs = _matches(old, new)
    for start, our_start, length in _matches(old, text, pair):
        for their_base, their_start, their_length in theirs:
            first, end = max(start, their_base), min(start + length, their_base + their_length)
            if first < end:
                yield our_start + first - start, first, their_start + first - their_base, end - first
    yield len(text), len(old), len(new), 0


def _matches(one: Sequence[str], other: Sequence[str], pair: bool = False) -> list[tuple[int, int, int]]:
    """Find the stretches of lines that two texts have in common, whatever the lines end with."""
    bare = [[line.rstrip("\r\n") for line in lines] for lines in (one, other)]
    return [
        (start, other_start, end - start)
        for kind, start, end, other_start, other_end in SequenceMatcher(None, *bare, autojunk=False).get_opcodes()
        if kind == "equal" or (pair and end - start == other_end - other_start)
    ]


def _comments_behind(removed: Sequence[str], instead: Sequence[str]) -> Sequence[str]:
    """Find the comments and empty lines at the end of what is removed, if they are not in what comes instead."""
    first = len(removed)
    while first and (not removed[first - 1].strip() or removed[first - 1].lstrip().startswith("#")):
        first -= 1
    behind = removed[first:]
    kept = {line.strip() for line in instead}
    return [line for line in behind if line.strip() not in kept or not line.strip()] if first else []
