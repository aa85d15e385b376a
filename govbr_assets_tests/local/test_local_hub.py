"""The Hub over HTTP with the real client, unchanged: what it can do, and what it is refused."""

import base64
import hashlib
import io
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import requests
from huggingface_hub import (
    CommitOperationAdd,
    CommitOperationCopy,
    CommitOperationDelete,
    HfApi,
    HfFileSystem,
    hf_hub_download,
    snapshot_download,
)
from huggingface_hub.errors import (
    BadRequestError,
    HfHubHTTPError,
    RemoteEntryNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from govbr_assets.local.hub import LocalHub
from govbr_assets.local.hub.calls import Limits

REPO = "ns/news"
API = f"/api/datasets/{REPO}"
CARD = b"""---
configs:
- config_name: default
  data_files:
  - split: train
    path: data/train-*.parquet
---
# News
"""
SMALL = Limits(page=7, regular_bytes=100_000, commit_bytes=500_000)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalHub]:
    with LocalHub(tmp_path_factory.mktemp("hub"), limits=SMALL) as hub:
        yield hub


@pytest.fixture
def hub(running: LocalHub) -> LocalHub:
    """The one Hub of this file, for stopping one takes longer than most tests; with one repo, new and empty."""
    for repo_id in running.store.repos():
        running.store.delete(repo_id)
    running.store.create(REPO)
    running.faults.clear()
    running.faults.forget()
    return running


@pytest.fixture
def api(hub: LocalHub) -> HfApi:
    return HfApi(endpoint=hub.endpoint, token=hub.write_token)


def parquet(rows: int, offset: int = 0) -> bytes:
    ids = range(offset, offset + rows)
    table = pa.table({"unique_id": [f"id-{n}" for n in ids], "content": [os.urandom(500).hex() for _ in ids]})
    out = io.BytesIO()
    pq.write_table(table, out, row_group_size=500, compression="zstd")
    return out.getvalue()


def commit(api: HfApi, *operations: Any, parent: str | None = None, repo_id: str = REPO) -> str:
    info = api.create_commit(
        repo_id, operations, commit_message="test", repo_type="dataset", parent_commit=parent, num_threads=2
    )
    return info.oid


def paths(api: HfApi, **kwargs: Any) -> set[str]:
    return set(api.list_repo_files(REPO, repo_type="dataset", **kwargs)) - {".gitattributes"}


def post_commit(hub: LocalHub, *lines: dict[str, Any] | bytes, token: str | None = None) -> requests.Response:
    header = {"key": "header", "value": {"summary": "by hand"}}
    body = b"\n".join(line if isinstance(line, bytes) else json.dumps(line).encode() for line in (header, *lines))
    headers = {"Authorization": f"Bearer {token or hub.write_token}"}
    return requests.post(f"{hub.endpoint}{API}/commit/main", data=body, headers=headers, timeout=10)


def file_line(path: str, content: bytes = b"x") -> dict[str, Any]:
    value = {"path": path, "content": base64.b64encode(content).decode(), "encoding": "base64"}
    return {"key": "file", "value": value}


# Repos


def test_a_repo_is_made_once_and_deleted_once(hub: LocalHub, api: HfApi):
    assert not api.repo_exists("ns/other", repo_type="dataset")
    assert api.create_repo("ns/other", repo_type="dataset").repo_id == "ns/other"
    assert api.repo_exists("ns/other", repo_type="dataset")
    with pytest.raises(HfHubHTTPError, match="409"):
        api.create_repo("ns/other", repo_type="dataset")
    api.create_repo("ns/other", repo_type="dataset", exist_ok=True)
    api.delete_repo("ns/other", repo_type="dataset")
    assert not api.repo_exists("ns/other", repo_type="dataset")
    with pytest.raises(RepositoryNotFoundError):
        api.delete_repo("ns/other", repo_type="dataset")


