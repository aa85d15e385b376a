"""Tables of results on a terminal of the usual width."""

from datetime import date

import pytest

from govbr_assets.cli.show import print_days
from govbr_assets.core.day_counts import DAYS_SCHEMA


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "80")


@pytest.mark.usefixtures("terminal")
def test_a_day_is_on_one_line_of_a_terminal(capsys: pytest.CaptureFixture[str]):
    print_days("What differed", [dict.fromkeys(DAYS_SCHEMA.names, 12345) | {"day": date(2026, 1, 15)}])
    assert "2026-01-15" in capsys.readouterr().out
