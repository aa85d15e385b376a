"""Days and ranges that are none, as they are written on Dagster's command line and in the UI."""

from datetime import date
from pathlib import Path

import pytest
from click import ClickException
from click.testing import CliRunner, Result
from dagster import DailyPartitionsDefinition, PartitionKeyRange
from dagster._cli.asset import asset_materialize_command
from dagster._core.definitions.partitions.snap.snap import PartitionsSnap

from govbr_assets.core.days import TIME_ZONE
from govbr_assets.defs.partitions import FIRST_DAY, Days, daily, first_day
from govbr_assets.errors import BeginningError, ConfigurationError
from govbr_assets_tests.graph import Graph
from govbr_assets_tests.scenes import verdict


def materialize(*words: str, home: Path, monkeypatch: pytest.MonkeyPatch) -> Result:
    monkeypatch.setenv("DAGSTER_HOME", str(home))
    selected = ["-m", "govbr_assets", "--select", "postgres_news_partition"]
    return CliRunner().invoke(asset_materialize_command, [*selected, *words])


@pytest.mark.parametrize("span", ["2026-13-20...2026-01-20", "2026-01-20...2099-01-01", "2026-01-20....2026-01-25"])
def test_an_unknown_day_of_a_range_is_one_sentence_and_no_stack(
    span: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    done = materialize("--partition-range", span, home=tmp_path, monkeypatch=monkeypatch)
    assert done.exit_code == 1
    assert f"is no day from {FIRST_DAY} (GOVBR_FIRST_DAY) to " in done.output
    last = daily.get_last_partition_key()
    assert f"write a day as {last}, and a range as {FIRST_DAY}...{last}." in done.output
    assert "Traceback" not in done.output


@pytest.mark.parametrize("day", ["1999-12-31", "20260115", "yesterday", "", "2026-02-30", "2026-01-15 ", "2026-1-15"])
def test_a_day_that_is_none_is_told_with_those_that_are(day: str):
    with pytest.raises(ConfigurationError, match=rf"^{day!r} is no day from {FIRST_DAY} "):
        daily.validate_partition_key(day)
    with pytest.raises(ConfigurationError, match="is no day"):
        daily.get_partition_keys_in_range(PartitionKeyRange("2026-01-15", day))


@pytest.mark.parametrize("written", [" 2026-01-02\n", "'2026-01-02'", "20260102"])
def test_the_first_day_is_taken_as_people_write_it_and_empty_is_the_default(written: str):
    assert first_day(written) == date(2026, 1, 2)
    assert first_day(" ") == first_day("") == date(2003, 1, 1)


def test_a_first_day_with_which_nothing_can_begin_is_told_by_its_setting_and_without_a_stack():
    with pytest.raises(BeginningError, match=r"^GOVBR_FIRST_DAY is .01/02/2026.: write a day such as"):
        first_day("01/02/2026")
    with pytest.raises(BeginningError, match=r"^GOVBR_FIRST_DAY is 2999-01-01, and no day has ended since"):
        Days(start_date="2999-01-01", timezone=TIME_ZONE).validate_partition_key("2999-01-01")
    assert issubclass(BeginningError, ClickException)  # which the command line prints as one line


def test_a_range_that_is_reversed_fails_its_run_once_and_says_how_to_write_it(graph: Graph):
    graph.insert("a")
    ends, told = verdict(graph.run("2026-01-16", "2026-01-14", retries=2))
    assert ends
    assert issubclass(ends, ConfigurationError)
    assert "The range 2026-01-16...2026-01-14 begins after its end: write 2026-01-14...2026-01-16." in told
    assert graph.head.revision is None


def test_to_dagster_the_days_are_those_of_its_own_definition():
    theirs = DailyPartitionsDefinition(start_date=FIRST_DAY.isoformat(), timezone=TIME_ZONE)
    assert PartitionsSnap.from_def(daily) == PartitionsSnap.from_def(theirs)
    span = PartitionKeyRange("2026-01-14", "2026-01-16")
    assert daily.get_partition_keys_in_range(span) == theirs.get_partition_keys_in_range(span)
