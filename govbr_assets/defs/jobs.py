"""The jobs: which assets run together; and the way back, which is no asset."""

from dagster import (
    AssetSelection,
    Backoff,
    Config,
    Jitter,
    OpExecutionContext,
    RetryPolicy,
    define_asset_job,
    job,
    op,
)
from pydantic import Field

from govbr_assets.dataset.changeset import Changeset
from govbr_assets.defs.executor import living_in_process_executor
from govbr_assets.defs.failures import without_retries
from govbr_assets.defs.resources import HubResource
from govbr_assets.operations.restore import Restore, RestoreStep, latest, resolve_revision, restore

_LONGEST = {"dagster/max_runtime": f"{6 * 3600}"}  # seconds, after which Dagster's run monitoring ends a run

daily_sync = define_asset_job(
    "daily_sync",
    selection=AssetSelection.groups("daily"),
    description="One day, or a range of days, from PostgreSQL to the Hub, with its checks.",
    executor_def=living_in_process_executor,
    tags=_LONGEST,
)

weekly_consolidation = define_asset_job(
    "weekly_consolidation",
    selection=AssetSelection.groups("weekly"),
    description="Folds the shards of closed days, and files of any other origin, into one sorted file a year.",
    executor_def=living_in_process_executor,
    tags=_LONGEST,
)

reconciliation = define_asset_job(
    "reconciliation",
    selection=AssetSelection.groups("reconciliation"),
    description="Compares all rows of PostgreSQL with all rows of the Hub, and says which days differ.",
    executor_def=living_in_process_executor,
    tags=_LONGEST,
)


class RollbackConfig(Config):
    """What is chosen in the launchpad."""

    revision: str = Field(description="Whose data files come back: 7 or more hex digits of a commit of the repo.")
    dry_run: bool = Field(default=False, description="Do everything but commit, and tell what would come back.")


@op(retry_policy=RetryPolicy(max_retries=3, delay=30, backoff=Backoff.EXPONENTIAL, jitter=Jitter.PLUS_MINUS))
@without_retries()
def put_data_files_back(context: OpExecutionContext, config: RollbackConfig, hub: HubResource) -> None:
    """Put the data files back as they were at a revision, with what the card says of them; its newest text stays."""
    client, dry_run = hub.client(), config.dry_run or hub.is_dry_run
    operation, start = Restore(client, resolve_revision(client, config.revision)), latest(client)
    planned, done = [operation.changeset(step) for step in operation.path(start)], []
    context.log.info(f"{len(planned)} commits lead from {start.revision} back to {operation.target.revision}.")
    for result in restore(client, operation, start, dry_run=dry_run, log=context.log.info):
        done.append(result)
        if notes := result.notes:
            context.log.warning(f"{len(notes)} files differ from the published schema, as they did then: {notes[:20]}")
        if result.committed:
            context.log.info(f"{len(done)} of {len(planned)}: {_described(result.changeset)}: {result.after}.")
    if dry_run:
        context.log.info(f"Dry run, nothing is changed: {'; '.join(map(_described, planned)) or 'nothing had to be'}.")
    changesets = planned if dry_run else [each.changeset for each in done if each.committed]
    context.add_output_metadata(
        {
            "dry_run": dry_run,
            "target": operation.target.revision or "",
            "revision_before": start.revision or "",
            "revision_after": (done[-1].after if done else start.revision) or "",
            "commits": len(changesets),
            "files_back": sum(len(each.copy) for each in changesets),
            "files_gone": sum(len(each.delete) for each in changesets),
        }
    )


def _described(changeset: Changeset[RestoreStep]) -> str:
    """Say what a commit of a restore does."""
    return f"{changeset.message}, {len(changeset.copy)} files come back, {len(changeset.delete)} go"


@job(
    description="Puts the data files on the Hub back as they were at an earlier revision, without an upload.",
    executor_def=living_in_process_executor,
    tags=_LONGEST,
)
def rollback() -> None:
    """Put the data files back."""
    put_data_files_back()
