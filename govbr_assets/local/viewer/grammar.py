"""The grammar of `where` and `orderby`: what the real viewer lets through, and no SQL besides.

Text in, SQL and what is known about it out; which columns there are is not known here. SQL is put together anew from
the parts that were understood: no character of the request gets into it by another way.
"""

import re
from dataclasses import dataclass

from govbr_assets.local.viewer.errors import InvalidParameterError

_FORBIDDEN = re.compile(r";|--|/\*|\*/|\x00")
_COLUMN = r'"(?P<column>(?:[^"]|"")+)"'
_VALUE = r"(?P<value>\d+(?:\.\d+)?|'(?:[^']|'')*'|(?:true|false|null)\b)"
_EXPRESSION = re.compile(
    rf"(?P<open>\(?){_COLUMN} ?(?P<operator><>|!=|<=|>=|=|<|>) ?{_VALUE}(?P<close>\)?)", re.I | re.A
)
_JUNCTION = re.compile(" (and|or) ", re.I)
_ORDER = re.compile(rf"{_COLUMN}(?: (?P<direction>asc|desc))?", re.I)


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
    if _FORBIDDEN.search(text):
        raise InvalidParameterError("Parameter 'where' contains invalid symbols")
    sql, comparisons, junctions, position, inside = "", [], set(), 0, False
    while True:
        expression = _EXPRESSION.match(text, position)
        if expression is None or (inside and expression["open"]):
            raise InvalidParameterError("Parameter 'where' is invalid")
        comparison = Comparison(_name(expression), expression["operator"], _literal(expression["value"]))
        comparisons.append(comparison)
        sql += f"{expression['open']}{quoted(comparison.column)} {comparison.operator} {comparison.value}"
        sql += expression["close"]
        inside = (inside or bool(expression["open"])) and not expression["close"]
        if sql.count("(", len(sql) - 1) and not inside:
            raise InvalidParameterError("Parameter 'where' is invalid")
        position = expression.end()
        junction = _JUNCTION.match(text, position)
        if junction is None:
            break
        junctions.add(junction[1].lower())
        sql, position = sql + junction[0].lower(), junction.end()
    return Where(sql, tuple(comparisons), "or" not in junctions)


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
    return _name(order), (order["direction"] or "asc").upper()


def quoted(name: str) -> str:
    """Write a name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def _name(match: re.Match[str]) -> str:
    return match["column"].replace('""', '"')


def _literal(value: str) -> str:
    """Write a value as an SQL literal; a text is quoted anew."""
    if not value.startswith("'"):
        return value.lower()
    return "'" + value[1:-1].replace("''", "'").replace("'", "''") + "'"
