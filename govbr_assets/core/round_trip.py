"""Round trips of YAML through ruamel.yaml, which treats every scalar as a string; PyYAML determines the values."""

import sys
from collections import Counter
from collections.abc import Iterator
from difflib import SequenceMatcher
from io import StringIO
from math import isnan
from typing import Any

import yaml
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.nodes import ScalarNode
from ruamel.yaml.resolver import VersionedResolver
from ruamel.yaml.scalarstring import (
    DoubleQuotedScalarString,
    LiteralScalarString,
    PlainScalarString,
    ScalarString,
    SingleQuotedScalarString,
)
from ruamel.yaml.tag import Tag

from govbr_assets.core.card_yaml import LINE
from govbr_assets.core.lines import differences

_INDENTS = [(2, 2, 0), (2, 4, 2), (4, 4, 0), (4, 4, 2), (4, 6, 4)]
"""Possible indents: of mappings, of sequences, and the offset of the dash."""

_NULL, _TEXT = Tag(suffix="tag:yaml.org,2002:null"), Tag(suffix="tag:yaml.org,2002:str")
_MERGE = "<<"
_STYLED = (LiteralScalarString, SingleQuotedScalarString, DoubleQuotedScalarString)


class _StringResolver(VersionedResolver):
    """Resolves every plain scalar to a string, and a missing one to null."""

    def resolve(self, kind: Any, value: Any, implicit: Any) -> Any:
        """Return the tag of a node without one."""
        if kind is ScalarNode:
            return _NULL if implicit[0] and value == "" else _TEXT
        return super().resolve(kind, value, implicit)


class RoundTrip:
    """A YAML document that can be changed and written with its comments, order, quotes, styles and anchors.

    Args:
        text: YAML, a mapping or nothing.
    """

    def __init__(self, text: str) -> None:
        self._yaml = YAML(typ="rt", pure=True)
        self._yaml.Resolver = _StringResolver
        self._yaml.preserve_quotes = True
        self._yaml.width = sys.maxsize
        root = self._yaml.load(text)
        self._heading = text if root is None else ""  # ruamel drops comments of an empty document
        self._root = root if isinstance(root, CommentedMap) else CommentedMap()  # `~` is an empty document too
        if not self._root:
            self._root.fa.set_block_style()
        self._margin = " " * (self._root.lc.col or 0) if not self._root.fa.flow_style() else ""

    def settle(self, lines: list[str]) -> list[str]:
        """Choose the indents that reproduce most of a text, and return the document written with them."""
        written = {indents: self._written(indents) for indents in _INDENTS}
        self._indents = min(_INDENTS, key=lambda indents: differences(lines, written[indents]))
        return written[self._indents]

    def lines(self) -> list[str]:
        """Return the lines of the written document."""
        return self._written(self._indents)

    def change(self, before: dict[Any, Any], after: dict[Any, Any]) -> None:
        """Change the nodes that differ between two values of the document.

        Args:
            before: the current value.
            after: the new value.
        """
        self._shared = Counter(map(id, _collections(self._root)))
        self._change_mapping(self._root, before, after)

    def _written(self, indents: tuple[int, int, int]) -> list[str]:
        self._yaml.indent(*indents)
        stream = StringIO()
        if self._root or not self._heading:
            self._yaml.dump(self._root, stream)
        lines = LINE.findall(self._heading + stream.getvalue())
        return [self._margin + line if line.strip() else line for line in lines]

    def _change_mapping(self, node: CommentedMap, before: dict[Any, Any], after: dict[Any, Any]) -> None:
        names = {value_of(key): key for key in node if key != _MERGE}
        if any(key not in names and not (key in after and same(before[key], after[key])) for key in before):
            node.pop(_MERGE)  # the merged keys are written out
            names |= {key: _new(key) for key in before if key not in names}
            for key in before:
                node.setdefault(names[key], _new(before[key]))
        for key in before.keys() - after.keys():
            del node[names[key]]
        for key, value in after.items():
            if key not in before:
                node[_new(key)] = _new(value)
            elif not same(before[key], value):
                node[names[key]] = self._changed(node[names[key]], before[key], value)

    def _change_list(self, node: CommentedSeq, before: list[Any], after: list[Any]) -> None:
        matcher = SequenceMatcher(None, [*map(repr, before)], [*map(repr, after)], autojunk=False)
        for kind, start, end, new_start, new_end in reversed(matcher.get_opcodes()):
            if kind == "equal":
                continue
            both = min(end - start, new_end - new_start)
            for place in reversed(range(start + both, end)):
                del node[place]
            for place in range(start, start + both):
                node[place] = self._changed(node[place], before[place], after[new_start + place - start])
            for place in range(new_start + both, new_end):
                node.insert(start + place - new_start, _new(after[place]))

    def _changed(self, node: Any, before: Any, after: Any) -> Any:
        """Change a node in place if no alias shares it, else return a new node."""
        if self._shared[id(node)] == 1:
            if isinstance(node, CommentedMap) and isinstance(before, dict) and isinstance(after, dict):
                self._change_mapping(node, before, after)
                return node
            if isinstance(node, CommentedSeq) and isinstance(before, list) and isinstance(after, list):
                self._change_list(node, before, after)
                return node
        if isinstance(node, LiteralScalarString | SingleQuotedScalarString | DoubleQuotedScalarString) and isinstance(
            after, str
        ):
            return type(node)(after)
        return _new(after)


def same(one: Any, other: Any) -> bool:
    """Return whether two values and their types are equal: true is not 1, and NaN equals NaN."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(value, other[key]) for key, value in one.items())
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other) or (isinstance(one, float) and isnan(one) and isnan(other))


def value_of(scalar: Any) -> Any:
    """Return the value that PyYAML gives a scalar of the document."""
    if not isinstance(scalar, str) or (isinstance(scalar, ScalarString) and not isinstance(scalar, PlainScalarString)):
        return scalar
    loader = yaml.SafeLoader("")
    return loader.construct_object(yaml.ScalarNode(loader.resolve(yaml.ScalarNode, scalar, (True, False)), scalar))


def _new(value: Any) -> Any:
    """Return a node that PyYAML parses as a value."""
    if isinstance(value, dict):
        return CommentedMap([(_new(key), _new(part)) for key, part in value.items()])
    if isinstance(value, list):
        return CommentedSeq(map(_new, value))
    node = yaml.representer.SafeRepresenter().represent_data(value)
    if isinstance(value, str) and (
        yaml.SafeLoader("").resolve(yaml.ScalarNode, value, (True, False)) != node.tag
        or "?" in value  # which PyYAML takes for a key within brackets
    ):
        return DoubleQuotedScalarString(value)
    return PlainScalarString(node.value)  # a str would get the quotes of the scalar that it replaces


def _collections(node: Any) -> Iterator[Any]:
    """Yield the collections of a document, each as often as it is referred to."""
    seen, stack = set[int](), [node]
    while stack:
        part = stack.pop()
        if isinstance(part, CommentedMap | CommentedSeq):
            yield part
            if id(part) not in seen:
                seen.add(id(part))
                stack += part.values() if isinstance(part, CommentedMap) else part
