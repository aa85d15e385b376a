"""The reconciliation of random rows in PostgreSQL with random files on the Hub, against a model in plain Python."""

import os
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from govbr_assets.core.contract import EARLIEST, LATEST
from govbr_assets.core.day_counts import COUNTS, DAYS_SCHEMA, differing, months, settled, worst
from govbr_assets.core.days import Day
from govbr_assets.core.layout import UNDATED_PATH
from govbr_assets.core.row_differences import local_days
from govbr_assets.dataset import Dataset
from govbr_assets.io.partitioned import PartitionedRows
from govbr_assets.io.storage.folder import Folder
from govbr_assets.local.hub import LocalHub
from govbr_assets.operations.reconcile.plan import Reconciled, reconcile
from govbr_assets.postgres.news import NewsTable
from govbr_assets.publications import NEWS
from govbr_assets_tests.sql import execute
from govbr_assets_tests.stranger import as_others_write, write
from govbr_assets_tests.tables import encode

NAMES = "abcdefgh"
INSTANTS = [
    datetime(2026, 1, 15, 12, tzinfo=UTC),
    datetime(2026, 1, 16, 2, 59, tzinfo=UTC),  # still the 15th
    datetime(2026, 1, 16, 3, tzinfo=UTC),
    datetime(2025, 12, 31, 23, tzinfo=UTC),
    datetime(2018, 11, 4, 3, tzinfo=UTC),  # the first instant of a day that begins at 01:00
    datetime(1970, 1, 1, tzinfo=UTC),
]


class News(NamedTuple):
    """A row on either side."""

    unique_id: str
    at: datetime | None
    title: str


class Postgres(NamedTuple):
    """A row in PostgreSQL, and what it claims to have been called."""

    news: News
    legacy: str | None


Writer = Callable[[pa.Table], bytes]


def with_times(kind: pa.DataType) -> Writer:
    """Write a file as others do, with times of another type."""
    return lambda rows: as_others_write(rows.set_column(2, "published_at", rows["published_at"].cast(kind)))


def with_texts(rows: pa.Table) -> bytes:
    """Write a file as others do, with times as text and ids as large text."""
    times = [at and at.isoformat() for at in rows["published_at"].to_pylist()]
    rows = rows.set_column(2, "published_at", pa.array(times, pa.string()))
    return as_others_write(rows.set_column(0, "unique_id", rows["unique_id"].cast(pa.large_string())))


LAYOUTS: dict[str, Writer] = {
    "data/train-2026-01-15.parquet": encode,
    "data/train-2026-01-16.parquet": encode,
    "data/train-2026-00.parquet": encode,
    "data/train-2018-00.parquet": as_others_write,  # small row groups
    UNDATED_PATH: encode,
    "data/train-00000-of-00005.parquet": as_others_write,
    "data/train-00001-of-00005.parquet": with_texts,
    "data/train-00002-of-00005.parquet": with_times(pa.timestamp("us")),
    "data/train-00003-of-00005.parquet": with_times(pa.timestamp("ns", "UTC")),
    "data/train-2025-12-31.parquet": with_texts,
}

titles = st.sampled_from(["title", "another"])
instants = st.sampled_from(INSTANTS)
news = st.builds(News, st.sampled_from(NAMES), st.none() | instants, titles)
files = st.dictionaries(st.sampled_from(list(LAYOUTS)), st.lists(news, max_size=6), max_size=5)
postgres_rows = st.lists(
    st.builds(Postgres, st.builds(News, st.sampled_from(NAMES), instants, titles), st.none() | st.sampled_from(NAMES)),
    unique_by=lambda row: row.news.unique_id,
    max_size=8,
)


def table(rows: Sequence[News]) -> pa.Table:
    """Make rows of the contract, as PostgreSQL would have them published."""
    columns = [
        {"unique_id": row.unique_id, "published_at": row.at, "title": row.title, "agency": "mec"} for row in rows
    ]
    return pa.Table.from_pylist(columns, schema=NEWS.schema)


def day_of(at: datetime | None) -> date | None:
    return at and Day.at(at).date