def test_a_repo_without_a_namespace_belongs_to_the_user(api: HfApi):
    assert api.create_repo("mine", repo_type="dataset").repo_id == f"{api.whoami()['name']}/mine"


def test_the_info_of_a_repo_names_its_head_and_files(api: HfApi):
    sha = commit(api, CommitOperationAdd("data/a.parquet", b"PAR1"), CommitOperationAdd("README.md", CARD))
    info = api.dataset_info(REPO, files_metadata=True)
    assert (info.id, info.sha, info.private) == (REPO, sha, False)
    assert info.siblings is not None
    sizes = {sibling.rfilename: sibling.size for sibling in info.siblings}
    assert sizes["README.md"] == len(CARD)
    (large,) = [sibling.lfs for sibling in info.siblings if sibling.lfs]
    assert large.sha256 == hashlib.sha256(b"PAR1").hexdigest()
    assert api.dataset_info(REPO, revision=sha).sha == sha
    (main,) = api.list_repo_refs(REPO, repo_type="dataset").branches
    assert (main.name, main.target_commit) == ("main", sha)


# Commits


def test_a_commit_adds_replaces_and_deletes(api: HfApi):
    first = commit(
        api,
        *(CommitOperationAdd(path, b"PAR1") for path in ("data/a.parquet", "data/b.parquet", "old/c.parquet")),
        CommitOperationAdd("README.md", CARD),
    )
    second = commit(
        api,
        CommitOperationAdd("data/a.parquet", b"PAR2"),
        CommitOperationDelete("data/b.parquet"),
        CommitOperationDelete("old/"),
        parent=first,
    )
    assert paths(api) == {"README.md", "data/a.parquet"}
    assert paths(api, revision=first) == {"README.md", "data/a.parquet", "data/b.parquet", "old/c.parquet"}
    titles = [entry.commit_id for entry in api.list_repo_commits(REPO, repo_type="dataset")]
    assert titles[:2] == [second, first]


def test_a_commit_of_sixty_files_arrives_whole_and_is_listed_by_pages(hub: LocalHub, api: HfApi):
    contents = {f"data/{n:02}.parquet": parquet(3, n) for n in range(60)}
    sha = commit(api, *(CommitOperationAdd(path, content) for path, content in contents.items()))
    hub.faults.forget()
    listed = list(api.list_repo_tree(REPO, "data", repo_type="dataset", revision=sha))
    assert [file.path for file in listed] == sorted(contents)
    assert len(hub.faults.seen("GET", "/tree/")) == 9  # 60 files, 7 on a page
    for path, content in contents.items():
        assert hub.store.tree(REPO)[path].path.read_bytes() == content


def test_a_stale_parent_is_refused_with_412(hub: LocalHub, api: HfApi):
    stale = hub.store.head(REPO)
    head = commit(api, CommitOperationAdd("data/a.parquet", b"PAR1"), parent=stale)
    with pytest.raises(HfHubHTTPError, match="The branch was updated since") as caught:
        commit(api, CommitOperationAdd("data/b.parquet", b"PAR1"), parent=stale)
    assert caught.value.response.status_code == 412
    assert hub.store.head(REPO) == head
    assert paths(api) == {"data/a.parquet"}


def test_an_unchanged_file_is_neither_sent_nor_committed(hub: LocalHub, api: HfApi):
    content = parquet(50)
    first = commit(api, CommitOperationAdd("data/a.parquet", content), CommitOperationAdd("README.md", CARD))
    hub.faults.forget()
    again = commit(api, CommitOperationAdd("data/a.parquet", content), CommitOperationAdd("README.md", CARD))
    assert again == first
    assert hub.faults.seen("POST", "/commit/") == []
    assert sum(request.received for request in hub.faults.requests) < len(content)


