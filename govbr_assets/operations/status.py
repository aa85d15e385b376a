"""The state of a dataset: both sides compared, its files, its release, and how far its projection is behind."""

from dataclasses import dataclass
from datetime import date, datetime

import pyarrow as pa
import pyarrow.compute as pc

from govbr_assets.core.day_counts import closed, differing
from govbr_assets.core.days import Day
from govbr_assets.core.projection import Projection
from govbr_assets.core.releases import newest_release
from govbr_assets.dataset import Dataset
from govbr_assets.errors import GovbrAssetsError
from govbr_assets.huggingface.commit import COMMITS, Log, commits_left
from govbr_assets.huggingface.snapshot import Snapshot
from govbr_assets.huggingface.tags import tag_names, tagged_revision
from govbr_assets.operations.compact.sources import sources
from govbr_assets.operations.project.compare import ProjectionComparison, compare_projection
from govbr_assets.operations.project.mirror import check_is_full
from govbr_assets.operations.reconcile.plan import Reconciled, reconcile
from govbr_assets.operations.sync.guard import removals_to_approve
from govbr_assets.postgres.news import NewsTable


@dataclass(frozen=True)
class DatasetStatus:
    """The state of a dataset.

    Attributes:
        repo: of the dataset.
        head: its newest revision.
        tag: of the newest release; empty if there is none.
        tag_is_head: whether that is the newest revision.
        found: both sides, compared.
        differing: days before today that differ, [n days x 8].
        shards: data files of single days.
        commits_left: how many commits we would still make in this hour.
        mirror: how the projection differs from it; None if there is none, or it cannot be read.
        mirror_problem: why it cannot be read; empty if it can.
        now: aware, when this was so.
        approval: number of removals to approve, of all time, as the guard keeps rows that PostgreSQL has nowhere; 0 if
            it does not.
    """

    repo: str
    head: Snapshot
    tag: str
    tag_is_head: bool
    found: Reconciled
    differing: pa.Table
    shards: int
    commits_left: int
    mirror: ProjectionComparison | None
    mirror_problem: str
    now: datetime
    approval: int

    @property
    def holds(self) -> bool:
        """Whether the Hub equals PostgreSQL, but for days that are not over, and the projection mirrors it."""
        mirror = self.mirror
        return self.equal and not (self.mirror_problem or (mirror and mirror.differences))

    @property
    def equal(self) -> bool:
        """Whether the full dataset equals PostgreSQL, but for days that are not over."""
        return not (self.differing.num_rows or self.differs_beside_days)

    @property
    def differs_beside_days(self) -> bool:
        """Whether the full dataset has or lacks what belongs to no day that differs."""
        found = self.found
        return bool(found.totals["undated_surplus"] or found.left_out.rows or found.rejected or found.uncompacted)

    @property
    def today(self) -> Day:
        """The first day that was not over then."""
        return Day.at(self.now)

    @property
    def later_rows(self) -> dict[str, int]:
        """Rows of today and later: `hub_rows` and `postgres_rows`."""
        days = self.found.days.filter(pc.greater_equal(self.found.days["day"], pa.scalar(self.today.date)))
        return {name: pc.sum(days[name]).as_py() or 0 for name in ("hub_rows", "postgres_rows")}

    @property
    def newest_day(self) -> date | None:
        """The newest day of which the Hub has rows."""
        return self._newest("hub_rows")

    @property
    def newest_postgres_day(self) -> date | None:
        """The newest day before today of which PostgreSQL has rows."""
        return self._newest("postgres_rows")

    def days_with(self, name: str) -> int:
        """Count the days with rows on one side: `hub_rows` or `postgres_rows`."""
        return pc.sum(pc.greater(self.found.days[name], 0)).as_py() or 0

    def _newest(self, name: str) -> date | None:
        """Return the newest day before today with rows on one side."""
        days = closed(self.found.days, self.today)
        return pc.max(days.filter(pc.greater(days[name], 0))["day"]).as_py()


def status(
    dataset: Dataset,
    postgres: NewsTable,
    mirror: tuple[Dataset, Projection] | None,
    now: datetime,
    first: Day,
    log: Log = lambda _: None,
) -> DatasetStatus:
    """Look at both sides as they are, and change nothing.

    Args:
        dataset: the full dataset.
        postgres: the database.
        mirror: the projection's dataset, and what it is of the full one; None if there is none.
        now: aware.
        first: the first day that is synced.
        log: gets a sentence when a side has been read.

    Raises:
        GovbrAssetsError: a side cannot be read.
    """
    head = dataset.client.head()
    check_is_full(dataset, head)
    found = reconcile(dataset, head, postgres, log=log)
    tag = newest_release(tag_names(dataset.client)) if head.revision else ""
    undated = found.totals["undated_surplus"] - found.undated_duplicates
    approval = removals_to_approve(dataset.client, head.revision, found.days, undated, first)
    files = sources(head, Day.at(now), dataset.spec.layout)
    return DatasetStatus(
        dataset.client.repo_id,
        head,
        tag,
        bool(tag) and tagged_revision(dataset.client, tag) == head.revision,
        found,
        differing(closed(found.days, Day.at(now))),
        len(files.shards) + len(files.open),
        commits_left(dataset.client, now) if head.revision else COMMITS,
        *_mirrored(dataset, mirror),
        now,
        approval,
    )


def _mirrored(dataset: Dataset, mirror: tuple[Dataset, Projection] | None) -> tuple[ProjectionComparison | None, str]:
    """Compare the projection, or say why it cannot be read: the full dataset is there all the same."""
    try:
        return compare_projection(dataset, *mirror) if mirror else None, ""
    except GovbrAssetsError as error:
        return None, str(error)
