"""The repo at a revision and the one way to publish, with the real client over real HTTP."""

import hashlib
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import requests
from huggingface_hub import CommitOperationAdd, HfApi

from govbr_assets.dataset import Dataset
from govbr_assets.dataset.changeset import Changeset
from govbr_assets.dataset.transaction import commit
from govbr_assets.errors import ConfigurationError, ContractError, HubConflictError, HubDeniedError, HubUnavailableError
from govbr_assets.huggingface.snapshot import DataFile, Snapshot
from govbr_assets.io.storage.folder import Folder
from govbr_assets.local.hub import LocalHub
from govbr_assets.local.hub.actions import Action, answer, call, cut
from govbr_assets.local.hub.faults import Fault
from govbr_assets.local.hub.store import Visibility
from govbr_assets.publications import NEWS
from govbr_assets_tests import stranger
from govbr_assets_tests.tables import DAY, encode, shard, usual_card

COMMIT = r"/commit/main$"


@dataclass
class Fixed:
    """A plan that makes the same edit at every revision, and remembers where."""

    edit: Changeset

    def __post_init__(self) -> None:
        self.made_at: list[str | None] = []

    def plan(self, snapshot: Snapshot) -> Changeset[None]:
        self.made_at.append(snapshot.revision)
        return self.edit


def put(*ids: str, path: str = "data/train-2026-01-15.parquet") -> Fixed:
    return Fixed(Changeset({path: encode(shard(ids or ["x"]))}, message="Publish", report=None))


def head_of_another_client(hub: Dataset) -> Snapshot:
    """Read the head as a client does that knows nothing of the repo yet."""
    return Dataset.open(
        hub.client.repo_id, NEWS, token=hub.client.token, endpoint=hub.client.api.endpoint
    ).client.head()


@pytest.fixture
def write(local_hub: LocalHub, repo_id: str) -> Callable[..., str]:
    """Be somebody else who writes to the repo."""
    api = HfApi(endpoint=local_hub.endpoint, token=local_hub.write_token)

    def commit(**files: bytes) -> str:
        api.create_repo(repo_id, repo_type="dataset", exist_ok=True)
        operations = [CommitOperationAdd(path.replace("__", "/"), content) for path, content in files.items()]
        return api.create_commit(repo_id, operations, commit_message="other", repo_type="dataset").oid

    return commit


def test_a_repo_that_is_not_there_is_an_empty_snapshot_without_revision(hub: Dataset):
    assert hub.client.head() == Snapshot(None, {})


def test_the_first_publication_creates_the_repo_private_with_card_and_shard_in_one_commit(
    hub: Dataset, local_hub: LocalHub, repo_id: str
):
    plan = put()
    publication = commit(hub, plan, hub.client.head())
    head = hub.client.head()
    assert publication.after == head.revision
    assert set(head.files) == {".gitattributes", "README.md", "data/train-2026-01-15.parquet"}
    assert b"data/train-*.parquet" in (hub.client.content(head, "README.md") or b"")
    assert [commit.title for commit in local_hub.store.commits(repo_id)][:-1] == ["Publish"]
    assert HfApi(endpoint=local_hub.endpoint, token=local_hub.read_token).dataset_info(repo_id).private


def test_a_public_repo_is_created_when_asked_for(local_hub: LocalHub, repo_id: str):
    hub = Dataset.open(repo_id, NEWS, private=False, token=local_hub.write_token, endpoint=local_hub.endpoint)
    commit(hub, put(), hub.client.head())
    assert not HfApi(endpoint=local_hub.endpoint, token=False).dataset_info(repo_id).private


def test_an_edit_that_changes_nothing_makes_no_commit(hub: Dataset, write: Callable[..., str]):
    write(**{"README.md": b"---\nlicense: mit\n---\nhi\n"})
    head = hub.client.head()
    publication = commit(hub, Fixed(Changeset(report=None)), head)
    assert not publication.committed
    assert hub.client.head() == head


def test_the_card_and_the_stale_sizes_go_with_the_shard(hub: Dataset, write: Callable[..., str], local_hub: LocalHub):
    write(
        **{
            "README.md": b"---\ndataset_info:\n  splits:\n  - name: train\nlicense: mit\n---\n# Mine\n",
            "dataset_infos.json": b"{}",
        }
    )
    before = len(local_hub.store.commits(hub.client.repo_id))
    commit(hub, put(), hub.client.head())
    head = hub.client.head()
    assert "dataset_infos.json" not in head.files
    card = (hub.client.content(head, "README.md") or b"").decode()
    assert "splits" not in card.replace("split: train", "")
    assert card.endswith("---\n# Mine\n")
    assert len(local_hub.store.commits(hub.client.repo_id)) == before + 1


