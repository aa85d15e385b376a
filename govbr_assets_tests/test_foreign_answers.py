"""Answers of anybody: whatever comes with status 200, or lies damaged on a disk, becomes one of our errors, at once."""

import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pyarrow as pa
import pytest

from govbr_assets.core.days import Day
from govbr_assets.dataset import Dataset
from govbr_assets.dataset.changeset import Changeset
from govbr_assets.dataset.transaction import commit
from govbr_assets.errors import GovbrAssetsError, NotMaterializedError, PermanentError, ViewerUncertainError
from govbr_assets.huggingface.snapshot import Snapshot
from govbr_assets.huggingface.viewer import Viewer
from govbr_assets.io.staged import tables_of
from govbr_assets.io.storage.folder import Folder
from govbr_assets.io.storage.tables import TableStorage
from govbr_assets.local.hub import LocalHub
from govbr_assets.local.hub.actions import say
from govbr_assets.local.hub.faults import Fault
from govbr_assets.local.viewer import LocalViewer
from govbr_assets.operations.compact.plan import compact
from govbr_assets.publications import NEWS
from govbr_assets_tests.stranger import write
from govbr_assets_tests.tables import DAY, encode, shard

pytestmark = pytest.mark.usefixtures("at_once")

ALWAYS = 99_999
PATH = "data/train-2026-01-15.parquet"

NONSENSE: dict[str, tuple[bytes, str]] = {
    "a portal's page": (b"<!DOCTYPE html><html><body>Please log in</body></html>", "text/html"),
    "a page that says it is JSON": (b"\n <html></html>", "application/json"),
    "nothing": (b"", "application/json"),
    "a null": (b"null", "application/json"),
    "a number": (b"7", "application/json"),
    "a text": (b'"ok"', "application/json"),
    "an empty list": (b"[]", "application/json"),
    "a list of others": (b'[{"a": 1}, 2, null]', "application/json"),
    "an empty object": (b"{}", "application/json"),
    "an object of others": (
        b'{"status": "ok", "files": 3, "sha": 7, "size": [1], "rows": {"a": 1}}',
        "application/json",
    ),
    "half an object": (b'{"sha": "', "application/json"),
    "bytes that are no text": (b'{"sha": "\xff\xfe"}', "application/json"),
    "brackets without end": (b"[" * 100_000, "application/json"),
    "numbers of another kind": (
        json.dumps({"num_rows_total": float("nan"), "rows": None}).encode(),
        "application/json",
    ),
}


class Fixed:
    """A plan that puts one shard."""

    def plan(self, snapshot: Snapshot) -> Changeset[None]:
        return Changeset({PATH: encode(shard(["new"]))}, message="Publish", report=None)


def read_all(hub: Dataset) -> pa.Table:
    head = hub.client.head()
    for file in head.data_files:
        hub.reader.schema(file)
        list(hub.reader.keys(file))
        hub.reader.rows(file)
    list(hub.reader.ids(head))
    list(hub.client.commits())
    return hub.reader.day_rows(head, DAY)


WORK: dict[str, Callable[[Dataset], object]] = {
    "reading": read_all,
    "publishing": lambda hub: commit(hub, Fixed(), hub.client.head()),
    "compacting": lambda hub: list(compact(hub, Day.of("2026-02-01"))),
}

QUESTIONS = {
    "the head": ("GET", r"^/api/datasets/[^/]+/[^/]+$"),
    "a listing": ("GET", "/tree/"),
    "the history": ("GET", "/commits/main$"),
    "what may come": ("POST", "/preupload/"),
    "the commit": ("POST", "/commit/main$"),
    "what is there": ("POST", "/paths-info/"),
    "a file": ("GET", "/resolve/"),
    "a file's head": ("HEAD", "/resolve/"),
}


@pytest.fixture
def filled(hub: Dataset) -> Dataset:
    commit(hub, Fixed(), hub.client.head())
    files = {"data/train-2026-01-14.parquet": encode(shard(["old"], at=Day.of("2026-01-14").start))}

    class Other:
        def plan(self, snapshot: Snapshot) -> Changeset[None]:
            return Changeset({**files, PATH: encode(shard(["before"]))}, message="Publish", report=None)

    commit(hub, Other(), hub.client.head())
    return hub


@pytest.mark.parametrize("question", QUESTIONS.values(), ids=QUESTIONS)
def test_whatever_comes_with_status_200_from_the_hub_is_one_of_our_errors_and_asked_for_a_few_times_at_most(
    filled: Dataset, local_hub: LocalHub, question: tuple[str, str]
):
    wrong = []
    for told, (content, media_type) in NONSENSE.items():
        for name, work in WORK.items():
            hub = Dataset.open(
                filled.client.repo_id, NEWS, token=local_hub.write_token, endpoint=local_hub.endpoint, patience=0
            )
            local_hub.faults.forget()
            local_hub.faults.add(Fault(*question, say(content, media_type), times=ALWAYS))
            before = local_hub.store.head(filled.client.repo_id)
            try:
                work(hub)
            except GovbrAssetsError as error:
                if "\n" in str(error) or len(str(error)) > 700:
                    wrong.append(f"{name}, {told}: {error}")
            except BaseException as error:  # that it is none of ours is what this looks for
                wrong.append(f"{name}, {told}: {type(error).__name__}: {str(error)[:200]}")
            asked = len(local_hub.faults.seen(*question))
            if asked > 20:
                wrong.append(f"{name}, {told}: asked {asked} times")
            local_hub.faults.clear()
            if (
                local_hub.store.head(filled.client.repo_id) != before
            ):  # it was published in spite of it, and can be again
                commit(filled, Fixed(), filled.client.head())
    assert wrong == []


