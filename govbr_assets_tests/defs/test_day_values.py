"""What goes from asset to asset: of one day its plain value, of a range a lazy mapping, with whatever IO manager."""

import pyarrow as pa
import pytest
from dagster import Definitions, mem_io_manager

from govbr_assets.core.days import ByDay
from govbr_assets.operations.sync.day_plan import DaySync
from govbr_assets_tests.graph import GRAPH, Graph

DAYS = ["2026-01-14", "2026-01-15"]


def test_a_plain_value_is_that_of_each_day_of_a_run_and_a_run_of_one_day_gives_one():
    days = ByDay.of("value", DAYS)
    assert dict(days) == dict.fromkeys(DAYS, "value")
    assert dict(ByDay.of(days, DAYS[1:])) == {"2026-01-15": "value"}
    assert (ByDay.of("value", DAYS[:1]).plain(), days.plain()) == ("value", days)


@pytest.mark.parametrize("changed", [{}, {"table_io_manager": mem_io_manager}], ids=["our storage", "in memory"])
def test_who_materializes_one_day_gets_its_table_and_its_plan(graph: Graph, changed: dict):
    graph.insert("a", "b")
    done = graph.run("2026-01-15", checks=False, **changed)
    assert done.success
    assert done.asset_value("postgres_news_partition")["unique_id"].to_pylist() == ["a", "b"]
    assert isinstance(done.asset_value("hf_parquet_shard"), DaySync)
    assert graph.ids() == {"data/train-2026-01-15.parquet": ["a", "b"]}


def test_who_loads_one_day_of_an_asset_gets_a_table(graph: Graph):
    graph.insert("a", "b")
    assert graph.run("2026-01-14", "2026-01-15", checks=False).success
    loader = Definitions(assets=[each for each in GRAPH if each.keys], resources=graph.resources())
    for asset, rows in {"postgres_news_partition": 2, "hf_existing_ids": 0, "hf_parquet_shard": 2}.items():
        table = loader.load_asset_value(asset, instance=graph.instance, partition_key="2026-01-15")
        assert isinstance(table, pa.Table)
        assert table.num_rows == rows
