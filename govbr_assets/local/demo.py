"""`make demo`: the product's first five minutes, and a test of them: the exit code says whether all of it held."""

import shutil
from datetime import date
from pathlib import Path

from govbr_assets.core.days import Day
from govbr_assets.local.load import load
from govbr_assets.local.news import late_news
from govbr_assets.local.show import Show
from govbr_assets.local.stack import LocalStack, fortnight
from govbr_assets.publications import NEWS

_FIRST, _LAST = fortnight(date(2026, 1, 18))
_LATE_DAY, _LATE_ROWS = date(2026, 1, 15), 3
_SAMPLE_ROWS = 2000
_DAILY = "postgres_news_partition,hf_existing_ids,hf_parquet_shard"


def demo(folder: Path) -> int:
    """Publish two weeks, publish them again, refuse and publish late rows, compact them, and print the result.

    A reduced dataset follows at each step.

    Args:
        folder: made anew.

    Returns:
        0 if all of it held.
    """
    shutil.rmtree(folder, ignore_errors=True)
    with LocalStack(folder) as stack:
        show = Show(stack, folder, _FIRST)
        show.step("PostgreSQL, a Hub and its viewer run on this machine")
        rows = stack.fill(_SAMPLE_ROWS, _FIRST, _LAST)
        show.step(f"{rows} rows of sample news from {_FIRST} to {_LAST} are in PostgreSQL")
        span = f"{_FIRST}...{_LAST}"
        show.materialize(_DAILY, "--partition-range", span)
        first = show.published("two weeks are published")
        show.materialize(_DAILY, "--partition-range", span)
        again = show.published("the same two weeks again: nothing is published twice")
        load(stack.postgres.url, [late_news(_LATE_DAY, _LATE_ROWS)])
        show.step(f"{_LATE_ROWS} rows of {_LATE_DAY} arrive late in PostgreSQL")
        held = show.refusal(str(_LATE_DAY), again, _DAILY)
        show.materialize(_DAILY, "--partition", str(_LATE_DAY))
        late = show.published(f"{_LATE_DAY} once more")
        held &= show.table(late) and first.revision == again.revision
        late_path = NEWS.layout.day_path(Day(_LATE_DAY))
        changed = {path for path in late.files if late.files[path] != again.files.get(path)}
        held &= changed == {late_path}
        held &= show.compact(late)
        held &= show.reduced()
        held &= show.card()
        held &= show.read()
        print("\nAll of it held." if held else "\nerror: not all of it held; see above.", flush=True)
        return 0 if held else 1
