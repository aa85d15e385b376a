"""Parsing of a card's YAML by PyYAML, the parser of the Hub's client and of `datasets`. `front_matter` writes it."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

import yaml

from govbr_assets.errors import ContractError

Metadata = dict[Any, Any]

LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
"""A line as editors count them; YAML 1.1 and `str.splitlines` end one at other characters too, such as U+2028."""
LINE_END = re.compile(r"(?:\r\n|\r|\n)\Z")
VALUE_ERRORS = (ValueError, TypeError, LookupError, AttributeError, ArithmeticError)
"""Raised by both libraries for a text that is valid YAML but has a value that cannot be constructed."""

_MAX_VALUES = 200_000  # aliases of aliases can expand a few lines to more


class _Loader(yaml.SafeLoader):
    """PyYAML's safe loader, with a position in every error."""

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        """Construct the value of a node; an invalid value such as the date 2024-02-31 raises with its position."""
        try:
            return super().construct_object(node, deep)
        except VALUE_ERRORS as error:
            raise yaml.constructor.ConstructorError(None, None, str(error), node.start_mark) from error


def read_metadata(text: str, first_line: int = 1, *, whole: bool = False) -> Metadata:
    """Parse metadata as the Hub does; aliases are expanded.

    Args:
        text: YAML, up to the closing fence.
        first_line: number of its first line in the file, for messages.
        whole: whether to include the last line end, which the Hub drops; it matters once another line follows.

    Returns:
        The mapping; empty if the text is empty.

    Raises:
        ContractError: the text is not a YAML mapping that readers can load; the message names the line.
    """
    with _contract_errors(first_line):
        metadata = _expand(_loaded(text if whole else LINE_END.sub("", text)))
    if not isinstance(metadata, dict | None):
        raise unusable(first_line, "it is not a mapping of keys to values")
    return metadata or {}


def key_lines(text: str, first_line: int = 1) -> dict[str, int]:
    """Return the line, from 0, at which each key of a block mapping begins; empty for other texts.

    Raises:
        ContractError: the text is not YAML.
    """
    with _contract_errors(first_line):
        root = _composed(text)
    if not isinstance(root, yaml.MappingNode) or root.flow_style:
        return {}
    return {str(key.value): len(LINE.findall(text[: key.start_mark.index])) for key, _ in root.value}


def check_keys(text: str, first_line: int = 1) -> None:
    """Raise if a mapping has a key twice: the client uses the last one, and the Hub rejects the card.

    Raises:
        ContractError: it has; the message names key and line.
    """
    with _contract_errors(first_line):
        seen, stack = set[int](), [_composed(text)]
    while stack:
        node = stack.pop()
        if not isinstance(node, yaml.CollectionNode) or id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            stack += node.value
            continue
        stack += [part for pair in node.value for part in pair]
        found = set[str]()
        for key in (key for key, _ in node.value if isinstance(key, yaml.ScalarNode)):
            if key.value in found:
                raise unusable(first_line + key.start_mark.line, f"`{key.value}` stands there twice, delete one")
            found.add(key.value)


def unusable(line: int, reason: str) -> ContractError:
    """Return the error for a front matter that cannot be used.

    Args:
        line: of the file, from 1.
        reason: what is wrong and what to do.
    """
    return ContractError(f"The front matter of README.md on the Hub cannot be used, line {line}: {reason}.")


@lru_cache(maxsize=8)  # a commit asks a dozen times for two or three cards, and its callers get copies
def _loaded(text: str) -> Any:
    """Parse YAML."""
    return yaml.load(text, _Loader)


@lru_cache(maxsize=8)  # by itself: `yaml.load` changes the nodes of a mapping with a merge key
def _composed(text: str) -> yaml.Node | None:
    """Parse YAML into nodes, which callers only read."""
    return yaml.compose(text, _Loader)


@contextmanager
def _contract_errors(first_line: int) -> Iterator[None]:
    """Translate PyYAML's errors into ours."""
    try:
        yield
    except (yaml.YAMLError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
        line = first_line + mark.line if mark else first_line
        text = ", ".join(filter(None, [getattr(error, "context", None), getattr(error, "problem", None)])) or str(error)
        raise unusable(line, f"it is not YAML that readers can load: {' '.join(text.split())}") from error


def _expand(root: Any) -> Any:
    """Copy a value with its aliases expanded, so that no two places share a part of it.

    Raises:
        yaml.YAMLError: the parts are too many.
        RecursionError: a part contains itself.
    """
    count = 0

    def copy(value: Any) -> Any:
        """Copy a value and count its parts."""
        nonlocal count
        count += 1
        if count > _MAX_VALUES:
            raise yaml.YAMLError(f"its aliases name more than {_MAX_VALUES} values")
        if isinstance(value, dict):
            return {key: copy(part) for key, part in value.items()}
        return [copy(part) for part in value] if isinstance(value, list) else value

    return copy(root)
