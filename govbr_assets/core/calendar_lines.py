"""Days as lines of text: a year a line, a week a character that says on how many of its days there are rows.

The same as a picture for the UI is in `calendar_picture`; what is counted of a day, in `day_counts`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

import pyarrow as pa

from govbr_assets.core.day_counts import COUNTS
from govbr_assets.core.days import Day

DIFFERS, NOBODY, WHOLE = "!", "·", "█"
PART = "░▒▓"
_ASCII = str.maketrans(f"{WHOLE}{PART}{NOBODY}", "#-=+.")
LEGEND = f"{WHOLE} all days of a week have rows, {PART[2]}{PART[1]}{PART[0]} some, {NOBODY} none; {DIFFERS} one differs"


@dataclass(frozen=True)
class YearLine:
    """A year.

    Attributes:
        year: in America/Sao_Paulo.
        weeks: 53 or 54 characters; blanks before the first day and after the last one.
        rows: on the Hub.
        days: on the Hub, with a row.
        differing: how many days that are over differ.
    """

    year: int
    weeks: str
    rows: int
    days: int
    differing: int


def calendar_lines(days: pa.Table, today: Day) -> list[YearLine]:
    """Write the days of a reconciliation, the newest year first.

    Args:
        days: [n days x 8] of `day_counts.DAYS_SCHEMA`, in order. Days between the first one and the last one that it
            does not have are days without rows.
        today: the first day that is not over, and so does not differ yet.
    """
    rows = {
        row["day"]: (row["hub_rows"], row["day"] < today.date and any(row[name] for name in COUNTS[2:]))
        for row in days.to_pylist()
    }
    if not rows:
        return []
    first, last = min(rows), max(rows)
    return [_line(year, rows, first, last) for year in range(last.year, first.year - 1, -1)]


def written_in(encoding: str, text: str) -> str:
    """Replace the signs of lines and of the legend by ASCII in an encoding that lacks one of them.

    Args:
        encoding: of the output.
        text: a line or the legend.
    """
    try:
        LEGEND.encode(encoding)
    except UnicodeEncodeError:
        return text.translate(_ASCII)
    return text


def _line(year: int, rows: dict[date, tuple[int, bool]], first: date, last: date) -> YearLine:
    """Write a year."""
    known = [found for day, found in rows.items() if day.year == year]
    weeks = "".join(_character(week, rows, first, last) for week in _weeks(year))
    held = sum(count > 0 for count, _ in known)
    return YearLine(year, weeks, sum(count for count, _ in known), held, sum(differs for _, differs in known))


def _weeks(year: int) -> Iterator[list[date]]:
    """Divide a year into weeks from Monday to Sunday; the first and the last one can be shorter."""
    week: list[date] = []
    for number in range((date(year + 1, 1, 1) - date(year, 1, 1)).days):
        day = date(year, 1, 1) + timedelta(number)
        if week and day.weekday() == 0:
            yield week
            week = []
        week.append(day)
    yield week


def _character(week: list[date], rows: dict[date, tuple[int, bool]], first: date, last: date) -> str:
    """Say of a week on how many of its days there are rows."""
    inside = [rows.get(day, (0, False)) for day in week if first <= day <= last]
    if not inside:
        return " "
    if any(differs for _, differs in inside):
        return DIFFERS
    held = sum(count > 0 for count, _ in inside)
    if held in (0, len(inside)):
        return WHOLE if held else NOBODY
    return PART[min(2, held * 3 // len(inside))]
