"""What people read on terminals of several widths, and in files: nothing is cut, and no number or day is broken."""

import json
import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from govbr_assets.cli.show import (
    print_conclusion,
    print_days,
    print_error,
    print_facts,
    print_json,
    print_lines,
    print_table,
)
from govbr_assets.core.day_counts import COUNTS

DAY = date(2026, 1, 15)
GUARD = (
    "the guard keeps 154 of 3,700 rows of 2026-01-15..2026-01-20 until they are approved: --allow-removals 154, or the"
    " setting GOVBR_ALLOW_REMOVALS=154 of https://example.org/a/long/path/of/many/words/to/settings.html, for all days"
)
TOKENS = ("2026-01-15", "3,700", "--allow-removals 154", "GOVBR_ALLOW_REMOVALS=154")
RUNS = ["run", "days", "outcome"], [["daily_sync", "2025-12-03..2026-01-09", GUARD], ["reconciliation", "", "ok"]]
ASSESSMENT = f"org/news: at d83285dc: {GUARD}\n  files         {GUARD}\n  column title  {GUARD}"


Printed = Callable[..., list[str]]


@pytest.fixture
def printed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Printed:
    """Print on a terminal of a width, or, at 0, in a file; give the lines, without their colours."""

    def on(width: int, function: Callable[..., Any], *args: Any, **more: Any) -> list[str]:
        for name, value in {"FORCE_COLOR": "1", "COLUMNS": f"{width}"}.items():
            if width:
                monkeypatch.setenv(name, value)
            else:
                monkeypatch.delenv(name, raising=False)
        function(*args, **more)
        return re.sub(r"\x1b\[[0-9;]*m", "", "".join(capsys.readouterr())).splitlines()

    return on


def a_day(count: int, **counts: int) -> dict[str, object]:
    return {"day": DAY, **dict.fromkeys(COUNTS, count), **counts}


def joined(lines: list[str]) -> str:
    return " ".join(" ".join(lines).split())


def test_counts_of_a_day_are_a_line_of_eighty_characters_each_under_its_heading(printed: Printed):
    heading, _, *days = printed(80, print_days, "What differed", [a_day(999_999), a_day(0, changed=185)])[1:]
    assert heading.split() == ["day", "postgres", "hub", "missing", "surplus", "duplicated", "moved", "changed"]
    assert [each.split() for each in days] == [["2026-01-15", *["999,999"] * 7], ["2026-01-15", *"000000", "185"], []]
    assert max(map(len, [heading, *days])) <= 80


@pytest.mark.parametrize("width", [1, 20, 40, 60, 79, 80, 120, 0])
@pytest.mark.parametrize("count", [7, 185, 999_999, 12_345_678])
def test_no_width_takes_a_digit_of_a_count(printed: Printed, width: int, count: int):
    lines = printed(width, print_days, "What differed", [a_day(count)])
    assert joined(lines).count(f"{count:,}") == len(COUNTS)
    assert "2026-01-15" in joined(lines)
    assert width < 30 or max(map(len, lines)) <= (width or 120)


def test_a_day_is_a_sentence_where_its_line_does_not_fit(printed: Printed):
    lines = printed(60, print_days, "What differed", [a_day(0, postgres_rows=190, hub_rows=186, missing=4)])
    assert lines == ["What differed", "2026-01-15: postgres 190, hub 186, missing 4", ""]


@pytest.mark.parametrize("width", [40, 60, 80, 120, 200, 0])
def test_a_table_is_no_wider_than_its_place_and_breaks_nothing_that_is_to_be_copied(printed: Printed, width: int):
    lines = printed(width, print_table, "What was done", *RUNS)
    assert max(map(len, lines)) <= (width or 120)
    assert all(any(token in line for line in lines) for token in TOKENS)
    assert "reconciliation" in joined(lines)


def test_a_table_in_a_file_is_as_narrow_as_it_can_be(printed: Printed):
    assert printed(0, print_table, "What is left", ["what", "why"], [["2026-01-15", "2 missing"]]) == [
        "What is left",
        "what        why",
        "─────────────────────",
        "2026-01-15  2 missing",
        "",
    ]


@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_long_lines_are_broken_at_words_under_their_text(printed: Printed, width: int):
    lines = printed(width, print_lines, ASSESSMENT)
    files = next(at for at, line in enumerate(lines) if line.startswith("  files         the guard"))
    indent = len("  files         ")
    assert lines[files + 1].startswith(" " * indent)
    assert not lines[files + 1].startswith(" " * (indent + 1))
    assert lines[1].startswith("  ")
    assert max(map(len, lines)) <= width
    assert all(sum(token in line for line in lines) == 3 for token in TOKENS)


@pytest.mark.parametrize("width", [4, 12, 25])
def test_a_terminal_without_room_for_an_indent_loses_no_word(printed: Printed, width: int):
    lines = printed(width, print_lines, ASSESSMENT)
    assert "".join("".join(lines).split()) == "".join(ASSESSMENT.split())


@pytest.mark.parametrize("width", [60, 80])
def test_sentences_and_facts_are_broken_at_words(printed: Printed, width: int):
    for function, args, more in (
        (print_conclusion, [GUARD], {"holds": False}),
        (print_facts, [{"dataset": GUARD}], {}),
        (print_error, [GUARD, 2], {"as_json": False}),
    ):
        lines = printed(width, function, *args, **more)
        assert 1 < max(map(len, lines)) <= width
        assert all(any(token in line for line in lines) for token in TOKENS)


def test_lines_in_a_file_are_whole(printed: Printed):
    assert printed(0, print_lines, ASSESSMENT) == [*ASSESSMENT.splitlines(), ""]
    assert printed(0, print_conclusion, GUARD, holds=True) == [GUARD]
    assert printed(0, print_facts, {"head": GUARD, "dataset": "org"}) == [f"head     {GUARD}", "dataset  org", ""]


def test_times_in_json_are_as_iso_8601_has_them(capsys: pytest.CaptureFixture[str]):
    print_json({"at": datetime(2026, 1, 20, 12, tzinfo=UTC), "day": date(2026, 1, 20), "path": Path("a")})
    assert json.loads(capsys.readouterr().out) == {"at": "2026-01-20T12:00:00+00:00", "day": "2026-01-20", "path": "a"}