class Model:
    """What is to be found, by the letter."""

    def __init__(self, postgres: Sequence[Postgres], hub: Mapping[str, Sequence[News]], *, deep: bool) -> None:
        self.counts = {name: Counter[date | None]() for name in COUNTS}
        self.moved = 0
        own = {row.news.unique_id: row.news for row in postgres}
        now = {}
        for row in postgres:  # in the order of their numbers
            if row.legacy and row.legacy not in own:
                now.setdefault(row.legacy, row.news.unique_id)
        found = defaultdict(list)
        for row in (row for rows in hub.values() for row in rows):
            self.counts["hub_rows"][day_of(row.at)] += 1
            found[now.get(row.unique_id, row.unique_id)].append(row)
        for unique_id, row in own.items():
            self.counts["postgres_rows"][day_of(row.at)] += 1
            if unique_id not in found:
                self.counts["missing"][day_of(row.at)] += 1
        for unique_id, rows in found.items():
            self._compare(own.get(unique_id), rows, deep=deep)

    def _compare(self, own: News | None, rows: list[News], *, deep: bool) -> None:
        day = day_of(own.at) if own else None

        def changed(row: News) -> bool:
            return own is not None and (row.unique_id != own.unique_id or (deep and row != own))

        def unlike(row: News) -> tuple[bool, bool, date]:
            elsewhere = own is None or day_of(row.at) != day
            return elsewhere, not elsewhere and changed(row), day_of(row.at) or date.max  # elsewhere the earliest

        first, *others = sorted(rows, key=unlike) if own else sorted(rows, key=lambda row: day_of(row.at) or date.max)
        for row in others:
            self.counts["duplicated"][day_of(row.at) or day] += 1
        if own is None:
            self.counts["surplus"][day_of(first.at)] += 1
        elif day_of(first.at) != day:
            self.moved += 1
            self.counts["moved"].update([day, day_of(first.at)])
        elif changed(first):
            self.counts["changed"][day] += 1

    @property
    def days(self) -> dict[date, list[int]]:
        """The table of all days."""
        days = set[date | None]().union(*self.counts.values()) - {None}
        return {day: [self.counts[name][day] for name in COUNTS] for day in sorted(days, key=str) if day}

    @property
    def totals(self) -> dict[str, int]:
        """What is told beside it."""
        dated = {name: counts.total() - counts[None] for name, counts in self.counts.items()}
        undated = self.counts["hub_rows"][None]
        left = self.counts["surplus"][None] + self.counts["duplicated"][None]
        more = {"hub_rows": dated["hub_rows"] + undated, "moved": self.moved}
        return dated | more | {"undated": undated, "undated_surplus": left}


_numbers = count()


class World:
    """A database whose rows are put in anew, and a Hub with a new repo for every dataset."""

    def __init__(self, url: str, local_hub: LocalHub, folder: Path) -> None:
        self._url, self._local_hub, self._folder = url, local_hub, folder
        execute(self._url, "INSERT INTO agencies (id, key, name) VALUES (1, 'mec', 'Ministério da Educação')")

    def reconcile(self, postgres: Sequence[Postgres], hub: Mapping[str, Sequence[News]], *, deep: bool) -> Reconciled:
        legacy = [f"'{row.legacy}'" if row.legacy else "NULL" for row in postgres]
        values = [
            f"('{row.news.unique_id}', '{row.news.at}', '{row.news.title}', {claim}, 1)"
            for row, claim in zip(postgres, legacy, strict=True)
        ]
        insert = "INSERT INTO news (unique_id, published_at, title, legacy_unique_id, agency_id) VALUES "
        execute(self._url, "TRUNCATE news", *([insert + ", ".join(values)] if values else []))
        repo_id = f"org/reconciled-{os.getpid()}-{next(_numbers)}"
        if hub:
            data = {path: LAYOUTS[path](table(rows)) for path, rows in hub.items()}
            write(self._local_hub.store, repo_id, data)
        client = Dataset.open(
            repo_id,
            NEWS,
            token=self._local_hub.write_token,
            endpoint=self._local_hub.endpoint,
            folder=Folder(str(self._folder)),
        )
        return reconcile(client, client.client.head(), NewsTable(self._url, NEWS), deep=deep)


@pytest.fixture
def world(postgres_url: str, local_hub: LocalHub, tmp_path: Path) -> World:
    return World(postgres_url, local_hub, tmp_path / "kept")


