"""Files at rest on a real disk, an S3 that checks keys and rights, and a Cloud Storage, with all that can be wrong."""

import gc
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pytest
import s3fs
from dagster import DagsterEventType

from govbr_assets.defs.io_managers import ArrowTableIOManager
from govbr_assets.errors import ConfigurationError, NotMaterializedError, StorageUnavailableError
from govbr_assets.io.storage.folder import Folder
from govbr_assets.io.storage.tables import TableStorage
from govbr_assets_tests.graph import Graph
from govbr_assets_tests.object_stores import S3, CloudStorage, cloud_storage_served, s3_served, set_up

NOBODY = 65534


@pytest.fixture(scope="module")
def s3_server() -> Iterator[S3]:
    with s3_served() as s3:
        yield s3


@pytest.fixture
def s3(s3_server: S3, monkeypatch: pytest.MonkeyPatch) -> S3:
    return set_up(s3_server, monkeypatch)


@pytest.fixture(scope="module")
def gcs_server() -> Iterator[CloudStorage]:
    with cloud_storage_served() as gcs:
        yield gcs


@pytest.fixture
def gcs(gcs_server: CloudStorage, monkeypatch: pytest.MonkeyPatch) -> CloudStorage:
    return set_up(gcs_server, monkeypatch)


@pytest.fixture(params=["gcs", "s3"])
def store(request: pytest.FixtureRequest) -> S3 | CloudStorage:
    return request.getfixturevalue(request.param)


Become = Callable[[str, str], None]


@pytest.fixture
def become(s3: S3, monkeypatch: pytest.MonkeyPatch) -> Iterator[Become]:
    """Be a user from now on, whose every request is checked."""
    yield lambda key, secret: s3.become(monkeypatch, key, secret)
    s3fs.S3FileSystem.clear_instance_cache()


@contextmanager
def as_nobody() -> Iterator[None]:
    """Be a user without rights, if we are one who has all."""
    if os.getuid():
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


def all_of(folder: Folder) -> dict[str, Any]:
    """Do everything that can be done with a folder."""
    folder.write("days/a.parquet", b"first")
    folder.write("days/a.parquet", b"second")
    folder.write("days/b.parquet", b"third")
    folder.drop("days/b.parquet")
    folder.drop("days/b.parquet")
    opened = folder.open("days/a.parquet")
    assert opened
    with opened:
        content = opened.read()
    return {
        "content": content,
        "read": folder.read("days/a.parquet"),
        "missing": [folder.read("days/b.parquet"), folder.open("days/b.parquet"), folder.has("x/y"), folder.names("x")],
        "names": folder.names("days"),
        "old": [folder.older_than("days", 1), folder.older_than("days", -1)],
    }


def break_off(folder: Folder, content: bytes) -> None:
    """Begin a file, and fail."""
    with folder.writing("days/half") as file:
        file.write(content)
        raise KeyError("ours")


EXPECTED = {
    "content": b"second",
    "read": b"second",
    "missing": [None, None, False, []],
    "names": ["days/a.parquet"],
    "old": [[], ["days/a.parquet"]],
}
PREFIXES = ["plain", "with blanks", "[year]", "a*b", "what?", "{x,y}/z", "ação", "50%", "a#b", "deep/[er]/*/?"]


def test_brackets_stars_and_blanks_in_a_prefix_are_names_and_no_patterns(gcs: CloudStorage, s3: S3, tmp_path: Path):
    for prefix in PREFIXES:
        for root in (gcs.url, s3.url, str(tmp_path), "memory:/"):
            assert all_of(Folder(f"{root}/{prefix}")) == EXPECTED, f"{root}/{prefix}"


def test_what_another_process_has_written_and_removed_is_seen(store: S3 | CloudStorage):
    folder = Folder(f"{store.url}/shared")
    folder.write("days/a", b"a")
    assert folder.names("days") == ["days/a"]
    store.put("shared/days/b", b"b")
    store.drop("shared/days/a")
    assert folder.names("days") == ["days/b"]
    assert (folder.has("days/a"), folder.has("days/b"), folder.read("days/b")) == (False, True, b"b")


def test_an_empty_object_that_stands_for_a_folder_is_no_file(store: S3 | CloudStorage):
    folder = Folder(f"{store.url}/marked")
    for marker in ("marked/", "marked/days/"):
        store.put(marker, b"")
    assert folder.names("days") == folder.older_than("days", -1) == []
    folder.write("days/a", b"a")
    assert folder.names("days") == folder.older_than("days", -1) == ["days/a"]


def test_many_old_files_are_found_by_their_listing_and_not_one_by_one(s3: S3):
    folder = Folder(f"{s3.url}/many")
    for number in range(30):
        s3.put(f"many/days/{number}", b"")
    s3.requests.clear()
    assert len(folder.older_than("days", -1)) == 30
    assert len(s3.requests) == 1


