"""Which requests are made of the Hub: what is known is not asked for again, and what has expired is."""

import io
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from govbr_assets.dataset import Dataset
from govbr_assets.dataset.parquet import encode_groups
from govbr_assets.dataset.transaction import commit
from govbr_assets.errors import HubDeniedError, HubUnavailableError
from govbr_assets.io.storage.folder import Folder
from govbr_assets.local.hub import LocalHub
from govbr_assets.local.hub.actions import answer, cut, rewrite_answer, say
from govbr_assets.local.hub.faults import Fault
from govbr_assets.publications import NEWS
from govbr_assets_tests import stranger
from govbr_assets_tests.huggingface.test_hub import put
from govbr_assets_tests.tables import encode, shard

PATH, YEAR = "data/train-2026-01-15.parquet", "data/train-2025-00.parquet"


def groups(count: int) -> bytes:
    """Write a file of row groups that are larger than what is fetched along with a range."""
    sink, filler = io.BytesIO(), [f"{number:0100}" for number in range(1000)]
    rows = [shard([f"{number}-{each}" for each in filler]) for number in range(count)]
    encode_groups(sink, rows, NEWS)
    return sink.getvalue()


def kinds(local_hub: LocalHub) -> list[str]:
    return [each.path.split("/")[1] for each in local_hub.faults.seen("GET", "^/datasets/|^/lfs/")]


def test_the_hub_leads_to_a_content_once_for_all_that_is_read_of_it(hub: Dataset, local_hub: LocalHub):
    stranger.write(local_hub.store, hub.client.repo_id, {YEAR: groups(5)})
    (file,) = hub.client.head().data_files
    local_hub.faults.forget()
    assert hub.reader.rows(file, ["unique_id"]).num_rows == 5000
    hub.reader.rows(file, ["unique_id", "title"])
    assert kinds(local_hub).count("datasets") == 1


@pytest.mark.parametrize("status", [403, 404])
def test_an_address_in_the_storage_that_has_expired_is_asked_for_again(hub: Dataset, local_hub: LocalHub, status: int):
    content = groups(5)
    stranger.write(local_hub.store, hub.client.repo_id, {YEAR: content})
    (file,) = hub.client.head().data_files
    local_hub.faults.forget()
    local_hub.faults.add(Fault("GET", "^/lfs/", answer(status, "The address has expired."), skip=1))
    wanted = pq.read_table(io.BytesIO(content), columns=["unique_id"])
    assert hub.reader.rows(file, ["unique_id"])["unique_id"].to_pylist() == wanted["unique_id"].to_pylist()
    assert kinds(local_hub).count("datasets") == 2


def test_of_a_storage_that_knows_no_ranges_the_wanted_bytes_are_taken(hub: Dataset, local_hub: LocalHub):
    content = encode(shard([f"row-{number}" for number in range(2000)]))
    stranger.write(local_hub.store, hub.client.repo_id, {PATH: content})
    (file,) = hub.client.head().data_files
    local_hub.faults.forget()
    local_hub.faults.add(Fault("GET", "^/lfs/", say(content, "application/octet-stream"), times=9))
    with hub.client.open(file) as remote:
        remote.seek(100)
        assert remote.read(50) == content[100:150]
        remote.seek(-4, io.SEEK_END)
        assert remote.read() == b"PAR1"
        assert remote.read() == b""
    assert kinds(local_hub).count("lfs") == 2


@pytest.mark.usefixtures("at_once")
def test_footers_and_keys_of_many_files_come_at_once_and_are_the_same_as_one_after_another(
    hub: Dataset, local_hub: LocalHub, tmp_path: Path
):
    days = [f"2026-01-{number:02}" for number in range(1, 29)]
    files = {f"data/train-{day}.parquet": encode(shard([day])) for day in days}
    stranger.write(local_hub.store, hub.client.repo_id, files)
    kept = Dataset.open(
        hub.client.repo_id,
        NEWS,
        token=local_hub.write_token,
        endpoint=local_hub.endpoint,
        folder=Folder(str(tmp_path)),
    )
    head = kept.client.head()
    local_hub.faults.forget()
    local_hub.faults.add(Fault("GET", "^/lfs/", cut(), skip=5, times=2))
    kept.reader.fetch_keys(head.data_files)
    assert len(local_hub.faults.requests) == 2 * len(days) + 2 * 2  # the first bytes that come are the whole file
    local_hub.faults.forget()
    assert [each["unique_id"][0].as_py() for file in head.data_files for each in kept.reader.keys(file)] == days
    assert sum(map(kept.reader.row_count, head.data_files)) == len(days)
    assert not local_hub.faults.requests


def test_a_history_that_broke_off_is_asked_for_from_its_beginning(hub: Dataset, local_hub: LocalHub):
    for number in range(60):  # a page has 50
        stranger.write(local_hub.store, hub.client.repo_id, {"notes.txt": f"{number}".encode()})
    revision = hub.client.head().revision or ""
    local_hub.faults.forget()
    local_hub.faults.add(Fault("GET", "/commits/", rewrite_answer(lambda _: {"no": "list"}), skip=1))
    with pytest.raises(HubDeniedError, match="listing the commits"):
        list(hub.client.commits(revision))
    whole = [each.sha for each in local_hub.store.commits(hub.client.repo_id)]
    assert [each.revision for each in hub.client.commits(revision)] == whole
    asked = len(local_hub.faults.requests)
    assert [each.revision for each in hub.client.commits(revision)] == whole
    assert len(local_hub.faults.requests) == asked


def test_our_own_commit_is_looked_at_and_not_listed(hub: Dataset, local_hub: LocalHub):
    stranger.write(local_hub.store, hub.client.repo_id, {YEAR: encode(shard(["old"]))})
    made = commit(hub, put("a"), hub.client.head())
    local_hub.faults.forget()
    assert hub.client.at(made.after) == made.snapshot
    assert hub.client.head() == hub.client.last_head() == made.snapshot
    assert not local_hub.faults.seen("GET", "/tree/")
    other = stranger.write(local_hub.store, hub.client.repo_id, {YEAR: None})
    assert hub.client.last_head() == made.snapshot
    head = hub.client.head()
    assert head.revision == other
    assert hub.client.last_head() == head


@pytest.mark.usefixtures("at_once")
def test_a_hub_that_does_not_say_its_head_after_a_commit_has_it_all_the_same(hub: Dataset, local_hub: LocalHub):
    stranger.write(local_hub.store, hub.client.repo_id, {YEAR: encode(shard(["old"]))})
    before = hub.client.head()
    head = rf"^/api/datasets/{hub.client.repo_id}$"
    local_hub.faults.add(Fault("GET", head, answer(500), times=99))
    made = commit(hub, put("a"), before)
    assert hub.client.last_head() == made.snapshot
    with pytest.raises(HubUnavailableError):
        hub.client.head()
