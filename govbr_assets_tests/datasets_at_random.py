"""Random datasets and random Postgres days on the local Hub, and a plain model of which rows of a day it holds."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path

import pyarrow as pa
from hypothesis import strategies as st

from govbr_assets.dataset import Dataset
from govbr_assets.huggingface.viewer import Viewer
from govbr_assets.io.storage.folder import Folder
from govbr_assets.local.hub import LocalHub
from govbr_assets.local.hub.faults import Exchange
from govbr_assets.local.viewer import LocalViewer
from govbr_assets.operations.existing_ids import ExistingIdsLookup, ExistingRows, Source
from govbr_assets.publications import NEWS
from govbr_assets_tests.stranger import as_others_write, write
from govbr_assets_tests.tables import DAY, news, shard

OWN = NEWS.layout.day_path(DAY)
YEAR = "data/train-2026-00.parquet"
LEGACY = "data/train-00000-of-00002.parquet"

# Row by row: an id, and when it was published. No two texts are one id, however alike they look.
Rows = Sequence[tuple[str, datetime | None]]
Files = dict[str, Rows]
Changes = Mapping[str, Rows | None]  # None: the file goes

PLAIN = [f"id{number}" for number in range(8)] + [f"{number:032x}" for number in range(3)]
ODD = ["it's", "''", "nb\u00a0sp", "nb sp", "é", "e\u0301", "ID1", " id1", 'say "no"', "100%_\\", "x" * 100, "🇧🇷"]
REFUSED = ["a--b", "semi;colon"]  # no viewer lets them be asked for
INSTANTS = [
    DAY.start,
    DAY.start + timedelta(hours=9),
    DAY.start + timedelta(hours=23),  # the next day in UTC
    DAY.end,
    DAY.start - timedelta(microseconds=1),
    DAY.start - timedelta(days=40),
    None,
]
PATHS = [
    OWN,
    LEGACY,
    YEAR,
    "data/train-0000-undated.parquet",
    "data/train-2025-12-06.parquet",
    "data/train-2026-01-14.parquet",
    "data/train-2026-01-16.parquet",
]

ids = st.sampled_from(PLAIN + ODD)
rows = st.lists(st.tuples(ids, st.sampled_from(INSTANTS)), max_size=6)
files = st.dictionaries(st.sampled_from(PATHS), rows, min_size=1, max_size=5)
changes = st.dictionaries(st.sampled_from(PATHS), st.none() | rows, max_size=3)


@st.composite
def postgres_days(draw: st.DrawFn) -> pa.Table:
    """Draw rows of the day, some with a legacy id, no id named by two; now and then one that no viewer takes."""
    odd = draw(st.sampled_from([[], [], [], REFUSED]))
    names = draw(st.lists(st.sampled_from(PLAIN + ODD + odd), unique=True, min_size=1, max_size=10))
    legacy = draw(st.integers(0, len(names) // 2))
    claims = [*names[:legacy], *[None] * (len(names) - 2 * legacy)]
    return news(names[legacy:], legacy=claims, at=DAY.start)


def content(some: Rows) -> pa.Table:
    """Make rows of the contract."""
    table = shard([unique_id for unique_id, _ in some])
    at = [instant for _, instant in some]
    return table.set_column(2, NEWS.schema.field(2), pa.array(at, NEWS.schema.field(2).type))


def model(postgres: pa.Table, data: Mapping[str, Rows], own: str = OWN) -> list[dict[str, object]]:
    """Say what the Hub holds of a Postgres day, row by row."""
    owner = {
        name: row["unique_id"]
        for row in postgres.select(["unique_id", "legacy_unique_id"]).to_pylist()
        for name in (row["unique_id"], row["legacy_unique_id"])
        if name is not None
    }
    found = [(owner[name], name, path == own) for path, some in data.items() for name, _ in some if name in owner]
    return [dict(zip(("unique_id", "hub_unique_id", "in_own_shard"), each, strict=True)) for each in sorted(found)]


def changed(data: Files, step: Changes) -> Files:
    """Make what changes leave of some files."""
    return {path: some for path, some in {**data, **step}.items() if some is not None}


_numbers = count()


@dataclass
class World:
    """A Hub with its viewer, where every dataset is put into a repo of its own."""

    local_hub: LocalHub
    local_viewer: LocalViewer
    repo_id: str = ""

    def put(self, data: Mapping[str, Rows], *, anew: bool = True) -> str:
        """Put files into a new repo, or make them all that this one holds."""
        store = self.local_hub.store
        if anew:
            self.repo_id = f"org/existing-{os.getpid()}-{next(_numbers)}"
        old = {} if anew else {path: None for path in store.tree(self.repo_id) if path.endswith(".parquet")}
        return write(store, self.repo_id, old | {path: as_others_write(content(some)) for path, some in data.items()})

    def hub(self, folder: Path | None = None) -> Dataset:
        """Make a client that knows nothing of earlier ones."""
        known = Folder(str(folder)) if folder else None
        token, endpoint = self.local_hub.write_token, self.local_hub.endpoint
        return Dataset.open(self.repo_id, NEWS, token=token, endpoint=endpoint, folder=known)

    def asking(self, source: Source, days: Mapping[str, pa.Table], hub: Dataset | None = None) -> ExistingIdsLookup:
        """Ask for days at the head."""
        hub = hub or self.hub()
        viewer = Viewer(self.local_viewer.url, hub.client.repo_id, hub.client.token)
        return ExistingIdsLookup(hub, viewer, source, days, hub.client.head())

    def find(self, source: Source, postgres: pa.Table, hub: Dataset | None = None) -> ExistingRows:
        """Ask for the one day."""
        return self.asking(source, {str(DAY): postgres}, hub).find(str(DAY))

    def reads(self) -> list[Exchange]:
        """List the requests that had to do with the content of data files."""
        return [each for each in self.local_hub.faults.requests if "/api/" not in each.path]