def test_a_file_is_written_by_one_request_and_is_there_whole_or_not_at_all(s3: S3):
    folder = Folder(f"{s3.url}/whole")
    s3.requests.clear()
    folder.write("days/a", b"a" * 1_000_000)
    assert s3.requests == ["PUT /my-bucket/whole/days/a"]
    with pytest.raises(KeyError, match="ours"):
        break_off(folder, b"b" * (60 << 20))  # of which a part is sent at once
    assert folder.names("days") == ["days/a"]


@pytest.mark.parametrize("url", ["s3://my-bukcet/t", "s3://my-bukcet", "s3://my-bucket.typo/a/b", "s3a://mybucket/t"])
def test_a_typing_error_in_the_bucket_is_told_and_creates_no_bucket(url: str, s3: S3):
    before = s3.buckets
    with pytest.raises(ConfigurationError, match=r"GOVBR_STORAGE_URL fails.*bucket.*none is made"):
        Folder(url).write("days/a", b"a")
    assert Folder(url).read("days/a") is None
    assert s3.buckets == before


@pytest.mark.parametrize(
    "url", ["s3://", "s3://KEY:SECRETSECRET1@my-bucket/t", "s3://My_Bucket!/t", "s3:///t", "s3://b"]
)
def test_a_storage_url_that_can_be_no_bucket_is_told_without_its_key(url: str, s3: S3):
    with pytest.raises(ConfigurationError, match="GOVBR_STORAGE_URL") as caught:
        Folder(url).write("days/a", b"a")
    assert "SECRETSECRET1" not in str(caught.value)


READ, WRITE, DELETE, LIST = "s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:ListBucket"
FORBIDDEN: list[tuple[list[str], list[Callable[[Folder], Any]]]] = [
    ([READ, LIST], [lambda folder: folder.write("days/b", b"b"), lambda folder: folder.drop("days/a")]),
    ([READ, WRITE, DELETE], [lambda folder: folder.read("days/b"), lambda folder: folder.names("days")]),
    ([WRITE, LIST], [lambda folder: folder.read("days/a"), lambda folder: folder.drop("days/a")]),
]


@pytest.mark.parametrize(("rights", "forbidden"), FORBIDDEN, ids=["read-only", "no ListBucket", "write-only"])
def test_a_missing_right_is_one_sentence(
    rights: list[str], forbidden: list[Callable[[Folder], Any]], s3: S3, become: Become
):
    Folder("s3://my-bucket/rights").write("days/a", b"a")
    become(*s3.user(*rights))
    folder = Folder("s3://my-bucket/rights")
    for each in forbidden:
        with pytest.raises(ConfigurationError, match=r"^GOVBR_STORAGE_URL fails while .* the rights to list") as caught:
            each(folder)
        assert caught.value.__suppress_context__


def test_what_breaks_off_does_not_take_the_place_of_a_whole_file_where_nobody_may_abort_it(s3: S3, become: Become):
    Folder("s3://my-bucket/unaborted").write("days/a", b"a")
    become(*s3.user(READ, WRITE, DELETE, LIST))  # of which aborting an upload in parts is none
    folder = Folder("s3://my-bucket/unaborted")
    with pytest.raises(KeyError, match="ours"):
        break_off(folder, b"b" * (60 << 20))  # of which a part is sent at once
    gc.collect()  # a file that is not closed is when it is collected
    assert folder.read("days/a") == b"a"


def test_a_wrong_key_is_one_sentence_without_it(s3: S3, become: Become):
    name, secret = s3.user("s3:*")
    for key, wrong in [(name, secret[::-1]), ("AKIAABCDEFGHIJKLMNOP", secret)]:
        become(key, wrong)
        with pytest.raises(ConfigurationError, match="Look at its key or user") as caught:
            Folder("s3://my-bucket/t").write("days/a", b"a")
        assert wrong not in str(caught.value)


DENIED = "GOVBR_STORAGE_URL fails while .* Look at its key or user"
CLOUD_ANSWERS = {
    "a key that is not taken": (401, "Invalid Credentials", ConfigurationError, DENIED),
    "no key": (401, "Anonymous caller does not have storage.objects.get access", ConfigurationError, DENIED),
    "no right": (403, "a@b.c does not have storage.objects.list access to the bucket", ConfigurationError, DENIED),
    "too many requests": (429, "The rate limit was exceeded", StorageUnavailableError, "fails while"),
    "an error of its own": (503, "Backend Error", StorageUnavailableError, "fails while"),
}


