"""Random lives of a repo on the real stack, held against a plain model after every step.

Days, late rows, moves, other ids, half runs, troubles and a second writer, in any order. The suite draws the same few
examples each time. A longer search, among other examples each time, is

    MODEL_EXAMPLES=200 .venv/bin/python -m pytest govbr_assets_tests/test_model.py

which prints how many examples and steps the laws held in.
"""

import os
import sys
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from govbr_assets.dataset import Dataset
from govbr_assets.dataset.transaction import commit
from govbr_assets.local.hub import LocalHub
from govbr_assets.local.hub.actions import Action, answer, cut
from govbr_assets.local.hub.faults import Fault
from govbr_assets.local.postgres import EmbeddedPostgres
from govbr_assets.local.viewer import LocalViewer
from govbr_assets.publications import NEWS
from govbr_assets_tests.graph import Graph
from govbr_assets_tests.huggingface.test_hub import put
from govbr_assets_tests.life import FORTNIGHT, TROUBLES, Deed, Life
from govbr_assets_tests.stranger import as_others_write, write
from govbr_assets_tests.tables import DAY, shard

FIRST, SECOND, OWN = "data/train-00000-of-00002.parquet", "data/train-00001-of-00002.parquet", NEWS.layout.day_path(DAY)

EXAMPLES = int(os.environ.get("MODEL_EXAMPLES", "0"))

BUSY = [6, 7, 8] * 8  # days of the fortnight on which most things happen, so that they meet
days = st.sampled_from([*FORTNIGHT, *(FORTNIGHT[number] for number in BUSY)])
cover = st.builds(
    lambda first, length: FORTNIGHT[first : first + length],
    st.sampled_from([*range(14), *BUSY]),
    st.sampled_from([1, 1, 2, 3, 14]),
)
numbers = st.integers(0, 30)
kinds = st.sampled_from(["new", "new", "legacy", "the Hub's"])
deeds = st.builds(Deed, st.sampled_from(["new rows", "rows of PostgreSQL", "delete"]), st.integers(0, 2), days, numbers)
sources = st.sampled_from(["auto", "auto", "exact"])
POSTGRES, EXISTING, SHARD = "postgres_news_partition", "hf_existing_ids", "hf_parquet_shard"


class Lives(RuleBasedStateMachine):
    """What may happen to a repo and a database, and in which order: any."""

    def __init__(self, life: Life, seen: Counter[str]) -> None:
        super().__init__()
        self.life, self.seen = life, seen

    def teardown(self) -> None:
        try:
            self.in_the_end_the_hub_is_as_postgres()
        finally:
            self.seen["examples"] += 1
            self.life.end()

    def in_the_end_the_hub_is_as_postgres(self) -> None:
        self.life.compact()
        self.life.run(FORTNIGHT)
        self.life.check_equal()

    @initialize(
        past=st.lists(deeds, max_size=2),
        rows=st.lists(st.tuples(days, kinds, numbers), min_size=1, max_size=12),
        pooled=st.booleans(),
    )
    def there_is_a_past_or_none(self, past: list[Deed], rows: list[tuple[str, str, int]], pooled: bool) -> None:
        if pooled:
            self.life.read_through_a_pooler()
        for deed in past:
            self.life.somebody_else(deed)
        self.rows_arrive(rows)

    @rule(rows=st.lists(st.tuples(days, kinds, numbers), min_size=1, max_size=6))
    def rows_arrive(self, rows: list[tuple[str, str, int]]) -> None:
        for row in rows:
            self.life.insert(*row)

    @rule(number=numbers, day=days)
    def a_row_moves_to_another_day(self, number: int, day: str) -> None:
        self.life.update(number, day=day)

    @rule(number=numbers)
    def a_title_changes(self, number: int) -> None:
        self.life.update(number, title=f"Another title {number}")

    @rule(number=numbers)
    def a_row_gets_another_id(self, number: int) -> None:
        self.life.update(number, unique_id=self.life.new_name())

    @rule(number=numbers)
    def a_row_is_deleted(self, number: int) -> None:
        self.life.delete(number)

    @rule(deed=deeds)
    def somebody_else_commits(self, deed: Deed) -> None:
        self.life.somebody_else(deed)

    @rule(number=st.integers(0, 2))
    def somebody_adds_a_config(self, number: int) -> None:
        self.life.somebody_adds_a_config(number)

    @rule(settings_follow=st.booleans())
    def the_repo_is_renamed(self, settings_follow: bool) -> None:
        self.life.rename(settings_follow=settings_follow)

    @rule(keys=cover, source=sources, checks=st.booleans())
    def days_are_published(self, keys: list[str], source: str, checks: bool) -> None:
        result = self.life.run(keys, source=source, checks=checks)
        if checks:
            failed = {each.check_name for each in result.get_asset_check_evaluations() if not each.passed}
            assert failed <= {"hub_ids_are_unique"}  # which tells what others have doubled

    @rule(keys=cover, first=sources, second=sources)
    def days_are_published_twice(self, keys: list[str], first: str, second: str) -> None:
        self.life.run(keys, source=first)
        head = self.life.hub.head
        self.life.run(keys, source=second)
        assert self.life.hub.head == head

    @rule(keys=cover, source=sources, trouble=st.sampled_from(sorted(TROUBLES)), deed=deeds)
    def days_are_published_in_trouble(self, keys: list[str], source: str, trouble: str, deed: Deed) -> None:
        self.life.run(keys, source=source, trouble=trouble, deed=deed)

    @rule(keys=cover, trouble=st.sampled_from(sorted(TROUBLES)), deed=deeds)
    def days_are_rehearsed(self, keys: list[str], trouble: str, deed: Deed) -> None:
        self.life.run(keys, dry_run=True, trouble=trouble, deed=deed)

    @rule(keys=cover, assets=st.sampled_from([[POSTGRES], [EXISTING], [POSTGRES, EXISTING]]), source=sources)
    def a_run_ends_half_way(self, keys: list[str], assets: list[str], source: str) -> None:
        keys = keys if POSTGRES in assets else self._known(keys, {*self.life.read})
        if keys:
            self.life.run(keys, assets=assets, source=source)

    @rule(keys=st.just(FORTNIGHT) | cover, trouble=st.sampled_from(["", *sorted(TROUBLES)]), deed=deeds)
    def a_run_is_taken_up_later(self, keys: list[str], trouble: str, deed: Deed) -> None:
        if keys := self._known(keys, self.life.read.keys() & self.life.asked):
            self.life.run(keys, assets=[SHARD], trouble=trouble, deed=deed)

    @rule(trouble=st.sampled_from(["", "", *sorted(TROUBLES)]), deed=deeds)
    def the_dataset_is_compacted(self, trouble: str, deed: Deed) -> None:
        self.life.compact(trouble=trouble, deed=deed)

    @invariant()
    def every_revision_can_be_read(self) -> None:
        self.seen["steps"] += 1
        for revision in self.life.hub.revisions():
            self.life.hub.files(revision)

    @staticmethod
    def _known(keys: list[str], known: set[str]) -> list[str]:
        """Take the first days in a row that have what a later asset needs."""
        found: list[str] = []
        for key in keys:
            if key in known:
                found.append(key)
            elif found:
                break
        return found


