"""What a signal leaves behind says nothing on standard error."""

import signal
import sys
from contextlib import suppress

import pytest
from dagster import InputContext

from govbr_assets.cli.signals import Signals


def half_made() -> None:
    """Make and drop an object whose making a signal has interrupted: to be dropped, it needs what it has not got."""
    InputContext.__new__(InputContext)


def test_an_object_that_a_signal_has_left_half_made_goes_without_a_word(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    with Signals() as signals:
        monkeypatch.setattr(sys, "unraisablehook", signals.unraisable)
        half_made()
        assert "Exception ignored" in capsys.readouterr().err
        with suppress(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        half_made()
    half_made()
    assert signals.exit_code == 130
    assert capsys.readouterr().err == ""
