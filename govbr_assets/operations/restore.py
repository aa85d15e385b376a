"""Restore: data files as they were at a revision of the repo's history, by commits that upload nothing.

What the card says of the files, which and with which columns, comes back with them; its text, and all else that is no
data file, stays as it is. Which steps are taken is decided here; what the UI shows of them is the business of `jobs`.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache
from itertools import dropwhile, islice

from govbr_assets.dataset import Dataset
from govbr_assets.dataset.changeset import Changeset
from govbr_assets.dataset.transaction import CommitResult, commit
from govbr_assets.errors import ConfigurationError, ContractError, HubUnavailableError
from govbr_assets.huggingface.commit import COMMIT_FILES, Log
from govbr_assets.huggingface.snapshot import DataFile, Snapshot
from govbr_assets.huggingface.tags import tag_names, tagged_revision

_NAME = re.compile(r"[0-9a-f]{7,40}")

Difference = Mapping[str, tuple[DataFile | None, DataFile | None]]
"""The data files in which two revisions differ, by path: as at the one, and as at the other; None where none is."""


@dataclass(frozen=True)
class RestoreStep:
    """What one commit of a restore does.

    Attributes:
        revision: whose data files come back.
        files: those that differ at the step before, by path; None for one that goes.
    """

    revision: str
    files: Mapping[str, DataFile | None]


class Restore:
    """The next commit of a restore.

    Args:
        dataset: the dataset.
        target: the snapshot whose data files come back.
    """

    def __init__(self, dataset: Dataset, target: Snapshot) -> None:
        self.target = target
        self._dataset, self._goal = dataset, target.revision or ""
        self._step = cache(self._difference)  # neither of two revisions ever changes

    def plan(self, snapshot: Snapshot) -> Changeset[RestoreStep]:
        """Plan the commit: as far back as one leads."""
        return self.changeset(next(self.path(snapshot), RestoreStep(self._goal, {})))

    def changeset(self, step: RestoreStep) -> Changeset[RestoreStep]:
        """Make the changeset of a step."""
        copy = tuple(replace(file, revision=step.revision) for file in step.files.values() if file)
        delete = tuple(path for path, file in step.files.items() if not file)
        so_far = "" if step.revision == self._goal else f", for now to {step.revision[:8]}"
        like = self.target if step.revision == self._goal else self._dataset.client.at(step.revision)
        message = f"Roll back to {self._goal[:8]}{so_far}"
        return Changeset(copy=copy, delete=delete, like=like, allow_incompatible=True, message=message, report=step)

    def path(self, snapshot: Snapshot) -> Iterator[RestoreStep]:
        """Go from a snapshot to the target, from state to state of the history, as far as a commit leads each time.

        What somebody else did to more files in one commit is taken back in one as well.

        Raises:
            HubUnavailableError: the history that the Hub gives does not lead to the target.
        """
        whole = difference(snapshot, self.target)
        steps = [(self._goal, whole)] if len(whole) <= COMMIT_FILES else list(self._steps(snapshot))
        while steps:
            taken, files = _pack([step for _, step in steps])
            if files:
                yield RestoreStep(steps[taken - 1][0], files)
            steps = steps[taken:]

    def _steps(self, snapshot: Snapshot) -> Iterator[tuple[str, Difference]]:
        """List the revisions from one back to the target, and how each differs from the one listed before it."""
        start = newer = snapshot.revision or ""
        listed = (commit.revision for commit in self._dataset.client.commits())
        for older in islice(dropwhile(lambda each: self._dataset.client.forward(each) != start, listed), 1, None):
            step = self._step(newer, older)
            if step is not None:
                yield older, step
                newer = older
            if older == self._goal:
                return
        repo_id = self._dataset.client.repo_id
        reason = f"The history of {repo_id} does not lead from {start[:8]} back to {self._goal[:8]}"
        raise HubUnavailableError(f"{reason}: try again later.")

    def _difference(self, newer: str, older: str) -> Difference | None:
        """Compare an older revision with a newer one; None if it has no data files, and nobody can load it."""
        there = self._dataset.client.at(older)
        with suppress(ContractError):  # a card that nobody can read
            return difference(self._dataset.client.at(newer), there) if there.data_files else None
        return None


def resolve_revision(dataset: Dataset, name: str) -> Snapshot:
    """Find a revision of the history by its name.

    Args:
        dataset: the dataset.
        name: a tag, or 7 or more of its hex digits.

    Raises:
        ConfigurationError: it names no revision, or more than one, or one without data files.
    """
    name, subject = name.strip(), f"The revision {name!r}"
    tagged = tagged_revision(dataset.client, name) if name in tag_names(dataset.client) else ""
    digits = tagged or name.lower()
    if not _NAME.fullmatch(digits):
        raise ConfigurationError(
            f"{subject} is none: write 7 to 40 of its hex digits, such as 0266e555, or a tag of"
            f" {dataset.client.repo_id}."
        )
    prefixes = {digits, name.lower()} if _NAME.fullmatch(name.lower()) else {digits}
    named = (each.revision for each in dataset.client.commits() if each.revision.startswith((*prefixes,)))
    found = list(islice(named, 1 if len(digits) == 40 and len(prefixes) == 1 else None))
    if tagged and len(found) > 1:
        raise ConfigurationError(f"{subject} is a tag of {tagged[:8]} and the beginning of another: write the digits.")
    if len(found) != 1:
        subject += f" is the beginning of {len(found)}" if found else " is none"
        repo_id = dataset.client.repo_id
        raise ConfigurationError(f"{subject} in the history of {repo_id}: copy one from its list of commits.")
    target = dataset.client.at(found[0])
    if not target.data_files:
        subject += f" of {dataset.client.repo_id}"
        raise ConfigurationError(f"{subject} has no data files, and nobody could load it: name another.")
    return target


def latest(dataset: Dataset) -> Snapshot:
    """List the repo at the end of its history, which is newer than the head that the Hub gives after a commit."""
    revision = next(dataset.client.commits()).revision
    return dataset.client.at(dataset.client.forward(revision))


def restore(
    dataset: Dataset, operation: Restore, start: Snapshot, *, dry_run: bool = False, log: Log = lambda _: None
) -> Iterator[CommitResult[RestoreStep]]:
    """Put the data files back, one commit after another; each is on the Hub when it is given.

    Args:
        dataset: the dataset.
        operation: what comes back.
        start: the snapshot to begin at.
        dry_run: give what the first commit would be, and change nothing.
        log: gets a sentence when a commit waits.

    Raises:
        TransientError: the Hub failed, or somebody else keeps committing; what was given before is on the Hub.
        HubDeniedError: the Hub rejects it.
    """
    here = start
    while difference(here, operation.target):
        result = commit(dataset, operation, here, dry_run=dry_run, log=log)
        yield result
        if dry_run:
            return
        here = result.snapshot


def difference(one: Snapshot, other: Snapshot) -> Difference:
    """Say in which data files two revisions differ."""
    here, there = ({file.path: file for file in each.data_files} for each in (one, other))
    paths = sorted({*here, *there})
    return {path: (here.get(path), there.get(path)) for path in paths if here.get(path) != there.get(path)}


def _pack(steps: Sequence[Difference]) -> tuple[int, dict[str, DataFile | None]]:
    """Return how many steps one commit can take, at least one, and what its files are."""
    start, files = dict[str, DataFile | None](), dict[str, DataFile | None]()
    taken, best = 0, files
    for number, step in enumerate(steps, 1):
        for path, (newer, older) in step.items():
            if start.setdefault(path, newer) == older:
                files.pop(path, None)
            else:
                files[path] = older
        if number == 1 or len(files) <= COMMIT_FILES:
            taken, best = number, dict(files)
    return taken, best
