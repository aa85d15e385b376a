"""Which columns differ on days whose rows do, how many rows, and one example each; both sides are read as a whole.

A reconciliation knows that contents differ, by one digest of each row; this asks what does, once, before a dataset of
somebody else's is taken over.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from govbr_assets.core.column_differences import (
    ColumnDifference,
    Example,
    differing_columns,
    excerpts,
    values_of,
    values_schema,
)
from govbr_assets.core.days import Day
from govbr_assets.core.identity import hashes
from govbr_assets.core.row_differences import CLAIMS_SCHEMA, local_days, resolve_legacy_ids
from govbr_assets.dataset import Dataset
from govbr_assets.dataset.schema_version import in_version_of
from govbr_assets.errors import ContractError, SourceError
from govbr_assets.huggingface.snapshot import Snapshot
from govbr_assets.io.partitioned import PARTITIONS, PartitionedRows
from govbr_assets.io.scratch import scratch_folder
from govbr_assets.io.sizes import joined_small
from govbr_assets.io.staged import tables_of
from govbr_assets.operations.reconcile.sides import HubSide
from govbr_assets.postgres.news import NewsTable

_ROWS, _BYTES = 2_000, 8 << 20  # that are compared together


def column_differences(
    dataset: Dataset, snapshot: Snapshot, postgres: NewsTable, days: Sequence[Day]
) -> list[ColumnDifference]:
    """Compare days column by column, in memory that does not grow with them.

    Args:
        dataset: the dataset.
        snapshot: the revision.
        postgres: the database.
        days: which ones, in order; those that cannot be published are left out.

    Returns:
        The columns that differ, in the order of the schema.

    Raises:
        ContractError: a file cannot be read in the published schema.
        TransientError: one of the two is out of reach.
        NoRoomError: the disk for temporary files is too small.
    """
    if not days:
        return []
    dataset = in_version_of(dataset, snapshot)
    postgres, spec = postgres.of(dataset.spec), dataset.spec
    rows, examples = Counter[str](), dict[str, Example]()
    with scratch_folder() as folder:
        side = HubSide(dataset, snapshot, folder)
        ours, claims = _postgres(postgres, days)
        theirs = _hub(side, snapshot, claims, pa.array([day.date for day in days]))
        for number in range(PARTITIONS):
            for name, count, example in differing_columns(ours.read(number), theirs.read(number), spec):
                rows[name] += count
                examples[name] = min(example, examples.get(name, example))
        on_the_hub = _hub_values(side, snapshot, examples)
    in_postgres = _postgres_values(postgres, examples)
    found = []
    for name in (name for name in spec.schema.names if name in rows):
        unique_id, value = in_postgres[name]
        hub, own = excerpts([on_the_hub[name], value])
        found.append(ColumnDifference(name, rows[name], examples[name].day, unique_id, hub, own))
    return found


def _postgres(postgres: NewsTable, days: Sequence[Day]) -> tuple[PartitionedRows, PartitionedRows]:
    """Partition the rows of days by id, and their claims to legacy ids by legacy id."""
    spec = postgres.spec
    found, claims = PartitionedRows(values_schema(spec), "id"), PartitionedRows(CLAIMS_SCHEMA, "legacy")
    for rows in joined_small((rows for _, rows in _days(postgres, days)), _ROWS, _BYTES):
        found.add(values_of(rows.select(spec.schema.names), spec))
        claiming = rows.filter(rows[spec.claim].is_valid())
        columns = [hashes(claiming[name]) for name in (spec.claim, spec.key)]
        claims.add(pa.table(columns, schema=CLAIMS_SCHEMA))
    return found, claims


def _days(postgres: NewsTable, days: Sequence[Day]) -> Iterator[tuple[Day, pa.Table]]:
    """Stream the rows of days: [n rows x columns] each of its `source_schema`."""
    take = postgres.read_days(days)
    for day in days:
        try:
            rows = take(day)
        except (ContractError, SourceError):
            continue  # the reconciliation has named it
        yield from ((day, table) for table in tables_of(rows))


def _hub(side: HubSide, snapshot: Snapshot, claims: PartitionedRows, days: pa.Array) -> PartitionedRows:
    """Partition the rows that files have under days by the id in PostgreSQL."""
    schema = values_schema(side.spec)
    found, partitioned = PartitionedRows(schema, "id"), PartitionedRows(schema, "id")
    for number, file in enumerate(snapshot.data_files):
        for rows in side.whole_rows(file):
            wanted = rows.filter(pc.is_in(local_days(rows[side.spec.event_time]), value_set=days))
            if wanted.num_rows:
                found.add(values_of(wanted, side.spec, number))
    for number in range(PARTITIONS):
        partitioned.add(resolve_legacy_ids(found.read(number), claims.read(number)))
    return partitioned


def _hub_values(side: HubSide, snapshot: Snapshot, examples: Mapping[str, Example]) -> dict[str, object]:
    """Read the values of examples on the Hub, by column."""
    found = dict[str, object]()
    for number in sorted({example.file for example in examples.values()}):
        wanted = {name: example for name, example in examples.items() if example.file == number}
        for rows in side.whole_rows(snapshot.data_files[number]):
            ids, days = hashes(rows[side.spec.key]), local_days(rows[side.spec.event_time])
            for name, example in wanted.items():
                mask = pc.and_(pc.equal(ids, example.hub_id), pc.equal(days, pa.scalar(example.day)))
                values = rows[name].filter(mask)
                if len(values):
                    found[name] = values[0].as_py()
    return found


def _postgres_values(postgres: NewsTable, examples: Mapping[str, Example]) -> dict[str, tuple[str, object]]:
    """Read the ids and values of examples in PostgreSQL, by column."""
    found = dict[str, tuple[str, object]]()
    dates = {example.day for example in examples.values()}
    for day, rows in _days(postgres, sorted(map(Day, dates))):
        ids = hashes(rows[postgres.spec.key])
        for name, example in examples.items():
            here = rows.filter(pc.equal(ids, example.postgres_id))
            if example.day == day.date and here.num_rows:
                found[name] = here[postgres.spec.key][0].as_py(), here[name][0].as_py()
    return found
