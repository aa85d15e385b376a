"""Coverage as text: a year a line, a week a character."""

from datetime import date, timedelta

import pyarrow as pa
import pytest

from govbr_assets.core.calendar_lines import LEGEND, calendar_lines, written_in
from govbr_assets.core.day_counts import COUNTS, DAYS_SCHEMA
from govbr_assets.core.days import Day

TODAY = Day.of("2026-03-01")


def days(*dates: date, missing: date | None = None) -> pa.Table:
    """Make a table in which each day has a row on both sides, but for one that the Hub lacks."""
    rows = [
        dict.fromkeys(COUNTS, 0)
        | {"day": day, "postgres_rows": 1, "hub_rows": int(day != missing), "missing": int(day == missing)}
        for day in dates
    ]
    return pa.Table.from_pylist(rows, DAYS_SCHEMA)


def test_a_day_that_is_not_over_does_not_differ():
    (line,) = calendar_lines(days(TODAY.date, missing=TODAY.date), TODAY)
    assert (line.differing, "!" in line.weeks) == (0, False)


def test_nothing_is_no_line():
    assert calendar_lines(days(), TODAY) == []


def test_a_week_says_on_how_many_of_its_days_there_are_rows_and_whether_one_differs():
    monday = date(2026, 1, 5)
    whole, some, none, unequal = ([monday + timedelta(7 * week + day) for day in range(7)] for week in range(4))
    (line,) = calendar_lines(days(*whole, *some[:2], *unequal, missing=unequal[3]), TODAY)
    assert line.weeks == " █░·!" + " " * 48
    assert (line.year, line.rows, line.days, line.differing) == (2026, 15, 15, 1)
    assert none[0] == date(2026, 1, 19)


def test_years_are_lines_the_newest_first_and_those_between_have_no_rows():
    lines = calendar_lines(days(date(2024, 12, 31), date(2026, 1, 1)), TODAY)
    assert [(each.year, each.rows) for each in lines] == [(2026, 1), (2025, 0), (2024, 1)]
    assert lines[1].weeks == "·" * 53


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "iso8859-15"])
def test_an_encoding_that_lacks_a_sign_gets_ascii_for_all_of_them(encoding: str):
    assert written_in(encoding, LEGEND) == "# all days of a week have rows, +=- some, . none; ! one differs"
    assert written_in(encoding, " █▓▒░·!") == " #+=-.!"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "cp437"])
def test_an_encoding_that_has_the_signs_keeps_them(encoding: str):
    assert written_in(encoding, f"{LEGEND} █▓▒░·!") == f"{LEGEND} █▓▒░·!"
