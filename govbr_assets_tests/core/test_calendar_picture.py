"""The picture of a reconciliation: every day is one cell, at its place, of its kind; and 24 years stay small."""

import re
from collections.abc import Iterator
from datetime import date, timedelta
from xml.etree import ElementTree

import pyarrow as pa
from hypothesis import example, given
from hypothesis import strategies as st

from govbr_assets.core.calendar_picture import calendar_picture
from govbr_assets.core.day_counts import COUNTS, DAYS_SCHEMA

SVG = "{http://www.w3.org/2000/svg}"
COUNTED = {
    "few": {"hub_rows": 9},
    "some": {"hub_rows": 10},
    "many": {"hub_rows": 100},
    "missing": {"hub_rows": 100, "missing": 1, "changed": 1},
    "rejected": {"hub_rows": 100},
    **{f"differs, {name}": {"hub_rows": 5, name: 1} for name in COUNTS[3:]},
}
"""Kinds of days, with the counts of one."""

histories = st.builds(
    lambda first, kinds: {first + timedelta(number): kind for number, kind in enumerate(kinds) if kind},
    st.dates(date(2003, 1, 1), date(2030, 1, 1)),
    st.lists(st.sampled_from(["", *COUNTED]), min_size=1, max_size=900).filter(any),
)


def table(history: dict[date, str]) -> pa.Table:
    rows = [{"day": day} | dict.fromkeys(COUNTS, 0) | COUNTED[kind] for day, kind in history.items()]
    return pa.Table.from_pylist(rows, schema=DAYS_SCHEMA)


def cells(picture: ElementTree.Element) -> Iterator[tuple[tuple[int, int], str]]:
    """List the cells of a picture, but for those of the legend, by column and line."""
    for path in picture.iterfind(f"{SVG}path"):
        kind, column, line = path.attrib["stroke"][5:-1], 0, 0
        for right, down, length in re.findall(r"m(-?\d+),(-?\d+)h(\d+)", path.attrib["d"]):
            column, line = column + int(right), line + int(down)
            yield from (((column + number, line), kind) for number in range(int(length)) if line)
            column += int(length)


def place(day: date, newest: int) -> tuple[int, int]:
    """Count where a day belongs: a year a row, the newest first; a week a column, which begins on a Monday."""
    week = sum((date(day.year, 1, 1) + timedelta(n)).weekday() == 0 for n in range(1, day.timetuple().tm_yday))
    return 4 + week, 4 + 9 * (newest - day.year) + day.weekday()


@given(histories)
@example({date(2000, 1, 1) + timedelta(n): "few" for n in range(366)})  # a leap year that begins on a Saturday
@example({date(2012, 1, 1) + timedelta(n): "few" for n in range(366)})  # and one on a Sunday has 54 weeks
def test_every_day_from_the_first_to_the_last_is_one_cell_at_its_place_and_of_its_kind(history: dict[date, str]):
    rejected = {day for day, kind in history.items() if kind not in ("few", "some", "many")}  # what differs, differs
    picture = ElementTree.fromstring(calendar_picture(table(history), rejected))
    first, last = min(history), max(history)
    days = [first + timedelta(number) for number in range((last - first).days + 1)]
    drawn = list(cells(picture))
    assert sorted(drawn) == sorted((place(day, last.year), history.get(day, "none").partition(",")[0]) for day in days)
    words = [text.text for text in picture.iterfind(f"{SVG}text")]
    assert [word for word in words if re.fullmatch(r"\d{4}", word or "")] == [
        f"{year}" for year in range(last.year, first.year - 1, -1)
    ]
    differ = sum(int(word.split()[0]) for word in words if word and re.fullmatch(r"1 differs|(?!1 )\d+ differ", word))
    assert differ == sum(kind.startswith(("differs", "missing")) for kind in history.values())
    assert max(line for (_, line), _ in drawn) < int(picture.attrib["height"]) / 10


def test_24_years_are_some_tens_of_kilobytes_even_if_no_day_is_like_its_neighbours():
    days = [date(2003, 1, 1) + timedelta(number) for number in range(24 * 365 + 6)]
    calm = {day: "some" if day.weekday() < 5 else "few" for day in days}
    wild = {day: list(COUNTED)[day.toordinal() // 7 % 4] for day in days}
    assert len(calendar_picture(table(calm))) < 8_000
    assert len(calendar_picture(table(wild))) < 60_000
