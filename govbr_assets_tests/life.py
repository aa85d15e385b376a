"""The life of one repo and one database on the real stack: what can happen to them, and the judge after every run.

What may follow what is said in `test_model`, the laws themselves in `laws`.
"""

import os
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import count, pairwise
from pathlib import Path
from typing import Any

from dagster import ExecuteInProcessResult

from govbr_assets.core.days import Day
from govbr_assets.core.gitignore import GITIGNORE
from govbr_assets.defs.resources import PostgresResource
from govbr_assets.local.hub import LocalHub
from govbr_assets.local.hub.actions import answer, call, cut
from govbr_assets.local.hub.faults import Fault
from govbr_assets.local.postgres import EmbeddedPostgres
from govbr_assets.local.viewer import LocalViewer
from govbr_assets_tests.graph import Graph
from govbr_assets_tests.laws import (
    HubReader,
    Named,
    News,
    all_of,
    check_once_and_nothing_lost,
    check_published,
    day_of,
    disputed,
    with_config,
)
from govbr_assets_tests.pgbouncer import PROGRAM, pgbouncer
from govbr_assets_tests.stranger import as_others_write, write
from govbr_assets_tests.tables import shard

FORTNIGHT = [str(date(2026, 1, 5) + timedelta(days=number)) for number in range(14)]
TIMES = ["00:00", "09:00", "23:59"]  # the last one is the next day in UTC

IGNORED = "a .gitignore that names data files"
"""The trouble in which the client would drop what it is to send: nothing may be published."""

_names = count()


@dataclass(frozen=True)
class Deed:
    """What somebody else does on the Hub, in one of three files of theirs.

    Attributes:
        kind: `new rows`, `rows of PostgreSQL` or `delete`.
        file: which file: 0 to 2.
        day: partition key of the new rows.
        number: which rows, in some way.
    """

    kind: str
    file: int
    day: str
    number: int