def test_a_head_that_moved_makes_the_plan_anew_at_the_new_head(hub: Dataset, write: Callable[..., str]):
    write(**{"README.md": b"---\nlicense: mit\n---\nhi\n"})
    first = hub.client.head()
    moved = write(**{"other.txt": b"other"})
    plan = put()
    publication = commit(hub, plan, first)
    assert plan.made_at == [first.revision, moved]
    assert publication.before == moved
    assert {"other.txt", "data/train-2026-01-15.parquet"} <= set(hub.client.head().files)


def test_nothing_to_do_at_an_old_revision_is_looked_at_again_at_the_head(hub: Dataset, write: Callable[..., str]):
    write(**{"README.md": b"---\nlicense: mit\n---\nhi\n"})
    first = hub.client.head()
    moved = write(**{"other.txt": b"other"})
    plan = Fixed(Changeset(report=None))
    assert commit(hub, plan, first).after == moved
    assert plan.made_at == [first.revision, moved]


@pytest.mark.usefixtures("at_once")
def test_a_head_that_never_stands_still_is_a_conflict(hub: Dataset, write: Callable[..., str], local_hub: LocalHub):
    write(**{"README.md": b"---\nlicense: mit\n---\nhi\n"})
    local_hub.faults.add(Fault("POST", COMMIT, answer(412, "The branch was updated since you started"), times=99))
    with pytest.raises(HubConflictError, match="moved 5 times"):
        commit(hub, put(), hub.client.head())


@pytest.mark.usefixtures("at_once")
def test_a_commit_gives_way_to_as_many_of_others_as_come_while_there_is_patience(
    hub: Dataset, write: Callable[..., str], local_hub: LocalHub
):
    write(**{"README.md": b"---\nlicense: mit\n---\nhi\n"})
    numbers, repo_id = iter(range(12)), hub.client.repo_id
    other = call(lambda: stranger.write(local_hub.store, repo_id, {"notes.txt": str(next(numbers)).encode()}))
    local_hub.faults.add(Fault("POST", COMMIT, other, times=12))
    plan = put()
    assert commit(hub, plan, hub.client.head()).committed
    assert len(plan.made_at) == 13


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("action", [answer(500, "oops"), cut()], ids=["500", "cut"])
def test_a_lost_answer_is_looked_for_before_another_try(
    hub: Dataset, write: Callable[..., str], local_hub: LocalHub, action: object, when: str
):
    write(**{"README.md": b"---\nlicense: mit\n---\nhi\n"})
    local_hub.faults.add(Fault("POST", COMMIT, action, when=when))  # pyright: ignore[reportArgumentType]
    publication = commit(hub, put("once"), hub.client.head())
    head = hub.client.head()
    assert publication.after == head.revision
    titles = [commit.title for commit in local_hub.store.commits(hub.client.repo_id)]
    assert titles.count("Publish") == 1


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize("status", [409, 429, 503])
def test_a_busy_hub_is_asked_again(hub: Dataset, write: Callable[..., str], local_hub: LocalHub, status: int):
    write(**{"README.md": b"---\nlicense: mit\n---\nhi\n"})
    local_hub.faults.add(Fault("POST", COMMIT, answer(status, "busy", headers={"Retry-After": "1"})))
    assert commit(hub, put(), hub.client.head()).committed


def test_a_hub_that_asks_for_an_hour_is_a_passing_error(hub: Dataset, write: Callable[..., str], local_hub: LocalHub):
    write(**{"README.md": b"---\nlicense: mit\n---\nhi\n"})
    local_hub.faults.add(Fault("POST", COMMIT, answer(429, "slow down", headers={"Retry-After": "3600"}), times=9))
    with pytest.raises(HubUnavailableError, match="3600 seconds"):
        commit(hub, put(), hub.client.head())
    assert len(local_hub.faults.seen("POST", COMMIT)) == 2  # the other writer's, and ours


def test_a_token_that_may_not_write_is_told_which_setting_to_look_at(
    hub: Dataset, write: Callable[..., str], local_hub: LocalHub
):
    write(**{"README.md": b"---\nlicense: mit\n---\nhi\n"})
    reader = Dataset.open(hub.client.repo_id, NEWS, token=local_hub.read_token, endpoint=local_hub.endpoint)
    with pytest.raises(HubDeniedError, match="HF_TOKEN"):
        commit(reader, put(), reader.client.head())


