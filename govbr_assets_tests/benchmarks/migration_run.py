"""The process that `migration` measures: a dataset gets columns that its publication declares later.

python -m govbr_assets_tests.benchmarks.migration_run COLUMN,...
"""

import os
import sys
from dataclasses import replace
from datetime import UTC, datetime

import pyarrow as pa

from govbr_assets.core.columns import Column, Join
from govbr_assets.core.days import Day
from govbr_assets.core.spec import DatasetSpec
from govbr_assets.dataset import Dataset
from govbr_assets.operations.migrate.plan import migrate
from govbr_assets.postgres.news import NewsTable
from govbr_assets.publications import NEWS

_TEXTS = pa.list_(pa.field("element", pa.string()))
_ENTITIES = "ARRAY(SELECT jsonb_array_elements_text(f.features->'entities'))"
_COLUMNS = (
    Column("score", pa.float64(), "(f.features->>'score')::double precision", "A number.", since=2),
    Column("agency_name", pa.string(), "n.agency_name", "Few values.", dictionary=True, since=3),
    Column("entities", _TEXTS, _ENTITIES, "Three texts.", since=3),
)


def grown(version: int) -> DatasetSpec:
    """Declare the columns up to a version."""
    columns = tuple(column for column in _COLUMNS if column.since <= version)
    return replace(NEWS, columns=(*NEWS.columns, *columns), joins=(Join("news_features", "f", changed="updated_at"),))


def main() -> None:
    """Add the columns that are named."""
    spec = grown(max(column.since for column in _COLUMNS if column.name in sys.argv[1].split(",")))
    told = os.environ
    dataset = Dataset.open(told["BENCH_REPO"], spec, token=told["BENCH_TOKEN"], endpoint=told["BENCH_ENDPOINT"])
    news = NewsTable(told["BENCH_POSTGRES_URL"], spec)
    for result in migrate(dataset, news, Day.at(datetime.now(UTC)), log=print):
        print(result.report)


if __name__ == "__main__":
    main()
