"""The Hub's store without HTTP: histories, trees, restarts, kills, and what a commit refuses."""

import hashlib
import re
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from govbr_assets.local.hub.blobs import git_oid
from govbr_assets.local.hub.changes import Delete, Put
from govbr_assets.local.hub.errors import (
    EntryNotFoundError,
    RefusedError,
    RepoExistsError,
    RepoNotFoundError,
    RevisionNotFoundError,
    StaleParentError,
)
from govbr_assets.local.hub.store import HubStore

REPO = "ns/news"
ENDLESS_WRITER = """
import sys
from pathlib import Path
from govbr_assets.local.hub.changes import Put
from govbr_assets.local.hub.store import HubStore

store = HubStore(Path(sys.argv[1]))
store.create("ns/news")
number = 0
while True:
    content = b"content %d " % number * 1000
    commit = store.commit("ns/news", None, [Put(f"data/{number}", store.blobs.add(content))], f"commit {number}")
    print(commit.sha, flush=True)
    number += 1
"""


@pytest.fixture
def store(tmp_path: Path) -> HubStore:
    store = HubStore(tmp_path / "hub with a space")
    store.create(REPO)
    return store


def put(store: HubStore, path: str, content: bytes) -> Put:
    return Put(path, store.blobs.add(content))


def contents(store: HubStore, revision: str = "main") -> dict[str, bytes]:
    files = {path: blob.path.read_bytes() for path, blob in store.tree(REPO, revision).items()}
    del files[".gitattributes"]
    return files


def test_a_new_repo_holds_gitattributes_that_make_parquet_large(store: HubStore):
    (only,) = store.tree(REPO).items()
    assert only[0] == ".gitattributes"
    assert b"*.parquet filter=lfs" in only[1].path.read_bytes()
    assert [commit.title for commit in store.commits(REPO)] == ["initial commit"]


def test_every_revision_keeps_its_own_files(store: HubStore):
    first = store.commit(REPO, None, [put(store, "a", b"1"), put(store, "d/b", b"2"), put(store, "d/c", b"3")], "first")
    second = store.commit(REPO, first.sha, [Delete("d", folder=True), put(store, "a", b"4")], "second", "why")
    assert contents(store, first.sha) == {"a": b"1", "d/b": b"2", "d/c": b"3"}
    assert contents(store, second.sha) == contents(store) == {"a": b"4"}
    newest = store.commits(REPO)[0]
    assert (newest.sha, newest.parent, newest.title, newest.description) == (second.sha, first.sha, "second", "why")
    assert newest.created_at >= first.created_at
    assert newest.created_at.utcoffset() is not None
    assert store.commits(REPO, first.sha)[0] == first


def test_operations_are_applied_in_their_order(store: HubStore):
    store.commit(REPO, None, [put(store, "a", b"1")], "a")
    store.commit(REPO, None, [Delete("a"), put(store, "a", b"2"), put(store, "b", b"3"), Delete("b")], "both")
    assert contents(store) == {"a": b"2"}


def test_a_sha_is_40_hex_digits_and_no_two_are_alike(store: HubStore):
    shas = [store.commit(REPO, None, [put(store, "a", b"same")], "same").sha for _ in range(20)]
    assert all(re.fullmatch("[0-9a-f]{40}", sha) for sha in shas)
    assert len(set(shas)) == 20


def test_a_blob_has_the_digest_that_git_gives_it(store: HubStore):
    assert store.blobs.add(b"hello\n").oid == "ce013625030ba8dba906f756967f9e9ca394464a"


def test_everything_is_there_after_a_restart(store: HubStore, tmp_path: Path):
    store.create("ns/secret", "private")
    content = b"PAR1" * 100
    sha256 = hashlib.sha256(content).hexdigest()
    with store.blobs.receive(sha256, len(content)) as incoming:
        incoming.write(content)
    large = store.blobs.large(sha256)
    assert large is not None
    store.commit(REPO, None, [Put("data/x.parquet", large), put(store, "README.md", b"hi")], "files")
    store.commit(REPO, None, [Delete("README.md")], "less")

    again = HubStore(tmp_path / "hub with a space")
    assert again.repos() == [REPO, "ns/secret"]
    assert again.visibility("ns/secret") == "private"
    assert again.commits(REPO) == store.commits(REPO)
    for commit in store.commits(REPO):
        assert dict(again.tree(REPO, commit.sha)) == dict(store.tree(REPO, commit.sha))
    assert again.xorbs.name == store.xorbs.name


