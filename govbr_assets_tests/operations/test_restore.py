"""The restore: the files of an older revision, in commits that are states of the history, without an upload."""

from collections.abc import Callable, Iterator, Mapping
from itertools import count, pairwise
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from dagster import DagsterEventType, DagsterInstance, ExecuteInProcessResult
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from govbr_assets.core.layout import DATA_PATTERN
from govbr_assets.dataset import Dataset
from govbr_assets.dataset.transaction import CommitResult, commit
from govbr_assets.definitions import defs
from govbr_assets.defs import jobs
from govbr_assets.defs.resources import HubResource
from govbr_assets.errors import ConfigurationError, HubDeniedError, HubUnavailableError
from govbr_assets.local.hub import LocalHub
from govbr_assets.local.hub.actions import answer, call
from govbr_assets.local.hub.blobs import Blob
from govbr_assets.local.hub.changes import Put
from govbr_assets.local.hub.faults import Fault
from govbr_assets.local.viewer import LocalViewer
from govbr_assets.operations import restore as restore_module
from govbr_assets.operations.restore import Restore, latest, resolve_revision, restore
from govbr_assets.publications import NEWS
from govbr_assets_tests import readers, stranger
from govbr_assets_tests.graph import Graph
from govbr_assets_tests.huggingface.test_hub import COMMIT, parquet, put
from govbr_assets_tests.laws import HubReader
from govbr_assets_tests.tables import encode, shard
from govbr_assets_tests.test_graph import failure

CARD = b"---\nconfigs:\n- config_name: default\n  data_files:\n  - split: train\n    path: data/train-*.parquet\n---\n"

Write = Callable[[Mapping[str, bytes | None]], str]


def path(number: int) -> str:
    return f"data/train-2026-{1 + number // 28:02}-{1 + number % 28:02}.parquet"


def file(*ids: str) -> bytes:
    return encode(shard(ids))


@pytest.fixture
def write(local_hub: LocalHub, repo_id: str) -> Write:
    """Be somebody else who commits files, and deletes those that are None; the repo begins with a card."""
    stranger.write(local_hub.store, repo_id, {"README.md": CARD})
    return lambda files: stranger.write(local_hub.store, repo_id, files)


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> int:
    """Let a commit have three files."""
    monkeypatch.setattr(restore_module, "COMMIT_FILES", 3)
    return 3


def data(local_hub: LocalHub, repo_id: str, revision: str = "main") -> dict[str, Blob]:
    tree = local_hub.store.tree(repo_id, revision)
    return {path: blob for path, blob in tree.items() if path.startswith("data/")}


def back(hub: Dataset, revision: str, **changed: Any) -> list[CommitResult]:
    """Roll back to a revision."""
    return list(restore(hub, Restore(hub, resolve_revision(hub, revision)), latest(hub), **changed))


def since(local_hub: LocalHub, repo_id: str, revision: str) -> list[str]:
    """List the revisions that came after one, oldest first."""
    revisions = [each.sha for each in reversed(local_hub.store.commits(repo_id))]
    return revisions[revisions.index(revision) + 1 :]


def changed(local_hub: LocalHub, repo_id: str, before: str, after: str) -> int:
    """Count the files that two revisions differ in."""
    return len(HubReader(local_hub.store, repo_id).changed(before, after))


def test_the_parents_files_come_back_as_they_were_in_one_commit_and_nothing_is_uploaded(
    hub: Dataset, write: Write, local_hub: LocalHub, repo_id: str
):
    parent = write({path(1): file("a"), path(2): file("b"), path(3): file("c")})
    write({path(1): file("a", "late"), path(2): None, path(4): file("d")})
    local_hub.faults.forget()
    (publication,) = back(hub, parent)
    assert data(local_hub, repo_id) == data(local_hub, repo_id, parent)
    assert (len(publication.changeset.copy), publication.changeset.delete) == (2, (path(4),))
    assert local_hub.store.commits(repo_id)[0].title == f"Roll back to {parent[:8]}"
    assert not local_hub.faults.seen("*", "/preupload/|/xet|/lfs/objects")
    assert sum(each.received for each in local_hub.faults.seen("POST", COMMIT)) < 2000


