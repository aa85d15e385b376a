"""The graph with all that it keeps in a bucket, and two processes on one bucket at the same time."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from govbr_assets.alerts.message import Alert
from govbr_assets.defs.io_managers import ArrowTableIOManager
from govbr_assets.defs.resources import AlertResource, _dataset
from govbr_assets_tests import processes
from govbr_assets_tests.alerts.test_alerts import receiving
from govbr_assets_tests.graph import Graph
from govbr_assets_tests.object_stores import Store, cloud_storage_served, s3_served, set_up
from govbr_assets_tests.processes import PUBLISHED, Wanted
from govbr_assets_tests.scenes import Scene

DAYS = ["2026-01-14", "2026-01-15", "2026-01-16"]
LOOKUP = ["postgres_news_partition", "hf_existing_ids"]
SERVED = {"gcs": cloud_storage_served, "s3": s3_served}


@pytest.fixture(scope="module", params=["gcs", "s3"])
def server(request: pytest.FixtureRequest) -> Iterator[Store]:
    with SERVED[request.param]() as store:
        yield store


@pytest.fixture
def store(server: Store, monkeypatch: pytest.MonkeyPatch) -> Store:
    return set_up(server, monkeypatch)


def kinds(store: Store, prefix: str) -> set[str]:
    """Say what lies in a bucket: folders, and the ends of names in them."""
    names = (name.removeprefix(f"{prefix}/") for name in store.names(prefix))
    return {f"{name.rpartition('/')[0]}/*.{name.rpartition('.')[2]}" for name in names}


def test_all_that_is_kept_lies_in_the_bucket_and_is_used_from_there(graph: Graph, store: Store):
    prefix = "pasta [de] testes"
    url = f"{store.url}/{prefix}"
    kept = {"storage_url": url, "table_io_manager": ArrowTableIOManager(storage_url=url)}
    for day in DAYS:
        graph.insert(f"a-{day}", f"b-{day}", day=day)
    assert graph.run(DAYS[0], DAYS[1], **kept).success
    assert graph.compact(**kept).success
    assert graph.run(DAYS[2], **kept).success
    assert graph.reconcile(**kept).success
    graph.local_hub.faults.forget()
    _dataset.cache_clear()  # as in another process
    exactly = {"hf_existing_ids": {"source": "exact"}}
    assert graph.run(DAYS[0], DAYS[2], selection=LOOKUP, config=exactly, checks=False, **kept).success
    assert graph.local_hub.faults.seen("GET", r"\.parquet$") == []
    with receiving() as receiver:
        for _ in range(2):
            alerts = AlertResource(url=receiver.url, storage_url=url).client()
            assert alerts
            alerts.enqueue(Alert("run-1", "It failed.", "hf_parquet_shard"))
            alerts.deliver()
        assert len(receiver.messages) == 1
    assert kinds(store, prefix) >= {
        "postgres_news_partition/*.parquet",
        "hf_existing_ids/*.parquet",
        "/*.parquet",
        "hub/*.footer",
        "hub/*.keys",
        "hub/*.card",
        "alerts/sent/*.json",
    }
    assert not any(name.endswith(".part") for name in store.names(prefix))
    assert not graph.folder.exists()
    assert list(Path(graph.instance.storage_directory()).rglob("*")) == []  # where Dagster keeps what nobody else does


def test_two_processes_on_one_bucket_publish_every_row_once(graph: Graph, store: Store):
    for day in DAYS:
        graph.insert(*(f"{name}-{day}" for name in "abc"), day=day)
    spans = [(DAYS[0], DAYS[1]), (DAYS[1], DAYS[2])]
    how = {"commit_days": 1, "environment": store.environment, "patience": "1"}
    barrier = processes.context().Barrier(2)
    both = [
        processes.start(Wanted.of(graph, f"{store.url}/both", *span, **how), barrier)  # pyright: ignore[reportArgumentType]
        for span in spans
    ]
    assert [processes.code_of(each, 120) for each in both] == [PUBLISHED] * 2
    scene = Scene(graph)
    scene.check_history()
    scene.check_complete(DAYS)
    scene.check_shards(DAYS)
    for asset in ("hf_existing_ids", "postgres_news_partition"):
        assert store.names(f"both/{asset}") == [f"both/{asset}/{day}.parquet" for day in DAYS]


@pytest.mark.parametrize("url", ["my-bukcet/t", "my-bukcet"])
def test_a_run_with_a_bucket_that_is_not_there_fails_once_in_one_sentence(graph: Graph, store: Store, url: str):
    graph.insert("a")
    before, scheme = store.buckets, store.url.partition("://")[0]
    result = graph.run(
        DAYS[1],
        retries=2,
        checks=False,
        selection=["postgres_news_partition"],
        table_io_manager=ArrowTableIOManager(storage_url=f"{scheme}://{url}"),
    )
    (failed,) = [event.step_failure_data for event in result.all_events if event.is_step_failure]
    assert failed.error
    assert failed.error.cause
    assert "GOVBR_STORAGE_URL fails while" in failed.error.cause.message
    assert "Look at its bucket or folder: there is none of this name, and none is made." in failed.error.cause.message
    assert store.buckets == before
