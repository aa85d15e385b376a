"""Which rows of a day the Hub holds: the viewer, the files themselves and a plain model give one answer.

What the product makes of that answer is in `test_graph` and `test_model`.
"""

import io
import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from govbr_assets.core.days import Day
from govbr_assets.core.identity import aliases
from govbr_assets.dataset.key_index import KeyIndex
from govbr_assets.errors import ViewerUncertainError
from govbr_assets.huggingface.snapshot import DataFile
from govbr_assets.io.scratch import scratch_folder
from govbr_assets.local.hub import LocalHub
from govbr_assets.local.viewer import LocalViewer
from govbr_assets.operations.existing_ids import VIEWER_DAYS, ExistingRows, Source
from govbr_assets.operations.sync.day_files import DayFiles
from govbr_assets.operations.sync.day_plan import DaySync
from govbr_assets.operations.sync.draft import ChangesetBuilder
from govbr_assets.operations.sync.locate import locate
from govbr_assets.operations.sync.options import SyncOptions
from govbr_assets.publications import NEWS
from govbr_assets_tests.datasets_at_random import (
    LEGACY,
    OWN,
    PATHS,
    REFUSED,
    YEAR,
    Changes,
    Files,
    World,
    changed,
    changes,
    files,
    model,
    postgres_days,
)
from govbr_assets_tests.stranger import write
from govbr_assets_tests.tables import DAY, encode, news, shard


@pytest.fixture(scope="module")
def world(hub_server: LocalHub, viewer_server: LocalViewer) -> World:
    hub_server.faults.clear()
    viewer_server.faults.clear()
    return World(hub_server, viewer_server)


@settings(max_examples=60, deadline=None)
@given(data=files, postgres=postgres_days())
def test_the_viewer_and_the_files_give_the_same_answer(world: World, data: Files, postgres: pa.Table):
    world.put(data)
    expected = model(postgres, data)
    exact = world.find(Source.exact, postgres)
    assert exact.table.to_pylist() == expected
    refused = set(REFUSED) & set(aliases(postgres).to_pylist())
    if refused:
        with pytest.raises(ViewerUncertainError, match="its grammar rejects it"):
            world.find(Source.viewer, postgres)
    else:
        assert world.find(Source.viewer, postgres).table.equals(exact.table)
    auto = world.find(Source.auto, postgres)
    assert auto.table.equals(exact.table)
    assert (auto.source, bool(auto.reason)) == (("exact", True) if refused else ("viewer", False))
    assert auto.elsewhere == Counter(each["hub_unique_id"] for each in expected if not each["in_own_shard"])


def behind(world: World, data: Files) -> None:
    world.local_viewer.index.hold(world.repo_id)
    world.put({**data, LEGACY: [("id0", DAY.start)]}, anew=False)
    world.put(data | {"data/train-x.parquet": [("id1", DAY.start)]}, anew=False)


def partial(world: World, data: Files) -> None:
    world.put(data | {"data/train-x.parquet": [("id1", DAY.start)]}, anew=False)  # two files, or there is no part
    world.local_viewer.index.limit(world.repo_id, 1)


def building(world: World, data: Files) -> None:
    world.put(data | {"data/train-x.parquet": [("id1", DAY.start)]}, anew=False)
    world.local_viewer.index.lag(world.repo_id, stale=0, building=600)


@settings(max_examples=30, deadline=None)
@given(data=files, postgres=postgres_days(), trouble=st.sampled_from([behind, partial, building]))
def test_where_the_index_is_no_help_auto_asks_the_files_and_says_why(
    world: World, data: Files, postgres: pa.Table, trouble: Callable[[World, Files], None]
):
    world.put(data)
    trouble(world, data)
    expected = model(postgres, data | {"data/train-x.parquet": [("id1", DAY.start)]})
    auto = world.find(Source.auto, postgres)
    assert auto.table.to_pylist() == expected
    assert auto.source == "exact"
    assert auto.reason.startswith(("The viewer answer", "The viewer has indexed only", "The viewer cannot be asked"))
    with pytest.raises(ViewerUncertainError):
        world.find(Source.viewer, postgres)


