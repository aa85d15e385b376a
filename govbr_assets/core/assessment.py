"""What it takes to make a dataset equal to PostgreSQL, whoever has written it: a value, and the text of a dry run.

How it is found out belongs to `operations.assess`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from govbr_assets.core.column_differences import ColumnDifference
from govbr_assets.core.counting import count, differing
from govbr_assets.core.date_ranges import name_days
from govbr_assets.core.layout import DATA_PATTERN

_NAMED = 5  # files, ranges or days that the text names


@dataclass(frozen=True)
class Assessment:
    """What it takes to make a dataset equal to PostgreSQL.

    Attributes:
        repo: of the dataset.
        revision: that was looked at; empty if there is no repo.
        hub_rows: rows of the dataset.
        postgres_rows: rows of PostgreSQL that have a day.
        moved: files of the dataset where the pattern of new shards does not reach: a compaction moves their rows.
        compacted: its other files that a compaction replaces.
        standing: its files that stay as they are, or lose and get single rows.
        others: files of other configs and splits, and files that nobody loads: they stay.
        duplicates: further occurrences of a row, under either of its ids: they are dropped.
        renamed: ids that are replaced by the ones that PostgreSQL has now.
        removals: rows that PostgreSQL has nowhere: they leave the dataset.
        approval: number of removals to approve, as the guard would keep some of these rows; 0 if it would not.
        undated: those of `removals` that have no time: a compaction removes them, and only by approval.
        missing: rows that only PostgreSQL has, of days that are over.
        missing_days: days of which the dataset has no row.
        waiting: further rows that only PostgreSQL has, of today and later: they come when their day is over.
        replaced: rows that are on the Hub under another day, or under none.
        changed: rows under their day that say something else, be it only their id.
        columns: what differs in them.
        unpublishable: rows of PostgreSQL that no day can publish.
        rejected: days that cannot be published, and why.
        days: how many days differ.
        commits: about how many it takes.
        minutes: about how long it takes, without the transfer of the files.
        problem: why a compaction cannot move the dataset; empty if it can.
    """

    repo: str
    revision: str
    hub_rows: int
    postgres_rows: int
    moved: Sequence[str] = ()
    compacted: Sequence[str] = ()
    standing: Sequence[str] = ()
    others: Sequence[str] = ()
    duplicates: int = 0
    renamed: int = 0
    removals: int = 0
    approval: int = 0
    used: int = 0
    undated: int = 0
    missing: int = 0
    missing_days: Sequence[date] = ()
    waiting: int = 0
    replaced: int = 0
    changed: int = 0
    columns: Sequence[ColumnDifference] = ()
    unpublishable: int = 0
    rejected: Mapping[str, str] = field(default_factory=dict)
    days: int = 0
    commits: int = 0
    minutes: int = 0
    problem: str = ""

    def __str__(self) -> str:
        first, *others = self.facts.items()
        width = max(map(len, self.facts))
        return "\n".join([f"{first[0]}: {first[1]}", *(f"  {name:<{width}}  {text}" for name, text in others)])

    @property
    def facts(self) -> dict[str, str]:
        """What becomes of files and rows: a sentence each, by what it is about."""
        at = f"at {self.revision[:8]}" if self.revision else "not there yet"
        new = "; CHANGELOG.md tells the readers" if self.renamed else ""
        days = f"; {count(len(self.missing_days), 'day')} without any yet: {name_days(self.missing_days, _NAMED)}"
        later = f"; and {self.waiting:,} of today and later when their day is over" if self.waiting else ""
        found = {
            self.repo: f"{at}: {self.hub_rows:,} rows; PostgreSQL: {self.postgres_rows:,} rows",
            "files": "; ".join(self._files()),
            "duplicates": f"{self.duplicates:,} to drop",
            "ids": f"{self.renamed:,} to replace by the ones that PostgreSQL has now{new}",
            "removed": self._removed(),
            "missing": f"{count(self.missing, 'row')} to come{days if self.missing_days else ''}{later}",
            "another day": f"{count(self.replaced, 'row')} to go to the day of PostgreSQL",
            "content": f"{count(self.changed, 'row')} under their day to be replaced, be it only for their id",
            **{f"column {each.column}": _example(each) for each in self.columns},
        }
        if self.unpublishable or self.rejected:
            why = "".join(f"; {day}: {reason}" for day, reason in [*self.rejected.items()][:_NAMED])
            rows = f"{count(self.unpublishable, 'row')} and {count(len(self.rejected), 'day')} cannot be published"
            found["not at all"] = f"{rows}{why}"
        return {**found, "work": self._work()}

    def _files(self) -> Iterator[str]:
        """Say what becomes of files."""
        reach = f"to move over from where {DATA_PATTERN} does not reach"
        yield f"{len(self.compacted):,} to compact into one a year{_named(self.compacted)}"
        if self.moved:
            yield f"{len(self.moved):,} {reach}{_named(self.moved)}"
        if self.standing:
            yield f"{len(self.standing):,} to stay in place{_named(self.standing)}"
        they = "it is" if len(self.others) == 1 else "they are"
        yield f"{len(self.others):,} to stay as {they}, no part of the dataset{_named(self.others)}"

    def _removed(self) -> str:
        """Say what becomes of rows that PostgreSQL has nowhere."""
        text = f"{count(self.removals, 'row')} to leave the dataset, which PostgreSQL has nowhere"
        text += f", {self.undated:,} of them without a time" if self.undated else ""
        if self.approval > self.used:
            kept = self.approval - self.used
            them = "them" if kept == self.removals else f"{kept:,} of them"
            earlier = f", of which {self.used:,} {'was' if self.used == 1 else 'were'} made before" if self.used else ""
            be = "is" if self.approval == 1 else "are"
            text += (
                f"; the guard keeps {them} until {count(self.approval, 'removal')} {be} approved{earlier}"
                f" (`--allow-removals {self.approval}`, or GOVBR_ALLOW_REMOVALS)"
            )
        return text

    def _work(self) -> str:
        """Say how much work it is."""
        if self.problem:
            return f"nothing can be done yet: {self.problem}"
        return (
            f"{differing(self.days, 'day')}; about {count(self.commits, 'commit')} and"
            f" {count(self.minutes, 'minute')}, reckoned from files, days and rows, without the transfer of the files"
        )


def _example(column: ColumnDifference) -> str:
    """Say in how many rows a column differs, and how in one of them."""
    values = f"{column.hub} on the Hub, {column.postgres} in PostgreSQL"
    return f"{count(column.rows, 'row')}, such as {column.unique_id} of {column.day}: {values}"


def _named(paths: Sequence[str]) -> str:
    """Name some files in brackets."""
    more = f" and {len(paths) - _NAMED:,} more" if len(paths) > _NAMED else ""
    return f" ({', '.join(paths[:_NAMED])}{more})" if paths else ""