def test_rolling_back_twice_makes_no_second_commit(hub: Dataset, write: Write, local_hub: LocalHub, repo_id: str):
    first = write({path(1): file("a")})
    write({path(1): file("b")})
    assert len(back(hub, first)) == 1
    head = local_hub.store.head(repo_id)
    assert back(hub, first) == []
    assert back(hub, head) == []
    assert local_hub.store.head(repo_id) == head


def test_a_rollback_is_rolled_back(hub: Dataset, write: Write, local_hub: LocalHub, repo_id: str):
    first = write({path(1): file("a")})
    second = write({path(1): file("b"), path(2): file("c")})
    back(hub, first)
    back(hub, second)
    assert data(local_hub, repo_id) == data(local_hub, repo_id, second)


def test_the_card_keeps_its_newest_text_and_what_is_no_data_stays(
    hub: Dataset, write: Write, local_hub: LocalHub, repo_id: str
):
    first = write({path(1): file("a"), "notes.txt": b"old"})
    write({path(1): file("b"), "notes.txt": b"new", "data/notes.txt": b"new"})
    sized = (
        b"---\nlicense: mit\ndataset_info:\n  splits:\n  - name: train\n    num_examples: 1\n---\n# The newest text\n"
    )
    write({"README.md": sized, "dataset_infos.json": b"{}"})
    (publication,) = back(hub, first)
    files = local_hub.store.tree(repo_id)
    card = files["README.md"].path.read_text()
    assert DATA_PATTERN in card
    assert "num_examples" not in card
    assert card.endswith("# The newest text\n")
    assert "dataset_infos.json" not in files
    assert [files[name].path.read_bytes() for name in ("notes.txt", "data/notes.txt")] == [b"new", b"new"]
    assert (
        publication.snapshot
        == Dataset.open(repo_id, NEWS, token=hub.client.token, endpoint=hub.client.api.endpoint).client.head()
    )


def test_a_long_way_leads_over_states_that_were_and_every_one_loads(
    hub: Dataset,
    write: Write,
    few: int,
    local_hub: LocalHub,
    repo_id: str,
    viewer_server: LocalViewer,
    tmp_path: Path,
):
    revisions = [write({path(0): file("id0")})]
    for number in range(1, 8):  # each adds a row, and moves one from the shard before
        before = {path(number - 1): file(f"id{number - 1}"), path(number): file(f"id{number}", f"more{number}")}
        revisions.append(write(before))
    was = [data(local_hub, repo_id, revision) for revision in revisions]
    publications = back(hub, revisions[0])
    graph = Graph("", repo_id, local_hub, viewer_server, tmp_path)
    steps = since(local_hub, repo_id, revisions[-1])
    assert [each.after for each in publications] == steps
    places = [was.index(data(local_hub, repo_id, revision)) for revision in steps]
    assert places == sorted(places, reverse=True)
    assert places[-1] == 0
    assert len(steps) < len(revisions) - 1  # as far as it goes each time
    for revision in steps:
        expected = HubReader(local_hub.store, repo_id).ids(revision)
        assert set(expected.values()) == {1}
        folder = readers.download(graph, tmp_path / revision, revision)
        for name, read in readers.ON_FILES.items():
            assert sorted(read(folder)["unique_id"].to_pylist()) == sorted(expected), name
    for before, after in pairwise([revisions[-1], *steps]):
        assert changed(local_hub, repo_id, before, after) <= few
    assert readers.by_datasets(graph, tmp_path)["unique_id"].to_pylist() == ["id0"]


