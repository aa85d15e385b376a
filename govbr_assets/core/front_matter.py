"""YAML metadata as text: read as the Hub's client reads it, and edited so that only what is meant changes.

Two libraries share the work. PyYAML says what a text means, for it is what readers have (YAML 1.1: `yes` is true).
ruamel.yaml writes the text anew with its comments, order, quotes and anchors; to it every scalar is its own text, so
that no rule of YAML 1.2 touches a value. Nothing here knows what the metadata is about, or where in a file it stands.
"""

import re
from collections.abc import Iterator
from typing import Any

import yaml
from ruamel.yaml.error import YAMLError as RuamelError

from govbr_assets.core.lines import carry_edit
from govbr_assets.core.round_trip import RoundTrip, same
from govbr_assets.errors import ContractError

Metadata = dict[Any, Any]

_MOST_VALUES = 200_000  # a text of a few lines can name more with aliases of aliases
_BAD_VALUE = (ValueError, TypeError, LookupError, AttributeError, ArithmeticError)
_LIBRARY_ERRORS = (*_BAD_VALUE, AssertionError, NotImplementedError, RecursionError)
_LINE, _ENDS = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+"), re.compile(r"(?:\r\n|\r|\n)\Z")


class _Reader(yaml.SafeLoader):
    """PyYAML's safe loader, whose errors all say where."""

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        """Make the value of a node; a date such as 2024-02-31 is an error of the text, too."""
        try:
            return super().construct_object(node, deep)
        except _BAD_VALUE as error:
            raise yaml.constructor.ConstructorError(None, None, str(error), node.start_mark) from error


def read_metadata(text: str, first_line: int = 1) -> Metadata:
    """Read metadata as `yaml.safe_load` does, each value a copy of its own even where the text has an alias.

    Args:
        text: YAML.
        first_line: where in its file it begins, for messages.

    Returns:
        The mapping; empty if the text holds nothing.

    Raises:
        ContractError: the text is no YAML mapping, or one that readers cannot load; names the line.
    """
    try:
        metadata = _copies(yaml.load(text, _Reader))
    except (yaml.YAMLError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
        line = first_line + mark.line if mark else first_line
        told = ", ".join(filter(None, [getattr(error, "context", None), getattr(error, "problem", None)])) or error
        raise _error(line, f"it is not YAML that readers can load: {' '.join(str(told).split())}") from error
    if not isinstance(metadata, dict | None):
        raise _error(first_line, "it is not a mapping of keys to values")
    return metadata or {}


def edit_metadata(text: str, wish: Metadata, newline: str, first_line: int = 1) -> str:
    """Write a text that means the wish and differs from the old one nowhere else.

    Args:
        text: YAML, a mapping or nothing.
        wish: what it shall mean.
        newline: the end of new lines.
        first_line: where in its file the text begins, for messages.

    Returns:
        YAML that was read again and compared with the wish; ends with a newline.

    Raises:
        ContractError: there is no such text, or the old one has a key twice; names the line.
    """
    before = read_metadata(text, first_line)
    _check_keys(text, first_line)
    lines = _LINE.findall(text)
    for candidate in _candidates(lines, before, wish, newline, first_line):
        edited = "".join(candidate)
        if _means(edited, wish):
            return edited
    changed = next(key for key in [*before, *wish] if key not in wish or not same(before.get(key), wish[key]))
    line = first_line + next((key.start_mark.line for key, _ in _root(text) if key.value == changed), 0)
    raise _error(line, f"`{changed}` cannot be edited without touching others: write it without aliases and tags")


def _candidates(
    lines: list[str], before: Metadata, wish: Metadata, newline: str, first_line: int
) -> Iterator[list[str]]:
    """Write the wish in several ways, the one that keeps the most of the old text first."""
    try:
        document = RoundTrip("".join(_ENDS.sub("", line) + "\n" for line in lines))
        old = document.settle(lines)
        document.change(before, wish)
        new = [line.replace("\n", newline) for line in document.lines()]
    except (yaml.YAMLError, RuamelError, *_LIBRARY_ERRORS) as error:
        raise _error(first_line, f"it cannot be written anew: {' '.join(str(error).split())}") from error
    yield carry_edit(lines, old, new, keep_comments=True)
    yield carry_edit(lines, old, new, keep_comments=False)
    yield new


def _means(text: str, wish: Metadata) -> bool:
    """Say whether a text is read as the wish, and has no key twice."""
    try:
        _check_keys(text, 1)
        return same(read_metadata(text), wish)
    except ContractError:
        return False


def _check_keys(text: str, first_line: int) -> None:
    """Raise if a mapping has a key twice: the client takes the last one, the Hub refuses it."""
    seen, stack = set[int](), [yaml.compose(text, _Reader)]
    while stack:
        node = stack.pop()
        if not isinstance(node, yaml.CollectionNode) or id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            stack += node.value
            continue
        keys = set[str]()
        for key, value in node.value:
            stack += [key, value]
            if isinstance(key, yaml.ScalarNode) and key.value in keys:
                raise _error(first_line + key.start_mark.line, f"`{key.value}` stands there twice, delete one of them")
            keys |= {key.value} if isinstance(key, yaml.ScalarNode) else set()


def _root(text: str) -> list[tuple[yaml.Node, yaml.Node]]:
    node = yaml.compose(text, _Reader)
    return node.value if isinstance(node, yaml.MappingNode) else []


def _copies(root: Any) -> Any:
    """Copy a value so that no two places share a part of it.

    Raises:
        yaml.YAMLError: a part holds itself, or the parts are too many.
    """
    count = 0

    def copy(value: Any) -> Any:
        nonlocal count
        count += 1
        if count > _MOST_VALUES:
            raise yaml.YAMLError(f"its aliases name more than {_MOST_VALUES} values")
        if isinstance(value, dict):
            return {key: copy(each) for key, each in value.items()}
        return [copy(each) for each in value] if isinstance(value, list) else value

    return copy(root)


def _error(line: int, told: str) -> ContractError:
    return ContractError(f"The front matter of README.md on the Hub cannot be used, line {line}: {told}.")
