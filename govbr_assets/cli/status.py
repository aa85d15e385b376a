"""`govbr-assets status`."""

from contextlib import nullcontext
from datetime import UTC, datetime
from typing import Any

import click
from rich.text import Text

from govbr_assets.cli.progress import progress
from govbr_assets.cli.show import console, print_conclusion, print_days, print_facts, print_json
from govbr_assets.core.calendar_lines import DIFFERS, LEGEND, calendar_lines, written_in
from govbr_assets.core.counting import count, differing
from govbr_assets.core.day_counts import worst
from govbr_assets.core.days import Day
from govbr_assets.definitions import dagster_home, defs
from govbr_assets.defs.in_process.bootstrap import hub_of, postgres_of
from govbr_assets.defs.in_process.records import open_instance
from govbr_assets.defs.in_process.remaining import before_first_day
from govbr_assets.defs.metadata.reconciliation import last_deep_reconciliation
from govbr_assets.defs.partitions import FIRST_DAY
from govbr_assets.huggingface.commit import COMMITS
from govbr_assets.operations.status import DatasetStatus
from govbr_assets.operations.status import status as look
from govbr_assets.publications import REDUCED

_NO_REPO = "no repo yet, or none that the token may read"
_SHOWN = 20  # days that differ, the worst first


@click.command(
    short_help="Say what both sides have, and where they differ.",
    epilog="\b\nExamples:\n  govbr-assets status\n  govbr-assets status --json",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document on standard output.")
def status(*, as_json: bool) -> int:
    """Say what the Hub has, what PostgreSQL has, and on which days they differ.

    Ids and days of all rows are compared now; their contents are by a deep reconciliation. Nothing is changed or
    recorded. Exit code 0 if nothing differs on days that have ended, no file waits for a compaction because of its
    origin, and the reduced dataset, if there is one, mirrors the newest revision.
    """
    hub, now = hub_of(defs), datetime.now(UTC)
    reduced = hub.reduced_dataset() if hub.has_reduced else None
    with open_instance(dagster_home) if dagster_home else nullcontext() as instance:
        deep = last_deep_reconciliation(instance, hub.dataset().client.repo_id) if instance else None
    with progress() as watch:
        watch.begin("status")
        mirror = (reduced, REDUCED) if reduced else None
        found = look(hub.dataset(), postgres_of(defs).client(), mirror, now, watch.say)
        watch.end("done")
    repo = reduced.client.repo_id if reduced else ""
    deep_at = deep and deep[0]
    if as_json:
        print_json({"command": "status", **_document(found, repo), "contents_compared_at": deep_at})
    else:
        _print(found, repo, deep_at)
    return int(not found.holds)


def _document(found: DatasetStatus, reduced_repo: str) -> dict[str, Any]:
    """Return all of it as values of JSON."""
    mirror = found.mirror
    reduced = reduced_repo and {
        "repo": reduced_repo,
        "revision": mirror and mirror.reduced,
        "source": mirror and mirror.source,
        "behind": mirror and mirror.behind,
        "different": mirror and len(mirror.differences),
        "problem": found.mirror_problem,
    }
    return {
        "repo": found.repo,
        "holds": found.holds,
        "revision": found.head.revision,
        "tag": found.tag,
        "tag_is_head": found.tag_is_head,
        "rows": {"hub": found.found.totals["hub_rows"], "postgres": found.found.totals["postgres_rows"]},
        "days": {"hub": found.days_with("hub_rows"), "postgres": found.days_with("postgres_rows")},
        "files": len(found.head.data_files),
        "shards": found.shards,
        "uncompacted": found.found.uncompacted,
        "differing_days": found.differing.num_rows,
        "differing": _worst(found, found.differing.num_rows),
        "undated_surplus": found.found.totals["undated_surplus"],
        "unpublishable_rows": found.found.left_out.rows,
        "newest_day": found.newest_day,
        "newest_day_in_postgres": found.newest_postgres_day,
        "commits_left_in_the_hour": found.commits_left,
        "reduced": reduced or None,
        "years": [vars(each) for each in calendar_lines(found.found.days)],
    }


def _worst(found: DatasetStatus, count: int) -> list[dict[str, Any]]:
    """List days that differ, the worst first."""
    return worst(found.differing, count).to_pylist()


def _print(found: DatasetStatus, reduced_repo: str, deep_at: datetime | None) -> None:
    """Print all of it."""
    mirrored = {"reduced": _mirror(reduced_repo, found)} if reduced_repo else {}
    print_facts(_facts(found, deep_at) | mirrored)
    _print_calendar(found)
    print_days(f"Days that differ: {found.differing.num_rows:,}, the worst first", _worst(found, _SHOWN))
    print_conclusion(_conclusion(found, deep_at), holds=found.holds)


def _conclusion(found: DatasetStatus, deep_at: datetime | None) -> str:
    """Say what it comes to, and no more than was looked at."""
    if not found.holds:
        return _difference(found)
    equal = "By ids, the Hub equals PostgreSQL on all days that have ended"
    if deep_at is None:
        return f"{equal}; whether their contents were ever compared is not known here: govbr-assets mend does."
    return f"{equal}; contents were last compared on {deep_at:%Y-%m-%d %H:%M} UTC."


def _difference(found: DatasetStatus) -> str:
    """Say what to do about what differs."""
    early = before_first_day(found.differing).num_rows
    others = found.differing.num_rows > early or found.differs_beside_days
    mend = "run govbr-assets mend" if others else ""
    days = (
        f"set GOVBR_FIRST_DAY ({FIRST_DAY}) to an earlier day for the {count(early, 'day')} before it" if early else ""
    )
    return f"The Hub differs from PostgreSQL: {'; '.join(filter(None, [mend, days]))}."


def _facts(found: DatasetStatus, deep_at: datetime | None) -> dict[str, str]:
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
    if rows := totals["undated_surplus"]:
        facts["without a day"] = f"{count(rows, 'row')}: govbr-assets mend says how many removals to approve"
    if rows := found.found.left_out.rows:
        facts["unpublishable"] = f"{count(rows, 'row')} of PostgreSQL: {found.found.left_out.examples[0]}"
    return facts


def _newest(found: DatasetStatus) -> str:
    """Say how old the newest day is."""
    if found.newest_day is None:
        return "none on the Hub"
    age = (Day.at(found.now).date - found.newest_day).days
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
    """Draw a year a line."""
    terminal, lines = console(), calendar_lines(found.found.days)
    if lines:
        legend = written_in(terminal.encoding, LEGEND)
        terminal.print(Text(f"Coverage by year and week ({legend})", style="bold"), soft_wrap=True)
    for each in lines:
        weeks = Text(written_in(terminal.encoding, each.weeks).ljust(54), style="green")
        weeks.highlight_words([DIFFERS], "bold red")
        counted = f" {count(each.rows, 'row'):>14} on {count(each.days, 'day'):>8}"
        unequal = Text(f", {differing(each.differing)}" if each.differing else "", style="red")
        terminal.print(Text(f"{each.year} ") + weeks + Text(counted) + unequal, soft_wrap=True)
    if lines:
        terminal.print()
