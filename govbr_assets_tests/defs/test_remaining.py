"""What no run can publish: days before the first one on which a row should be that is not there."""

from datetime import date

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from govbr_assets.core.day_counts import DayCounts
from govbr_assets.core.row_differences import HUB_ROWS_SCHEMA, ROWS_SCHEMA, differences
from govbr_assets.defs.in_process.remaining import before_first_day

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