def test_an_old_file_comes_back_without_an_upload(hub: LocalHub, api: HfApi):
    content = parquet(50)
    old = commit(api, CommitOperationAdd("data/a.parquet", content), CommitOperationAdd("README.md", CARD))
    commit(api, CommitOperationDelete("data/a.parquet"), CommitOperationAdd("README.md", CARD + b"more"))
    hub.faults.forget()
    commit(
        api,
        CommitOperationCopy("data/a.parquet", "data/a.parquet", src_revision=old),
        CommitOperationCopy("data/a.parquet", "data/copy.parquet", src_revision=old),
        CommitOperationCopy("README.md", "README.md", src_revision=old),
    )
    tree = hub.store.tree(REPO)
    assert tree["data/a.parquet"] == tree["data/copy.parquet"] == hub.store.tree(REPO, old)["data/a.parquet"]
    assert tree["README.md"].path.read_bytes() == CARD
    assert hub.faults.seen("*", "/lfs/|/xet") == []


def test_deleting_what_is_not_there_is_an_entry_that_was_not_found(api: HfApi):
    with pytest.raises(RemoteEntryNotFoundError, match="A file with this name doesn't exist"):
        commit(api, CommitOperationDelete("data/nothing.parquet"))


def test_a_card_with_broken_metadata_is_refused_before_the_upload_and_in_the_commit(hub: LocalHub, api: HfApi):
    broken = b"---\nconfigs: [unclosed\n---\n"
    with pytest.raises(ValueError, match="Invalid metadata in README"):
        commit(api, CommitOperationAdd("README.md", broken))
    answer = post_commit(hub, file_line("README.md", broken))
    assert (answer.status_code, "Invalid metadata" in answer.json()["error"]) == (400, True)
    with pytest.warns(UserWarning, match="empty or missing yaml metadata"):
        commit(api, CommitOperationAdd("README.md", b"# No front matter"))


def test_files_that_gitignore_names_are_left_out(api: HfApi):
    commit(
        api,
        CommitOperationAdd(".gitignore", b"# no logs\n*.log\ntmp/\n!keep.log\n"),
        *(CommitOperationAdd(path, b"x") for path in ("a.log", "tmp/b.txt", "keep.log", "c.txt")),
    )
    assert paths(api) == {".gitignore", "keep.log", "c.txt"}


@pytest.mark.parametrize(
    ("path", "content", "large"),
    [
        ("data/a.parquet", b"PAR1", True),
        ("a.txt", b"text", False),
        ("a.txt", b"bin\0ary", True),
        ("a.txt", b"x" * 100_001, True),
    ],
)
def test_large_is_what_gitattributes_say_what_is_binary_and_what_is_big(
    hub: LocalHub, api: HfApi, path: str, content: bytes, *, large: bool
):
    commit(api, CommitOperationAdd(path, content))
    blob = hub.store.tree(REPO)[path]
    assert (blob.sha256 is not None) == large
    assert blob.path.read_bytes() == content


# Uploads


def test_by_xet_only_new_chunks_travel(hub: LocalHub, api: HfApi, tmp_path: Path):
    first, more = os.urandom(600_000), os.urandom(1000)
    (tmp_path / "a.parquet").write_bytes(first)
    commit(api, CommitOperationAdd("data/a.parquet", str(tmp_path / "a.parquet")))
    assert hub.faults.seen("POST", "/v1/xorbs/")
    hub.faults.forget()
    commit(api, CommitOperationAdd("data/b.parquet", first + more))
    assert hub.store.tree(REPO)["data/b.parquet"].path.read_bytes() == first + more
    assert sum(request.received for request in hub.faults.requests) < len(first) / 2


FLOATS = pa.array([float(n) for n in range(100_000)], pa.float32()).buffers()[1].to_pybytes()


