"""The text of `govbr-assets status`: facts, the calendar, the days that differ, and what it comes to."""

from datetime import datetime

from rich.text import Text

from govbr_assets.cli.show import console, print_conclusion, print_days, print_facts, print_heading
from govbr_assets.core.calendar_lines import DIFFERS, LEGEND, calendar_lines, written_in
from govbr_assets.core.counting import count, differing
from govbr_assets.core.day_counts import worst
from govbr_assets.defs.in_process.remaining import before_first_day
from govbr_assets.defs.partitions import FIRST_DAY
from govbr_assets.huggingface.commit import COMMITS
from govbr_assets.operations.status import DatasetStatus

_NO_REPO = "no repo yet, or none that the token may read"
_SHOWN = 20  # days that differ, the worst first


def print_status(found: DatasetStatus, reduced_repo: str, deep_at: datetime | None, lacking: str) -> None:
    """Print all of it.

    Args:
        found: the state.
        reduced_repo: of the reduced dataset; empty if there is none.
        deep_at: aware, when contents were last compared; None if that is not known.
        lacking: what the dataset lacks though it differs in nothing; empty if it lacks nothing.
    """
    mirrored = {"reduced": _mirror(reduced_repo, found)} if reduced_repo else {}
    print_facts(_facts(found) | mirrored)
    _print_calendar(found)
    print_days(
        f"Days that differ: {found.differing.num_rows:,}, the worst first", worst(found.differing, _SHOWN).to_pylist()
    )
    print_conclusion(lacking or _conclusion(found, deep_at), holds=found.holds and not lacking)


def _conclusion(found: DatasetStatus, deep_at: datetime | None) -> str:
    """Say what it comes to, and no more than was looked at."""
    if not found.equal:
        return _difference(found)
    equal = "By ids, the Hub equals PostgreSQL on all days that have ended"
    if not found.holds:
        return f"{equal}, and the reduced dataset does not follow: run govbr-assets mend."
    if deep_at is None:
        return f"{equal}; whether their contents were ever compared is not known here: govbr-assets mend does."
    return f"{equal}; contents were last compared on {deep_at:%Y-%m-%d %H:%M} UTC."


def _difference(found: DatasetStatus) -> str:
    """Say what to do about what differs."""
    early = before_first_day(found.differing).num_rows
    others = found.differing.num_rows > early or found.found.totals["undated_surplus"] or found.found.uncompacted
    others = others or found.approval
    rows = (
        "correct the rows of PostgreSQL that cannot be published"
        if found.found.left_out.rows or found.found.rejected
        else ""
    )
    approved = f" --allow-removals {found.approval} if so many rows may leave the Hub" if found.approval else ""
    mend = f"run govbr-assets mend{approved}" if others else ""
    days = (
        f"set GOVBR_FIRST_DAY ({FIRST_DAY}) to an earlier day for the {count(early, 'day')} before it" if early else ""
    )
    return f"The Hub differs from PostgreSQL: {'; '.join(filter(None, [mend, days, rows]))}."


def _facts(found: DatasetStatus) -> dict[str, str]:
    """Name what there is."""
    totals, waiting = found.found.totals, len(found.found.uncompacted)
    release = (
        f"release {found.tag}{'' if found.tag_is_head else ' and commits since'}" if found.tag else "no release yet"
    )
    files = f"{len(found.head.data_files):,}, {found.shards:,} of them shards of days"
    facts = {
        "dataset": found.repo,
        "head": f"{found.head.revision[:8]} ({release})" if found.head.revision else _NO_REPO,
        "rows": f"{totals['hub_rows']:,} on the Hub, {totals['postgres_rows']:,} in PostgreSQL",
        "days": f"{found.days_with('hub_rows'):,} on the Hub, {found.days_with('postgres_rows'):,} in PostgreSQL",
        "files": f"{files}, {waiting:,} of another origin, order or schema: to be compacted" if waiting else files,
        "newest day": _newest(found),
        "commits": f"{found.commits_left} of {COMMITS} left in this hour, by the history; the Hub does not say",
    }
    if any(found.later_rows.values()):
        hub, postgres = found.later_rows.values()
        facts["later"] = f"{hub:,} on the Hub and {postgres:,} in PostgreSQL of these rows are of today and later"
    if rows := totals["undated_surplus"]:
        facts["without a day"] = f"{count(rows, 'row')}: govbr-assets mend says how many removals to approve"
    if rows := found.found.left_out.rows:
        facts["unpublishable"] = f"{count(rows, 'row')} of PostgreSQL: {found.found.left_out.examples[0]}"
    return facts


def _newest(found: DatasetStatus) -> str:
    """Say how old the newest day is."""
    if found.newest_day is None:
        return "none on the Hub"
    age = (found.today.date - found.newest_day).days
    newer = found.newest_postgres_day and found.newest_postgres_day > found.newest_day
    behind = f"; PostgreSQL has {found.newest_postgres_day}" if newer else ""
    return f"{found.newest_day}, {f'{age:,} days ago' if age > 1 else 'yesterday' if age else 'today'}{behind}"


def _mirror(repo: str, found: DatasetStatus) -> str:
    """Say how far the reduced dataset is behind."""
    mirror = found.mirror
    if mirror is None:
        return f"{repo} cannot be compared: {found.mirror_problem}"
    if not mirror.reduced:
        return f"{repo}: {_NO_REPO}"
    if not mirror.differences:
        return f"{repo} mirrors the newest revision"
    behind = "nobody knows how many commits" if mirror.behind is None else count(mirror.behind, "commit")
    return f"{repo} differs in {count(len(mirror.differences), 'file')}, {behind} behind"


def _print_calendar(found: DatasetStatus) -> None:
    """Draw a year a line, with its numbers below it where it is longer than a line."""
    terminal, lines = console(), calendar_lines(found.found.days, found.today)
    if lines:
        print_heading(f"Coverage ({written_in(terminal.encoding, LEGEND)})")
    for each in lines:
        weeks = Text(written_in(terminal.encoding, each.weeks).ljust(54), style="green")
        weeks.highlight_words([DIFFERS], "bold red")
        counted = f" {count(each.rows, 'row'):>14} on {count(each.days, 'day'):>8}"
        unequal = Text(f", {differing(each.differing)}" if each.differing else "", style="red")
        numbers, drawn = Text(counted) + unequal, Text(f"{each.year} ") + weeks
        below = drawn.cell_len + numbers.cell_len > terminal.width
        terminal.print(drawn + Text("\n    " if below else "") + numbers, soft_wrap=True)
    if lines:
        terminal.print()
