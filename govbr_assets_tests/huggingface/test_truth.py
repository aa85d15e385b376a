"""What the client reports is not believed: a commit is what the Hub says that it is, asked before and after."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from govbr_assets.core.gitignore import ignoring_line
from govbr_assets.dataset import Dataset
from govbr_assets.dataset.changeset import Changeset
from govbr_assets.dataset.transaction import commit
from govbr_assets.defs.assets.consolidated import consolidated_dataset
from govbr_assets.errors import HubUnavailableError, IncompleteCommitError
from govbr_assets.huggingface.snapshot import Snapshot
from govbr_assets.local.hub import LocalHub
from govbr_assets.local.hub.actions import answer, rewrite_answer, rewrite_request
from govbr_assets.local.hub.faults import Fault
from govbr_assets_tests.graph import Graph
from govbr_assets_tests.huggingface.test_hub import COMMIT, Fixed, put
from govbr_assets_tests.operations.test_compact import day_shards
from govbr_assets_tests.stranger import write
from govbr_assets_tests.tables import encode, shard
from govbr_assets_tests.test_graph import failure

DAY, OLD, YEAR = "data/train-2026-01-15.parquet", "data/train-2026-01-01.parquet", "data/train-2026-00.parquet"
PREUPLOAD, LOOK = "/preupload/", "/paths-info/"

Standing = Callable[[dict[str, Any]], str]

IGNORING: dict[str, tuple[dict[str, bytes], str]] = {
    "a folder": ({".gitignore": b"# local data\n\ndata/\n"}, r"line 3 of \.gitignore \(`data/`\)"),
    "an ending": ({".gitignore": b"*.parquet\n"}, r"line 1 of \.gitignore \(`\*\.parquet`\)"),
    "a beginning": ({".gitignore": b"*.log\r\ntrain-2026*\r\n"}, r"line 2 of \.gitignore \(`train-2026\*`\)"),
    "only the card": ({".gitignore": b"/[Rr]EADME.*"}, r"line 1 of \.gitignore .*leave README\.md out"),
    "any folder": ({".gitignore": b"\xef\xbb\xbf**/train-????-??-??.parquet\n"}, r"line 1 of \.gitignore"),
    "all but some": ({".gitignore": b"data/*\n!data/train-2025*\n"}, r"line 1 of \.gitignore \(`data/\*`\)"),
    "one below": ({"data/.gitignore": b"*\n!.gitignore\n"}, r"line 1 of data/\.gitignore \(`\*`\)"),
    "not UTF-8": ({".gitignore": b"# dados p\xfablicos\n*.parquet\n"}, r"line 2 of \.gitignore"),
}


@pytest.fixture
def standing(local_hub: LocalHub, repo_id: str) -> Standing:
    """Be somebody else, who has written files into the repo."""
    return lambda files: write(local_hub.store, repo_id, files)


@pytest.mark.parametrize("kind", IGNORING)
def test_a_gitignore_that_names_a_file_of_a_commit_stops_it_before_anything_is_uploaded(
    hub: Dataset, standing: Standing, local_hub: LocalHub, kind: str
):
    files, named = IGNORING[kind]
    head = standing(files)
    with pytest.raises(IncompleteCommitError, match=named):
        commit(hub, put(), hub.client.head())
    assert hub.client.head().revision == head
    assert not [each for each in local_hub.faults.seen("*", "xet|lfs|/commit/") if each.method != "GET"]
    assert len(local_hub.faults.seen("POST", PREUPLOAD)) == 1


@pytest.mark.parametrize(
    "text", ["data/train-2025*\n", "*.parquet\n!data/*.parquet\n", "# data/\n", "\\#data/\n!\n", "data\\\n/train-*\n"]
)
def test_a_gitignore_that_names_other_files_is_in_nobodys_way(hub: Dataset, standing: Standing, text: str):
    standing({".gitignore": text.encode()})
    assert commit(hub, put(), hub.client.head()).committed


@pytest.mark.parametrize("ignore", ["data/", "*.parquet", "train-2026-00*", "README.md"])
def test_a_gitignore_never_empties_a_dataset_and_the_compaction_names_it(graph: Graph, ignore: str):
    store, name = graph.local_hub.store, graph.repo_id
    head = write(store, name, {**day_shards("2026-01-01", "2026-01-02"), ".gitignore": f"x\n{ignore}\n".encode()})
    result = graph.compact(retries=3)
    assert f"line 2 of .gitignore (`{ignore}`)" in failure(result)
    assert not graph.instance.fetch_materializations(consolidated_dataset.key, limit=1).records
    assert store.head(name) == head


def test_a_gitignore_stops_a_day_at_once_and_it_is_not_recorded(graph: Graph):
    head = write(graph.local_hub.store, graph.repo_id, {".gitignore": b"data/\n"})
    graph.insert("a")
    result = graph.run("2026-01-15", retries=3)
    assert "line 1 of .gitignore (`data/`)" in failure(result)
    assert not graph.metadata(result)
    assert graph.head.revision == head


def test_the_answer_of_the_hub_decides_what_it_ignores_and_not_the_rules_of_git(
    hub: Dataset, standing: Standing, local_hub: LocalHub
):
    standing({".gitignore": b"*.log\n"})
    local_hub.faults.add(Fault("POST", PREUPLOAD, rewrite_answer(_ignoring("data/"))))
    with pytest.raises(IncompleteCommitError, match=r"some line of a \.gitignore.* data/train-2026-01-15\.parquet out"):
        commit(hub, put(), hub.client.head())


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize("answered", [{}, {"files": [{"path": DAY, "uploadMode": "lfs"}]}, {"files": None}])
def test_an_answer_that_does_not_say_what_is_ignored_is_none(
    hub: Dataset, standing: Standing, local_hub: LocalHub, answered: Any
):
    head = standing({"README.md": b"hi\n"})
    local_hub.faults.add(Fault("POST", PREUPLOAD, rewrite_answer(lambda _: answered), times=99))
    with pytest.raises(HubUnavailableError, match="does not say which files may come"):
        commit(hub, put(), hub.client.head())
    assert hub.client.head().revision == head


@pytest.mark.parametrize(("lost", "now"), [(YEAR, 0), ("README.md", 1)])
def test_what_the_client_leaves_out_and_reports_as_committed_is_found_missing(
    hub: Dataset, standing: Standing, local_hub: LocalHub, lost: str, now: int
):
    shards = day_shards("2026-01-01", "2026-01-02", "2026-01-03")
    before = standing(shards)
    edit = Changeset({YEAR: encode(shard(["a", "b"]))}, tuple(shards), message="Compaction", report=None)
    # The Hub has said that it takes the file: the client is not asked again, and something on the way drops it.
    local_hub.faults.add(Fault("POST", COMMIT, rewrite_request(_without(lost))))
    with pytest.raises(IncompleteCommitError) as caught:
        commit(hub, Fixed(edit), hub.client.head())
    told = f"{now} data files now and had 3 at {before[:8]}, which the job rollback brings back"
    assert f"{lost} is missing" in str(caught.value)
    assert told in str(caught.value)
    assert hub.client.forward(before) == before


def listed(hub: Dataset, local_hub: LocalHub, revision: str | None) -> Snapshot:
    """List a revision with a client that has made no commit, and so knows nothing of it."""
    other = Dataset.open(hub.client.repo_id, hub.spec, token=local_hub.write_token, endpoint=local_hub.endpoint)
    return other.client.at(revision)


def _without(path: str) -> Callable[[bytes], bytes]:
    """Leave out what was sent for a path."""
    return lambda body: b"\n".join(line for line in body.splitlines() if json.loads(line)["value"].get("path") != path)


def _swapped(path: str, text: str) -> Callable[[bytes], bytes]:
    """Put a text in place of what was sent for a path."""

    def change(body: bytes) -> bytes:
        lines = [json.loads(line) for line in body.splitlines()]
        for line in lines:
            if line["value"].get("path") == path:
                line |= {"key": "file", "value": {"path": path, "content": text}}
        return b"\n".join(json.dumps(line).encode() for line in lines)

    return change


PARTS: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "a file that did not come": (_without(DAY), f"{DAY} is missing"),
    "a file of other bytes": (_swapped(DAY, "PAR1"), f"{DAY} is another file"),
    "a file that did not go": (_without(OLD), f"{OLD} is still there"),
    "a card of other text": (_swapped("README.md", "# hi\n"), "README.md is another file"),
    "a card that did not come": (_without("README.md"), "README.md is missing"),
}


@pytest.mark.parametrize("kind", PARTS)
def test_a_commit_that_is_not_what_was_sent_is_told_and_neither_followed_nor_tried_again(
    hub: Dataset, standing: Standing, local_hub: LocalHub, kind: str
):
    change, named = PARTS[kind]
    before = standing(day_shards("2026-01-01"))
    local_hub.faults.add(Fault("POST", COMMIT, rewrite_request(change)))
    with pytest.raises(IncompleteCommitError, match=named):
        commit(
            hub,
            Fixed(Changeset({DAY: encode(shard(["a"]))}, (OLD,), message="Publish", report=None)),
            hub.client.head(),
        )
    assert hub.client.forward(before) == before
    assert len(local_hub.faults.seen("POST", COMMIT)) == 1


def test_a_copy_that_did_not_come_is_told(hub: Dataset, standing: Standing, local_hub: LocalHub):
    old = standing(day_shards("2026-01-01", "2026-01-02"))
    standing({OLD: None})
    local_hub.faults.add(Fault("POST", COMMIT, rewrite_request(_without(OLD))))
    back = Changeset(copy=(hub.client.at(old).files[OLD],), allow_incompatible=True, message="Roll back", report=None)
    with pytest.raises(IncompleteCommitError, match=f"{OLD} is missing"):
        commit(hub, Fixed(back), hub.client.head())


def test_a_day_that_did_not_come_is_recorded_nowhere_and_a_later_run_publishes_it(graph: Graph):
    write(graph.local_hub.store, graph.repo_id, day_shards("2026-01-01"))
    graph.insert("a")
    graph.local_hub.faults.add(Fault("POST", COMMIT, rewrite_request(_without(DAY))))
    result = graph.run("2026-01-15", retries=3)
    assert f"{DAY} is missing" in failure(result)
    assert not graph.metadata(result)
    assert graph.run("2026-01-15").success
    assert graph.ids()[DAY] == ["a"]


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize(
    "action",
    [answer(404, "Invalid rev id", {"X-Error-Code": "RevisionNotFound"}), answer(503), answer(429, "slow down")],
    ids=["not known yet", "503", "429"],
)
def test_a_commit_that_cannot_be_looked_at_is_looked_for_in_the_history_and_not_sent_again(
    hub: Dataset, standing: Standing, local_hub: LocalHub, action: Any
):
    standing({"README.md": b"hi\n"})
    local_hub.faults.add(Fault("POST", LOOK, action))
    publication = commit(hub, put("a"), hub.client.head())
    assert publication.after == local_hub.store.head(hub.client.repo_id)
    assert publication.snapshot == listed(hub, local_hub, publication.after)
    assert len(local_hub.faults.seen("POST", COMMIT)) == 1


def test_a_commit_of_many_files_is_looked_at_in_one_request(hub: Dataset, standing: Standing, local_hub: LocalHub):
    days = day_shards(*(f"2025-{month:02}-{day:02}" for month in range(1, 6) for day in range(1, 20)))
    standing(days)
    edit = Changeset({DAY: encode(shard(["a"]))}, tuple(days), message="Compaction", report=None)
    publication = commit(hub, Fixed(edit), hub.client.head())
    assert len(local_hub.faults.seen("POST", LOOK)) == 1
    assert publication.snapshot == listed(hub, local_hub, publication.after)


@pytest.mark.parametrize(
    ("path", "texts", "named"),
    [
        ("data/a.parquet", {".gitignore": "data\n"}, "line 1 of .gitignore (`data`)"),
        ("data/a.parquet", {".gitignore": "*\n!*.parquet\n"}, ""),
        ("data/a.parquet", {".gitignore": "*\n", "data/.gitignore": "!a.parquet\n"}, ""),
        ("data/a.parquet", {"data/.gitignore": "/a.*  \n"}, "line 1 of data/.gitignore (`/a.*`)"),
        ("a/b/c.csv", {"a/.gitignore": "\n\nb/*.csv"}, "line 3 of a/.gitignore (`b/*.csv`)"),
        ("README.md", {".gitignore": "readme.md\n[\n!\n"}, ""),
    ],
)
def test_of_the_nearest_gitignore_the_last_line_that_speaks_of_a_path_decides(
    path: str, texts: dict[str, str], named: str
):
    assert ignoring_line(path, texts) == named


def _ignoring(part: str) -> Callable[[Any], Any]:
    """Say of the files with a part in their path that they are ignored."""
    return lambda told: {"files": [{**each, "shouldIgnore": part in each["path"]} for each in told["files"]]}
