"""Days into commits: up to `COMMIT_DAYS` in one, as many as find room, each planned at the commit before it.

Whether a commit is real or a dry run makes no difference here; what Dagster records of it is `io_managers`' business.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

from govbr_assets.dataset import Dataset
from govbr_assets.dataset.key_index import KeyIndex
from govbr_assets.dataset.transaction import CommitResult, commit
from govbr_assets.errors import PermanentError
from govbr_assets.huggingface.commit import Log
from govbr_assets.huggingface.snapshot import Snapshot
from govbr_assets.io.scratch import scratch_folder
from govbr_assets.operations.sync.day_files import DayFiles
from govbr_assets.operations.sync.day_plan import DaySync
from govbr_assets.operations.sync.options import DayReport
from govbr_assets.operations.sync.plan import SyncCommit, SyncReport

COMMIT_DAYS = 150
"""Days that are looked at for one commit, with and without rows; how many it takes is `SyncCommit`'s to say."""


@dataclass(frozen=True)
class SyncBatch:
    """What became of the days of one commit.

    Attributes:
        plans: by partition key, of the days that are on the Hub now, or would be, in full or in part.
        rejected: why other days are not, by partition key.
        result: the commit; without one if nothing had to change or no day could be had.
    """

    plans: dict[str, DaySync]
    rejected: dict[str, str]
    result: CommitResult[SyncReport]

    @property
    def days(self) -> Mapping[str, DayReport]:
        """What became of the days that are on the Hub now, by partition key."""
        return self.result.report.days


def sync_days(
    dataset: Dataset, plans: Mapping[str, DaySync], *, dry_run: bool = False, log: Log = lambda _: None
) -> Iterator[SyncBatch]:
    """Make days equal to PostgreSQL, one commit after another; each batch is on the Hub when it is given.

    Args:
        dataset: the dataset.
        plans: by partition key, in order; may be lazy, and raise a `PermanentError` for a day that cannot be had.
        dry_run: plan the commits, change nothing.
        log: gets a sentence when a commit waits.

    Raises:
        TransientError: the Hub or a source failed; what was given before is published.
    """
    with scratch_folder() as folder, dataset.planned.counted():
        yield from _batches(dataset, plans, DayFiles(dataset, folder), dry_run=dry_run, log=log)


def _batches(
    dataset: Dataset, plans: Mapping[str, DaySync], files: DayFiles, *, dry_run: bool, log: Log
) -> Iterator[SyncBatch]:
    """Publish days as `sync_days` does."""
    index, start = KeyIndex(dataset.reader.keys, dataset.reader.fetch_keys), Snapshot(None, {})
    begun = False
    rest, waiting = iter(plans), dict[str, DaySync]()
    while True:
        rejected = dict[str, str]()
        for key in islice(rest, COMMIT_DAYS - len(waiting)):
            try:
                waiting[key] = plans[key]
            except PermanentError as error:
                rejected[key] = str(error)
        if not waiting and not rejected:
            return
        if waiting and not begun:
            start, begun = next(iter(waiting.values())).known.snapshot, True
        operation = SyncCommit(dataset, waiting, index, files)
        result = commit(dataset, operation, start, dry_run=dry_run, log=log)
        report, start = result.report, result.snapshot
        made = {key: waiting[key] for key in report.days}
        waiting = {key: each for key, each in waiting.items() if key not in report.days and key not in report.rejected}
        yield SyncBatch(made, rejected | dict(report.rejected), result)