@pytest.mark.usefixtures("at_once")  # nobody else is to be let past, so that waiting would only take time
@pytest.mark.timeout(0 if EXAMPLES else 300)
def test_the_laws_hold_whatever_happens_in_whatever_order(
    postgres: EmbeddedPostgres,
    local_hub: LocalHub,
    viewer_server: LocalViewer,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
):
    viewer_server.faults.clear()
    seen: Counter[str] = Counter()

    def lives() -> Lives:
        return Lives(Life(postgres, local_hub, viewer_server, tmp_path, seen), seen)

    run_state_machine_as_test(
        lives,  # pyright: ignore[reportArgumentType] - a class, or what makes an object as a class would
        settings=settings(
            max_examples=EXAMPLES or 5,
            stateful_step_count=20,
            deadline=None,
            derandomize=not EXAMPLES,
            database=None,
            phases=list(Phase) if EXAMPLES else [Phase.generate],
            suppress_health_check=[HealthCheck.too_slow],  # it is a whole stack
        ),
    )
    with capsys.disabled():  # a word that is seen without the thousands that Dagster logs
        sys.stdout.write(
            f"\n{seen['examples']} examples, {seen['steps']} steps: laws 1 to 6 held"
            f" ({seen['runs']} runs, {seen['commits']} commits)\n"
        )


# What such lives have found, as small as it gets. The client sends no commit whose files the head has already, and
# answers with the head: whoever takes that for their own commit believes in a Hub that is not there.


def test_a_plan_whose_files_the_moved_head_has_already_is_made_again_at_the_head(hub: Dataset):
    first = commit(hub, put("x", path=FIRST), hub.client.head()).snapshot
    commit(hub, put("a"), first)
    commit(hub, put("b", path=SECOND), hub.client.head())
    head, plan = hub.client.head(), put("a")
    publication = commit(hub, plan, first)
    assert plan.made_at == [first.revision, head.revision]
    assert (publication.snapshot, publication.committed) == (head, False)


@pytest.mark.parametrize("action", [cut(), answer(500)], ids=["cut", "500"])
def test_a_refusal_whose_answer_is_lost_is_not_taken_for_a_commit_of_long_ago(
    hub: Dataset, local_hub: LocalHub, action: Action
):
    first = commit(hub, put("x", path=FIRST), hub.client.head()).snapshot
    commit(hub, put("a"), first)
    commit(hub, put("b"), hub.client.head())  # the shard is another one since
    head, plan = hub.client.head(), put("a")
    local_hub.faults.add(Fault("POST", r"/commit/main$", action, when="after"))
    publication = commit(hub, plan, first)
    assert plan.made_at == [first.revision, head.revision]
    assert publication.snapshot == hub.client.head()


def test_a_shard_that_is_taken_up_later_leaves_out_what_others_hold_by_then(graph: Graph):
    store = graph.local_hub.store
    write(store, graph.repo_id, {FIRST: as_others_write(shard(["x"]))})
    graph.insert("a")
    assert graph.run(str(DAY), checks=False).success
    write(store, graph.repo_id, {SECOND: as_others_write(shard(["a"]))})
    assert graph.run(str(DAY), checks=False, selection=[SHARD]).success
    assert graph.ids() == {FIRST: ["x"], SECOND: ["a"]}


def test_no_row_is_lost_by_the_commit_after_one_that_the_client_did_not_send(
    graph: Graph, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("govbr_assets.operations.sync.batches.COMMIT_DAYS", 1)
    store = graph.local_hub.store
    write(store, graph.repo_id, {FIRST: as_others_write(shard(["x"]))})
    graph.insert("a", day="2026-01-14")
    graph.insert("b")
    assert graph.run("2026-01-14", str(DAY), checks=False).success
    write(store, graph.repo_id, {OWN: as_others_write(shard(["b", "theirs"]))})
    keep = {SHARD: {"removals": "keep"}}
    assert graph.run("2026-01-14", str(DAY), checks=False, selection=[SHARD], config=keep).success
    assert sorted(graph.ids()[OWN]) == ["b", "theirs"]