class Life:
    """One repo, one database, and all that was done to them.

    Args:
        postgres: the server.
        local_hub: the Hub.
        local_viewer: its viewer.
        folder: for what the graph keeps.
        seen: counts what happened, over all lives.
    """

    def __init__(
        self,
        postgres: EmbeddedPostgres,
        local_hub: LocalHub,
        local_viewer: LocalViewer,
        folder: Path,
        seen: Counter[str],
    ) -> None:
        name = f"model-{os.getpid()}-{next(_names)}"
        self._server, self._database, self._seen = postgres, name, seen
        self.graph = Graph(postgres.create_database(name), f"org/{name}", local_hub, local_viewer, folder / name)
        self.graph.execute("INSERT INTO agencies (id, key, name) VALUES (1, 'mec', 'Ministério da Educação')")
        self._pooler = ExitStack()
        self._pooled = ""
        self.hub = HubReader(local_hub.store, self.graph.repo_id)
        self.news: dict[int, News] = {}
        self.read: dict[str, list[Named]] = {}  # the days as `postgres_news_partition` has them
        self.asked: set[str] = set()  # the days that `hf_existing_ids` has
        self._others: set[str] = set()  # revisions that are not ours
        self._fresh = count(1)

    def end(self) -> None:
        """Drop the database."""
        self._pooler.close()
        self.graph.instance.dispose()
        self._server.drop_database(self._database)

    def read_through_a_pooler(self) -> None:
        """Let PgBouncer stand between the product and PostgreSQL from now on, where it is installed."""
        if PROGRAM:
            self._pooled = self._pooler.enter_context(pgbouncer(self.graph.postgres_url, "transaction"))

    def somebody_adds_a_config(self, number: int) -> None:
        """Let somebody else put a config and a split of their own into the repo, beside the dataset."""
        if self.hub.head:
            tree = self.graph.local_hub.store.tree(self.hub.repo_id)
            text = tree["README.md"].path.read_text("utf-8") if "README.md" in tree else ""
            card = with_config(text, f"others{number}")
            part = as_others_write(shard([f"of others {number}"]))
            self._write({"README.md": card.encode(), f"others{number}/part.parquet": part})

    def rename(self, *, settings_follow: bool) -> None:
        """Let somebody give the repo another name, which the settings take over or not."""
        if self.hub.head:
            name = f"{self.hub.repo_id}-{next(self._fresh)}"
            self.graph.local_hub.store.rename(self.hub.repo_id, name)
            self.hub.repo_id = name
            if settings_follow:
                self.graph.repo_id = name

    def insert(self, day: str, kind: str, number: int) -> None:
        """Insert a row: with a new id, with an old id that the Hub knows, or with the very id that the Hub knows."""
        row = next(self._fresh)
        known = sorted(self.hub.ids(self.hub.head)) or [f"{0:032x}"]
        name, old = f"n{row}", known[number % len(known)]
        if kind == "the Hub's" and old not in {each.unique_id for each in self.news.values()}:
            name = old
        legacy = old if kind == "legacy" else None
        claim = f"'{old}'" if legacy else "NULL"
        self.news[row] = News(name, legacy, day, f"Title {row}")
        self.graph.execute(
            "INSERT INTO news (id, unique_id, legacy_unique_id, agency_id, title, published_at) VALUES "
            f"({row}, '{name}', {claim}, 1, 'Title {row}', '{day}T{TIMES[number % 3]}:00-03:00')"
        )

    def update(self, number: int, **values: str) -> None:
        """Change a row, if there is one: its `day`, its `title`; a `unique_id` makes what it was its old one."""
        if not self.news:
            return
        row = sorted(self.news)[number % len(self.news)]
        news = self.news[row]
        if day := values.get("day"):
            news.day = day
            self.graph.execute(f"UPDATE news SET published_at = '{day}T{TIMES[number % 3]}:00-03:00' WHERE id = {row}")
        if title := values.get("title"):
            news.title = title
            self.graph.execute(f"UPDATE news SET title = '{title}' WHERE id = {row}")
        if name := values.get("unique_id"):
            news.unique_id, news.legacy_id = name, news.unique_id
            self.graph.execute(f"UPDATE news SET legacy_unique_id = unique_id, unique_id = '{name}' WHERE id = {row}")

    def delete(self, number: int) -> None:
        """Delete a row, but for the last one: a dataset without rows has no file, beside which others could be read."""
        if len(self.news) > 1:
            row = sorted(self.news)[number % len(self.news)]
            del self.news[row]
            self.graph.execute(f"DELETE FROM news WHERE id = {row}")

    def new_name(self) -> str:
        """Make a name that nothing has yet."""
        return f"n{next(self._fresh)}"

    def somebody_else(self, deed: Deed) -> None:
        """Let somebody else commit to the repo, which they make if it is not there."""
        path = f"data/train-0000{deed.file}-of-00003.parquet"
        content = None
        if deed.kind == "delete" and path not in self.hub.files(self.hub.head):
            return
        if deed.kind != "delete":
            names = [f"{next(self._fresh):032x}" for _ in range(1 + deed.number % 3)]
            if deed.kind == "rows of PostgreSQL":
                rows = [self.news[row] for row in sorted(self.news)][deed.number % 4 :][:4]
                names += [row.legacy_id if row.legacy_id and deed.number % 2 else row.unique_id for row in rows]
            content = as_others_write(shard(list(dict.fromkeys(names)), at=Day.of(deed.day).start))
        self._write({path: content})

    def _write(self, files: Mapping[str, bytes | None]) -> None:
        """Let somebody else make a commit."""
        self._others.add(write(self.graph.local_hub.store, self.hub.repo_id, files))

    def run(
        self,
        keys: Sequence[str],
        *,
        source: str = "auto",
        trouble: str = "",
        deed: Deed | None = None,
        assets: Sequence[str] = (),
        dry_run: bool = False,
        checks: bool = False,
    ) -> ExecuteInProcessResult:
        """Materialize days, all assets or some, in whatever trouble, and judge what became of the Hub."""
        before = self.hub.revisions()
        if trouble:
            TROUBLES[trouble](self, deed)
        config: dict[str, dict[str, Any]] = {}
        if not assets or "hf_parquet_shard" in assets:
            config["hf_parquet_shard"] = {"allow_removals": True, "dry_run": dry_run}
        if not assets or "hf_existing_ids" in assets:
            config["hf_existing_ids"] = {"source": source}
        last = keys[-1] if len(keys) > 1 else ""
        postgres: dict[str, Any] = {"postgres": PostgresResource(url=self._pooled)} if self._pooled else {}
        result = self.graph.run(keys[0], last, checks=checks, selection=list(assets) or None, config=config, **postgres)
        self.graph.local_hub.faults.clear()
        self.graph.local_viewer.faults.clear()
        self.graph.local_viewer.index.follow(self.hub.repo_id)
        self.read |= {key: day_of(self.news, key) for key in self.graph.metadata(result, "postgres_news_partition")}
        self.asked |= self.graph.metadata(result, "hf_existing_ids").keys()
        self._seen["runs"] += 1
        publishes = not dry_run and (not assets or "hf_parquet_shard" in assets)
        ours = self._judge(before, keys, publishes=publishes and trouble != IGNORED)
        if trouble not in FATAL and not (publishes and not ours and self._would_empty(result)):
            assert result.success, [event.message for event in result.all_events if event.is_failure]
        if result.success and publishes:
            self._judge_success(result, keys, ours, lagging=trouble == "the head lags")
        self._end(trouble)
        return result

    def compact(self, *, trouble: str = "", deed: Deed | None = None) -> None:
        """Compact the dataset, in whatever trouble: of each id a row stays, and nothing else comes or goes."""
        before = self.hub.revisions()
        if trouble:
            TROUBLES[trouble](self, deed)
        result = self.graph.compact(checks=False)
        self.graph.local_hub.faults.clear()
        self.graph.local_viewer.faults.clear()
        self.graph.local_viewer.index.follow(self.hub.repo_id)
        self._seen["compactions"] += 1
        for parent, revision in pairwise(self.hub.revisions()):
            if revision not in before and revision not in self._others:
                assert trouble != IGNORED
                self.hub.check_ours(parent, revision, deleted=True)
                then, now = self.hub.ids(parent), self.hub.ids(revision)
                assert now.keys() == then.keys()
                assert all(now[name] <= then[name] for name in now)
        if trouble not in FATAL:
            assert result.success, [event.message for event in result.all_events if event.is_failure]
        self._end(trouble)

    def _would_empty(self, result: ExecuteInProcessResult) -> bool:
        """Say whether a run was refused because no file of ours would be left beside those of others."""
        told = [str(event.event_specific_data) for event in result.all_events if event.is_failure]
        return self.hub.has_others(self.hub.head) and any(
            "no file of the dataset would be left" in each for each in told
        )

    def _end(self, trouble: str) -> None:
        """Let somebody mend what faults do not end by themselves."""
        if trouble == IGNORED:
            self._write({GITIGNORE: None})

    def check_equal(self) -> None:
        """Hold the Hub against PostgreSQL: each row once, under its own id and day, with its title."""
        files = self.hub.files(self.hub.head) if self.hub.head else {}
        found = sorted(row for rows in files.values() for row in rows if row[2] in FORTNIGHT)
        assert found == sorted((row.ids[0], row.title, day) for day, row in all_of(self.news))

    def _judge(self, before: list[str], keys: Sequence[str], *, publishes: bool) -> list[tuple[str, str]]:
        """Hold every revision since some against the laws, and list our own with their parents."""
        revisions, ours = self.hub.revisions(), []
        assert revisions[: len(before)] == before
        for parent, revision in pairwise(revisions):
            if revision in before or revision in self._others:
                continue
            ours.append((parent, revision))
            self.hub.check_ours(parent, revision)
            rows = [row for _, row in all_of(self.news)] + [row for key in keys for row in self.read.get(key, [])]
            check_once_and_nothing_lost(self.hub.files(parent), self.hub.files(revision), rows, keys)
        assert len(ours) <= publishes  # one commit for all days, and none where nothing is to be published
        self._seen["commits"] += len(ours)
        return ours

    def _judge_success(
        self, result: ExecuteInProcessResult, keys: Sequence[str], ours: list[tuple[str, str]], *, lagging: bool
    ) -> None:
        """Hold the revision that a run says to have led to against what it should have published."""
        (told,) = {told["revision_after"] for told in self.graph.metadata(result).values()}
        head = None if told == "no repo yet" else told
        assert head == (ours[0][1] if ours else head)
        assert lagging or head == self.hub.head
        unsure = disputed([row for key in keys for row in self.read[key]])
        fresh = all(self.read[key] == day_of(self.news, key) for key in keys)
        for key in keys if fresh else []:
            if unsure.isdisjoint(name for row in self.read[key] for name in row.ids):
                check_published(self.hub.files(head), key, self.read[key])