@pytest.mark.parametrize(
    ("content", "kind"),
    [(os.urandom(150_000), 0), (b"news " * 50_000, 1), (FLOATS, 2)],
    ids=["noise", "text", "floats"],
)
def test_by_xet_every_compression_is_understood(hub: LocalHub, api: HfApi, content: bytes, kind: int, tmp_path: Path):
    (tmp_path / "a.parquet").write_bytes(content)
    file = f"path_or_fileobj='a.parquet', path_in_repo='data/a.parquet', repo_id='{REPO}', repo_type='dataset'"
    upload = f"import huggingface_hub; huggingface_hub.upload_file({file})"
    environment = {  # of others, who let the client compress: this project does not
        "PATH": os.environ["PATH"],
        "HF_HOME": str(tmp_path / "hf"),
        "HF_ENDPOINT": hub.endpoint,
        "HF_TOKEN": hub.write_token,
    }
    subprocess.run([sys.executable, "-c", upload], cwd=tmp_path, env=environment, check=True, capture_output=True)
    assert hub.store.tree(REPO)["data/a.parquet"].path.read_bytes() == content
    (request,) = hub.faults.seen("POST", "/v1/xorbs/")
    xorb = (hub.folder / "xorbs" / request.path.rsplit("/", 1)[1]).read_bytes()
    assert xorb[4] == kind  # of the first chunk: 0 is as it was, 1 is LZ4, 2 is LZ4 over bytes grouped by four


def test_by_xet_this_project_does_not_compress_what_is_compressed(hub: LocalHub, api: HfApi):
    commit(api, CommitOperationAdd("data/a.parquet", b"texts " * 50_000))
    (request,) = hub.faults.seen("POST", "/v1/xorbs/")
    assert (hub.folder / "xorbs" / request.path.rsplit("/", 1)[1]).read_bytes()[4] == 0


def test_by_plain_lfs_the_whole_file_travels_once(hub: LocalHub, api: HfApi):
    content = parquet(20)
    commit(api, CommitOperationAdd("data/a.parquet", io.BytesIO(content)))  # the client sends streams by LFS
    (sent,) = hub.faults.seen("PUT", "^/lfs/")
    assert sent.received == len(content)
    commit(api, CommitOperationAdd("data/copy.parquet", io.BytesIO(content)))
    assert len(hub.faults.seen("PUT", "^/lfs/")) == 1
    assert hub.store.tree(REPO)["data/copy.parquet"].path.read_bytes() == content


def lfs_address(hub: LocalHub, sha256: str, size: int) -> str:
    answer = requests.post(
        f"{hub.endpoint}/datasets/{REPO}.git/info/lfs/objects/batch",
        json={"operation": "upload", "objects": [{"oid": sha256, "size": size}]},
        headers={"Authorization": f"Bearer {hub.write_token}"},
        timeout=10,
    )
    return answer.json()["objects"][0]["actions"]["upload"]["href"]


def test_objects_that_are_not_as_announced_are_refused(hub: LocalHub):
    sha256 = hashlib.sha256(b"right").hexdigest()
    address = lfs_address(hub, sha256, 5)
    wrong = [requests.put(address, data=data, timeout=10) for data in (b"wrong", b"righ", b"right and more")]
    assert [answer.status_code for answer in wrong] == [400, 400, 413]
    assert hub.store.blobs.large(sha256) is None
    unsigned = requests.put(address.replace("size=5", "size=6"), data=b"righty", timeout=10)
    assert unsigned.status_code == 403
    assert requests.put(address, data=b"right", timeout=10).status_code == 200
    assert hub.store.blobs.large(sha256) is not None


def test_a_commit_of_an_object_that_never_came_is_refused(hub: LocalHub):
    right = hashlib.sha256(b"is there").hexdigest()
    requests.put(lfs_address(hub, right, 8), data=b"is there", timeout=10)
    before = hub.store.head(REPO)
    for oid, size in (("0" * 64, 5), (right, 6), ("../../xorbs/name", 16)):
        value = {"path": "data/a.parquet", "algo": "sha256", "oid": oid, "size": size}
        assert post_commit(hub, {"key": "lfsFile", "value": value}).status_code == 400
    assert hub.store.head(REPO) == before


