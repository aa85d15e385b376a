"""Composition root: settings from the environment into resources, and everything that Dagster loads.

Loading contacts nobody: a wrong setting fails the run that uses it, with its name. Only what no run uses is looked at
here: whether anything runs by itself, and where the code is to be seen.
"""

from pathlib import Path

from dagster import DefaultScheduleStatus, DefaultSensorStatus, Definitions, EnvVar

from govbr_assets.defs import assets, jobs
from govbr_assets.defs.catalogue import in_catalogue, source_tree
from govbr_assets.defs.checks import daily, dataset, newest_day, reconciliation, reduced
from govbr_assets.defs.executor import living_in_process_executor
from govbr_assets.defs.failures import redact_what_is_recorded
from govbr_assets.defs.io_managers import ArrowTableIOManager, HubShardIOManager
from govbr_assets.defs.resources import AlertResource, HubResource, PostgresResource, ViewerResource
from govbr_assets.defs.schedules import schedules
from govbr_assets.defs.sensors import sensors
from govbr_assets.errors import BeginningError
from govbr_assets.io.settings import cleaned
from govbr_assets.redact import remember, remember_url


def setting(name: str, default: str = "") -> str:
    """Refer to a setting by its name where it is set, so that its value stays out of the UI."""
    return EnvVar(name) if EnvVar(name).get_value() else default


def automation(choice: str) -> str:
    """Return the default status of schedules and sensors: `RUNNING` or `STOPPED`.

    Raises:
        BeginningError: `GOVBR_AUTOMATION` is neither on nor off.
    """
    choice = cleaned(choice).lower()
    if choice not in ("on", "off"):
        raise BeginningError(f"GOVBR_AUTOMATION is {choice!r}: write on or off, or leave it out for off.")
    return "RUNNING" if choice == "on" else "STOPPED"


def redact_secrets() -> None:
    """Take the secrets among the settings, of ours and of libraries, out of all that is recorded and logged."""
    redact_what_is_recorded()
    for name in ("PGPASSWORD", "HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        remember(EnvVar(name).get_value())
    for name in ("GOVBR_POSTGRES_URL", "GOVBR_STORAGE_URL", "DAGSTER_POSTGRES_URL", "GOVBR_ALERT_URL"):
        remember_url(EnvVar(name).get_value() or "", path=name == "GOVBR_ALERT_URL")


redact_secrets()

status = automation(EnvVar("GOVBR_AUTOMATION").get_value() or "off")
dagster_home = EnvVar("DAGSTER_HOME").get_value() or ""
repo_id, reduced_repo_id = (
    cleaned(EnvVar(name).get_value() or "") for name in ("GOVBR_REPO_ID", "GOVBR_REDUCED_REPO_ID")
)
storage_url = setting("GOVBR_STORAGE_URL", str(Path(dagster_home or ".local") / "tables"))

hub = HubResource(
    repo_id=setting("GOVBR_REPO_ID"),
    visibility=setting("GOVBR_REPO_VISIBILITY", "private"),
    token=setting("HF_TOKEN"),
    endpoint=setting("HF_ENDPOINT"),
    storage_url=storage_url,
    patience_minutes=setting("GOVBR_HUB_PATIENCE_MINUTES", "60"),
    dry_run=setting("GOVBR_DRY_RUN"),
    license_id=setting("GOVBR_DATASET_LICENSE"),
    release_tags=setting("GOVBR_RELEASE_TAGS", "on"),
    reduced_repo_id=setting("GOVBR_REDUCED_REPO_ID"),
    allow_removals=setting("GOVBR_ALLOW_REMOVALS"),
)

# Without a repo of its own the reduced dataset is not in the graph, so that nothing in the UI waits for it.
reduced_assets, reduced_checks, reduced_jobs = (
    ([assets.reduced_dataset], [reduced.reduced_matches_full], [jobs.reduced_sync]) if reduced_repo_id else ([], [], [])
)
requestable = [jobs.daily_sync, jobs.weekly_consolidation, jobs.reconciliation, *reduced_jobs]

defs = Definitions(
    assets=in_catalogue(
        [
            assets.news,
            assets.themes,
            assets.postgres_news_partition,
            assets.hf_existing_ids,
            assets.hf_parquet_shard,
            assets.consolidated_dataset,
            assets.hub_reconciliation,
            *reduced_assets,
        ],
        source_tree(EnvVar("GOVBR_SOURCE_URL").get_value() or ""),
        dict.fromkeys([assets.hf_parquet_shard.key, assets.consolidated_dataset.key], repo_id)
        | {asset.key: reduced_repo_id for asset in reduced_assets},
    ),
    asset_checks=[
        daily.partition_ids_are_unique,
        daily.shard_schema_is_the_contract,
        daily.hub_ids_are_unique,
        daily.postgres_rows_are_on_the_hub,
        dataset.dataset_ids_are_unique,
        dataset.dataset_schema_is_the_contract,
        dataset.dataset_is_sorted,
        dataset.no_row_was_lost,
        reconciliation.hub_matches_postgres,
        newest_day.newest_day_is_published,
        *reduced_checks,
    ],
    jobs=[*requestable, jobs.rollback, jobs.migrate_schema],
    schedules=schedules(DefaultScheduleStatus(status), requestable),
    sensors=sensors(DefaultSensorStatus(status), requestable),
    resources={
        "postgres": PostgresResource(url=setting("GOVBR_POSTGRES_URL")),
        "hub": hub,
        "viewer": ViewerResource(url=setting("GOVBR_VIEWER_URL", "https://datasets-server.huggingface.co"), hub=hub),
        "alerts": AlertResource(
            url=setting("GOVBR_ALERT_URL"), ui_url=setting("GOVBR_UI_URL"), storage_url=storage_url
        ),
        "table_io_manager": ArrowTableIOManager(
            storage_url=storage_url,
            keep_days=setting("GOVBR_STORAGE_DAYS", "30"),
            repo_id=repo_id,
        ),
        "shard_io_manager": HubShardIOManager(hub=hub),
    },
    executor=living_in_process_executor,
)
