"""The graph on a real stack, for tests: settings into resources, days into runs, and a look at what came of them."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dagster import DagsterEventType, DagsterInstance, ExecuteInProcessResult, RetryPolicy, materialize

from govbr_assets.dataset import Dataset
from govbr_assets.definitions import defs
from govbr_assets.defs import assets
from govbr_assets.defs.assets.consolidated import consolidated_dataset
from govbr_assets.defs.assets.reconciliation import hub_reconciliation
from govbr_assets.defs.checks import dataset, newest_day, reconciliation
from govbr_assets.defs.io_managers import ArrowTableIOManager, HubShardIOManager
from govbr_assets.defs.resources import HubResource, PostgresResource, ViewerResource
from govbr_assets.huggingface.snapshot import Snapshot
from govbr_assets.local.hub import LocalHub
from govbr_assets.local.viewer import LocalViewer
from govbr_assets.publications import NEWS
from govbr_assets_tests.sql import execute

ROOT = Path(__file__).parents[1]
"""The checkout."""

_OF_THE_HUB = (
    *("repo_id", "visibility", "token", "storage_url", "patience_minutes", "dry_run", "license_id", "release_tags"),
    *("reduced_repo_id", "allow_removals"),
)

WEEKLY: list[Any] = [
    consolidated_dataset,
    dataset.dataset_ids_are_unique,
    dataset.dataset_schema_is_the_contract,
    dataset.dataset_is_sorted,
    dataset.no_row_was_lost,
]
RECONCILIATION: list[Any] = [hub_reconciliation, reconciliation.hub_matches_postgres]
_OTHERS: list[Any] = [*WEEKLY, *RECONCILIATION, newest_day.newest_day_is_published]
_DAILY: list[Any] = [assets.postgres_news_partition, assets.hf_existing_ids, assets.hf_parquet_shard]
GRAPH: list[Any] = [*_DAILY, *(each for each in defs.asset_checks or [] if each not in _OTHERS)]
"""The daily graph and its checks."""


@dataclass
class Graph:
    """One repo, one database, one storage, and what Dagster remembers.

    Attributes:
        postgres_url: an empty database.
        repo_id: a repo that is not there yet.
        local_hub: the Hub.
        local_viewer: its viewer.
        folder: for tables between assets.
        instance: Dagster's.
    """

    postgres_url: str
    repo_id: str
    local_hub: LocalHub
    local_viewer: LocalViewer
    folder: Path
    instance: DagsterInstance = field(default_factory=DagsterInstance.ephemeral)

    @property
    def hub(self) -> Dataset:
        """A client of its own, which knows nothing of earlier commits."""
        return Dataset.open(self.repo_id, NEWS, token=self.local_hub.write_token, endpoint=self.local_hub.endpoint)

    @property
    def head(self) -> Snapshot:
        """The repo as it is."""
        return self.hub.client.head()

    @property
    def settings(self) -> dict[str, str]:
        """The variables that lead a process to the stack; where tables lie is for each to say."""
        return {
            "GOVBR_POSTGRES_URL": self.postgres_url,
            "GOVBR_REPO_ID": self.repo_id,
            "GOVBR_VIEWER_URL": self.local_viewer.url,
            "HF_ENDPOINT": self.local_hub.endpoint,
            "HF_TOKEN": self.local_hub.write_token,
        }

    def environment(self, home: Path) -> dict[str, str]:
        """Make the environment of a command in a process of its own, and give its home the project's `dagster.yaml`."""
        (home / "dagster.yaml").write_text((ROOT / "dagster.yaml").read_text())
        return os.environ | self.settings | {"DAGSTER_HOME": str(home), "GOVBR_FIRST_DAY": "2026-01-01"}

    def resources(self, **changed: Any) -> Mapping[str, Any]:
        """Make the resources of a run; settings of the repo change its resource, other names replace a whole one."""
        told = {"repo_id": self.repo_id, "token": self.local_hub.write_token, "endpoint": self.local_hub.endpoint}
        told["storage_url"] = str(self.folder)
        hub = HubResource(**told | {name: changed.pop(name) for name in _OF_THE_HUB if name in changed})
        return {
            "postgres": PostgresResource(url=self.postgres_url),
            "hub": hub,
            "viewer": ViewerResource(url=self.local_viewer.url, hub=hub),
            "table_io_manager": ArrowTableIOManager(storage_url=str(self.folder)),
            "shard_io_manager": HubShardIOManager(hub=hub),
        } | changed

    def run(
        self,
        first: str,
        last: str = "",
        *,
        retries: int = 0,
        checks: bool = True,
        selection: Any = None,
        config: Mapping[str, Mapping[str, Any]] | None = None,
        **changed: Any,
    ) -> ExecuteInProcessResult:
        """Materialize a day or a range of days, with all checks or none, or a selection of assets.

        Rows in files that only a compaction may change are left as they are, unless the configuration says otherwise.
        """
        config = dict(config or {})
        if selection is None or "hf_parquet_shard" in selection:
            config["hf_parquet_shard"] = {"unfolded": "leave", **config.get("hf_parquet_shard", {})}
        for asset in GRAPH:
            if asset.keys:
                asset.op._retry_policy = RetryPolicy(max_retries=retries, delay=0)  # no test waits for half a minute
        span = {"dagster/asset_partition_range_start": first, "dagster/asset_partition_range_end": last}
        return materialize(
            GRAPH if checks else [each for each in GRAPH if each.keys],
            selection=selection,
            instance=self.instance,
            resources=self.resources(**changed),
            raise_on_error=False,
            partition_key=None if last else first,
            tags=span if last else None,
            run_config={"ops": {name: {"config": values} for name, values in config.items()}},
        )

    def compact(
        self, *, retries: int = 0, checks: bool = True, config: Mapping[str, Any] | None = None, **changed: Any
    ) -> Any:
        """Materialize the consolidated dataset, with its checks or none."""
        consolidated_dataset.op._retry_policy = RetryPolicy(max_retries=retries, delay=0)
        return materialize(
            WEEKLY if checks else [consolidated_dataset],
            instance=self.instance,
            resources=self.resources(**changed),
            raise_on_error=False,
            run_config={"ops": {"consolidated_dataset": {"config": config}}} if config else None,
        )

    def reconcile(self, *, retries: int = 0, deep: bool = False, **changed: Any) -> ExecuteInProcessResult:
        """Materialize the reconciliation, with its check."""
        hub_reconciliation.op._retry_policy = RetryPolicy(max_retries=retries, delay=0)
        return materialize(
            RECONCILIATION,
            instance=self.instance,
            resources=self.resources(**changed),
            raise_on_error=False,
            run_config={"ops": {"hub_reconciliation": {"config": {"deep": deep}}}},
        )

    def execute(self, *statements: str) -> None:
        """Run SQL as the owner of the database."""
        execute(self.postgres_url, *statements)

    def insert(self, *ids: str, day: str = "2026-01-15", legacy: str | None = None) -> None:
        """Insert rows, a minute apart from 09:00 on."""
        claim = f"'{legacy}'" if legacy else "NULL"
        self.execute(
            "INSERT INTO agencies (id, key, name) VALUES (1, 'mec', 'Ministério da Educação') ON CONFLICT DO NOTHING",
            *(
                "INSERT INTO news (unique_id, legacy_unique_id, agency_id, title, content, published_at, extracted_at)"
                f" VALUES ('{name}', {claim}, 1, 'Title of {name}', 'texto', "
                f"'{day}T09:{minute:02}:00-03:00', '2026-02-01')"
                for minute, name in enumerate(ids)
            ),
        )

    def metadata(self, result: ExecuteInProcessResult, asset: str = "hf_parquet_shard") -> dict[str, dict[str, Any]]:
        """Collect what a run recorded of an asset, by day."""
        logged = self.instance.all_logs(result.run_id, of_type=DagsterEventType.ASSET_MATERIALIZATION)
        events = [each.asset_materialization for each in logged]
        return {
            event.partition or "": {name: value.value for name, value in event.metadata.items()}
            for event in events
            if event and event.asset_key.path[-1] == asset
        }

    def ids(self) -> dict[str, list[str]]:
        """Read the ids in each data file."""
        hub, head = self.hub, self.head
        return {file.path: hub.reader.rows(file, ["unique_id"])["unique_id"].to_pylist() for file in head.data_files}