def test_xet_takes_nothing_without_its_token_and_no_rubbish(hub: LocalHub):
    storage = f"{hub.endpoint}/xet/{hub.store.xorbs.name}/v1"
    stranger = requests.post(f"{storage}/shards", data=b"x", timeout=10)
    assert stranger.status_code == 401
    token = requests.get(
        f"{hub.endpoint}{API}/xet-write-token/main",
        headers={"Authorization": f"Bearer {hub.write_token}"},
        timeout=10,
    ).json()["accessToken"]
    forged = {"Authorization": f"Bearer 9{token}"}
    assert requests.post(f"{storage}/shards", data=b"x", headers=forged, timeout=10).status_code == 403
    headers = {"Authorization": f"Bearer {token}"}
    shard = b"HFRepoMetaData\0".ljust(48, b"\0") + b"\1" * 40
    for path, body in (("shards", b"x"), ("shards", shard), ("xorbs/default/..", b"x"), ("xorbs/default/name", b"x")):
        answer = requests.post(f"{storage}/{path}", data=body, headers=headers, timeout=10)
        assert 400 <= answer.status_code < 500


# Commits by hand, which the client would not make


@pytest.mark.parametrize("path", ["../up", "/etc/passwd", "", "a\\b", ".git/config", "a/../b"])
def test_paths_that_climb_are_refused(hub: LocalHub, path: str):
    before = hub.store.head(REPO)
    answer = post_commit(hub, file_line("fine.txt"), file_line(path))
    assert (answer.status_code, "not a path" in answer.json()["error"]) == (400, True)
    assert hub.store.head(REPO) == before


def test_bodies_that_are_too_large_are_refused(hub: LocalHub):
    before = hub.store.head(REPO)
    regular = post_commit(hub, file_line("big.txt", b"x" * 100_001))
    body = post_commit(hub, *(file_line(f"{n}.txt", b"x" * 90_000) for n in range(5)))
    assert [answer.status_code for answer in (regular, body)] == [413, 413]
    assert "too large" in body.json()["error"]
    assert hub.store.head(REPO) == before


@pytest.mark.parametrize(
    "line",
    [
        b"not json",
        b"[1]",
        {"key": "file"},
        {"key": "file", "value": {"path": 3}},
        {"key": "file", "value": {"path": "a", "content": "%%%", "encoding": "base64"}},
        {"key": "rename", "value": {"path": "a"}},
    ],
)
def test_commits_that_make_no_sense_are_refused(hub: LocalHub, line: Any):
    before = hub.store.head(REPO)
    assert post_commit(hub, line).status_code == 400
    assert hub.store.head(REPO) == before


# Reading


def test_what_is_not_there_has_the_hubs_errors(api: HfApi, tmp_path: Path):
    with pytest.raises(RepositoryNotFoundError):
        api.dataset_info("ns/other")
    with pytest.raises(RevisionNotFoundError):
        api.dataset_info(REPO, revision="0" * 40)
    with pytest.raises(RevisionNotFoundError):
        list(api.list_repo_tree(REPO, revision="other", repo_type="dataset"))
    with pytest.raises(RemoteEntryNotFoundError):
        list(api.list_repo_tree(REPO, "data", repo_type="dataset"))
    with pytest.raises(RemoteEntryNotFoundError):
        api.hf_hub_download(REPO, "data/a.parquet", repo_type="dataset", cache_dir=tmp_path)
    with pytest.raises(RevisionNotFoundError):
        api.hf_hub_download(REPO, "README.md", repo_type="dataset", revision="other", cache_dir=tmp_path)
    assert api.get_paths_info(REPO, ["nothing"], repo_type="dataset") == []