VIEWER = {
    "the rows of a day": lambda viewer: viewer.ids_of_day(DAY, "abc"),
    "rows by their ids": lambda viewer: viewer.find(["a", "b"], DAY, [], [], "abc"),
    "the number of rows": lambda viewer: viewer.rows("abc"),
}

# With what an answer must have to be looked at, and another shape of the rest.
HALF_RIGHT = {
    "rows that are none": {"rows": [1, None, "x"], "num_rows_total": 3},
    "a row without cells": {"rows": [{"row_idx": 0}], "num_rows_total": 1},
    "cells that are a list": {"rows": [{"row": ["a"]}], "num_rows_total": 1},
    "an id that is a number": {"rows": [{"row": {"unique_id": 7}}], "num_rows_total": 1},
    "a number of rows that is a text": {"rows": [], "num_rows_total": "many"},
    "sizes that are a list": {"size": [{"splits": []}]},
    "splits that are none": {"size": {"splits": [None, 3, "train"]}},
    "splits that are a number": {"size": {"splits": 3}},
    "more than a page may have": {"rows": [{"row": {"unique_id": "x" * (40 << 20)}}], "num_rows_total": 1},
}


@pytest.mark.parametrize("ask", VIEWER.values(), ids=VIEWER)
def test_whatever_the_viewer_answers_is_an_answer_or_no_certain_one(
    ask: Callable[[Viewer], object], viewer_server: LocalViewer
):
    right = {"partial": False}
    bodies = NONSENSE | {
        name: (json.dumps(right | told).encode(), "application/json") for name, told in HALF_RIGHT.items()
    }
    for content, media_type in bodies.values():
        viewer_server.faults.clear()
        headers = {"X-Revision": "abc"}
        viewer_server.faults.add(Fault("GET", "/", say(content, media_type, headers=headers), times=ALWAYS))
        with pytest.raises(ViewerUncertainError):
            ask(Viewer(viewer_server.url, "org/news"))
    viewer_server.faults.clear()


def kept_files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda _: b"",
    "cut off": lambda content: content[: len(content) // 2],
    "another byte in the middle": lambda content: (
        content[: len(content) // 2] + b"\0" + content[len(content) // 2 + 1 :]
    ),
    "no file of ours": lambda _: b"<html></html>",
    "zeros": lambda content: bytes(len(content)),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_what_is_kept_of_the_hub_and_was_damaged_is_fetched_anew(
    filled: Dataset, local_hub: LocalHub, tmp_path: Path, damage: Callable[[bytes], bytes]
):
    def client() -> Dataset:
        return Dataset.open(
            filled.client.repo_id,
            NEWS,
            token=local_hub.write_token,
            endpoint=local_hub.endpoint,
            folder=Folder(str(tmp_path / "kept")),
        )

    whole = read_all(client())
    assert kept_files(tmp_path)
    for path in kept_files(tmp_path):
        path.write_bytes(damage(path.read_bytes()))
    assert read_all(client()).equals(whole)
    list(compact(client(), Day.of("2026-02-01"), dry_run=True))


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
@pytest.mark.parametrize("staged", [False, True], ids=["in memory", "staged"])
def test_a_table_between_assets_that_was_damaged_is_told_by_name(
    tmp_path: Path, damage: Callable[[bytes], bytes], staged: bool, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("govbr_assets.io.staging.STAGED_BYTES", 1 if staged else 1 << 30)
    storage = TableStorage(str(tmp_path), 30)
    storage.write("postgres_news_partition", "2026-01-15", shard(["a", "b"] * 50))
    (path,) = kept_files(tmp_path)
    path.write_bytes(damage(path.read_bytes()))
    may_pass = damage is DAMAGES["another byte in the middle"]  # which may hit what nobody reads
    with (
        suppress(NotMaterializedError)
        if may_pass
        else pytest.raises(NotMaterializedError, match=r"2026-01-15.*materialize it again")
    ):
        list(tables_of(storage.read("postgres_news_partition", "2026-01-15")))


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_file_on_the_hub_stops_what_needs_it_by_its_name(
    filled: Dataset, local_hub: LocalHub, damage: Callable[[bytes], bytes]
):
    bad = "data/train-2026-01-13.parquet"
    tree = {path: blob.path.read_bytes() for path, blob in local_hub.store.tree(filled.client.repo_id).items()}
    write(local_hub.store, filled.client.repo_id, {bad: damage(tree[PATH])})
    hub = Dataset.open(filled.client.repo_id, NEWS, token=local_hub.write_token, endpoint=local_hub.endpoint)
    may_pass = damage is DAMAGES["another byte in the middle"]  # which may hit what nobody reads
    for work in (WORK["reading"], WORK["compacting"]):
        with suppress(PermanentError) if may_pass else pytest.raises(PermanentError, match=bad):
            work(hub)
