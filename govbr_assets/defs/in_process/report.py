"""The report of `mend`: what differed, what was done, what is left and why."""

from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from govbr_assets.core.assessment import Assessment

REDUCED_DATASET = "the reduced dataset"
_EQUAL = "the Hub equals PostgreSQL on all days that have ended"
_OF_REDUCED = {REDUCED_DATASET, "reduced_sync"}


@dataclass(frozen=True)
class RunReport:
    """A run and what came of it.

    Attributes:
        job: its name.
        days: the day or the range; empty if it is of no day.
        run_id: in Dagster's records; empty if it is not there, as a dry run of days.
        success: it has done all that it should.
        done: what it has done, or would do.
        problem: why it has failed; empty if it has not.
    """

    job: str
    days: str
    run_id: str
    success: bool
    done: str
    problem: str = ""

    @property
    def outcome(self) -> str:
        """What it has done, and why it has failed if it has."""
        failed = "" if self.success else f"failed: {self.problem}"
        return "; ".join(filter(None, [self.done, failed]))


@dataclass(frozen=True)
class Left:
    """What is not as it should be in the end.

    Attributes:
        what: such as `2026-01-15`.
        why: in a sentence.
    """

    what: str
    why: str


@dataclass
class MendReport:
    """What `mend` has come to.

    Attributes:
        repo: of the full dataset.
        dry_run: nothing was published.
        before: the revision at the beginning; empty if there was no repo.
        after: the one at the end.
        differed: counts of each day that differed at the first look, by names as in `core.day_counts`.
        runs: in their order.
        left: what is left, and why.
        notes: what else somebody should know.
        assessment: what it takes to take over files of another origin; None if there are none, or it was no dry run.
        interrupted: a signal has ended it.
        problem: why it could not go on; empty if it could.
        compared_at: when contents were last compared, aware, if only ids and days were now.
    """

    repo: str
    dry_run: bool
    before: str = ""
    after: str = ""
    differed: list[dict[str, Any]] = field(default_factory=list)
    runs: list[RunReport] = field(default_factory=list)
    left: list[Left] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    assessment: Assessment | None = None
    interrupted: bool = False
    problem: str = ""
    compared_at: datetime | None = None

    @property
    def holds(self) -> bool:
        """Whether the Hub equals PostgreSQL; of a dry run, whether all of it could be done."""
        return not (self.left or self.problem or self.interrupted)

    @property
    def conclusion(self) -> str:
        """What it comes to, in a sentence."""
        if self.interrupted:
            return "Interrupted: what was published before is complete, and nothing is published in part."
        if self.problem:
            return f"Stopped: {self.problem}"
        if self.dry_run:
            if self.left:
                return "Dry run, nothing was published; not all of it could be done."
            wanted = any(run.job != "reconciliation" for run in self.runs)
            return f"Dry run, nothing was published{'.' if wanted else ', and nothing would be.'}"
        if any(each.what not in _OF_REDUCED for each in self.left):
            return "The Hub still differs from PostgreSQL."
        found = f"{_EQUAL}{', and the reduced dataset does not follow' if self.left else ''}."
        if self.compared_at:
            since = f"{self.compared_at:%Y-%m-%d %H:%M} UTC"
            found = f"by ids, {found[:-1]}; contents were last compared on {since}."
        return f"{found[0].upper()}{found[1:]}"

    def to_json(self) -> dict[str, Any]:
        """Return all of it as values of JSON, but for dates."""
        return {**asdict(self), "holds": self.holds, "conclusion": self.conclusion}
