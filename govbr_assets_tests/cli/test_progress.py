"""Progress of a command: a bar on a terminal, lines elsewhere, and the same words on both."""

import re
from io import StringIO
from typing import cast

import pytest
from rich.console import Console

from govbr_assets.cli.progress import _Bars, progress


@pytest.mark.parametrize(
    ("sentence", "share"),
    [("1 of 1 day, 0 rejected", 100), ("500 of 2,000 days, 0 rejected", 25), ("1 of 2 files compacted", 50)],
)
def test_the_bar_is_as_long_as_a_run_says_how_far_it_is(sentence: str, share: int):
    shown = StringIO()
    with progress(Console(file=shown, force_terminal=True, width=90)) as watch:
        watch.begin("daily_sync")
        watch.say(sentence)
        bars = cast(_Bars, watch)._bars
        assert bars.tasks[0].percentage == share


@pytest.mark.parametrize("terminal", [False, True])
def test_it_is_a_bar_on_a_terminal_and_lines_elsewhere(terminal: bool):
    shown = StringIO()
    with progress(Console(file=shown, force_terminal=terminal, width=90, color_system="standard")) as watch:
        watch.begin("daily_sync 2026-01-01..2026-01-31")
        watch.say("20 of 31 days, 0 rejected, 3 new rows [such], 1 commit; 20 days a minute.")
        watch.end("rows: 3 added")
    text = re.sub("\x1b\\[[0-9;?]*[a-zA-Z]", "", shown.getvalue())
    assert all(words in text for words in ("daily_sync 2026-01-01..2026-01-31", "rows: 3 added"))
    assert ("━━━" in text, "3 new rows [such]" in text) == (terminal, not terminal)