def test_a_kill_leaves_whole_commits_and_every_one_that_was_reported(tmp_path: Path):
    writer = subprocess.Popen([sys.executable, "-c", ENDLESS_WRITER, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert writer.stdout is not None
    reported = [writer.stdout.readline().strip() for _ in range(50)]
    writer.send_signal(signal.SIGKILL)
    reported += writer.stdout.read().split()
    writer.stdout.close()
    writer.wait()

    store = HubStore(tmp_path)
    commits = store.commits(REPO)[::-1]
    shas = [commit.sha for commit in commits][1:]
    # The last line may have been cut off, and the last commit may not have been reported.
    assert shas[: len(reported)] == reported or shas[: len(reported) - 1] == reported[:-1]
    assert len(shas) - len(reported) <= 1
    assert [commit.parent for commit in commits] == [None, *[commit.sha for commit in commits[:-1]]]
    for blob in store.tree(REPO).values():
        assert git_oid(blob.path.read_bytes()) == blob.oid
    store.commit(REPO, shas[-1], [put(store, "after", b"")], "goes on")


def test_of_many_writers_with_one_parent_exactly_one_wins(store: HubStore):
    parent = store.head(REPO)

    def write(number: int) -> str | None:
        try:
            return store.commit(REPO, parent, [put(store, f"f{number}", b"x")], "try").sha
        except StaleParentError:
            return None

    with ThreadPoolExecutor(8) as pool:
        winners = [sha for sha in pool.map(write, range(16)) if sha]
    assert winners == [store.head(REPO)]
    assert len(contents(store)) == 1


def test_writers_without_a_parent_all_win_one_after_another(store: HubStore):
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: store.commit(REPO, None, [put(store, f"f{n}", b"x")], "try"), range(16)))
    assert len(contents(store)) == 16
    assert len(store.commits(REPO)) == 17


@pytest.mark.parametrize(
    "path",
    [
        *("", "/", "/etc/passwd", "../up", "a/../../up", "a/..", "./a", "a//b", "a/"),
        *("a\\b", "..\\up", ".git/config", "a/.GIT/hooks", "a\0b", "a\nb", "x" * 1001),
    ],
)
def test_paths_that_lead_out_of_the_repo_are_refused(store: HubStore, path: str):
    before = store.head(REPO)
    with pytest.raises(RefusedError, match="not a path inside a repo"):
        store.commit(REPO, None, [put(store, "fine", b"x"), put(store, path, b"x")], "climb")
    assert store.head(REPO) == before
    assert contents(store) == {}


def test_a_path_is_not_a_file_and_a_folder_at_once(store: HubStore):
    store.commit(REPO, None, [put(store, "a", b"x")], "file")
    with pytest.raises(RefusedError, match="file and a folder"):
        store.commit(REPO, None, [put(store, "a/b", b"x")], "folder")
    store.commit(REPO, None, [Delete("a"), put(store, "a/b", b"x")], "one after the other")
    assert contents(store) == {"a/b": b"x"}


@pytest.mark.parametrize("gone", [Delete("nothing"), Delete("d"), Delete("d/x/y"), Delete("a", folder=True)])
def test_what_is_not_there_cannot_be_deleted(store: HubStore, gone: Delete):
    store.commit(REPO, None, [put(store, "a", b"x"), put(store, "d/b", b"x")], "files")
    with pytest.raises(EntryNotFoundError, match="with this name doesn't exist"):
        store.commit(REPO, None, [gone], "delete")


@pytest.mark.parametrize("revision", ["other", "0" * 40, "refs/convert/parquet", ""])
def test_unknown_revisions_are_named(store: HubStore, revision: str):
    with pytest.raises(RevisionNotFoundError):
        store.tree(REPO, revision)


@pytest.mark.parametrize("repo_id", ["ns/other", "news", "../news", "ns/..", "a/b/c", ""])
def test_unknown_repos_are_named(store: HubStore, repo_id: str):
    with pytest.raises(RepoNotFoundError):
        store.head(repo_id)


@pytest.mark.parametrize("repo_id", ["news", "../news", "ns/..", "ns/.hidden", "a/b/c", "ns/a b", "ns/" + "x" * 97])
def test_names_that_the_hub_does_not_allow_are_refused(store: HubStore, repo_id: str):
    with pytest.raises(RefusedError):
        store.create(repo_id)


def test_a_repo_is_made_once_and_is_new_after_its_deletion(store: HubStore):
    store.commit(REPO, None, [put(store, "a", b"x")], "file")
    with pytest.raises(RepoExistsError):
        store.create(REPO)
    store.delete(REPO)
    assert store.repos() == []
    with pytest.raises(RepoNotFoundError):
        store.tree(REPO)
    store.create(REPO)
    assert contents(store) == {}


def test_content_that_is_not_as_announced_is_not_kept(store: HubStore):
    sha256 = hashlib.sha256(b"right").hexdigest()
    for content, size in ((b"wrong", 5), (b"right", 6), (b"righ", None)):
        with pytest.raises(RefusedError), store.blobs.receive(sha256, size) as incoming:
            incoming.write(content)
        assert store.blobs.large(sha256) is None


def test_old_trees_are_right_however_many_there_are(store: HubStore):
    commits = [store.commit(REPO, None, [put(store, f"f{n:02}", b"x")], "grow") for n in range(40)]
    for number in (39, 0, 20, 5, 39):
        assert list(contents(store, commits[number].sha)) == [f"f{n:02}" for n in range(number + 1)]
