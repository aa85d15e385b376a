"""The figures of `peers`: the tables that are printed."""

from collections.abc import Mapping, Sequence
from statistics import median

from govbr_assets_tests.benchmarks.peers.figures import Figures
from govbr_assets_tests.benchmarks.peers.readers import LIBRARIES
from govbr_assets_tests.benchmarks.worker import conditions

_CASES = {
    "again": "Again, nothing new",
    "changed": "Rows changed and deleted in PostgreSQL",
    "itself": "A second run of its own in between",
    "somebody else": "Somebody else commits in between",
}


def show(figures: Sequence[Figures], rows: int, size: int, day_rows: int) -> None:
    """Print tables.

    Args:
        figures: of all peers.
        rows: of the dataset before the days.
        size: of the dataset, in bytes.
        day_rows: rows of a day.
    """
    days = len(figures[0].days)
    print(f"\n{days} days of {day_rows} rows to a dataset of {rows:,} rows, {size / 1e6:.1f} MB\n{conditions()}\n")
    print(f"{'a day, median':<24}{'seconds':>8}{'CPU s':>7}{'peak MB':>9}{'MB down':>9}{'MB up':>8}", end="")
    print(f"{'requests':>9}{'commits':>9}  {'again: s':>8}{'requests':>9}{'commits':>9}  version")
    for each in figures:
        if not each.days:
            continue
        costs, again = [usage.cost for usage in each.days], each.again
        once_more = f"{again.cost.seconds:>8.1f}{again.requests:>9}{again.commits:>9}" if again else f"{'-':>26}"
        print(
            f"{each.name:<24}{median(cost.seconds for cost in costs):>8.1f}"
            f"{median(cost.cpu_seconds for cost in costs):>7.1f}{max(cost.megabytes for cost in costs):>9.0f}"
            f"{median(usage.down for usage in each.days) / 1e6:>9.2f}"
            f"{median(usage.up for usage in each.days) / 1e6:>8.2f}"
            f"{median(usage.requests for usage in each.days):>9.0f}{sum(usage.commits for usage in each.days):>9}"
            f"  {once_more}  {each.version}"
        )
    print(f"The peak and the commits are of all {days} days. {rows + days * day_rows:,} rows should be there then:")
    for each in figures:
        print(f"{each.name:<24}{_loaded(each.loaded)}")
    for case, title in _CASES.items():
        print(f"\n{title}:")
        for each in figures:
            print(f"{each.name:<24}{each.found.get(case) or each.stopped}")
    for each in figures:
        if each.stopped:
            print(f"\n{each.name} {each.stopped}; its {len(each.days)} days before that are in the table.")
    print("\nLoaded after that:")
    for each in figures:
        print(f"{each.name:<24}{_loaded(each.loaded_then)}")


def _loaded(loaded: Mapping[str, str]) -> str:
    """Say what each library loads."""
    return ", ".join(f"{library} {loaded[library]}" for library in LIBRARIES if library in loaded) or "not loaded"