def _at_commit(action: Any, **how: Any) -> Callable[[Life, Any], None]:
    """Let something happen to the commit that we send."""
    return lambda life, _: life.graph.local_hub.faults.add(Fault("POST", r"/commit/main$", action, **how))


def _lag(life: Life, deed: Deed) -> None:
    if life.hub.head:
        life.graph.local_hub.lag(life.hub.repo_id, times=2)
    life.somebody_else(deed)


def _hold(life: Life, deed: Deed) -> None:
    if life.hub.head:
        life.graph.local_viewer.index.hold(life.hub.repo_id)
    life.somebody_else(deed)


def _no_answer(life: Life, _: Deed) -> None:
    lost = Fault("POST", r"/commit/main$", answer(500), when="after")
    life.graph.local_hub.faults.add(lost, Fault("GET", "/commits/main$", answer(403), times=99, skip=1))


def _ignore(life: Life, deed: Deed | None) -> None:
    lines = ["data/", "*.parquet", "train-*"]
    life._write({GITIGNORE: f"# of others\n{lines[deed.number % 3 if deed else 0]}\n".encode()})


_NOT_READY = answer(500, "The dataset index is loading", {"X-Error-Code": "ResponseNotReady"})

TROUBLES: dict[str, Callable[[Life, Any], None]] = {
    "the viewer fails": lambda life, _: life.graph.local_viewer.faults.add(Fault("GET", "/filter", _NOT_READY)),
    "the viewer is behind": _hold,
    "the viewer knows a part": lambda life, _: life.graph.local_viewer.index.limit(life.hub.repo_id, 1),
    "another commit is under way": _at_commit(answer(409, "busy")),
    "412 for no reason": _at_commit(answer(412, "The branch was updated since you started")),
    "500 before the commit": _at_commit(answer(500)),
    "500 after the commit": _at_commit(answer(500), when="after"),
    "cut after the commit": _at_commit(cut(), when="after"),
    "the head lags": _lag,
    "a second writer before our commit": lambda life, deed: life.graph.local_hub.faults.add(
        Fault("POST", r"/commit/main$", call(lambda: life.somebody_else(deed)))
    ),
    "a second writer while the viewer is asked": lambda life, deed: life.graph.local_viewer.faults.add(
        Fault("GET", "/filter", call(lambda: life.somebody_else(deed)))
    ),
    "the Hub takes nothing": _at_commit(answer(500), times=99),
    "no answer for good": _no_answer,
    IGNORED: _ignore,
}
"""What can be wrong during a run."""

FATAL = {"the Hub takes nothing", "no answer for good", IGNORED}
"""In which a run may fail."""
