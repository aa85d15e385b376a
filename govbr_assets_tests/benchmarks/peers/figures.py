"""What is measured of a peer, and what the rows on the Hub say about it: pure functions over ids and titles."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from govbr_assets_tests.benchmarks.measure import Cost
from govbr_assets_tests.benchmarks.peers.source import CORRECTED

Titles = Mapping[str, Sequence[str]]
"""The titles of all rows on the Hub by id."""


@dataclass(frozen=True)
class Usage:
    """What a run took.

    Attributes:
        cost: time and memory of the process.
        requests: to Hub and viewer.
        down: bytes that these sent.
        up: bytes that they were sent.
        commits: that it made.
    """

    cost: Cost
    requests: int
    down: int
    up: int
    commits: int


@dataclass
class Figures:
    """What came of a peer.

    Attributes:
        name: whose.
        version: of what is compared.
        days: of each run, in the order of the days.
        loaded: what each library loads after these: how many rows, or an error.
        loaded_then: the same after somebody else has added a row.
        again: of the run with nothing new.
        found: what became of the rows, by case.
        stopped: when and why its program has failed, after which nothing more was done with it; or empty.
    """

    name: str
    version: str
    days: list[Usage] = field(default_factory=list)
    loaded: dict[str, str] = field(default_factory=dict)
    loaded_then: dict[str, str] = field(default_factory=dict)
    again: Usage | None = None
    found: dict[str, str] = field(default_factory=dict)
    stopped: str = ""


def count(titles: Titles, ids: Collection[str]) -> str:
    """Say how many of the rows with these ids are on the Hub, and how many of them more than once."""
    there = [unique_id for unique_id in ids if unique_id in titles]
    more = sum(len(titles[unique_id]) > 1 for unique_id in there)
    return f"{len(there)} of {len(ids)} rows, {more} twice"


def followed(titles: Titles, changed: Collection[str], deleted: Collection[str]) -> str:
    """Say which titles of changed rows the Hub has, and which of the deleted rows are gone."""
    of_changed = [[title.endswith(CORRECTED) for title in titles.get(unique_id, ())] for unique_id in changed]
    new, old = sum(any(each) for each in of_changed), sum(not all(each) for each in of_changed)
    gone = sum(unique_id not in titles for unique_id in deleted)
    return f"{new} of {len(changed)} new titles, {old} old ones; {gone} of {len(deleted)} gone"
