"""`plan`: what a sync of days would change; nothing is recorded, stored or published."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from dagster import DagsterInstance, Definitions, JobDefinition

from govbr_assets.core.counting import count
from govbr_assets.core.date_ranges import DateRange
from govbr_assets.defs.assets.daily import hf_existing_ids, hf_parquet_shard, postgres_news_partition
from govbr_assets.defs.decisions.requests import request
from govbr_assets.defs.executor import living_in_process_executor
from govbr_assets.defs.in_process.bootstrap import hub_of
from govbr_assets.defs.in_process.description import ROW_LABELS
from govbr_assets.defs.in_process.execute import execute
from govbr_assets.defs.in_process.run_result import RunResult
from govbr_assets.defs.in_process.watch import Watch
from govbr_assets.defs.io_managers import ArrowTableIOManager
from govbr_assets.defs.metadata.daily import counted
from govbr_assets.defs.metadata.events import Event, Values
from govbr_assets.huggingface.write_access import write_refusal
from govbr_assets.io.scratch import scratch_folder

_SHARD = "hf_parquet_shard"


@dataclass(frozen=True)
class DayPlan:
    """What would become of a day.

    Attributes:
        day: partition key.
        rows: how many would be added, changed and so on, by these words; without what is zero.
        columns: in which rows would change, with the number of rows each.
        moved_from: the days that rows come from, likewise; or the files, of years.
        moved_to: the days that rows go to, likewise; such a day is not told anew if that is all that happens to it.
    """

    day: str
    rows: Mapping[str, int]
    columns: Mapping[str, int]
    moved_from: Mapping[str, int]
    moved_to: Mapping[str, int]


@dataclass
class PlanReport:
    """What a sync would change.

    Attributes:
        span: the days.
        days: those on which something would change.
        rejected: days that it would not publish, or not in full, each with the reason.
        commits: how many it would make.
        problem: why nothing can be told; empty if it can.
    """

    span: str
    days: list[DayPlan] = field(default_factory=list)
    rejected: dict[str, str] = field(default_factory=dict)
    commits: int = 0
    problem: str = ""

    @property
    def changing(self) -> int:
        """How many days would change, those included that rows leave or come to."""
        changed = [day for day in self.days if day.rows.keys() - {ROW_LABELS["kept"]}]
        known = {day.day for day in changed}.union(*(day.moved_to for day in changed))
        return len(known.union(*([each for each in day.moved_from if "/" not in each] for day in changed)))

    @property
    def holds(self) -> bool:
        """Whether the sync would do all of it."""
        return not self.rejected and not self.problem


@dataclass
class _PlanResult(RunResult):
    """Keeps what would become of each day, too."""

    days: list[DayPlan] = field(default_factory=list)

    def _record(self, asset: str, event: Event) -> None:
        """Take what was recorded of an asset."""
        super()._record(asset, event)
        if asset == _SHARD and event.partition:
            recorded = Values(event)
            if rows := {words: count for name, words in ROW_LABELS.items() if (count := recorded.number(name))}:
                named = (counted(recorded.text(name)) for name in ("changed_columns", "moved_from", "moved_to"))
                self.days.append(DayPlan(event.partition, rows, *named))


def plan(definitions: Definitions, span: DateRange, watch: Watch) -> PlanReport:
    """Do all of a sync but the commits.

    Args:
        definitions: the code location, whose resources are used.
        span: the days, each a partition.
        watch: is told what happens.
    """
    result, config = _PlanResult(watch.say), {_SHARD: {"dry_run": True}}
    watch.begin(f"plan of {span}")
    with scratch_folder() as folder, DagsterInstance.ephemeral() as instance:
        job = _job(definitions, str(folder))
        execute(job, request(job.name, "plan", "govbr-assets plan", span), instance, result, config)
    refusal = write_refusal(hub_of(definitions).dataset().client) if result.commits else ""
    rejected = {each.day: refusal for each in result.days if refusal} | result.rejected
    if result.problem and span.first == span.last:
        rejected = {f"{span}": result.problem}
    problem = "" if rejected else result.problem
    report = PlanReport(f"{span}", result.days, rejected, result.commits, problem)
    told = f"{count(report.changing, 'day')} would change, {len(rejected):,} would be rejected"
    watch.end("failed" if problem else told)
    return report


def _job(definitions: Definitions, folder: str) -> JobDefinition:
    """Make the job of the three assets of a day, with the tables between them in a temporary folder."""
    resources = {**(definitions.resources or {}), "table_io_manager": ArrowTableIOManager(storage_url=folder)}
    return Definitions(
        assets=[postgres_news_partition, hf_existing_ids, hf_parquet_shard],
        resources=resources,
        executor=living_in_process_executor,
    ).resolve_implicit_global_asset_job_def()