def test_a_token_that_is_revoked_is_told_and_not_taken_for_an_empty_hub(
    hub: Dataset, write: Callable[..., str], local_hub: LocalHub
):
    write(**{"README.md": b"---\nlicense: mit\n---\nhi\n"})
    with pytest.raises(HubDeniedError, match="HF_TOKEN"):
        Dataset.open(hub.client.repo_id, NEWS, token="hf_revoked", endpoint=local_hub.endpoint).client.head()


REFUSALS = {
    "no token, and the Hub does not say which": (401, "RepoNotFound", "Invalid username or password."),
    "a token that has expired": (401, "", 'User Access Token "daily" is expired'),
    "a gated repo": (403, "GatedRepo", "Access to this dataset is restricted"),
}


@pytest.mark.parametrize("name", sorted(REFUSALS))
def test_a_repo_that_may_not_be_seen_is_told_and_not_taken_for_a_missing_one(
    hub: Dataset, local_hub: LocalHub, name: str
):
    status, code, message = REFUSALS[name]
    headers = {"X-Error-Message": message} | ({"X-Error-Code": code} if code else {})
    local_hub.faults.add(Fault("GET", "/api/datasets/", answer(status, message, headers)))
    with pytest.raises(HubDeniedError, match=f"(?s){status}.*{message.rstrip('.')}.*HF_TOKEN"):
        hub.client.head()


def refusal(hub: Dataset, local_hub: LocalHub, status: int, message: str, code: str) -> str:
    """Let the Hub refuse to tell the head; give what is said of it."""
    headers = {"X-Error-Message": message} | ({"X-Error-Code": code} if code else {})
    local_hub.faults.add(Fault("GET", "/api/datasets/", answer(status, message, headers)))
    with pytest.raises(HubDeniedError) as caught:
        hub.client.head()
    return str(caught.value)


def test_a_refusal_says_what_helps_against_it(hub: Dataset, local_hub: LocalHub):
    begin = f"The Hub answered {{}} while asking for the head in {hub.client.repo_id}: {{}}. "
    assert refusal(hub, local_hub, 403, "Forbidden", "") == (
        f"{begin.format(403, 'Forbidden')}Look at HF_TOKEN: it must be valid and have the right to read the repo, and"
        " to write to it if something is to be published; the repo is set by GOVBR_REPO_ID, or GOVBR_REDUCED_REPO_ID"
        " for the reduced dataset."
    )
    restricted = "Access to dataset org/storage-plan is restricted"
    for status in (401, 403):
        assert refusal(hub, local_hub, status, restricted, "GatedRepo") == (
            f"{begin.format(status, restricted)}The repo is gated: ask for access on the page of the dataset, and set"
            " HF_TOKEN to a token of the account that has it."
        )
    assert refusal(hub, local_hub, 403, "Access to this resource is disabled.", "") == (
        f"{begin.format(403, 'Access to this resource is disabled')}The Hub has disabled the repo, and no token helps:"
        " ask the Hub's support why."
    )


@pytest.mark.parametrize("visibility", ["private", None])
def test_without_a_token_nobody_knows_whether_there_is_a_repo(
    local_hub: LocalHub, repo_id: str, visibility: Visibility | None
):
    if visibility:
        local_hub.store.create(repo_id, visibility)
    with pytest.raises(HubDeniedError, match=f"401 .*set HF_TOKEN to one that may read {repo_id}"):
        Dataset.open(repo_id, NEWS, endpoint=local_hub.endpoint).client.head()


def test_a_hub_that_is_away_is_a_passing_error(repo_id: str):
    with pytest.raises(HubUnavailableError, match="no readable answer"):
        Dataset.open(repo_id, NEWS, endpoint="http://127.0.0.1:9").client.head()


def test_a_head_that_lags_behind_our_own_commit_is_followed_forward(hub: Dataset, local_hub: LocalHub):
    commit(hub, put("one"), hub.client.head())
    local_hub.lag(hub.client.repo_id, times=2)
    after = commit(hub, put("two"), hub.client.head()).after
    assert hub.client.head().revision == after


@pytest.mark.parametrize("repo_id", ["", "news", "a/b/c", "with space/x", "a//b"])
def test_a_malformed_repo_id_is_named_by_its_setting(repo_id: str):
    with pytest.raises(ConfigurationError, match="GOVBR_REPO_ID is"):
        Dataset.open(repo_id, NEWS)