def test_what_somebody_did_in_one_large_commit_is_taken_back_in_one(
    hub: Dataset, write: Write, few: int, local_hub: LocalHub, repo_id: str
):
    first = write({path(0): file("first")})
    small = write({path(20): file("small"), path(21): file("too")})
    large = write({path(number): file(f"id{number}") for number in range(1, 10)})
    last = write({path(number): file(f"id{number}") for number in range(10, 10 + few)})
    back(hub, first)
    steps = since(local_hub, repo_id, last)
    assert [changed(local_hub, repo_id, *pair) for pair in pairwise([last, *steps])] == [few, 9, 2]
    assert data(local_hub, repo_id, steps[0]) == data(local_hub, repo_id, large)
    assert data(local_hub, repo_id, steps[1]) == data(local_hub, repo_id, small)
    assert data(local_hub, repo_id) == data(local_hub, repo_id, first)


@pytest.mark.usefixtures("few")
def test_no_state_on_the_way_is_without_data(hub: Dataset, write: Write, local_hub: LocalHub, repo_id: str):
    names = [path(number) for number in range(3)]
    first = write({name: file(f"old {name}") for name in names})
    write(dict.fromkeys(names))
    write({path(9): file("new")})
    write({path(8): file("newer")})
    last = write({path(7): file("newest")})
    back(hub, first)
    assert all(data(local_hub, repo_id, revision) for revision in since(local_hub, repo_id, last))
    assert data(local_hub, repo_id) == data(local_hub, repo_id, first)


_repos = count()
_contents = [file(f"content {number}") for number in range(3)]
_commits = st.lists(
    st.dictionaries(st.integers(0, 6), st.sampled_from([None, 0, 1, 2]), min_size=1, max_size=5), min_size=2, max_size=7
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=_commits, goal=st.integers(0, 10), lag=st.booleans())
def test_from_any_history_to_any_state_of_it(
    history: list[dict[int, int | None]], goal: int, lag: bool, local_hub: LocalHub, few: int
):
    store, repo_id = local_hub.store, f"org/any-{next(_repos)}-{id(local_hub)}"
    stranger.write(store, repo_id, {"README.md": CARD, "data/train-0000-undated.parquet": file("stays")})
    revisions = []
    for files_of in history:
        there = store.tree(repo_id)
        files = {path(number): None if content is None else _contents[content] for number, content in files_of.items()}
        files = {name: content for name, content in files.items() if content is not None or name in there}
        if files:
            revisions.append(stranger.write(store, repo_id, files))
    if not revisions:
        return
    target, head = revisions[goal % len(revisions)], revisions[-1]
    hub = Dataset.open(repo_id, NEWS, token=local_hub.write_token, endpoint=local_hub.endpoint)
    if lag:
        local_hub.lag(repo_id)
    back(hub, target)
    states = [data(local_hub, repo_id, revision) for revision in revisions]
    assert data(local_hub, repo_id) == data(local_hub, repo_id, target)
    for before, after in pairwise([head, *since(local_hub, repo_id, head)]):
        assert data(local_hub, repo_id, after) in states
        largest = max(changed(local_hub, repo_id, *pair) for pair in pairwise(revisions[::-1])) if revisions[1:] else 0
        assert 0 < changed(local_hub, repo_id, before, after) <= max(few, largest)


@pytest.mark.usefixtures("few")
@pytest.mark.parametrize("skip", [0, 1])
def test_what_a_second_writer_adds_on_the_way_goes_too(
    hub: Dataset, write: Write, local_hub: LocalHub, repo_id: str, skip: int
):
    first = write({path(0): file("a")})
    for number in range(1, 8, 2):
        write({path(number): file(f"{number}"), path(number + 1): file(f"{number} too")})
    others: list[str] = []
    slip_in = call(lambda: others.append(write({path(20): file("second writer's"), path(0): file("a", "late")})))
    local_hub.faults.add(Fault("POST", COMMIT, slip_in, skip=skip))
    back(hub, first)
    assert data(local_hub, repo_id) == data(local_hub, repo_id, first)
    assert len(others) == 1
    assert others[0] in [each.sha for each in local_hub.store.commits(repo_id)]