_NOON, _MIDNIGHT = datetime(2026, 1, 15, 12, tzinfo=UTC), datetime(2026, 1, 16, 3, tzinfo=UTC)
_UNDATED_AND_ELSEWHERE = [News("a", None, "title"), News("b", _MIDNIGHT, "title")]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(postgres=postgres_rows, hub=files, deep=st.booleans())
@example([Postgres(News("a", _NOON, "title"), "b")], {"data/train-2026-01-15.parquet": _UNDATED_AND_ELSEWHERE}, False)
def test_any_rows_in_any_files_are_counted_as_a_plain_model_does(
    world: World, postgres: list[Postgres], hub: dict[str, list[News]], deep: bool
):
    found, model = world.reconcile(postgres, hub, deep=deep), Model(postgres, hub, deep=deep)
    assert found.days.schema.equals(DAYS_SCHEMA, check_metadata=True)
    assert {row["day"]: [row[name] for name in COUNTS] for row in found.days.to_pylist()} == model.days
    assert found.totals == model.totals
    differ = [day for day, (_, _, *differences) in model.days.items() if any(differences)]
    assert differing(found.days)["day"].to_pylist() == differ


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(postgres=postgres_rows, deep=st.booleans(), data=st.data())
def test_what_holds_every_row_once_never_differs(
    world: World, postgres: list[Postgres], deep: bool, data: st.DataObject
):
    hub = defaultdict[str, list[News]](list)
    for row in postgres:
        hub[data.draw(st.sampled_from(list(LAYOUTS)))].append(row.news)
    assert not differing(world.reconcile(postgres, hub, deep=deep).days).num_rows


@given(st.lists(st.none() | st.integers(EARLIEST, LATEST), min_size=1))
def test_the_day_of_an_instant_is_the_calendars(microseconds: list[int | None]):
    column = pa.chunked_array([pa.array(microseconds, NEWS.schema.field("published_at").type)])
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    first = (Day(date.min).start - epoch) // timedelta(microseconds=1)
    wanted = [
        each if each is None else Day.at(epoch + timedelta(microseconds=max(each, first))).date for each in microseconds
    ]
    assert local_days(column).to_pylist() == wanted


def test_what_is_out_of_the_calendar_has_its_first_or_last_day():
    column = pa.chunked_array([pa.array([-(1 << 63), (1 << 63) - 1], NEWS.schema.field("published_at").type)])
    assert local_days(column).to_pylist() == [date.min, date.max]


@given(st.lists(st.lists(st.none() | st.integers(-(1 << 63), (1 << 63) - 1), max_size=50), max_size=5))
def test_rows_come_out_of_their_partitions_once_and_those_of_one_number_together(tables: list[list[int | None]]):
    schema = pa.schema([("id", pa.int64()), ("place", pa.int64())])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("govbr_assets.io.partitioned._TOGETHER", 60)
        divided, number = PartitionedRows(schema, "id"), count()
        put = [[(each, next(number)) for each in ids] for ids in tables]
        for rows in put:
            divided.add(
                pa.Table.from_pylist([dict(zip(schema.names, row, strict=True)) for row in rows], schema=schema)
            )
        parts = [part.to_pylist() for part in divided.partitions()]
    found = sorted((row["place"], row["id"]) for part in parts for row in part)
    assert found == [(place, each) for rows in put for each, place in rows if each is not None]
    holders = Counter(each for part in parts for each in {row["id"] for row in part})
    assert set(holders.values()) <= {1}


def days(*rows: tuple[str, Sequence[int]]) -> pa.Table:
    columns = [{"day": date.fromisoformat(day), **dict(zip(COUNTS, counts, strict=True))} for day, counts in rows]
    return pa.Table.from_pylist(columns, schema=DAYS_SCHEMA)


SOME = days(
    ("2025-12-31", (5, 5, 0, 0, 0, 0, 0)),
    ("2026-01-01", (5, 4, 1, 0, 0, 0, 0)),
    ("2026-01-02", (5, 7, 0, 1, 1, 0, 0)),
    ("2026-01-03", (5, 5, 0, 0, 0, 1, 2)),
    ("2026-02-01", (0, 1, 0, 1, 0, 0, 0)),
)


def test_the_worst_days_come_first_and_of_two_alike_the_earlier():
    assert [each.day for each in worst(differing(SOME), 3)["day"].to_pylist()] == [3, 2, 1]


def test_days_before_yesterday_are_settled():
    assert settled(SOME, Day.of("2026-01-03"))["day"].to_pylist() == [date(2025, 12, 31), date(2026, 1, 1)]


def test_months_add_up_their_days():
    assert months(SOME) == {(2025, 12): (5, 5, False), (2026, 1): (15, 14, True), (2026, 2): (0, 0, True)}
