"""Any rows in any files, compacted in any steps: the same files, and of each id the latest row."""

import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from govbr_assets.core.contract import EARLIEST, LATEST
from govbr_assets.local.hub import LocalHub
from govbr_assets.publications import NEWS
from govbr_assets_tests.compaction_repo import CompactionRepo, Files, compaction_repo_in
from govbr_assets_tests.operations.test_compact import DISGUISES
from govbr_assets_tests.stranger import as_others_write
from govbr_assets_tests.tables import encode

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
TICK = timedelta(microseconds=1)


def ticks(text: str) -> int:
    """Count the microseconds to an instant."""
    return (datetime.fromisoformat(text) - EPOCH) // TICK


def as_utc_text(table: pa.Table) -> pa.Table:
    """Write the times as text, those of any year and none."""
    times = table["published_at"].cast(pa.int64()).to_pylist()
    texts = [None if at is None else (EPOCH + at * TICK).isoformat() for at in times]
    return table.set_column(2, "published_at", pa.array(texts, pa.string()))


PLAIN = {"": lambda table: table} | {
    name: DISGUISES[name] for name in ("pandas metadata", "large strings", "another order")
}
"""Schemas that readers take beside the contract."""

ODD = PLAIN | {"UTC": DISGUISES["UTC"], "naive": DISGUISES["naive"], "text": as_utc_text}
"""Schemas that they do not: a file of such a one can stand beside no other."""

EDGES = [
    ticks(f"{midnight}T03:00+00:00") + by
    for midnight in ("2025-01-01", "2025-02-01", "2026-01-01", "2018-11-04", "2019-02-17")
    for by in (-1, 0)
]
NAMES = ["a", "b", "c", "á", f"{7:032x}", "uma-noticia-qualquer_a1b2c3"]

rows = st.fixed_dictionaries(
    {
        "unique_id": st.sampled_from(NAMES),
        "published_at": st.sampled_from([*EDGES, *EDGES, EARLIEST, LATEST, None]),
        "extracted_at": st.sampled_from([None, 0, 1]),
        "updated_datetime": st.sampled_from([None, 0, 1]),
        "title": st.sampled_from([None, "", "x"]),
        "tags": st.sampled_from([None, [], ["a", None]]),
    }
)
tables = st.lists(rows, min_size=1, max_size=6).map(lambda some: pa.Table.from_pylist(some, schema=NEWS.schema))


@st.composite
def rounds(draw: st.DrawFn) -> tuple[list[dict[str, pa.Table]], list[Files], int]:
    """Draw what others write between compactions: tables by path, the same as files, and the files of a commit."""
    most = draw(st.sampled_from([2, 95]))
    disguises = PLAIN if most == 2 else ODD
    numbers, plain, written = count(), [], []
    for _ in range(draw(st.integers(1, 3))):
        held, files = {}, {}
        for _ in range(draw(st.integers(1, 3))):
            table, number = draw(tables), next(numbers)
            if draw(st.booleans()):
                path = f"data/train-2025-03-{number + 1:02}.parquet"
                files[path] = encode(table.sort_by(NEWS.sorted_by))
            else:
                path = f"data/train-x-{number}.parquet"
                files[path] = as_others_write(disguises[draw(st.sampled_from(sorted(disguises)))](table))
            held[path] = table
        plain.append(held)
        written.append(files)
    return plain, written, most


@pytest.fixture
def make(local_hub: LocalHub, repo_id: str, tmp_path: Path) -> Iterator[Callable[[], CompactionRepo]]:
    """Make one repo after another."""
    numbers = count()
    with compaction_repo_in(local_hub, repo_id, tmp_path / "temporary"):
        yield lambda: CompactionRepo(local_hub, f"{repo_id}-{next(numbers)}")


@settings(
    max_examples=int(os.environ.get("COMPACTION_EXAMPLES", "12")),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],  # a repo for each example
)
@given(drawn=rounds(), keeps=st.booleans())
def test_any_rows_in_any_files_in_any_rounds_compact_to_the_same_files_and_of_each_id_the_latest_row(
    make: Callable[[], CompactionRepo],
    tmp_path: Path,
    drawn: tuple[list[dict[str, pa.Table]], list[Files], int],
    keeps: bool,
):
    plain, written, most = drawn
    repo, at_once = make(), make()
    repo.kept = tmp_path / "kept" if keeps else None
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("govbr_assets.operations.compact.plan.COMMIT_FILES", most)
        for files in written:
            repo.write(files)
            repo.compact()
    repo.check_history()
    assert repo.compact() == []
    whole = pa.concat_tables([table for held in plain for table in held.values()])
    at_once.write({"data/train-00000-of-00001.parquet": as_others_write(whole)})
    at_once.compact()
    at_once.check_compacted(at_once.base)
    assert repo.contents == at_once.contents


def news(*instants: str | None) -> pa.Table:
    """Make a row for each instant, with ids of both kinds in turn."""
    ids = [f"{number:032x}" if number % 2 else f"noticia-{number}_a1b2c3" for number in range(len(instants))]
    found = [
        {"unique_id": name, "published_at": ticks(at) if at else None} for name, at in zip(ids, instants, strict=True)
    ]
    return pa.Table.from_pylist(found, schema=NEWS.schema)


def test_every_instant_goes_to_its_year_in_sao_paulo_and_row_groups_end_with_months(make: Callable[[], CompactionRepo]):
    years = {
        "data/train-0000-undated.parquet": [None],
        "data/train-0001-00.parquet": ["0001-01-01T00:00+00:00", "0001-01-01T03:06:28+00:00"],
        "data/train-2003-00.parquet": ["2003-05-05T09:00-03:00"],
        "data/train-2018-00.parquet": [
            "2018-11-03T23:59:59.999999-03:00",
            "2018-11-04T01:00-02:00",
            "2018-11-30T23:59:59.999999-02:00",
            "2018-12-01T00:00-02:00",
            "2018-12-31T23:59:59.999999-02:00",
        ],
        "data/train-2019-00.parquet": [
            "2019-01-01T00:00-02:00",
            "2019-02-16T23:30-02:00",
            "2019-02-16T23:30-03:00",
            "2019-02-17T00:00-03:00",
        ],
        "data/train-2025-00.parquet": ["2025-12-31T23:59:59.999999-03:00"],
        "data/train-2026-00.parquet": ["2026-01-01T00:00-03:00"],
        "data/train-9999-00.parquet": ["9999-12-31T23:59:59.999999+00:00"],
    }
    repo = make()
    whole = news(*(at for instants in years.values() for at in instants))
    repo.write({"data/train-x.parquet": as_others_write(whole.take(pa.array(range(whole.num_rows - 1, -1, -1))))})
    repo.check_settled()
    found, start = repo.tables(), 0
    assert sorted(found) == sorted(years)
    for path, instants in years.items():
        assert found[path].equals(whole.slice(start, len(instants))), path
        start += len(instants)
    tree = repo.local_hub.store.tree(repo.repo_id)
    groups = {path: pq.read_metadata(tree[path].path) for path in years}
    sizes = {path: [each.row_group(n).num_rows for n in range(each.num_row_groups)] for path, each in groups.items()}
    assert sizes["data/train-2018-00.parquet"] == [3, 2]
    assert sizes["data/train-2019-00.parquet"] == [1, 3]
