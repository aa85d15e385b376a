"""The instance of a command that has no DAGSTER_HOME."""

from pathlib import Path

import pytest
from dagster import asset, materialize

from govbr_assets.defs.in_process.bootstrap import temporary_instance


@asset
def an_asset() -> None:
    """Exist, so that a run has something to record."""


def test_its_records_are_on_the_disk_and_gone_at_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with temporary_instance() as instance:
        result = materialize([an_asset], instance=instance)
        assert [*tmp_path.glob(f"*/history/runs/{result.run_id}.db")], "the events of the run are not on the disk"
        assert instance.all_logs(result.run_id)
        assert not instance.telemetry_enabled
    assert [*tmp_path.iterdir()] == []
