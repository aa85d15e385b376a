"""What is left: days before the first one on which a row should be that is not there, and jobs that have failed."""

from datetime import date

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from govbr_assets.core.day_counts import DayCounts
from govbr_assets.core.row_differences import HUB_ROWS_SCHEMA, ROWS_SCHEMA, differences
from govbr_assets.defs.in_process.remaining import before_first_day
from govbr_assets.defs.in_process.run_result import RunResult
from govbr_assets.defs.in_process.state import MendState
from govbr_assets.operations.sync.guard import DayRemovals, judge

EARLY = [date(1999, 1, 1), date(1999, 1, 2)]
DAYS = st.none() | st.sampled_from([*EARLY, date(2020, 1, 1), date(2020, 1, 2)])


@given(st.lists(st.tuples(DAYS, DAYS), max_size=8))
def test_an_early_day_is_left_if_postgres_has_a_row_of_it_that_the_hub_has_elsewhere_or_nowhere(
    rows: list[tuple[date | None, date | None]],
):
    postgres = [(id, day, None) for id, (day, _) in enumerate(rows) if day]
    hub = [(id, day, None, False) for id, (_, day) in enumerate(rows) if day]
    sides = [
        pa.table([pa.array([row[at] for row in side], field.type) for at, field in enumerate(schema)], schema=schema)
        for side, schema in ((postgres, ROWS_SCHEMA), (hub, HUB_ROWS_SCHEMA))
    ]
    counts = DayCounts()
    for name, side in zip(("postgres_rows", "hub_rows"), sides, strict=True):
        counts.add(name, side["day"].combine_chunks())
    for name, days in differences(*sides):
        counts.add(name, days)
    left = before_first_day(counts.table())["day"].to_pylist()
    assert left == sorted({here for here, there in rows if here and here in EARLY and there != here})


def test_a_job_that_the_guard_has_stopped_names_no_number_where_all_removals_are_told_together():
    days = {"a": DayRemovals(frozenset("abcdef"), True, "Too many rows")}
    problem = judge(days, 0, 3, lambda: 3).blocked["a"]
    assert "approve 9 removals" in problem
    state = MendState(dry_run=False)
    state.add_run("weekly_consolidation", RunResult(print, problem=problem))
    assert [each.why for each in state.left()] == [problem]
    state.told_together = True
    assert [each.why for each in state.left()] == ["Too many rows"]
