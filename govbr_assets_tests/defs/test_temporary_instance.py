"""The instance of a command that has no DAGSTER_HOME."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from dagster import asset, materialize

from govbr_assets.defs.in_process.bootstrap import temporary_instance
from govbr_assets.errors import NoRoomError


@asset
def an_asset() -> None:
    """Exist, so that a run has something to record."""


@contextmanager
def no_file_larger_than(size: int) -> Iterator[None]:
    """Let the disk be full for whatever would make a file larger."""
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, limit[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)


def test_its_records_are_on_the_disk_and_gone_at_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with temporary_instance() as instance:
        result = materialize([an_asset], instance=instance)
        assert [*tmp_path.glob(f"*/history/runs/{result.run_id}.db")], "the events of the run are not on the disk"
        assert instance.all_logs(result.run_id)
        assert not instance.telemetry_enabled
    assert [*tmp_path.iterdir()] == []


@pytest.mark.parametrize("size", [512, 20_000])
def test_a_disk_without_room_for_its_records_is_told_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    told = rf"temporary records in TMPDIR \({tmp_path}\) cannot be written: d.*\. Make room there"
    with pytest.raises(NoRoomError, match=told), no_file_larger_than(size), temporary_instance():
        pass
    assert [*tmp_path.iterdir()] == []


def test_a_disk_that_becomes_full_while_a_run_is_recorded_is_the_same_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with pytest.raises(NoRoomError, match=rf"TMPDIR \({tmp_path}\) cannot be written"):  # noqa: SIM117
        with temporary_instance() as instance, no_file_larger_than(20_000):
            materialize([an_asset], instance=instance)
    assert [*tmp_path.iterdir()] == []