def test_the_tree_has_folders_and_last_commits(api: HfApi):
    first = commit(api, CommitOperationAdd("data/x/a.parquet", b"PAR1"), CommitOperationAdd("b.txt", b"x"))
    second = commit(api, CommitOperationAdd("data/x/b.parquet", b"PAR1"))
    top = {entry.path: entry for entry in api.list_repo_tree(REPO, expand=True, repo_type="dataset")}
    assert set(top) == {"data", "b.txt", ".gitattributes"}
    last = {path: entry.last_commit.oid for path, entry in top.items() if entry.last_commit}
    assert (last["data"], last["b.txt"]) == (second, first)
    everything = {entry.path for entry in api.list_repo_tree(REPO, recursive=True, repo_type="dataset")}
    assert everything == {*top, "data/x", "data/x/a.parquet", "data/x/b.parquet"}
    infos = api.get_paths_info(REPO, ["data/x", "b.txt"], repo_type="dataset", expand=True)
    assert [info.path for info in infos] == ["data/x", "b.txt"]


def test_commits_are_listed_by_pages(hub: LocalHub, api: HfApi):
    shas = [hub.store.commit(REPO, None, [], "test").sha for _ in range(15)]
    hub.faults.forget()
    listed = api.list_repo_commits(REPO, repo_type="dataset")
    assert [entry.commit_id for entry in listed][:-1] == shas[::-1]
    assert listed[0].title == "test"
    assert len(hub.faults.seen("GET", "/commits/")) == 3
    assert len(api.list_repo_commits(REPO, repo_type="dataset", revision=shas[0])) == 2


def test_a_file_downloads_whole_and_a_snapshot_has_them_all(hub: LocalHub, api: HfApi, tmp_path: Path):
    contents = {"data/a.parquet": parquet(100), "data/b.parquet": parquet(10), "README.md": CARD}
    sha = commit(api, *(CommitOperationAdd(path, content) for path, content in contents.items()))
    common = {"repo_type": "dataset", "endpoint": hub.endpoint, "token": False}
    path = hf_hub_download(REPO, "data/a.parquet", cache_dir=tmp_path / "one", **common)
    assert Path(path).read_bytes() == contents["data/a.parquet"]
    folder = Path(snapshot_download(REPO, cache_dir=tmp_path / "all", **common))
    assert folder.name == sha
    for name, content in contents.items():
        assert (folder / name).read_bytes() == content


def test_ranges_of_a_file_travel_alone_and_from_another_origin(hub: LocalHub, api: HfApi):
    content = parquet(100)
    sha = commit(api, CommitOperationAdd("data/a.parquet", content))
    address = f"{hub.endpoint}/datasets/{REPO}/resolve/{sha}/data/a.parquet"
    head = requests.head(address, timeout=10)
    sha256 = hashlib.sha256(content).hexdigest()
    assert head.status_code == 302
    assert head.headers["X-Linked-Etag"] == f'"{sha256}"'
    assert int(head.headers["X-Linked-Size"]) == len(content)
    assert head.headers["X-Repo-Commit"] == sha
    assert head.headers["Accept-Ranges"] == "bytes"
    assert head.headers["Location"].startswith("http://localhost:")
    part = requests.get(address, headers={"Range": "bytes=100-199"}, timeout=10)
    assert (part.status_code, part.content) == (206, content[100:200])
    assert part.headers["Content-Range"] == f"bytes 100-199/{len(content)}"
    end = requests.get(address, headers={"Range": "bytes=-8"}, timeout=10)
    assert (end.status_code, end.content) == (206, content[-8:])
    beyond = requests.get(address, headers={"Range": f"bytes={len(content)}-"}, timeout=10)
    assert beyond.status_code == 416
    unsigned = requests.get(head.headers["Location"].split("?")[0], timeout=10)
    assert unsigned.status_code == 403
    small = requests.get(f"{hub.endpoint}/datasets/{REPO}/resolve/main/.gitattributes", timeout=10)
    assert small.status_code == 200
    assert small.headers["ETag"] == f'"{hub.store.tree(REPO)[".gitattributes"].oid}"'


