"""The result of a run, collected while it is executed: how it ends, and what its assets and checks have recorded."""

import logging
import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from dagster import AssetCheckEvaluation, AssetCheckSeverity, DagsterEvent, DagsterEventType, EventLogEntry

from govbr_assets.defs.metadata.events import Event
from govbr_assets.defs.sensors.error_text import words_of

_SKIPPED = "Skipping step "
"""How Dagster's own sentences begin on steps that have nothing to do, as in a dry run: none of ours."""

_DAY = re.compile(r"^\d{4}-\d{2}-\d{2}: ")  # before what is said of it


@dataclass
class RunResult:
    """The result of one run, whose events it listens to; it keeps little of them: a run can have thousands of days.

    Attributes:
        say: takes the sentences of its log as they come: of several days the same once, and no errors, which are in
            `problem` and `rejected`.
        run_id: of the run.
        success: it has succeeded.
        problem: why it, or its first step that failed, has failed; empty if it has not.
        tried_again: a step of it was, so that what has failed may pass by itself.
        rejected: days that are not published as they are in PostgreSQL, each with the reason.
        numbers: of each asset with days, added up. A step that is begun again finds done what it had done.
        metadata: what was last recorded of each asset without days.
        checks: whether each check has failed with an error, by its name and day.
        lacking: rows that the dataset has lost, as the check of the reconciliation says; empty if it has not.
    """

    say: Callable[[str], None]
    run_id: str = ""
    success: bool = False
    problem: str = ""
    tried_again: bool = False
    rejected: dict[str, str] = field(default_factory=dict)
    numbers: dict[str, Counter[str]] = field(default_factory=dict)
    metadata: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    checks: dict[tuple[str, str], bool] = field(default_factory=dict)
    lacking: str = ""
    _said: str = ""

    def __call__(self, entry: EventLogEntry) -> None:
        """Take an entry of the run's log."""
        if event := entry.dagster_event:
            self._event(entry, event)
        elif entry.level in (logging.INFO, logging.WARNING) and not entry.user_message.startswith(_SKIPPED):
            self._sentence(entry.user_message)

    @property
    def commits(self) -> int:
        """How many commits its assets would make in a dry run."""
        recorded = [
            *self.metadata.values(),
            *(found for name, found in self.numbers.items() if name not in self.metadata),
        ]
        return sum(each.get("commits") or 0 for each in recorded)

    def _sentence(self, sentence: str) -> None:
        """Pass a sentence on, unless it is a table, or was said of the day before."""
        said = _DAY.sub("", sentence)
        if said and "\n" not in said and said != self._said:
            self.say(sentence)
        self._said = said

    def _event(self, entry: EventLogEntry, event: DagsterEvent) -> None:
        """Take an event of Dagster's."""
        if event.event_type is DagsterEventType.RUN_SUCCESS:
            self.success = True
        elif event.event_type is DagsterEventType.RUN_FAILURE:
            self.problem = self.problem or event.message or "The run has failed."
        elif event.is_step_up_for_retry:
            self.tried_again = True
        elif event.is_step_failure:
            self._failure(event.step_failure_data)
        elif event.event_type is DagsterEventType.ASSET_CHECK_EVALUATION:
            self._check(event.asset_check_evaluation_data)
        elif recorded := entry.asset_materialization or entry.asset_observation:
            self._record(recorded.asset_key.path[-1], recorded)

    def _failure(self, data: Any) -> None:
        """Take the words of a step that has failed, and its days with their reasons."""
        failure = data.user_failure_data
        self.problem = self.problem or (failure and failure.description) or words_of(data.error)
        if failure:
            self.rejected |= {day: str(reason.value) for day, reason in failure.metadata.items()}

    def _check(self, evaluation: AssetCheckEvaluation) -> None:
        """Take what a check has come to."""
        failed = not evaluation.passed and evaluation.severity is AssetCheckSeverity.ERROR
        self.checks[evaluation.check_name, evaluation.partition or ""] = failed
        if lacking := evaluation.metadata.get("lacking"):
            self.lacking = "" if lacking.value == "nothing" else str(lacking.value)

    def _record(self, asset: str, event: Event) -> None:
        """Take what was recorded of an asset."""
        values = _values(event.metadata)
        if event.partition is None:
            self.metadata[asset] = values
        else:
            counted = {name: value for name, value in values.items() if type(value) is int}
            self.numbers.setdefault(asset, Counter()).update(counted)


def _values(metadata: Mapping[str, Any]) -> dict[str, Any]:
    return {name: each.value for name, each in metadata.items()}
