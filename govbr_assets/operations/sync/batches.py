"""Days into commits: up to `COMMIT_DAYS` in one, as many as find room, each planned at the commit before it.

Whether a commit is real or a rehearsal makes no difference here; what Dagster records of it is `io_managers`' business.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

from govbr_assets.dataset.transaction import CommitResult, publish
from govbr_assets.errors import PermanentError
from govbr_assets.huggingface.client import RepoClient
from govbr_assets.huggingface.snapshot import Snapshot
from govbr_assets.io.scratch import scratch_folder
from govbr_assets.operations.sync.changes_since import Trail
from govbr_assets.operations.sync.day_plan import DaySync
from govbr_assets.operations.sync.options import DayReport
from govbr_assets.operations.sync.plan import SyncCommit
from govbr_assets.operations.sync.year_files import YearFiles

COMMIT_DAYS = 150
"""Days that are looked at for one commit, with and without rows; how many it takes is `shards`' to say."""


@dataclass(frozen=True)
class SyncBatch:
    """What became of the days of one commit.

    Attributes:
        shards: by partition key, of the days that are on the Hub now, or would be, all or in part.
        plans: by partition key, of the same days.
        refused: why other days are not, by partition key.
        publication: the commit, or what stands in its place if nothing had to change or no day could be had.
    """

    shards: dict[str, DayReport]
    plans: dict[str, DaySync]
    refused: dict[str, str]
    publication: CommitResult


def sync_days(
    hub: RepoClient,
    plans: Mapping[str, DaySync],
    *,
    dry_run: bool = False,
    tell: Callable[[str], None] = lambda _: None,
) -> Iterator[SyncBatch]:
    """Publish days, one commit after another; each batch is on the Hub when it is given.

    Args:
        hub: the repo.
        plans: by partition key, in order; may be lazy, and raise a `PermanentError` for a day that cannot be had.
        dry_run: make the edits, change nothing.
        tell: hears in a sentence why a publication waits.

    Raises:
        TransientError: the Hub or a source failed; what was given before is published.
    """
    with scratch_folder() as folder:
        yield from _batches(hub, plans, YearFiles(hub, folder), dry_run=dry_run, tell=tell)


def _batches(
    hub: RepoClient, plans: Mapping[str, DaySync], years: YearFiles, *, dry_run: bool, tell: Callable[[str], None]
) -> Iterator[SyncBatch]:
    """Publish days as `sync_days` does."""
    trail: Trail | None = None
    guess = Snapshot(None, {})
    rest, waiting = iter(plans), dict[str, DaySync]()
    while True:
        refused = dict[str, str]()
        for key in islice(rest, COMMIT_DAYS - len(waiting)):
            try:
                waiting[key] = plans[key]
            except PermanentError as error:
                refused[key] = str(error)
        if not waiting and not refused:
            return
        if trail is None and waiting:
            guess = next(iter(waiting.values())).known.snapshot
            trail = Trail(hub, guess)
        plan = SyncCommit(hub, waiting, trail or Trail(hub, guess), years)
        publication = publish(hub, plan, guess, dry_run=dry_run, tell=tell)
        if publication.committed:
            plan.landed(publication.planned_at, publication.snapshot)
        guess = publication.snapshot
        made = {key: waiting[key] for key in plan.shards}
        waiting = {key: each for key, each in waiting.items() if key not in plan.shards and key not in plan.refused}
        yield SyncBatch(plan.shards, made, refused | plan.refused, publication)
