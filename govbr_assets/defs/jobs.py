"""The jobs: which assets run together; and `rollback` and `migrate_schema`, which materialize no asset.

What these two do is imported when they do it: a run of any job imports this module.
"""

from datetime import UTC, datetime
from functools import partial

from dagster import AssetSelection, Config, OpExecutionContext, define_asset_job, job, op
from pydantic import Field

from govbr_assets.core.counting import count
from govbr_assets.core.days import Day
from govbr_assets.defs.assets.defaults import RETRY
from govbr_assets.defs.executor import living_in_process_executor
from govbr_assets.defs.failures import without_retries
from govbr_assets.defs.projection import follow
from govbr_assets.defs.resources import HubResource, PostgresResource
from govbr_assets.operations.release import tag_releases

_LONGEST = {"dagster/max_runtime": f"{6 * 3600}"}  # seconds, after which Dagster's run monitoring ends a run

_SHOWN = 20  # sentences

_asset_job = partial(define_asset_job, executor_def=living_in_process_executor, tags=_LONGEST)

daily_sync = _asset_job(
    "daily_sync",
    AssetSelection.groups("daily"),
    description="One day, or a range of days, from PostgreSQL to the Hub, with its checks.",
)

weekly_consolidation = _asset_job(
    "weekly_consolidation",
    AssetSelection.groups("weekly"),
    description="Compacts the shards of closed days, and files of any other origin, into one sorted file a year.",
)

reconciliation = _asset_job(
    "reconciliation",
    AssetSelection.groups("reconciliation"),
    description="Compares all rows of PostgreSQL with all rows of the Hub, and says which days differ.",
)


reduced_sync = _asset_job(
    "reduced_sync",
    AssetSelection.groups("reduced"),
    description="Brings the reduced dataset up to date with the full one, file by file.",
)


class RollbackConfig(Config):
    """What is chosen in the launchpad."""

    revision: str = Field(
        description="Whose data files come back: a tag, or 7 or more hex digits of a commit of the repo."
    )
    dry_run: bool = Field(default=False, description="Do everything but commit, and report what would come back.")


@op(retry_policy=RETRY)
@without_retries()
def put_data_files_back(context: OpExecutionContext, config: RollbackConfig, hub: HubResource) -> None:
    """Put the data files back as they were at a revision, with what the card says of them; its newest text stays."""
    from govbr_assets.defs.metadata.restore import described, restore_metadata
    from govbr_assets.operations.restore import Restore, latest, resolve_revision, restore

    dataset, dry_run = hub.dataset(), config.dry_run or hub.is_dry_run
    operation, start = Restore(dataset, resolve_revision(dataset, config.revision)), latest(dataset)
    planned, done = [operation.changeset(step) for step in operation.path(start)], []
    context.log.info(f"{start.revision} -> {operation.target.revision}: {count(len(planned), 'commit')}.")
    told = dict[str, None]()
    for result in restore(dataset, operation, start, dry_run=dry_run, log=context.log.info):
        done.append(result)
        told |= dict.fromkeys(result.notes)
        if result.committed:
            context.log.info(f"{len(done)} of {len(planned)}: {described(result.changeset)}: {result.after}.")
    if told:
        more = f" And {len(told) - _SHOWN} more." if len(told) > _SHOWN else ""
        context.log.warning(
            f"As at that revision, this is not as publications.py says: {' '.join([*told][:_SHOWN])}{more}"
        )
    if dry_run:
        context.log.info(f"Dry run, nothing is changed: {'; '.join(map(described, planned)) or 'nothing had to be'}.")
    changesets = planned if dry_run else [each.changeset for each in done if each.committed]
    revisions = operation.target.revision, start.revision, done[-1].after if done else start.revision
    context.add_output_metadata(restore_metadata(config.revision, revisions, changesets, dry_run=dry_run))
    if not dry_run:
        follow(hub, context.instance, context.log)


@job(
    description="Puts the data files on the Hub back as they were at an earlier revision, without an upload.",
    executor_def=living_in_process_executor,
    tags=_LONGEST,
)
def rollback() -> None:
    """Put the data files back."""
    put_data_files_back()


class MigrationConfig(Config):
    """What is chosen in the launchpad."""

    dry_run: bool = Field(default=False, description="Do everything but commit, and report what would be added.")


@op(retry_policy=RETRY)
@without_retries()
def add_new_columns(
    context: OpExecutionContext, config: MigrationConfig, hub: HubResource, postgres: PostgresResource
) -> None:
    """Add the columns that were declared since, with their values, to all data files in one commit."""
    from govbr_assets.defs.metadata.migration import migration_metadata
    from govbr_assets.operations.migrate.plan import migrate

    dataset, dry_run = hub.dataset(), config.dry_run or hub.is_dry_run
    results = []
    for result in migrate(dataset, postgres.client(), Day.at(datetime.now(UTC)), dry_run=dry_run, log=context.log.info):
        results.append(result)
        for sentence in (*result.notes, *result.unwritten):
            context.log.warning(sentence)
        context.log.info(f"{result.changeset.message or 'Nothing lacks a column'}: {result.after}.")
    if hub.tags_releases and not dry_run and (problem := tag_releases(dataset, log=context.log.info).problem):
        context.log.warning(problem)
    context.add_output_metadata(migration_metadata(results, dry_run=dry_run))
    if not dry_run:
        follow(hub, context.instance, context.log)


@job(
    description="Adds columns that publications.py declares and the files lack, with their values, in one commit.",
    executor_def=living_in_process_executor,
    tags=_LONGEST,
)
def migrate_schema() -> None:
    """Add new columns."""
    add_new_columns()
