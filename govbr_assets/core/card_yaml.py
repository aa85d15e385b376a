"""What the YAML of a card means: PyYAML's word, for that is what the Hub's client and `datasets` read it with.

How it is written anew is `front_matter`'s business.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import yaml

from govbr_assets.errors import ContractError

Metadata = dict[Any, Any]

LINE_END = re.compile(r"(?:\r\n|\r|\n)\Z")
NO_VALUE = (ValueError, TypeError, LookupError, AttributeError, ArithmeticError)
"""What both libraries raise for a text that is YAML and whose values cannot be had."""

_MOST_VALUES = 200_000  # a text of a few lines can name more with aliases of aliases


class _Reader(yaml.SafeLoader):
    """PyYAML's safe loader, whose errors all say where."""

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        """Make the value of a node; a date such as 2024-02-31 is an error of the text, too."""
        try:
            return super().construct_object(node, deep)
        except NO_VALUE as error:
            raise yaml.constructor.ConstructorError(None, None, str(error), node.start_mark) from error


def read_metadata(text: str, first_line: int = 1, *, whole: bool = False) -> Metadata:
    """Read metadata as the Hub does; an alias is a copy.

    Args:
        text: YAML, up to the closing fence.
        first_line: where in its file it begins, for messages.
        whole: with its last line end, which the Hub leaves out: it counts as soon as another line follows.

    Returns:
        The mapping; empty if the text holds nothing.

    Raises:
        ContractError: the text is no YAML mapping, or one that readers cannot load; names the line.
    """
    with _sentences(first_line):
        metadata = _copy(yaml.load(text if whole else LINE_END.sub("", text), _Reader))
    if not isinstance(metadata, dict | None):
        raise unusable(first_line, "it is not a mapping of keys to values")
    return metadata or {}


def key_lines(text: str, first_line: int = 1) -> dict[str, int]:
    """Say in which line of the text, from 0, each key of a mapping in block style begins; empty for other texts.

    Raises:
        ContractError: the text is no YAML.
    """
    with _sentences(first_line):
        root = yaml.compose(text, _Reader)
    if not isinstance(root, yaml.MappingNode) or root.flow_style:
        return {}
    return {str(key.value): key.start_mark.line for key, _ in root.value}


def check_keys(text: str, first_line: int = 1) -> None:
    """Look whether a mapping has a key twice: the client takes the last one, the Hub refuses the card.

    Raises:
        ContractError: it has; names key and line.
    """
    with _sentences(first_line):
        seen, stack = set[int](), [yaml.compose(text, _Reader)]
    while stack:
        node = stack.pop()
        if not isinstance(node, yaml.CollectionNode) or id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            stack += node.value
            continue
        stack += [each for pair in node.value for each in pair]
        found = set[str]()
        for key in (key for key, _ in node.value if isinstance(key, yaml.ScalarNode)):
            if key.value in found:
                raise unusable(first_line + key.start_mark.line, f"`{key.value}` stands there twice, delete one")
            found.add(key.value)


def unusable(line: int, told: str) -> ContractError:
    """Tell why a front matter cannot be used.

    Args:
        line: of the file, from 1.
        told: what is wrong and what to do.
    """
    return ContractError(f"The front matter of README.md on the Hub cannot be used, line {line}: {told}.")


@contextmanager
def _sentences(first_line: int) -> Iterator[None]:
    """Turn what PyYAML raises into one sentence of ours."""
    try:
        yield
    except (yaml.YAMLError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
        line = first_line + mark.line if mark else first_line
        told = ", ".join(filter(None, [getattr(error, "context", None), getattr(error, "problem", None)])) or str(error)
        raise unusable(line, f"it is not YAML that readers can load: {' '.join(told.split())}") from error


def _copy(root: Any) -> Any:
    """Copy a value so that no two places share a part of it.

    Raises:
        yaml.YAMLError: the parts are too many.
        RecursionError: a part holds itself.
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
