"""The processes of `migration`: a dataset is published, gets columns that are declared later, and changes afterwards.

python -m govbr_assets_tests.benchmarks.migration_run publish FOLDER | columns NAME,... | row VERSION | week VERSION

All have the home of one client, which knows what it has sent; a version is that of the schema that the dataset has.
"""

import os
import sys
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from huggingface_hub import HfApi

from govbr_assets.core.columns import Column, Join
from govbr_assets.core.days import Day
from govbr_assets.core.layout import CARD_PATH
from govbr_assets.core.spec import DatasetSpec
from govbr_assets.dataset import Dataset
from govbr_assets.dataset.changeset import Changeset
from govbr_assets.dataset.parquet import encode
from govbr_assets.dataset.transaction import commit
from govbr_assets.huggingface.snapshot import DataFile, Snapshot
from govbr_assets.io.scratch import scratch_folder
from govbr_assets.operations.compact.plan import compact
from govbr_assets.operations.file_cache import FileCache
from govbr_assets.operations.migrate.plan import migrate
from govbr_assets.operations.old_file import OldFile
from govbr_assets.operations.rewrite import FileEdit, rewrite
from govbr_assets.postgres.news import NewsTable
from govbr_assets.publications import NEWS
from govbr_assets_tests.tables import usual_card

_TEXTS = pa.list_(pa.field("element", pa.string()))
_ENTITIES = "ARRAY(SELECT jsonb_array_elements_text(f.features->'entities'))"
_COLUMNS = (
    Column("score", pa.float64(), "(f.features->>'score')::double precision", "A number.", since=2),
    Column("agency_name", pa.string(), "n.agency_name", "Few values.", dictionary=True, since=3),
    Column("entities", _TEXTS, _ENTITIES, "Three texts.", since=3),
)
_TODAY, _WEEK = Day.at(datetime.now(UTC)), 7


def grown(version: int) -> DatasetSpec:
    """Declare the columns up to a version."""
    columns = tuple(column for column in _COLUMNS if column.since <= version)
    return replace(NEWS, columns=(*NEWS.columns, *columns), joins=(Join("news_features", "f", changed="updated_at"),))


def opened(version: int) -> Dataset:
    """Open the dataset as it is declared with a version."""
    told = os.environ
    return Dataset.open(told["BENCH_REPO"], grown(version), token=told["BENCH_TOKEN"], endpoint=told["BENCH_ENDPOINT"])


def publish(folder: str) -> None:
    """Upload a folder with data files."""
    Path(folder, CARD_PATH).write_bytes(usual_card(None).encode())
    told = os.environ
    api = HfApi(endpoint=told["BENCH_ENDPOINT"], token=told["BENCH_TOKEN"])
    api.create_repo(told["BENCH_REPO"], repo_type="dataset")
    api.upload_folder(repo_id=told["BENCH_REPO"], folder_path=folder, repo_type="dataset")


def columns(names: str) -> None:
    """Add the columns that are named."""
    spec = grown(max(column.since for column in _COLUMNS if column.name in names.split(",")))
    news = NewsTable(os.environ["BENCH_POSTGRES_URL"], spec)
    for result in migrate(opened(spec.version), news, _TODAY, log=print):
        print(result.report)


@dataclass(frozen=True)
class Change:
    """Another title for the first row of a month in the middle of the largest file.

    Attributes:
        dataset: the dataset.
        folder: where files may be made.
    """

    dataset: Dataset
    folder: Path

    def plan(self, snapshot: Snapshot) -> Changeset[None]:
        """Plan the commit."""
        file, spec = largest(snapshot), self.dataset.spec
        local = FileCache(self.dataset, self.folder / "cache").get(file)
        old = OldFile.of(local, spec.layout.period_of(file.path) or 0, spec)
        assert old
        row = middle(local).slice(0, 1).select(spec.schema.names)
        title = pa.array([f"Another title at {datetime.now(UTC)}"])
        row = row.set_column(spec.schema.get_field_index("title"), "title", title)
        made = rewrite(file.path, old, FileEdit.of(row[spec.key].to_pylist(), row, spec), self.folder, spec)
        assert made.local
        return Changeset({file.path: made.local}, fresh={file.path: made.fresh}, message="Change a row", report=None)


def row(version: str) -> None:
    """Change a row."""
    dataset = opened(int(version))
    with scratch_folder() as folder:
        commit(dataset, Change(dataset, folder), dataset.client.head())


def week(version: str) -> None:
    """Compact a week of days with a hundred rows each, which come behind the others of a month."""
    dataset = opened(int(version))
    head = dataset.client.head()
    with scratch_folder() as folder:
        local = FileCache(dataset, folder / "cache").get(largest(head))
        rows = middle(local).slice(0, 100).select(dataset.spec.schema.names)
    last, mark = rows["published_at"][0].as_py().replace(day=20, hour=12), f"{datetime.now(UTC)}"
    for number in range(_WEEK):
        at = last + timedelta(days=number)
        ids = pc.binary_join_element_wise(rows["unique_id"], f"{number}", mark, "-")
        shard = rows.set_column(0, "unique_id", ids)
        shard = shard.set_column(
            rows.schema.get_field_index("published_at"),
            dataset.spec.schema.field("published_at"),
            pa.array([at] * rows.num_rows, rows.schema.field("published_at").type),
        ).sort_by(dataset.spec.sorted_by)
        content = encode(shard.combine_chunks(), dataset.spec)
        HfApi(endpoint=os.environ["BENCH_ENDPOINT"], token=os.environ["BENCH_TOKEN"]).upload_file(
            path_or_fileobj=content,
            path_in_repo=dataset.spec.layout.day_path(Day.at(at)),
            repo_id=os.environ["BENCH_REPO"],
            repo_type="dataset",
        )
    list(compact(dataset, _TODAY))


def largest(snapshot: Snapshot) -> DataFile:
    """Take the largest file."""
    return max(snapshot.data_files, key=lambda file: file.size)


def middle(local: Path) -> pa.Table:
    """Read the row group in the middle of a file."""
    with pq.ParquetFile(local) as parquet:
        return parquet.read_row_group(parquet.num_row_groups // 2)


if __name__ == "__main__":
    {"publish": publish, "columns": columns, "row": row, "week": week}[sys.argv[1]](sys.argv[2])