def located(
    world: World, known: ExistingRows, index: KeyIndex[DataFile], files: DayFiles, rows: pa.Table
) -> Counter[str]:
    """Count the places of a day's rows outside of its shard at the head, from what was known of them once."""
    head, names = world.hub().client.head(), aliases(rows)
    plan = DaySync(DAY, lambda: rows, names, known, SyncOptions(lambda _: rows.slice(0, 0)))
    builder = ChangesetBuilder(head, files, locate([plan], head, index, files))
    in_place = Counter(builder.rows_in_place(DAY)["unique_id"].to_pylist())
    elsewhere = Counter(each for each, _ in builder.places(names.to_pylist(), OWN, in_place, YEAR))
    return elsewhere + Counter({each: count for each, count in in_place.items() if each in names.to_pylist()})


@settings(max_examples=40, deadline=None)
@given(data=files, steps=st.tuples(changes, changes, changes, changes), postgres=postgres_days())
def test_what_was_known_at_a_revision_and_the_files_that_differ_lead_to_what_a_new_search_finds(
    world: World, data: Files, steps: tuple[Changes, ...], postgres: pa.Table
):
    world.put(data)
    known, dataset = world.find(Source.exact, postgres), world.hub()
    index = KeyIndex(dataset.reader.keys)
    with scratch_folder() as folder:
        day_files = DayFiles(dataset, folder)
        for step in ({}, *steps):
            later = changed(data, step)
            if later != data:
                world.put(later, anew=False)
            data = later
            anew = world.find(Source.exact, postgres).elsewhere
            assert located(world, known, index, day_files, postgres) == anew
            assert anew == Counter(each["hub_unique_id"] for each in model(postgres, data) if not each["in_own_shard"])


@settings(max_examples=15, deadline=None)
@given(data=files, change=changes, postgres=postgres_days())
@example({OWN: [], LEGACY: [("id0", DAY.start)]}, {OWN: None, YEAR: []}, news(["id0"]))
def test_of_two_revisions_only_the_files_that_differ_are_read_unless_rows_are_in_others(
    world: World, data: Files, change: Changes, postgres: pa.Table
):
    world.put(data)
    known, dataset = world.find(Source.exact, postgres), world.hub()
    later = changed(data, change)
    world.put(later, anew=False)
    world.local_hub.faults.forget()
    with scratch_folder() as folder:
        located(world, known, KeyIndex(dataset.reader.keys), DayFiles(dataset, folder), postgres)
    requests = [each.path for each in world.reads()]
    read = {path for path in {**data, **later} if any(path in each for each in requests)}
    new = {path for path, rows in later.items() if data.get(path) != rows}
    gone = {path for path, rows in data.items() if later.get(path) != rows}
    same = {path: rows for path, rows in later.items() if path not in new}
    in_same = [each for each in model(postgres, same) if not each["in_own_shard"]]
    head = dataset.client.head()
    fetched = {each.rpartition("/")[2] for each in requests}
    # By their contents: two files can have one, be it that one of them is gone, and it is fetched by one name.
    assert {head.files[path].content for path in new} <= fetched
    assert read - new - {YEAR} <= {*(gone if known.elsewhere else ()), *(same if in_same else ())}


FEW = (OWN, LEGACY, PATHS[-1])


def several() -> tuple[Files, pa.Table]:
    """Make three files with rows of the day, and a Postgres day that has some of each and one more."""
    data: Files = {
        path: [(f"{name}{row}", DAY.start) for row in range(5)] for name, path in zip("oln", FEW, strict=True)
    }
    return data, news(["o0", "o1", "l0", "l1", "n0", "new"], legacy=[None, None, "l4", None, "o4", None])


def test_the_keys_of_a_content_are_fetched_once_in_a_lifetime(world: World, tmp_path: Path):
    data, postgres = several()
    world.put(data)
    first = world.find(Source.exact, postgres, world.hub(tmp_path))
    assert first.table.to_pylist() == model(postgres, data)
    world.put(data | {"data/train-renamed.parquet": data[LEGACY]}, anew=False)  # a name is no content
    world.local_hub.faults.forget()
    again = world.find(Source.exact, postgres, world.hub(tmp_path))
    assert again.table.to_pylist() == model(postgres, data | {"data/train-renamed.parquet": data[LEGACY]})
    assert world.reads() == []


