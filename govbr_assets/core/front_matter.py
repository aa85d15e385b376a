"""Edits of a card's YAML that change nothing but the edited keys; all other text stays byte for byte.

PyYAML determines what a text means, as it does for readers (YAML 1.1: `yes` is true). ruamel.yaml writes the edited
text with its comments, order, quotes and anchors; it treats every scalar as a string, so that no rule of YAML 1.2
changes a value. The meaning of the keys, and the position in the file, belong to the callers.
"""

import re
from collections.abc import Iterator
from itertools import pairwise

import yaml
from ruamel.yaml.error import YAMLError as RuamelError

from govbr_assets.core.card_yaml import (
    LINE,
    LINE_END,
    VALUE_ERRORS,
    Metadata,
    check_keys,
    key_lines,
    read_metadata,
    unusable,
)
from govbr_assets.core.lines import carry_edit
from govbr_assets.core.round_trip import RoundTrip, same
from govbr_assets.errors import ContractError

_WRITE_ERRORS = (yaml.YAMLError, RuamelError, *VALUE_ERRORS, AssertionError, NotImplementedError, RecursionError)
"""Raised by ruamel.yaml for texts that PyYAML parses: of its own class, by its code that meets a value or a depth it
does not expect, by its assertions, and NotImplementedError where two comments would come to the same place, as in
`b: # one` above an empty block scalar. The text cannot be edited then, and the caller says so.
"""


def edit_metadata(text: str, target: Metadata, newline: str, first_line: int = 1) -> str:
    """Edit YAML so that it parses as some metadata and is otherwise unchanged.

    Args:
        text: YAML, a mapping or nothing, up to the closing fence.
        target: the metadata that the edited text must parse as.
        newline: line end of new lines.
        first_line: number of the text's first line in its file, for messages.

    Returns:
        The edited YAML, parsed again and compared with the target; ends with a newline.

    Raises:
        ContractError: there is no such text, or the old one has a key twice; the message names the line.
    """
    before = read_metadata(text, first_line)
    check_keys(text, first_line)
    lines = LINE.findall(text)
    if lines and lines[-1].rstrip() == "...":
        lines.pop()  # it ends the document
    lines = _with_lists(lines, before, target)
    text = "".join(lines)
    before = read_metadata(text, first_line)
    # A block scalar at the end changes its value as soon as a line follows.
    for parsed in (before, read_metadata(text, first_line, whole=True)):
        for candidate in _candidates(lines, parsed, target, newline, first_line):
            if _parses_as(edited := "".join(candidate), target):
                return edited
    changed = next(key for key in [*before, *target] if key not in target or not same(before.get(key), target[key]))
    line = first_line + key_lines(text).get(str(changed), 0)
    raise unusable(line, f"`{changed}` cannot be edited without touching others: write it without aliases and tags")


def _candidates(
    lines: list[str], before: Metadata, target: Metadata, newline: str, first_line: int
) -> Iterator[list[str]]:
    """Yield edited texts that may parse as the target, the one that keeps most of the old text first."""
    try:
        document = RoundTrip("".join(LINE_END.sub("", line) + "\n" for line in lines))
        old = document.settle(lines)
        document.change(before, target)
        old, new = ([line.replace("\n", newline) for line in text] for text in (old, document.lines()))
    except _WRITE_ERRORS as error:
        raise unusable(first_line, f"it cannot be written anew: {' '.join(str(error).split())}") from error
    ours, base, theirs = map(_by_key, (lines, old, new))
    for pair in (True, False) if ours.keys() == base.keys() else ():
        parts = [carry_edit(ours[key], base[key], theirs.get(key, []), keep_comments=True, pair=pair) for key in ours]
        added = [part for key, part in theirs.items() if key not in ours]
        yield [line for part in [*parts, *added] for line in part]
    yield carry_edit(lines, old, new, keep_comments=True)
    yield carry_edit(lines, old, new)
    yield new


def _with_lists(lines: list[str], before: Metadata, target: Metadata) -> list[str]:
    """Turn mappings into the only item of a list where the target has one that begins so: their comments stay."""
    for key, value in before.items():
        wanted = target.get(key)
        if not isinstance(value, dict) or not isinstance(wanted, list) or not same(wanted[:1], [value]):
            continue
        parts = _by_key(lines)
        listed = "".join(line for each in (parts | {key: _as_item(parts.get(key, []))}).values() for line in each)
        if _parses_as(listed, {**before, key: [value]}):
            return _with_lists(LINE.findall(listed), read_metadata(listed), target)
    return lines


def _as_item(lines: list[str]) -> list[str]:
    """Write a key and its block mapping as the key and a list of that mapping."""
    head, body = lines[:1], lines[1:]
    first = next((number for number, line in enumerate(body) if line.strip() and line.lstrip()[0] != "#"), len(body))
    indented = ["  " + line if line.strip() else line for line in body]
    indented[first : first + 1] = [re.sub(r"^( *)  ", r"\1- ", line) for line in indented[first : first + 1]]
    return head + indented


def _by_key(lines: list[str]) -> dict[str | None, list[str]]:
    """Split a block mapping into the lines of each key; the lines before the first key are under None."""
    try:
        starts = key_lines("".join(lines))
    except ContractError:
        starts = {}
    parts = [lines[start:end] for start, end in pairwise([0, *starts.values(), len(lines)])]
    return dict(zip([None, *starts], parts, strict=True))


def _parses_as(text: str, target: Metadata) -> bool:
    """Return whether a text parses as the target and has no key twice."""
    try:
        check_keys(text)
        return same(read_metadata(text), target)
    except ContractError:
        return False
