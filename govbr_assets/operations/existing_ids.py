"""Which rows of days the Hub already holds at a revision, and where: by the viewer where it is certain, else exactly.

Which ids name the same row is decided in `core.identity`.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum
from functools import cached_property
from itertools import dropwhile

import pyarrow as pa
import pyarrow.compute as pc

from govbr_assets.core import identity
from govbr_assets.core.contract import within
from govbr_assets.core.days import Day
from govbr_assets.core.scope import DEFAULT
from govbr_assets.dataset import Dataset
from govbr_assets.dataset.key_index import KeyIndex
from govbr_assets.dataset.reach import out_of_reach
from govbr_assets.errors import HubDeniedError, PermanentError, ViewerUncertainError
from govbr_assets.huggingface.snapshot import DataFile, Snapshot
from govbr_assets.huggingface.viewer import Viewer
from govbr_assets.io.staged import Rows

VIEWER_DAYS = 31
"""Days of a run up to which the viewer is asked, a few requests a day; from there on the files cost less."""

_TOGETHER = 50_000  # ids that are looked for in one pass over the files


class Source(Enum):
    """Who is asked which ids the Hub holds."""

    auto = "auto"
    """The viewer, if its whole answer is certain and comes from the pinned revision; else exact."""
    viewer = "viewer"
    """The viewer, or a failure that says why its answer does not count."""
    exact = "exact"
    """The id columns of the files themselves."""


@dataclass(frozen=True)
class ExistingRows:
    """What the Hub holds of a day at one revision.

    Attributes:
        table: [n matches x 3] of `identity.EXISTING_SCHEMA`.
        snapshot: the revision.
        source: who answered: `viewer` or `exact`; `none` if nothing had to be looked up.
        reason: why the viewer was not used; empty if it was.
        requests: requests to the viewer.
        seconds: wall time of these requests.
    """

    table: Rows
    snapshot: Snapshot
    source: str = "none"
    reason: str = ""
    requests: int = 0
    seconds: float = 0.0

    @classmethod
    def unknown(cls) -> "ExistingRows":
        """Return the rows of a Hub without files: at a later revision all files count as new, and are read."""
        return cls(identity.EXISTING_SCHEMA.empty_table(), Snapshot(None, {}))

    @property
    def elsewhere(self) -> Counter[str]:
        """The ids in files other than the day's own shard, with the number of their occurrences."""
        return Counter(self.table.filter(pc.invert(self.table["in_own_shard"]))["hub_unique_id"].to_pylist())


class ExistingIdsLookup:
    """Finds the rows of some days on the Hub at one revision, a day at a time and in their order.

    Args:
        dataset: the dataset.
        viewer: its viewer.
        source: who is asked.
        days: the Postgres days by partition key, [n rows x 25] each; may be lazy.
        snapshot: the revision; only a tree without data files means that there are no ids.
    """

    def __init__(
        self,
        dataset: Dataset,
        viewer: Viewer,
        source: Source,
        days: Mapping[str, Rows],
        snapshot: Snapshot,
    ) -> None:
        self._dataset, self._viewer, self._source = dataset, viewer, source
        self._days, self._snapshot = days, snapshot
        self._not_viewer = ""  # why the viewer is not asked any more
        if source is Source.exact:
            self._not_viewer = "exact was chosen"
        elif source is Source.auto and len(days) > VIEWER_DAYS:
            self._not_viewer = f"for {len(days)} days the files cost less than the viewer"
        self._looked_up: set[str] = set()  # keys of the days whose ids are in `_places`
        self._index = KeyIndex(dataset.reader.keys, dataset.reader.fetch_keys)
        self._places: dict[str, list[DataFile]] = {}  # by id: the files that hold it

    def find(self, key: str) -> ExistingRows:
        """Find the rows of one day.

        Raises:
            ViewerUncertainError: only the viewer may be asked, and its answer is stale or incomplete.
            HubDeniedError: the Hub denies access, or only the viewer may be asked and denies it.
            HubUnavailableError: the Hub is out of reach.
            ContractError: a file on the Hub has no ids that can be read.
        """
        rows = self._days[key]
        if not rows.num_rows or not self._snapshot.data_files:
            return ExistingRows(identity.existing(rows, [], []), self._snapshot)
        if told := self._out_of_reach:  # a sync rejects the day until a compaction has moved these rows
            return replace(ExistingRows.unknown(), reason=told)
        if not self._not_viewer:
            try:
                return self._by_viewer(rows, Day.of(key))
            except (ViewerUncertainError, HubDeniedError) as error:
                if self._source is Source.viewer:
                    raise
                self._not_viewer = str(error)
        return self._exactly(key, rows)

    @cached_property
    def _out_of_reach(self) -> str:
        """Why the rows of the dataset lie where no day can be compared with them; empty if they do not."""
        return out_of_reach(self._dataset, self._snapshot)

    def _by_viewer(self, rows: Rows, day: Day) -> ExistingRows:
        """Ask the viewer. It does not name the file of a row, so the ids of the day's own shard are subtracted."""
        file, own, own_of_day = self._snapshot.data_file(self._dataset.spec.layout.day_path(day)), [], []
        for keys in self._dataset.reader.keys(file) if file else []:
            own += keys["unique_id"].drop_null().to_pylist()
            own_of_day += keys.filter(within(keys["published_at"], day))["unique_id"].drop_null().to_pylist()
        ids = identity.aliases(rows).to_pylist()
        self._viewer.config = self._snapshot.scope.default or DEFAULT
        answer = self._viewer.find(ids, day, own, own_of_day, self._snapshot.revision or "")
        table = identity.existing(rows, answer.ids, own)
        return ExistingRows(table, self._snapshot, "viewer", "", answer.requests, answer.seconds)

    def _exactly(self, key: str, rows: Rows) -> ExistingRows:
        """Read the id columns of all files."""
        if key not in self._looked_up:
            self._look_up_from(key)
        own = self._dataset.spec.layout.day_path(Day.of(key))
        places = [
            (each, file.path) for each in identity.aliases(rows).to_pylist() for file in self._places.get(each, [])
        ]
        elsewhere = [each for each, path in places if path != own]
        mine = [each for each, path in places if path == own]
        return ExistingRows(identity.existing(rows, elsewhere, mine), self._snapshot, "exact", self._not_viewer)

    def _look_up_from(self, key: str) -> None:
        """Look for the ids of this day and of days after it, in one pass over the files."""
        self._looked_up, ids = set(), []
        for each in dropwhile(lambda day: day != key, self._days):
            self._looked_up.add(each)
            try:
                ids.append(identity.aliases(self._days[each]))
            except PermanentError:
                continue  # `find` raises it for that day
            if sum(map(len, ids)) > _TOGETHER:
                break
        self._places = self._index.locate(pa.concat_arrays(ids), self._snapshot.data_files)