@pytest.mark.parametrize("case", sorted(CLOUD_ANSWERS))
def test_what_cloud_storage_says_of_a_key_or_itself_is_one_sentence(
    case: str, gcs: CloudStorage, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    status, message, kind, sentence = CLOUD_ANSWERS[case]
    monkeypatch.setattr("gcsfs.retry.asyncio", SimpleNamespace(sleep=no_time))
    folder = Folder(f"{gcs.url}/t")
    for doing in (lambda: folder.names("days"), lambda: folder.read("a"), lambda: folder.write("a", b"a")):
        with gcs.answering(status, message), pytest.raises(kind, match=sentence) as caught:
            doing()
        assert caught.value.__suppress_context__
        assert "\n" not in str(caught.value)
    assert not [record for record in caplog.records if record.name.startswith("gcsfs")]


async def no_time(_: float) -> None:
    """Let a client try again at once."""


def test_a_store_that_is_away_may_be_back(monkeypatch: pytest.MonkeyPatch, become: Become):
    import s3fs

    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    monkeypatch.setattr(s3fs.S3FileSystem, "retries", 1)
    become("root", "root")
    with pytest.raises(StorageUnavailableError, match="GOVBR_STORAGE_URL fails while reading days/a"):
        Folder("s3://my-bucket/t").read("days/a")


@pytest.mark.parametrize(
    "place", ["file/in/the/way", "no rights", "/proc/nothing/here", "/dev/null/x", f"{'long' * 80}/x"]
)
def test_a_folder_that_nobody_can_write_is_one_sentence(place: str, tmp_path: Path):
    (tmp_path / "file").write_text("")
    (tmp_path / "no rights").mkdir(0o555)
    with as_nobody(), pytest.raises(ConfigurationError, match=r"^GOVBR_STORAGE_URL fails while (making|writing)"):
        Folder(str(tmp_path / place)).write("days/a", b"a")


def test_what_breaks_off_leaves_neither_half_a_file_nor_another_reason(gcs: CloudStorage, s3: S3, tmp_path: Path):
    for url in (f"{gcs.url}/[half]", f"{s3.url}/[half]", str(tmp_path), "memory://[half]"):
        with pytest.raises(KeyError, match="ours"):
            break_off(Folder(url), b"half")
        assert Folder(url).names("days") == []


@pytest.mark.parametrize("url", ["nothing://x", "s3fs://x", "sftp://u:Horse9Battery@127.0.0.1:1/x"])
def test_a_url_of_no_file_system_is_named_without_its_password(url: str):
    with pytest.raises(ConfigurationError, match="GOVBR_STORAGE_URL fails while choosing") as caught:
        Folder(url)
    assert "Horse9" not in str(caught.value)


def test_a_file_system_that_cannot_write_is_told_of_by_the_setting():
    with pytest.raises(
        ConfigurationError, match="GOVBR_STORAGE_URL fails while writing a/b: such a file system cannot"
    ):
        Folder("http://127.0.0.1:1/x").write("a/b", b"")


@pytest.mark.parametrize(
    "url", ["s3//bucket/folder", "s3:/bucket", "gs:bucket", "S3A//bucket", "gcs:/bucket", "file:/x"]
)
def test_a_url_without_all_of_its_colon_and_slashes_is_no_folder(url: str):
    with pytest.raises(ConfigurationError, match="GOVBR_STORAGE_URL is malformed"):
        Folder(url)


def test_a_folder_that_is_called_like_a_file_system_is_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    for url in ("s3", "s3/tables", "files//tables", "gs-tables"):
        Folder(url).write("a", b"a")
        assert (tmp_path / url / "a").exists()


def test_quotes_blanks_and_line_ends_round_a_storage_url_are_left_out(tmp_path: Path):
    Folder(f"'{tmp_path}/here'\n").write("a", b"a")
    assert (tmp_path / "here" / "a").read_bytes() == b"a"


def test_memory_with_one_asset_a_run_is_told_of():
    table = pa.table({"a": [1]})
    TableStorage("memory://one-run", 30).write("asset", "2026-01-15", table)
    assert TableStorage("memory://one-run", 30).read("asset", "2026-01-15").equals(table)
    with pytest.raises(NotMaterializedError, match=r"GOVBR_STORAGE_URL keeps there ends with each process"):
        TableStorage("memory://another-process", 30).read("asset", "2026-01-15")


def test_a_read_only_bucket_fails_a_run_once_and_with_no_stack_of_its_client(graph: Graph, s3: S3, become: Become):
    graph.insert("a")
    key, secret = s3.user(READ, LIST)
    become(key, secret)
    result = graph.run(
        "2026-01-15", retries=2, table_io_manager=ArrowTableIOManager(storage_url="s3://my-bucket/tables"), checks=False
    )
    kinds = [event.event_type for event in result.all_events]
    told = "".join(str(event) for event in result.all_events)
    assert DagsterEventType.STEP_UP_FOR_RETRY not in kinds
    assert kinds.count(DagsterEventType.STEP_FAILURE) == 1
    assert "GOVBR_STORAGE_URL fails while writing postgres_news_partition/2026-01-15.parquet: Access Denied" in told
    assert "botocore" not in told
    assert secret not in told
    assert key not in told
