"""What is done with one peer: it publishes days, and the figures say what that took and what is on the Hub then."""

import re
import tempfile
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from pathlib import Path

from govbr_assets.local.hub.actions import call
from govbr_assets.local.hub.faults import Fault
from govbr_assets.local.stack import LocalStack
from govbr_assets_tests.benchmarks.peers.figures import Figures, Usage, count, followed
from govbr_assets_tests.benchmarks.peers.peer import Machine, Peer
from govbr_assets_tests.benchmarks.peers.readers import LIBRARIES, load
from govbr_assets_tests.benchmarks.peers.repo import OTHERS_LINE, Repo
from govbr_assets_tests.benchmarks.worker import Worker
from govbr_assets_tests.tables import shard

_OTHERS_ID, _OTHERS_TIME = "a row of somebody else", datetime(2025, 6, 1, 12, tzinfo=UTC)


class Case:
    """A peer with its repo.

    Args:
        peer: who.
        stack: what it talks to.
        worker: the product's install.
        source: the repo with the dataset before the days.
        folder: gets the machines.
        first_day: that is published.

    Attributes:
        repo: where it publishes to.
        figures: what came of it so far.
    """

    def __init__(
        self, peer: Peer, stack: LocalStack, worker: Worker, source: str, folder: Path, first_day: date
    ) -> None:
        self._stack, self._commit = stack, peer.commit
        name = re.sub(r"\W+", "-", peer.name.lower())
        self.repo = Repo.copy(stack.hub.store, source, f"bench/{name}", peer.beforehand)
        self._machine, self._second = (
            Machine(peer, stack, worker, self.repo.repo_id, folder / f"{name}-{number}", first_day) for number in (1, 2)
        )
        self.figures = Figures(peer.name, peer.version())

    def attempt(self, what: str, step: Callable[["Case"], None]) -> None:
        """Do something, unless the program has failed before; if it fails, its figures say so and others go on.

        Args:
            what: it is.
            step: does it.

        Raises:
            RuntimeError: it is the product that failed.
        """
        if self.figures.stopped:
            return
        try:
            step(self)
        except RuntimeError as error:
            if not self.figures.version:
                raise
            self.figures.stopped = f"stopped at {what}: {str(error).strip().splitlines()[-1][-120:]}"

    def day(self, day: date) -> None:
        """Publish a day as every day."""
        self.figures.days.append(self._publish(day))

    def load(self, loaded: dict[str, str]) -> None:
        """Load the dataset as its readers do, and say what they find, by library."""
        for library in LIBRARIES:
            with tempfile.TemporaryDirectory() as name:
                self.repo.link(Path(name))
                environment = {**self._machine.environment, "HF_HOME": f"{name}/hf"}
                loaded[library] = load(library, self.repo.repo_id, Path(name), environment)

    def again(self, day: date, ids: Sequence[str]) -> None:
        """Publish a day with nothing new."""
        self.figures.again = self._publish(day)
        self.figures.found["again"] = count(self.repo.titles(), ids)

    def changed(self, day: date, changed: Sequence[str], deleted: Sequence[str]) -> None:
        """Publish a day of which rows have changed, or are gone, in PostgreSQL."""
        self._publish(day)
        self.figures.found["changed"] = followed(self.repo.titles(), changed, deleted)

    def beside_somebody_else(self, day: date, ids: Sequence[str]) -> None:
        """Publish a day while somebody else commits a row and a line of the card."""
        row = shard([_OTHERS_ID], at=_OTHERS_TIME)
        ended = self._publish_beside(day, lambda: self.repo.write_as_somebody_else(row))
        titles = self.repo.titles()
        kept = {"row": _OTHERS_ID in titles, "line": OTHERS_LINE in self.repo.card()}
        theirs = ", ".join(f"their {name} {'kept' if is_kept else 'LOST'}" for name, is_kept in kept.items())
        self.figures.found["somebody else"] = f"{theirs}; own {count(titles, ids)}{ended}"
        self.load(self.figures.loaded_then)

    def beside_itself(self, day: date, ids: Sequence[str], next_day: date, add: Callable[[], list[str]]) -> None:
        """Publish a day while another machine publishes the next one.

        Args:
            day: published here.
            ids: of its rows.
            next_day: published there.
            add: lets its rows arrive, meanwhile, and returns their ids.
        """
        others: list[str] = []

        def second_run() -> None:
            others.extend(add())
            self._second.publish(next_day)

        ended = self._publish_beside(day, second_run)
        titles = self.repo.titles()
        self.figures.found["itself"] = f"{count(titles, ids)}; the other day {count(titles, others)}{ended}"

    def _publish(self, day: date) -> Usage:
        """Publish a day, and count what passes between it and the servers."""
        records, before = (self._stack.hub.faults, self._stack.viewer.faults), self.repo.commits()
        for record in records:
            record.forget()
        cost = self._machine.publish(day)
        passed = [exchange for record in records for exchange in record.requests]
        down, up = sum(each.sent for each in passed), sum(each.received for each in passed)
        return Usage(cost, len(passed), down, up, self.repo.commits() - before)

    def _publish_beside(self, day: date, meanwhile: Callable[[], None]) -> str:
        """Publish a day while its commit of rows is held back until something is done; say if it failed."""
        path = f"^/api/datasets/{re.escape(self.repo.repo_id)}/commit/main$"
        self._stack.hub.faults.add(Fault("POST", path, call(meanwhile), skip=self._commit))
        try:
            self._machine.publish(day)
        except RuntimeError as error:
            return f"; failed with {str(error).strip().splitlines()[-1][:80]}"
        finally:
            self._stack.hub.faults.clear()
        return ""