def test_one_column_of_a_parquet_file_travels_without_the_others(hub: LocalHub, api: HfApi):
    content = parquet(5000)
    sha = commit(api, CommitOperationAdd("data/train-1.parquet", content))
    hub.faults.forget()
    fs = HfFileSystem(endpoint=hub.endpoint, token=hub.read_token, skip_instance_cache=True)
    with fs.open(f"datasets/{REPO}@{sha}/data/train-1.parquet", cache_type="none") as file:
        ids = pq.ParquetFile(file).read(columns=["unique_id"])
    assert ids["unique_id"].to_pylist() == [f"id-{n}" for n in range(5000)]
    assert 0 < sum(request.sent for request in hub.faults.requests) < len(content) / 20
    assert fs.ls(f"datasets/{REPO}@{sha}/data", detail=False) == [f"datasets/{REPO}@{sha}/data/train-1.parquet"]


LOADER = """
import json, os
from datasets import load_dataset

whole = load_dataset("ns/news", split="train")
stream = load_dataset("ns/news", split="train", streaming=True)
print(json.dumps([whole["unique_id"][:], [row["unique_id"] for row in stream]]), flush=True)
os._exit(0)
"""
"""At its end a thread of Arrow may still read from the stream, for which Python may abort the process (seen once)."""


