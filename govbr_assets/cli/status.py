"""`govbr-assets status`."""

from datetime import UTC, datetime
from typing import Any

import click

from govbr_assets.cli.progress import progress
from govbr_assets.cli.show import print_json
from govbr_assets.cli.status_text import print_status
from govbr_assets.core.calendar_lines import calendar_lines
from govbr_assets.core.day_counts import worst
from govbr_assets.core.days import Day
from govbr_assets.dataset.schema_version import outdated
from govbr_assets.definitions import dagster_home, defs
from govbr_assets.defs.checks.whole import shortfall
from govbr_assets.defs.in_process.bootstrap import check_settings, hub_of, memory_instance, postgres_of
from govbr_assets.defs.in_process.records import open_instance
from govbr_assets.defs.metadata.reconciliation import last_deep_reconciliation
from govbr_assets.defs.partitions import FIRST_DAY
from govbr_assets.operations.status import DatasetStatus
from govbr_assets.operations.status import status as look
from govbr_assets.publications import REDUCED


@click.command(
    short_help="Say what both sides have, and where they differ.",
    epilog="\b\nExamples:\n  govbr-assets status\n  govbr-assets status --json",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document on standard output.")
def status(*, as_json: bool) -> int:
    """Say what the Hub has, what PostgreSQL has, and on which days they differ.

    Compares ids and days of all rows; the contents of rows are compared by a deep reconciliation, and the last line
    says when that was last done. Nothing is changed or recorded. Exit code 0 if nothing differs on days that have
    ended, no file waits for a compaction because of its origin, the reduced dataset, if there is one, mirrors the
    newest revision, and readers see all that was published.
    """
    check_settings(defs)
    hub, now = hub_of(defs), datetime.now(UTC)
    reduced = hub.reduced_dataset() if hub.has_reduced else None
    with open_instance(dagster_home) if dagster_home else memory_instance() as instance, progress() as watch:
        deep = last_deep_reconciliation(instance, hub.dataset().client.repo_id)
        watch.begin("status")
        mirror = (reduced, REDUCED) if reduced else None
        found = look(hub.dataset(), postgres_of(defs).client(), mirror, now, Day(FIRST_DAY), watch.say)
        lacking = ""
        if found.holds:
            lacking = outdated(hub.dataset(), found.head) or shortfall(instance, hub.dataset(), found.head)
        watch.end("done")
    repo = reduced.client.repo_id if reduced else ""
    deep_at = deep and deep[0]
    if as_json:
        told = {"lacking": lacking, "contents_compared_at": deep_at}
        print_json({"command": "status", **_document(found, repo), "holds": found.holds and not lacking, **told})
    else:
        print_status(found, repo, deep_at, lacking)
    return int(not found.holds or bool(lacking))


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
        "revision": found.head.revision,
        "tag": found.tag,
        "tag_is_head": found.tag_is_head,
        "rows": {"hub": found.found.totals["hub_rows"], "postgres": found.found.totals["postgres_rows"]},
        "days": {"hub": found.days_with("hub_rows"), "postgres": found.days_with("postgres_rows")},
        "files": len(found.head.data_files),
        "shards": found.shards,
        "uncompacted": found.found.uncompacted,
        "differing_days": found.differing.num_rows,
        "differing": worst(found.differing, found.differing.num_rows).to_pylist(),
        "removals_to_approve": found.approval,
        "later_rows": {"hub": found.later_rows["hub_rows"], "postgres": found.later_rows["postgres_rows"]},
        "undated_surplus": found.found.totals["undated_surplus"],
        "unpublishable_rows": found.found.left_out.rows,
        "newest_day": found.newest_day,
        "newest_day_in_postgres": found.newest_postgres_day,
        "commits_left_in_the_hour": found.commits_left,
        "reduced": reduced or None,
        "years": [vars(each) for each in calendar_lines(found.found.days, found.today)],
    }