@pytest.mark.usefixtures("few")
def test_a_rollback_that_is_stopped_goes_on_from_where_it_was(
    hub: Dataset, write: Write, local_hub: LocalHub, repo_id: str
):
    first = write({path(0): file("a")})
    *_, last = [
        write({path(number): file(f"{number}"), path(number - 1): file(f"{number - 1} new")}) for number in range(1, 8)
    ]
    hub.client.patience = 0
    local_hub.faults.add(Fault("POST", COMMIT, answer(429, "Retry in 1 hour"), skip=1))
    with pytest.raises(HubUnavailableError, match="3600 seconds"):
        back(hub, first)
    stopped = since(local_hub, repo_id, last)
    assert len(stopped) == 1
    back(hub, first)
    assert since(local_hub, repo_id, last)[:1] == stopped
    assert data(local_hub, repo_id) == data(local_hub, repo_id, first)


def test_a_lost_answer_is_looked_for_before_another_try(hub: Dataset, write: Write, local_hub: LocalHub, repo_id: str):
    first = write({path(0): file("a")})
    last = write({path(0): file("b"), path(1): file("c")})
    local_hub.faults.add(Fault("POST", COMMIT, answer(500, "oops"), when="after"))
    back(hub, first)
    assert len(since(local_hub, repo_id, last)) == 1
    assert data(local_hub, repo_id) == data(local_hub, repo_id, first)


def test_a_head_that_lags_is_not_taken_for_the_end_of_the_history(
    hub: Dataset, write: Write, local_hub: LocalHub, repo_id: str
):
    first = write({path(0): file("a")})
    local_hub.lag(repo_id, times=9)
    write({path(0): file("wrong")})
    back(hub, first)
    assert data(local_hub, repo_id) == data(local_hub, repo_id, first)


def test_a_revision_may_be_named_by_its_beginning(hub: Dataset, write: Write):
    first = write({path(0): file("a")})
    write({path(0): file("b")})
    for name in (first, first[:7], f" {first[:12].upper()} "):
        assert resolve_revision(hub, name).revision == first


@pytest.mark.parametrize("name", ["", "main", "HEAD~1", "0266e5", "g" * 40, "a" * 41, "2026.01.20"])
def test_what_is_no_name_of_a_revision_is_refused(hub: Dataset, write: Write, name: str):
    write({path(0): file("a")})
    with pytest.raises(ConfigurationError, match="write 7 to 40 of its hex digits"):
        resolve_revision(hub, name)


def test_a_revision_may_be_named_by_a_tag(hub: Dataset, write: Write, local_hub: LocalHub, repo_id: str):
    first = write({path(0): file("a")})
    last = write({path(0): file("b")})
    tags = local_hub.store.history(repo_id).tags
    tags.add("2026.01.20", first)
    tags.add(first[:8], first)
    tags.add("deadbeef", last)
    for name in ("2026.01.20", " 2026.01.20\n", first[:8]):
        assert resolve_revision(hub, name).revision == first
    assert resolve_revision(hub, "deadbeef").revision == last
    back(hub, "2026.01.20")
    assert data(local_hub, repo_id) == data(local_hub, repo_id, first)


def test_a_tag_that_is_the_beginning_of_another_revision_is_refused(
    hub: Dataset, write: Write, local_hub: LocalHub, repo_id: str
):
    first, last = write({path(0): file("a")}), write({path(0): file("b")})
    local_hub.store.history(repo_id).tags.add(last[:7], first)
    with pytest.raises(ConfigurationError, match=f"'{last[:7]}' is a tag of {first[:8]} and the beginning of another"):
        resolve_revision(hub, last[:7])
    assert resolve_revision(hub, last[:8]).revision == last


