"""Days as a picture in SVG: a year a row, a week a column, a day a cell whose shape and colour say of what kind it is.

What is counted of a day belongs to `day_counts`; how the UI gets a picture, to `defs.metadata`.

Days of one kind that follow each other on a line are one stroke, and the pattern of the stroke is the cell: the size of
the picture depends on how often the kind changes. The ground is transparent and the colours are of middle brightness,
so that light and dark pages can show it.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import date, timedelta
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

import pyarrow as pa

from govbr_assets.core.counting import differing
from govbr_assets.core.day_counts import COUNTS

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element


class _Kind(NamedTuple):
    """How days of a kind are drawn: the words of the legend, and a shape in 10 by 10 pixels."""

    legend: str
    shape: str
    colour: str
    opacity: float = 1


_GREY, _GREEN, _RED, _AMBER = "#7d848c", "#2e9d6a", "#e5383b", "#d98e04"
_DOT, _SQUARE, _RING = "M4,4h2v2h-2z", "M1,1h8v8h-8z", "M0,0h10v10h-10zM2.5,2.5v5h5v-5z"
_DIAMOND = "M5,.5 9.5,5 5,9.5 .5,5z"
_CROSS = "M.5,2.7 2.7,.5 5,2.8 7.3,.5 9.5,2.7 7.2,5 9.5,7.3 7.3,9.5 5,7.2 2.7,9.5 .5,7.3 2.8,5z"
_KINDS = {
    "none": _Kind("no rows", _DOT, _GREY, 0.6),
    "few": _Kind("1 to 9 rows", _SQUARE, _GREEN, 0.35),
    "some": _Kind("10 to 99", _SQUARE, _GREEN, 0.65),
    "many": _Kind("100 or more", _SQUARE, _GREEN),
    "differs": _Kind("differs", _RING, _RED),
    "missing": _Kind("rows missing", _CROSS, _RED),
    "rejected": _Kind("not compared", _DIAMOND, _AMBER),
}
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

_CELL = 10  # pixels
_LEFT, _WEEKS, _RIGHT = 4, 54, 11  # columns of cells: the year, its weeks, how many days differ
_HEAD, _YEAR = 4, 9  # lines of cells: the legend and the months; seven days and a gap


class _Run(NamedTuple):
    """Cells of one kind side by side."""

    kind: str
    column: int
    line: int
    length: int


class _Words(NamedTuple):
    """Words that begin at a column, on a line."""

    column: float
    line: float
    words: str
    colour: str = _GREY


def calendar_picture(days: pa.Table, rejected: Collection[date] = ()) -> str:
    """Draw the days of a reconciliation, the newest year first.

    Args:
        days: [n days x 8] of `day_counts.DAYS_SCHEMA`, in order, at least one. Days between the first one and the last
            one that it does not have are days without rows.
        rejected: days whose contents could not be compared.

    Returns:
        An SVG document.
    """
    kinds = {row["day"]: _kind(row, rejected=row["day"] in rejected) for row in days.to_pylist()}
    runs, words = _legend()
    words += [_Words(_LEFT + number * 4.4, 3.4, month) for number, month in enumerate(_MONTHS)]
    line = _HEAD
    for year in range(max(kinds).year, min(kinds).year - 1, -1):
        runs += _year(year, kinds, line)
        words.append(_Words(0, line + 4, str(year)))
        if differ := sum(day.year == year and kind in ("differs", "missing") for day, kind in kinds.items()):
            words.append(_Words(_LEFT + _WEEKS + 1, line + 4, differing(differ), _RED))
        line += _YEAR
    return _document(line, runs, words)


def _kind(row: Mapping[str, int], *, rejected: bool) -> str:
    """Say of which kind a day is, by its counts; one that could not be compared is not one that is equal."""
    if row["missing"]:
        return "missing"
    if any(row[name] for name in COUNTS[2:]):
        return "differs"
    if rejected:
        return "rejected"
    return "few" if row["hub_rows"] < 10 else "some" if row["hub_rows"] < 100 else "many"


def _legend() -> tuple[list[_Run], list[_Words]]:
    """Explain the kinds on the first line."""
    runs, words, column = list[_Run](), list[_Words](), _LEFT
    for name, kind in _KINDS.items():
        runs.append(_Run(name, column, 0, 1))
        words.append(_Words(column + 1.5, 0.9, kind.legend))
        column += 4 + round(len(kind.legend) * 0.55)
    return runs, words


def _year(year: int, kinds: Mapping[date, str], line: int) -> Iterator[_Run]:
    """Put the days of a year into runs: Mondays on a line, Tuesdays on the next, and so on."""
    first, last = max(date(year, 1, 1), min(kinds)), min(date(year, 12, 31), max(kinds))
    start = date(year, 1, 1) - timedelta(date(year, 1, 1).weekday())
    dates = [first + timedelta(number) for number in range((last - first).days + 1)]
    for weekday in range(7):
        of_weekday = (day for day in dates if day.weekday() == weekday)
        for kind, run in groupby(of_weekday, lambda day: kinds.get(day, "none")):
            cells = list(run)
            yield _Run(kind, _LEFT + (cells[0] - start).days // 7, line + weekday, len(cells))


def _document(lines: int, runs: Iterable[_Run], words: Iterable[_Words]) -> str:
    """Put the picture together."""
    from xml.etree.ElementTree import SubElement, tostring  # 2 MB, which only a run that draws needs

    picture = _canvas((_LEFT + _WEEKS + _RIGHT) * _CELL, lines * _CELL)
    paths = dict.fromkeys(_KINDS, "M0,0")
    pens: dict[str, tuple[int, int]] = dict.fromkeys(_KINDS, (0, 0))
    for run in runs:
        column, line = pens[run.kind]
        paths[run.kind] += f"m{run.column - column},{run.line - line}h{run.length}"
        pens[run.kind] = run.column + run.length, run.line
    for name, kind in _KINDS.items():
        box = {"id": name, "y": "5", "width": "10", "height": "10", "patternUnits": "userSpaceOnUse"}
        pattern = SubElement(picture, "pattern", box, patternTransform="scale(.1)")
        SubElement(pattern, "path", d=kind.shape, fill=kind.colour, opacity=f"{kind.opacity}")
        SubElement(picture, "path", d=paths[name], stroke=f"url(#{name})", transform="scale(10) translate(0 .5)")
    for each in words:
        place = {"x": f"{each.column * _CELL:g}", "y": f"{each.line * _CELL:g}"}
        SubElement(picture, "text", place, fill=each.colour).text = each.words
    return tostring(picture, "unicode")


def _canvas(width: int, height: int) -> "Element":
    """Begin a picture of some pixels."""
    from xml.etree.ElementTree import Element

    size = {"width": f"{width}", "height": f"{height}", "viewBox": f"0 0 {width} {height}"}
    font = {"font-family": "sans-serif", "font-size": "11"}
    return Element("svg", {"xmlns": "http://www.w3.org/2000/svg"} | size | font)
