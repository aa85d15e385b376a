"""A migration to several versions at once, of columns as people may well declare them: keywords, quotes, nulls only."""

from collections.abc import Callable
from dataclasses import replace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from govbr_assets.core.columns import Column, Join
from govbr_assets.dataset import Dataset
from govbr_assets.dataset.schema_version import outdated
from govbr_assets.errors import SourceError
from govbr_assets.operations.migrate.plan import migrate
from govbr_assets.postgres.news import NewsTable
from govbr_assets.publications import NEWS
from govbr_assets_tests.graph import Graph
from govbr_assets_tests.operations.test_compact import TODAY
from govbr_assets_tests.operations.test_migrate_kills import YEARS, publish

_UTC = pa.timestamp("ms", "UTC")
SECOND = (
    Column("order", pa.string(), 'F."Order"', "A word of SQL's.", since=2),
    Column("nothing", pa.string(), "n.nothing", "All null.", dictionary=True, statistics=True, since=2),
)
THIRD = (
    Column("names", pa.list_(pa.string()), "f.names", "Who is named.", dictionary=True, since=3),
    Column("length", pa.int64(), "pg_catalog.length(n.title || '; n.x')", "How long it is.", since=3),
    Column("at", _UTC, "f.at", "When it was read.", statistics=True, since=3),
)
GROWN = replace(NEWS, columns=(*NEWS.columns, *SECOND, *THIRD), joins=(Join("notes", "f", changed="at", on="id"),))
TABLE = 'CREATE TABLE notes (id text, "Order" text, names text[], at timestamptz)'
ROWS = "INSERT INTO notes VALUES ('a-{}', $$'\"|{{}}\n$$, '{{NULL,\"\",x}}', '2026-01-01T00:00:00.123Z')"
ADDED = ["order", "nothing", "names", "length", "at"]
A_ROW = ["'\"|{}\n", None, [None, "", "x"]]


def test_two_versions_at_once_of_columns_with_the_names_of_sql_and_without_values(graph: Graph):
    for day in YEARS.values():
        graph.insert(f"a-{day}", f"b-{day}", day=day)
    publish(graph, graph.repo_id)
    dataset = Dataset.open(graph.repo_id, GROWN, token=graph.local_hub.write_token, endpoint=graph.local_hub.endpoint)
    news = lambda: NewsTable(graph.postgres_url, GROWN)  # noqa: E731
    assert "schema 1 and publications.py declares schema 3, with the columns order, nothing, names, length, at" in (
        outdated(dataset, dataset.client.head())
    )
    before = graph.head
    graph.execute("ALTER TABLE news ADD COLUMN nothing text")
    refuses(lambda: list(migrate(dataset, news(), TODAY)), "has no table `notes`, from which publications.py reads")
    graph.execute(TABLE.replace('"Order"', "order_"))
    refuses(lambda: list(migrate(dataset, news(), TODAY)), "Table `notes` in PostgreSQL has no column Order")
    graph.execute("DROP TABLE notes", TABLE, *(ROWS.format(day) for day in [*YEARS.values()] * 2))
    refuses(lambda: list(migrate(dataset, news(), TODAY)), "may have several rows of one id")
    assert graph.head == before
    graph.execute("TRUNCATE notes", "CREATE UNIQUE INDEX ON notes (id)", *(ROWS.format(day) for day in YEARS.values()))
    (result,) = migrate(dataset, news(), TODAY)
    assert (result.report.before, result.report.after, [*result.report.columns]) == (1, 3, ADDED)
    for path, day in YEARS.items():
        rows = pq.read_table(graph.local_hub.store.tree(graph.repo_id)[path].path)
        assert rows.schema.equals(GROWN.schema, check_metadata=True)
        first, second = rows.select(ADDED).to_pylist()
        assert [first.pop(name) for name in ADDED[:3]] == A_ROW
        assert first["at"].isoformat() == "2026-01-01T00:00:00.123000+00:00"
        assert [second[name] for name in ADDED] == [None, None, None, len(f"Title of b-{day}; n.x"), None]
    assert not outdated(dataset, dataset.client.head())


def refuses(call: Callable[[], object], sentence: str) -> None:
    """See that nothing is done, and a sentence says why."""
    with pytest.raises(SourceError, match=sentence):
        call()