def test_a_revision_of_another_history_is_none_of_this(hub: Dataset, write: Write, local_hub: LocalHub, repo_id: str):
    write({path(0): file("a")})
    other = stranger.write(local_hub.store, f"{repo_id}-other", {path(0): file("b")})
    for name in (other, other[:7], "0" * 40):
        with pytest.raises(ConfigurationError, match=f"{name}' is none in the history of {repo_id}"):
            resolve_revision(hub, name)


def test_a_beginning_of_several_revisions_is_refused(hub: Dataset, write: Write, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(restore_module, "_NAME", restore_module.re.compile("[0-9a-f]"))
    revisions = [write({path(0): file(f"{number}")}) for number in range(16)]  # and two before: 18 for 16 digits
    counts = [sum(revision.startswith(digit) for revision in revisions) for digit in "0123456789abcdef"]
    digit = f"{counts.index(max(counts)):x}"
    with pytest.raises(ConfigurationError, match=f"'{digit}' is the beginning of [0-9]+ in the history"):
        resolve_revision(hub, digit)


def test_a_revision_without_data_files_is_refused(hub: Dataset, write: Write, local_hub: LocalHub, repo_id: str):
    empty = local_hub.store.head(repo_id)
    write({path(0): file("a")})
    with pytest.raises(ConfigurationError, match="has no data files"):
        resolve_revision(hub, empty)


def test_a_repo_that_is_not_there_is_named_by_its_setting(hub: Dataset):
    with pytest.raises(HubDeniedError, match="GOVBR_REPO_ID"):
        resolve_revision(hub, "0266e555")


def test_what_differed_in_the_files_then_is_told_and_refuses_nothing(
    hub: Dataset, write: Write, local_hub: LocalHub, repo_id: str
):
    text = shard(["a"]).set_column(2, "published_at", pa.array(["2026-01-15"]))
    first = write({path(0): parquet(text), path(1): b"not parquet", path(2): parquet(text), path(3): file("good")})
    write({path(0): file("a"), path(1): None, path(3): file("other")})
    (publication,) = back(hub, first)
    assert data(local_hub, repo_id) == data(local_hub, repo_id, first)
    assert [note.split()[0] for note in sorted(publication.notes)] == [path(0), path(1), path(2)]


def test_a_small_file_that_is_no_lfs_file_comes_back_too(hub: Dataset, write: Write, local_hub: LocalHub, repo_id: str):
    small = Put(path(0), local_hub.store.blobs.add(file("small")))
    write({path(1): file("a")})
    first = local_hub.store.commit(repo_id, None, [small], "by git").sha
    write({path(0): None})
    (publication,) = back(hub, first)
    assert data(local_hub, repo_id) == data(local_hub, repo_id, first)
    assert (
        publication.snapshot
        == Dataset.open(repo_id, NEWS, token=hub.client.token, endpoint=hub.client.api.endpoint).client.head()
    )


def test_after_a_rollback_days_are_published_as_before(hub: Dataset, write: Write, local_hub: LocalHub, repo_id: str):
    write({path(0): file("a")})
    landed = commit(hub, put("x"), hub.client.head()).after or ""
    commit(hub, put("x", "wrong"), hub.client.head())
    back(hub, landed)
    assert commit(hub, put("x", "right"), hub.client.head()).committed
    assert HubReader(local_hub.store, repo_id).ids("main").keys() == {"a", "x", "right"}


Run = Callable[..., ExecuteInProcessResult]


@pytest.fixture
def run(local_hub: LocalHub, repo_id: str) -> Iterator[Run]:
    """Execute the job."""
    with DagsterInstance.ephemeral() as instance:

        def execute(
            revision: str, *, dry_run: str = "", config: Mapping[str, Any] | None = None
        ) -> ExecuteInProcessResult:
            hub = HubResource(
                repo_id=repo_id, token=local_hub.write_token, endpoint=local_hub.endpoint, dry_run=dry_run
            )
            return jobs.rollback.execute_in_process(
                run_config={"ops": {"put_data_files_back": {"config": {"revision": revision, **(config or {})}}}},
                resources={"hub": hub},
                instance=instance,
                raise_on_error=False,
            )

        yield execute


def told(result: ExecuteInProcessResult) -> dict[str, Any]:
    """Read the metadata of the job's output."""
    event = next(event for event in result.all_events if event.event_type == DagsterEventType.STEP_OUTPUT)
    return {name: value.value for name, value in event.step_output_data.metadata.items()}


def four_days(write: Write) -> str:
    """Add four shards, each in a commit that changes the first one as well; returns the last revision."""
    return [write({path(number): file(f"{number}"), path(0): file("a", f"late {number}")}) for number in range(1, 5)][
        -1
    ]


@pytest.mark.usefixtures("few")
def test_the_job_rolls_back_and_tells_what_it_did(run: Run, write: Write, local_hub: LocalHub, repo_id: str):
    first = write({path(0): file("a")})
    last = four_days(write)
    result = run(first[:10])
    assert result.success
    assert data(local_hub, repo_id) == data(local_hub, repo_id, first)
    assert told(result) == {
        "dry_run": False,
        "target": first,
        "tag": "",
        "revision_before": last,
        "revision_after": local_hub.store.head(repo_id),
        "commits": 2,
        "files_back": 2,
        "files_gone": 4,
        "back": path(0),
        "gone": "\n".join(map(path, range(1, 5))),
    }
    again = told(run(first))
    assert (again["commits"], again["revision_before"]) == (0, again["revision_after"])
    local_hub.store.history(repo_id).tags.add("2026.01.20", last)
    by_tag = told(run("2026.01.20"))
    assert (by_tag["target"], by_tag["tag"]) == (last, "2026.01.20")
    assert data(local_hub, repo_id) == data(local_hub, repo_id, last)


@pytest.mark.parametrize("damage", [b"", b"PAR1 and no end", b"garbage", file("a")[:-9]])
def test_a_file_that_nobody_can_read_is_replaced_by_what_it_was(
    run: Run, write: Write, local_hub: LocalHub, repo_id: str, damage: bytes
):
    first = write({path(0): file("a"), path(1): file("b")})
    last = write({path(0): damage, path(2): damage})
    assert run(first, config={"dry_run": True}).success
    assert local_hub.store.head(repo_id) == last
    assert run(first).success
    assert data(local_hub, repo_id) == data(local_hub, repo_id, first)


@pytest.mark.usefixtures("few")
@pytest.mark.parametrize("wish", [{"config": {"dry_run": True}}, {"dry_run": "1"}], ids=["config", "setting"])
def test_a_dry_run_tells_the_whole_way_and_changes_nothing(
    run: Run, write: Write, local_hub: LocalHub, repo_id: str, wish: dict[str, Any]
):
    first = write({path(0): file("a")})
    last = four_days(write)
    local_hub.faults.forget()
    planned = told(run(first, **wish))
    assert local_hub.store.head(repo_id) == last
    assert not local_hub.faults.seen("POST", COMMIT)
    assert planned | {"dry_run": False, "revision_after": ""} == told(run(first)) | {"revision_after": ""}
    assert (planned["dry_run"], planned["revision_after"]) == (True, last)


def test_the_job_fails_for_good_on_a_revision_that_is_none(run: Run, write: Write, local_hub: LocalHub, repo_id: str):
    head = write({path(0): file("a")})
    result = run("0266e555")
    assert not result.success
    assert "The revision '0266e555' is none in the history" in failure(result)
    assert not [event for event in result.all_events if event.event_type == DagsterEventType.STEP_UP_FOR_RETRY]
    assert local_hub.store.head(repo_id) == head


def test_the_job_is_loaded():
    assert defs.resolve_job_def("rollback").graph is jobs.rollback.graph
