"""The grammar of `where` and `orderby`: what the real viewer lets through, and no SQL besides.

Text in, SQL and what is known about it out; which columns there are is not known here. SQL is put together anew from
the parts that were understood: no character of the request gets into it by another way.
"""

import re
from dataclasses import dataclass

from govbr_assets.local.viewer.errors import InvalidParameterError

_FORBIDDEN = re.compile(r";|--|/\*|\*/|\x00")
_COLUMN = r'"((?:[^"]|"")+)"'
_VALUE = r"(\d+(?:\.\d+)?|'(?:[^']|'')*'|true|false|null)"
_COMPARISON = rf"(\(?){_COLUMN} ?(<>|!=|<=|>=|=|<|>) ?{_VALUE}(\)?)"
_EACH = re.compile(_COMPARISON, re.I | re.A)
_WHERE = re.compile(f"{_COMPARISON}(?: (?:and|or) {_COMPARISON})*", re.I | re.A)
_PAIRS = re.compile(r"(?:\(\))*")
_ORDER = re.compile(f"{_COLUMN}(?: (asc|desc))?", re.I | re.A)


@dataclass(frozen=True, slots=True)
class Comparison:
    """A column, an operator and a value.

    Attributes:
        column: its name.
        operator: `=`, `<>`, `!=`, `<`, `<=`, `>` or `>=`.
        value: an SQL literal.
    """

    column: str
    operator: str
    value: str

    @property
    def text(self) -> str | None:
        """The value if it is a text, without its quotes."""
        return self.value[1:-1].replace("''", "'") if self.value.startswith("'") else None


@dataclass(frozen=True, slots=True)
class Where:
    """A condition that was understood.

    Attributes:
        sql: the condition in SQL.
        comparisons: all of them, in their order.
        all_required: no `or` in it, so that a row needs every comparison.
    """

    sql: str = "true"
    comparisons: tuple[Comparison, ...] = ()
    all_required: bool = True


def parse_where(text: str) -> Where:
    """Understand a condition: comparisons joined by `and` and `or`, in groups one deep.

    Args:
        text: such as `"agency"='mec' and ("n">=3 or "n"=0)`.

    Raises:
        InvalidParameterError: it says anything else, or holds `;`, `--`, `/*` or `*/`, be it inside quotes.
    """
    if _FORBIDDEN.search(text) or not _WHERE.fullmatch(text):
        raise InvalidParameterError("Parameter 'where' is invalid")
    matches = list(_EACH.finditer(text))
    if not _PAIRS.fullmatch("".join(match[1] + match[5] for match in matches)):
        raise InvalidParameterError("Parameter 'where' has brackets that do not match")
    comparisons, junctions, sql, end = [], set(), "", 0
    for match in matches:
        opening, column, operator, value, closing = match.groups()
        comparison = Comparison(_name(column), operator, _literal(value))
        junction = text[end : match.start()].lower()
        sql += f"{junction}{opening}{quoted(comparison.column)} {operator} {comparison.value}{closing}"
        comparisons.append(comparison)
        junctions.add(junction)
        end = match.end()
    return Where(sql, tuple(comparisons), " or " not in junctions)


def parse_order(text: str) -> tuple[str, str]:
    """Understand an order: one column, and perhaps `asc` or `desc`.

    Returns:
        The name of the column, and `ASC` or `DESC`.

    Raises:
        InvalidParameterError: it says anything else.
    """
    order = None if _FORBIDDEN.search(text) else _ORDER.fullmatch(text)
    if order is None:
        raise InvalidParameterError("Parameter 'orderby' is invalid")
    return _name(order[1]), (order[2] or "asc").upper()


def quoted(name: str) -> str:
    """Write a name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def _name(column: str) -> str:
    """Read a name between its quotes."""
    return column.replace('""', '"')


def _literal(value: str) -> str:
    """Write a value as an SQL literal; a text is quoted anew."""
    if not value.startswith("'"):
        return value.lower()
    return "'" + value[1:-1].replace("''", "'").replace("'", "''") + "'"