def parquet(rows: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(rows, sink, row_group_size=2)
    return sink.getvalue().to_pybytes()


def test_a_days_rows_are_read_wherever_they_lie(hub: Dataset, write: Callable[..., str]):
    legacy = pa.concat_tables([shard(["a", "b"]), shard(["next"], at=DAY.end), shard(["c"])])
    undated = shard(["null"]).set_column(2, "published_at", pa.array([None], NEWS.schema.field(2).type))
    tolerated = legacy.select(NEWS.schema.names[::-1]).set_column(
        NEWS.schema.names[::-1].index("video_url"), "video_url", pa.nulls(4)
    )
    write(
        **{
            "README.md": usual_card(None).encode(),
            "data__train-00000-of-00001.parquet": parquet(tolerated),
            "data__train-0000-undated.parquet": parquet(undated),
            "data__train-2026-01-15.parquet": encode(shard(["d"])),
            "data__train-2026-01-14.parquet": encode(shard(["e"], at=DAY.start.replace(day=14))),
            "other__train-2026-01-15.parquet": encode(shard(["hidden"])),
        }
    )
    rows = hub.reader.day_rows(hub.client.head(), DAY)
    assert rows.schema == NEWS.schema
    assert sorted(rows["unique_id"].to_pylist()) == ["a", "b", "c", "d"]
    assert hub.reader.day_rows(hub.client.head(), DAY, ["unique_id"]).column_names == ["unique_id"]


def test_a_file_that_was_replaced_is_read_as_it_is_at_each_revision(hub: Dataset):
    first = commit(hub, put("a"), hub.client.head()).after
    second = commit(hub, put("b", "c"), hub.client.head()).after
    path = NEWS.layout.day_path(DAY)
    for revision, ids in ((first, ["a"]), (second, ["b", "c"]), (first, ["a"])):
        snapshot = hub.client.at(revision)
        assert hub.reader.rows(snapshot.files[path])["unique_id"].to_pylist() == ids


def test_ranged_reads_fetch_a_small_part_of_a_large_file(hub: Dataset, write: Callable[..., str], local_hub: LocalHub):
    rows = pa.concat_tables([shard([f"{number:06}"], at=DAY.start) for number in range(4)])
    noise = [bytes(index * 37 % 256 for index in range(number, number + 200)).hex() * 40 for number in range(400)]
    large = pa.concat_tables([rows] * 100)
    large = large.set_column(9, "content", pa.array(noise)).set_column(0, "unique_id", pa.array(map(str, range(400))))
    sink = pa.BufferOutputStream()
    pq.write_table(large, sink, row_group_size=100, compression="none", use_dictionary=False)
    write(**{"data__train-00000-of-00001.parquet": sink.getvalue().to_pybytes()})
    head = hub.client.head()
    local_hub.faults.forget()
    assert hub.reader.day_rows(head, DAY, ["unique_id"]).num_rows == 400
    size = head.data_files[0].size
    assert size > 5_000_000
    assert sum(each.sent for each in local_hub.faults.seen("GET", r"\.parquet$|/lfs|/blob")) < size / 20


def test_reading_files_does_not_list_the_repo_again(hub: Dataset, write: Callable[..., str], local_hub: LocalHub):
    write(**{f"data__train-{number}.parquet": encode(shard([str(number)])) for number in range(3)})
    head = hub.client.head()
    local_hub.faults.forget()
    assert hub.reader.day_rows(head, DAY).num_rows == 3
    assert not local_hub.faults.seen("*", "/tree/|/paths-info/")


def test_a_file_of_another_schema_is_named(hub: Dataset, write: Callable[..., str]):
    strings = shard(["a"]).set_column(2, "published_at", pa.array(["2026-01-15"]))
    write(**{"data__train-2026-01-15-010203.parquet": parquet(strings)})
    with pytest.raises(ContractError, match=r"Column published_at in data/train-2026-01-15-010203.parquet"):
        hub.reader.day_rows(hub.client.head(), DAY)


def test_a_file_that_is_no_parquet_is_named(hub: Dataset, write: Callable[..., str]):
    write(**{"data__train-x.parquet": b"not parquet at all"})
    with pytest.raises(ContractError, match=r"data/train-x\.parquet"):
        hub.reader.day_rows(hub.client.head(), DAY)


def test_a_file_is_published_from_the_disk_and_read_back(hub: Dataset, tmp_path: Path):
    content = encode(shard(["a", "b", "c"]))
    local = tmp_path / "year.parquet"
    local.write_bytes(content)
    edit = Changeset(
        {"data/train-2026-00.parquet": local, "notes.txt": tmp_path / "notes.txt"}, message="Publish", report=None
    )
    (tmp_path / "notes.txt").write_bytes(b"from the disk too")
    assert edit.size == len(content) + 17
    publication = commit(hub, Fixed(edit), hub.client.head())
    assert (
        publication.snapshot
        == Dataset.open(
            hub.client.repo_id, NEWS, token=hub.client.token, endpoint=hub.client.api.endpoint
        ).client.head()
    )
    file = publication.snapshot.files["data/train-2026-00.parquet"]
    assert hub.reader.rows(file).equals(shard(["a", "b", "c"]))
    assert hub.client.content(publication.snapshot, "notes.txt") == b"from the disk too"
    for held in (content, local):
        assert file.holds(held)
    local.write_bytes(content[::-1])
    assert not file.holds(local)
    assert not file.holds(content + b"0")


def test_the_same_file_from_the_disk_is_not_published_again(hub: Dataset, tmp_path: Path, local_hub: LocalHub):
    commit(hub, put("a", "b"), hub.client.head())
    before = hub.client.head()
    local = tmp_path / "shard.parquet"
    local.write_bytes(encode(shard(["a", "b"])))
    local_hub.faults.forget()
    assert not commit(hub, Fixed(Changeset({NEWS.layout.day_path(DAY): local}, report=None)), before).committed
    assert hub.client.head() == before
    assert not local_hub.faults.seen("POST", "/preupload/")


def test_footer_and_keys_of_a_file_from_the_disk_are_kept_whole(hub: Dataset, tmp_path: Path, local_hub: LocalHub):
    hub = Dataset.open(
        hub.client.repo_id,
        NEWS,
        token=hub.client.token,
        endpoint=hub.client.api.endpoint,
        folder=Folder(str(tmp_path / "kept")),
    )
    local = tmp_path / "year.parquet"
    local.write_bytes(parquet(shard([f"{number}" for number in range(7)])))  # several row groups
    landed = commit(
        hub, Fixed(Changeset({"data/train-2026-00.parquet": local}, message="Publish", report=None)), hub.client.head()
    ).snapshot
    local_hub.faults.forget()
    keys = pa.concat_tables(hub.reader.keys(landed.data_files[0]))
    assert keys.equals(shard([f"{number}" for number in range(7)]).select(["unique_id", "published_at"]))
    assert not local_hub.faults.seen("GET", r"\.parquet$")


_PUBLISH = """
import sys, tracemalloc
from pathlib import Path
import hf_xet
from govbr_assets.dataset.changeset import Changeset
from govbr_assets.publications import NEWS
from govbr_assets.dataset import Dataset
from govbr_assets.dataset.transaction import commit
from govbr_assets.io.storage.folder import Folder

class Plan:
    def plan(self, snapshot):
        return Changeset({"data/train-2026-00.parquet": Path(sys.argv[4])}, message="Publish", report=None)

hub = Dataset.open(sys.argv[1], NEWS, token=sys.argv[2], endpoint=sys.argv[3], folder=Folder(sys.argv[4] + ".kept"))
tracemalloc.start()
assert commit(hub, Plan(), hub.client.head()).committed
assert not commit(hub, Plan(), hub.client.head()).committed
print(tracemalloc.get_traced_memory()[1])
"""


def test_a_large_file_on_the_disk_is_never_in_memory(hub: Dataset, tmp_path: Path):
    rows = shard([f"{number:02}" for number in range(40)])
    noise = [(f"{number:02}" * 500_000) for number in range(40)]
    local = tmp_path / "year.parquet"
    pq.write_table(rows.set_column(9, "content", pa.array(noise)), local, compression="none", use_dictionary=False)
    size = local.stat().st_size
    assert size > 40_000_000
    told = [
        sys.executable,
        "-c",
        _PUBLISH,
        hub.client.repo_id,
        f"{hub.client.token}",
        hub.client.api.endpoint,
        str(local),
    ]
    done = subprocess.run(told, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < size / 5
    assert hub.client.head().data_files[0].holds(local)


def files_back(*paths: str, snapshot: Snapshot) -> tuple[DataFile, ...]:
    return tuple(snapshot.files[path] for path in paths)


def test_a_copy_brings_the_very_bytes_back_and_uploads_nothing(
    hub: Dataset, write: Callable[..., str], local_hub: LocalHub
):
    shard_of_a, shard_of_c = (encode(shard([name])) for name in "ac")
    write(**{"data__train-2026-01-15.parquet": shard_of_a, "notes.txt": b"old"})
    first = commit(hub, put("b", path="data/train-2026-01-14.parquet"), hub.client.head()).snapshot
    write(**{"data__train-2026-01-15.parquet": shard_of_c, "notes.txt": b"new"})
    local_hub.faults.forget()
    back = files_back("data/train-2026-01-15.parquet", "notes.txt", snapshot=first)
    publication = commit(hub, Fixed(Changeset(copy=back, message="Back", report=None)), hub.client.head())
    assert (
        publication.snapshot
        == Dataset.open(
            hub.client.repo_id, NEWS, token=hub.client.token, endpoint=hub.client.api.endpoint
        ).client.head()
    )
    old, new = (
        local_hub.store.tree(hub.client.repo_id, each) for each in (first.revision or "", publication.after or "")
    )
    assert old == new
    assert not local_hub.faults.seen("*", "/preupload/|/xet|/lfs/objects")
    assert sum(each.received for each in local_hub.faults.seen("POST", COMMIT)) < 1000


def test_a_copy_of_what_is_there_makes_no_commit(hub: Dataset):
    first = commit(hub, put("a"), hub.client.head()).snapshot
    assert not commit(
        hub, Fixed(Changeset(copy=files_back(NEWS.layout.day_path(DAY), snapshot=first), report=None)), first
    ).committed
    assert hub.client.head() == first


@pytest.mark.parametrize("action", [answer(500, "oops"), cut()], ids=["500", "cut"])
def test_a_lost_answer_to_a_copy_is_looked_for_before_another_try(hub: Dataset, local_hub: LocalHub, action: Action):
    first = commit(hub, put("a"), hub.client.head()).snapshot
    commit(hub, put("b"), first)
    local_hub.faults.add(Fault("POST", COMMIT, action, when="after"))
    back = files_back(NEWS.layout.day_path(DAY), snapshot=first)
    publication = commit(hub, Fixed(Changeset(copy=back, message="Back", report=None)), hub.client.head())
    assert publication.committed
    assert publication.after == hub.client.head().revision
    assert publication.snapshot.data_files == first.data_files
    assert [commit.title for commit in local_hub.store.commits(hub.client.repo_id)].count("Back") == 1


def test_a_copy_that_somebody_else_makes_at_the_same_time_is_not_taken_for_ours(
    hub: Dataset, write: Callable[..., str], local_hub: LocalHub
):
    first = commit(hub, put("a"), hub.client.head()).snapshot
    second = commit(hub, put("b"), first).snapshot

    def slip_in() -> None:
        write(**{"data__train-2026-01-15.parquet": encode(shard(["a"])), "other.txt": b"theirs"})

    # The client asks what is there right before it commits, and then sends nothing.
    local_hub.faults.add(Fault("POST", "/paths-info/main$", call(slip_in)))
    plan = Fixed(Changeset(copy=files_back(NEWS.layout.day_path(DAY), snapshot=first), message="Back", report=None))
    publication = commit(hub, plan, second)
    assert len(plan.made_at) == 2
    assert not publication.committed
    assert publication.snapshot == hub.client.head()
    assert "other.txt" in publication.snapshot.files


def test_the_local_hub_takes_no_copy_of_what_the_repo_never_had(hub: Dataset, write: Callable[..., str], repo_id: str):
    """On the real Hub too a large file belongs to a repo, and a copy, whose line has no size, brings none along."""
    content = encode(shard(["another repo's"]))
    other = Dataset.open(f"{repo_id}-other", NEWS, token=hub.client.token, endpoint=hub.client.api.endpoint)
    plan = Fixed(Changeset({NEWS.layout.day_path(DAY): content}, message="Publish", report=None))
    commit(other, plan, other.client.head())
    write(**{"notes.txt": b"a repo"})
    value = {"path": NEWS.layout.day_path(DAY), "algo": "sha256", "oid": hashlib.sha256(content).hexdigest()}
    lines = ({"key": "header", "value": {"summary": "copy"}}, {"key": "lfsFile", "value": value})
    address = "{}/api/datasets/{}/commit/main"
    told = {
        "data": "\n".join(map(json.dumps, lines)),
        "headers": {"Authorization": f"Bearer {hub.client.token}"},
        "timeout": 10,
    }
    assert requests.post(address.format(hub.client.api.endpoint, repo_id), **told).status_code == 400
    assert requests.post(address.format(hub.client.api.endpoint, other.client.repo_id), **told).status_code == 200
