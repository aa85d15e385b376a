"""Progress of a command: a bar on a terminal, lines elsewhere, and the same words on both."""

import re
from io import StringIO

import pytest
from rich.console import Console

from govbr_assets.cli.progress import progress


@pytest.mark.parametrize("terminal", [False, True])
def test_it_is_a_bar_on_a_terminal_and_lines_elsewhere(terminal: bool):
    shown = StringIO()
    with progress(Console(file=shown, force_terminal=terminal, width=90, color_system="standard")) as watch:
        watch.begin("daily_sync 2026-01-01..2026-01-31")
        watch.say("20 of 31 days, 0 rejected, 3 new rows [such], 1 commits; 20 days a minute.")
        watch.end("rows: 3 added")
    text = re.sub("\x1b\\[[0-9;?]*[a-zA-Z]", "", shown.getvalue())
    assert all(words in text for words in ("daily_sync 2026-01-01..2026-01-31", "rows: 3 added"))
    assert ("━━━" in text, "3 new rows [such]" in text) == (terminal, not terminal)