def test_of_days_one_after_another_the_kept_keys_of_a_year_are_read_once(world: World, tmp_path: Path):
    days = [Day.of(f"2026-01-{number:02}") for number in range(10, 15)]
    world.put({YEAR: [(f"{day}", day.start) for day in days], OWN: [("own", DAY.start)]})
    hub = world.hub(tmp_path)
    head = hub.client.head()
    hub.reader.fetch_keys(head.data_files)
    world.local_hub.faults.forget()
    for day in days:
        assert hub.reader.day_rows(head, day, ["unique_id"])["unique_id"].to_pylist() == [f"{day}"]
        for path in tmp_path.rglob("*.keys"):
            path.unlink()
    assert world.reads() == []


def test_without_a_folder_the_keys_are_fetched_each_time(world: World):
    data, postgres = several()
    world.put(data)
    reads = []
    for _ in range(2):
        world.local_hub.faults.forget()
        assert world.find(Source.exact, postgres).table.to_pylist() == model(postgres, data)
        reads.append([(each.path, each.sent) for each in world.reads()])
    assert sorted(reads[0]) == sorted(reads[1]) != []


def quietly(kept: bytes) -> bytes:
    """Change the ids so that what is kept can be read, and says something else."""
    keys, sink = pa.ipc.open_stream(kept).read_all(), io.BytesIO()
    with pa.ipc.new_stream(sink, keys.schema) as writer:
        writer.write_table(keys.set_column(0, keys.field(0), pa.array(["other"] * keys.num_rows)))
    return sink.getvalue() + kept[-32:]


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda _: b"",
    "half": lambda kept: kept[: len(kept) // 2],
    "zeros": lambda kept: bytes(len(kept)),
    "zeros in the middle": lambda kept: kept[:4] + bytes(len(kept) // 2) + kept[4 + len(kept) // 2 :],
}


@pytest.mark.parametrize(
    ("kind", "damage"),
    [
        *(pytest.param("keys", damage, id=f"keys, {name}") for name, damage in DAMAGES.items()),
        pytest.param("keys", quietly, id="keys, other ids"),
        *(pytest.param("footer", damage, id=f"footer, {name}") for name, damage in DAMAGES.items()),
    ],
)
def test_what_was_kept_and_is_damaged_is_fetched_again_and_kept(
    world: World, tmp_path: Path, kind: str, damage: Callable[[bytes], bytes]
):
    data, postgres = several()
    world.put(data)
    world.find(Source.exact, postgres, world.hub(tmp_path))
    kept = list(tmp_path.rglob(f"*.{kind}"))
    assert len(kept) == len(data)
    for path in kept:
        path.write_bytes(damage(path.read_bytes()))
        if kind == "footer":  # it is asked for where the keys are not kept
            path.with_name(path.name.replace("footer", "keys")).unlink()
    assert world.find(Source.exact, postgres, world.hub(tmp_path)).table.to_pylist() == model(postgres, data)
    world.local_hub.faults.forget()
    assert world.find(Source.exact, postgres, world.hub(tmp_path)).table.to_pylist() == model(postgres, data)
    assert world.reads() == []


def test_of_a_large_year_file_a_small_part_is_read(world: World):
    noise, names = random.Random(15), [f"{number:06}-um-titulo-qualquer" for number in range(20_000)]
    year = shard(names, at=Day.of("2026-01-01").start)
    texts = pa.array([noise.randbytes(500).hex() for _ in names])
    year = year.set_column(NEWS.schema.get_field_index("content"), "content", texts)
    world.put({OWN: []})
    write(world.local_hub.store, world.repo_id, {YEAR: encode(year)})
    postgres, hub = news([names[-1], "new"]), world.hub()
    size = hub.client.head().files[YEAR].size
    world.local_hub.faults.forget()
    found = world.find(Source.exact, postgres, hub)
    assert found.table.to_pylist() == model(postgres, {YEAR: [(names[-1], None)]})
    assert size > 10_000_000
    assert sum(each.sent for each in world.reads()) < size / 10


def test_the_keys_of_small_row_groups_are_fetched_together(world: World):
    noise, names = random.Random(16), [f"{number:06}-um-titulo-qualquer" for number in range(1_000)]
    year = shard(names, at=Day.of("2026-01-01").start)
    texts = pa.array([noise.randbytes(500).hex() for _ in names])
    year, sink = year.set_column(NEWS.schema.get_field_index("content"), "content", texts), io.BytesIO()
    pq.write_table(year, sink, row_group_size=25)
    world.put({OWN: []})
    write(world.local_hub.store, world.repo_id, {YEAR: sink.getvalue()})
    postgres = news([names[-1], "new"])
    world.local_hub.faults.forget()
    assert world.find(Source.exact, postgres).table.to_pylist() == model(postgres, {YEAR: [(names[-1], None)]})
    assert len(world.reads()) < 40 / 4  # of 40 row groups


def test_a_range_of_many_days_goes_through_the_files_once_and_leaves_the_viewer_alone(world: World):
    keys = [f"2026-01-{number:02}" for number in range(1, 32)] + ["2026-02-01", "2026-02-02"]
    assert len(keys) > VIEWER_DAYS
    days = {key: news([f"{key} {number}" for number in range(3)], at=Day.of(key).start) for key in keys}
    data: Files = {NEWS.layout.day_path(Day.of(key)): [(f"{key} 0", Day.of(key).start)] for key in keys[:3]}
    data[YEAR] = [(f"{key} 1", None) for key in keys]
    world.put(data)
    one_day = world.hub()
    world.local_hub.faults.forget()
    world.find(Source.exact, days[keys[0]], one_day)
    reads_of_one_day = [(each.path, each.sent) for each in world.reads()]
    world.local_hub.faults.forget()
    world.local_viewer.faults.forget()

    asking = world.asking(Source.auto, days)
    found = {key: asking.find(key) for key in keys}

    assert {key: each.table.to_pylist() for key, each in found.items()} == {
        key: model(days[key], data, own=NEWS.layout.day_path(Day.of(key))) for key in keys
    }
    assert {(each.source, each.reason) for each in found.values()} == {
        ("exact", "for 33 days the files cost less than the viewer")
    }
    assert sorted((each.path, each.sent) for each in world.reads()) == sorted(reads_of_one_day) != []
    assert world.local_viewer.faults.requests == []


@pytest.mark.parametrize("source", list(Source))
def test_for_days_without_rows_nobody_is_asked(world: World, source: Source):
    keys = ["2026-01-14", "2026-01-15", "2026-01-16", "2026-01-17"]
    data, postgres = several()
    days = {key: postgres if key == str(DAY) else news([]) for key in keys}
    world.put(data)
    asking = world.asking(source, days)
    world.local_hub.faults.forget()
    world.local_viewer.faults.forget()

    def requests() -> int:
        return len(world.local_hub.faults.requests) + len(world.local_viewer.faults.requests)

    asked = {}
    for key in keys:
        before = requests()
        found = asking.find(key)
        asked[key] = requests() > before
        assert found.table.to_pylist() == (model(days[key], data) if key == str(DAY) else [])
        assert (found.source == "none") == (key != str(DAY))
    assert asked == {key: key == str(DAY) for key in keys}


@pytest.mark.parametrize("source", list(Source))
def test_of_a_hub_without_data_files_nobody_is_asked(world: World, source: Source):
    world.put({})
    asking = world.asking(source, {str(DAY): news(["a"])})
    world.local_hub.faults.forget()
    world.local_viewer.faults.forget()
    assert asking.find(str(DAY)).table.num_rows == 0
    assert world.local_hub.faults.requests == []
    assert world.local_viewer.faults.requests == []


def test_a_footer_is_read_once_and_serves_what_it_is_asked_for_later(world: World, tmp_path: Path):
    world.put({LEGACY: [("a", DAY.start)]})
    hub = world.hub(tmp_path)
    head = hub.client.head()
    told = hub.reader.footer(head.files[LEGACY])
    world.local_hub.faults.forget()
    assert world.hub(tmp_path).reader.footer(head.files[LEGACY]).equals(told)
    assert world.reads() == []