@pytest.mark.parametrize("without_xet", ["0", "1"])
def test_a_process_of_its_own_publishes_and_loads_the_dataset(hub: LocalHub, tmp_path: Path, without_xet: str):
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "HF_HOME": str(tmp_path / "home of hf"),
        "HF_ENDPOINT": hub.endpoint,
        "HF_TOKEN": hub.write_token,
        "HF_HUB_DISABLE_XET": without_xet,
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    }
    files = {
        "README.md": CARD,
        "data/train-2026-01-01.parquet": parquet(30),
        "data/train-2026-01-02.parquet": parquet(9, 30),
    }
    for path, content in files.items():
        (tmp_path / "up" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "up" / path).write_bytes(content)
    uploader = "import huggingface_hub as h; h.upload_folder(repo_id='ns/news', repo_type='dataset', folder_path='up')"
    for program in (uploader, LOADER):
        done = subprocess.run(
            [sys.executable, "-c", program], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
    assert bool(hub.faults.seen("PUT", "^/lfs/")) == (without_xet == "1")
    expected = [f"id-{n}" for n in range(39)]
    assert json.loads(done.stdout) == [expected, expected]


# Who may


def test_a_private_repo_is_a_missing_one_to_strangers(hub: LocalHub, api: HfApi):
    api.create_repo("ns/secret", repo_type="dataset", private=True)
    api.upload_file(path_in_repo="a.txt", path_or_fileobj=b"x", repo_id="ns/secret", repo_type="dataset")
    stranger = HfApi(endpoint=hub.endpoint, token=False)
    reader = HfApi(endpoint=hub.endpoint, token=hub.read_token)
    assert reader.dataset_info("ns/secret").private
    assert reader.list_repo_files("ns/secret", repo_type="dataset") == [".gitattributes", "a.txt"]
    for repo_id in ("ns/secret", "ns/nothing"):
        with pytest.raises(RepositoryNotFoundError) as caught:
            stranger.dataset_info(repo_id)
        assert caught.value.response.status_code == 401
        answer = requests.get(f"{hub.endpoint}/datasets/{repo_id}/resolve/main/a.txt", timeout=10)
        assert (answer.status_code, answer.headers["X-Error-Code"]) == (401, "RepoNotFound")
    with pytest.raises(RepositoryNotFoundError) as caught:
        reader.dataset_info("ns/nothing")
    assert caught.value.response.status_code == 404


def test_a_read_token_does_not_write_and_a_stranger_neither(hub: LocalHub):
    before = hub.store.head(REPO)
    reader = HfApi(endpoint=hub.endpoint, token=hub.read_token)
    for write in (
        lambda api: api.create_repo("ns/other", repo_type="dataset"),
        lambda api: api.delete_repo(REPO, repo_type="dataset"),
        lambda api: commit(api, CommitOperationAdd("a.txt", b"x")),
        lambda api: api.auth_check(REPO, repo_type="dataset", write=True),
    ):
        with pytest.raises(HfHubHTTPError) as refused:
            write(reader)
        assert refused.value.response.status_code == 403
        with pytest.raises(HfHubHTTPError) as unknown:
            write(HfApi(endpoint=hub.endpoint, token=False))
        assert unknown.value.response.status_code == 401
    reader.auth_check(REPO, repo_type="dataset")
    HfApi(endpoint=hub.endpoint, token=hub.write_token).auth_check(REPO, repo_type="dataset", write=True)
    with pytest.raises(RepositoryNotFoundError):
        reader.auth_check("ns/nothing", repo_type="dataset", write=True)
    assert post_commit(hub, file_line("a.txt"), token=hub.read_token).status_code == 403
    assert hub.store.head(REPO) == before
    assert hub.store.repos() == [REPO]


def test_a_wrong_token_is_refused_even_where_none_is_needed(hub: LocalHub):
    with pytest.raises(HfHubHTTPError, match="Invalid credentials in Authorization header") as caught:
        HfApi(endpoint=hub.endpoint, token="hf_wrong").dataset_info(REPO)
    assert caught.value.response.status_code == 401
    assert not isinstance(caught.value, RepositoryNotFoundError)


def test_models_are_none_of_its_business(api: HfApi):
    with pytest.raises(BadRequestError, match="datasets only"):
        api.create_repo("ns/model")


# Starting and stopping


def test_it_stops_quickly_and_goes_on_where_it_stopped(tmp_path: Path):
    hub = LocalHub(tmp_path / "hub")
    hub.start()
    endpoint = hub.endpoint
    api = HfApi(endpoint=endpoint, token=hub.write_token)
    api.create_repo(REPO, repo_type="dataset")
    content = parquet(20)
    sha = commit(api, CommitOperationAdd("data/a.parquet", content))
    started = time.monotonic()
    hub.stop()
    assert time.monotonic() - started < 0.5
    hub.stop()
    with pytest.raises(requests.ConnectionError):
        requests.get(endpoint, timeout=5)

    with LocalHub(tmp_path / "hub", port=int(endpoint.rsplit(":", 1)[1])) as again:
        assert again.endpoint == endpoint
        assert api.dataset_info(REPO).sha == sha
        # The client remembers chunks it has sent to this address, and need not send them again.
        after = commit(api, CommitOperationAdd("data/b.parquet", content + b"more"), parent=sha)
        assert again.store.tree(REPO, after)["data/b.parquet"].path.read_bytes() == content + b"more"


def test_an_emptied_folder_at_the_same_address_is_another_storage(tmp_path: Path):
    content = os.urandom(200_000)
    port = 0
    for folder in ("one", "two"):
        with LocalHub(tmp_path / folder, port=port) as hub:
            port = int(hub.endpoint.rsplit(":", 1)[1])
            api = HfApi(endpoint=hub.endpoint, token=hub.write_token)
            api.create_repo(REPO, repo_type="dataset")
            commit(api, CommitOperationAdd("data/a.parquet", content))
            assert hub.store.tree(REPO)["data/a.parquet"].path.read_bytes() == content


def test_a_repo_takes_128_commits_an_hour_and_names_the_minutes_until_the_next(api: HfApi, hub: LocalHub):
    for number in range(127):  # the repo's own first one counts
        hub.store.commit(REPO, None, [], f"{number}")
    with pytest.raises(HfHubHTTPError, match=r"128 per hour.*in about (59|60) minutes") as refused:
        commit(api, CommitOperationAdd("one-more.txt", b"x"))
    assert refused.value.response.status_code == 429
    other = f"{REPO}-other"
    hub.store.create(other)
    assert commit(api, CommitOperationAdd("x.txt", b"x"), repo_id=other)
