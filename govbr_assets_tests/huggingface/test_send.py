"""A commit on its way: inside the hourly limit of the repo's own history, patient within bounds, sent once."""

import random
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from huggingface_hub import CommitOperationAdd, HfApi, constants

from govbr_assets.dataset import Dataset
from govbr_assets.dataset.changeset import Changeset
from govbr_assets.dataset.transaction import commit
from govbr_assets.errors import HubDeniedError, HubUnavailableError
from govbr_assets.huggingface import commit as commits
from govbr_assets.huggingface import upload
from govbr_assets.huggingface.file_changes import FileChanges
from govbr_assets.local.hub import LocalHub
from govbr_assets.local.hub.actions import after, answer, call, cut, rewrite_answer
from govbr_assets.local.hub.faults import Fault
from govbr_assets.publications import NEWS
from govbr_assets_tests.huggingface.test_hub import COMMIT, Fixed, put
from govbr_assets_tests.tables import encode, shard

Write = Callable[[str], str]


@pytest.fixture
def write(local_hub: LocalHub, repo_id: str) -> Write:
    """Be somebody else who commits a text file."""
    api = HfApi(endpoint=local_hub.endpoint, token=local_hub.write_token)
    api.create_repo(repo_id, repo_type="dataset")

    def commit(text: str) -> str:
        added = CommitOperationAdd("notes.txt", text.encode())
        return api.create_commit(repo_id, [added], commit_message=text, repo_type="dataset").oid

    return commit


def impatient(hub: Dataset, seconds: float) -> Dataset:
    hub.client.patience = seconds
    return hub


def test_commits_of_the_last_hour_are_counted_from_the_repos_history(
    hub: Dataset, write: Write, local_hub: LocalHub, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(commits, "COMMITS", 4)  # the repo's first one, and three of somebody else's
    for number in range(3):
        write(f"{number}")
    local_hub.faults.forget()
    with pytest.raises(HubUnavailableError, match=r"4 commits within the hour.* UTC.*GOVBR_HUB_PATIENCE_MINUTES"):
        commit(impatient(hub, 60), put(), hub.client.head())
    assert not local_hub.faults.seen("POST", COMMIT)
    assert len(local_hub.faults.seen("GET", "/commits/main")) == 1


def test_a_spent_hour_is_waited_for_and_it_is_told_until_when(
    hub: Dataset, write: Write, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(commits, "COMMITS", 2)
    monkeypatch.setattr(commits, "WINDOW", timedelta(seconds=2))
    write("one")
    told: list[str] = []
    publication = commit(hub, put(), hub.client.head(), log=told.append)
    assert publication.committed
    assert len(told) == 1
    assert "takes no more before" in told[0]
    assert told[0].endswith("Waiting until then.")


def test_older_commits_do_not_count(hub: Dataset, write: Write, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(commits, "COMMITS", 1)
    monkeypatch.setattr(commits, "WINDOW", timedelta(0))
    write("one")
    assert commit(impatient(hub, 0), put(), hub.client.head()).committed


def test_counting_stops_at_the_first_commit_that_is_too_old(
    hub: Dataset, write: Write, local_hub: LocalHub, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(commits, "WINDOW", timedelta(0))
    for number in range(55):  # a page of the listing has 50
        write(f"{number}")
    local_hub.faults.forget()
    commit(hub, put(), hub.client.head())
    assert len(local_hub.faults.seen("GET", "/commits/main")) == 1


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("You have exceeded the rate limit (128 per hour). Retry in about 24 minutes.", "1440 seconds"),
        ("Retry this action in 1 hour.", "3600 seconds"),
        ("Too many requests, wait 90 seconds", "90 seconds"),
    ],
)
def test_the_wait_that_a_429_names_in_its_text_is_honoured(
    hub: Dataset, write: Write, local_hub: LocalHub, text: str, named: str
):
    write("one")
    local_hub.faults.add(Fault("POST", COMMIT, answer(429, text), times=9))
    with pytest.raises(HubUnavailableError, match=named):
        commit(impatient(hub, 60), put(), hub.client.head())
    assert len(local_hub.faults.seen("POST", COMMIT)) == 2  # the other writer's, and ours


def test_a_short_wait_is_waited_and_told(hub: Dataset, write: Write, local_hub: LocalHub):
    write("one")
    local_hub.faults.add(Fault("POST", COMMIT, answer(429, "Slow down for 1 second")))
    told: list[str] = []
    assert commit(hub, put(), hub.client.head(), log=told.append).committed
    assert "429" in told[0]
    assert "Trying again" in told[0]


def test_a_commit_that_landed_is_found_although_somebody_committed_after_it(
    hub: Dataset, write: Write, local_hub: LocalHub, repo_id: str
):
    write("one")
    before = hub.client.head()
    local_hub.faults.add(Fault("POST", COMMIT, after(call(lambda: write("after it"))), when="before"))
    local_hub.faults.add(Fault("POST", COMMIT, answer(500), when="after"))
    publication = commit(hub, put("a"), before)
    titles = [each.title for each in local_hub.store.commits(repo_id)]
    assert titles.count("Publish") == 1
    assert publication.committed
    assert "data/train-2026-01-15.parquet" in hub.client.head().files


def test_somebody_elses_commit_is_not_taken_for_ours(hub: Dataset, write: Write, local_hub: LocalHub, repo_id: str):
    write("one")
    before = hub.client.head()

    def slip_in() -> None:
        write("not ours")

    local_hub.faults.add(Fault("POST", COMMIT, call(slip_in)), Fault("POST", COMMIT, answer(500), skip=1))
    publication = commit(hub, put("a"), before)
    assert publication.committed
    assert hub.client.head().revision == publication.after
    titles = [each.title for each in local_hub.store.commits(repo_id)]
    assert titles[:2] == ["Publish", "not ours"]


DAYS = [f"data/train-2026-01-{number}.parquet" for number in range(11, 16)]
UPLOADS, STORED = "/preupload/main$", "/v1/shards$"


def five_days() -> Fixed:
    """Plan five shards, whose ids say their days; each is a group of its own where `a_file_a_group` is used."""
    return Fixed(Changeset({path: encode(shard([path])) for path in DAYS}, message="Publish", report=None))


@pytest.fixture
def a_file_a_group(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upload, "UPLOAD_BYTES", 1)


def test_files_are_uploaded_in_groups_and_a_large_one_alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setattr(upload, "UPLOAD_BYTES", 8)
    sizes = [5, 3, 4, 20, 1, 0, 7, 1]
    (tmp_path / "3").write_bytes(bytes(20))
    contents = {str(number): tmp_path / "3" if size == 20 else bytes(size) for number, size in enumerate(sizes)}
    groups = upload.upload_groups(upload.operations_of(contents, ["gone"], ()))
    assert [[sizes[int(each.path_in_repo)] for each in group] for group in groups] == [
        [5, 3],
        [4],
        [20],
        [1, 0, 7],
        [1],
    ]


def test_what_is_new_of_a_large_file_is_uploaded_in_pieces_first_and_hardly_a_byte_twice(
    hub: Dataset, write: Write, local_hub: LocalHub, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    monkeypatch.setattr(upload, "PIECE_BYTES", 4 << 20)
    monkeypatch.setattr(upload, "LARGE_BYTES", 8 << 20)
    known, first, second = (random.Random(each).randbytes(size << 20) for each, size in (("k", 9), ("a", 13), ("b", 2)))
    path = "data/train-2003-00.parquet"
    write("one")
    hub.client.commit(hub.client.head().revision or "", FileChanges({path: known}, message="Publish"))
    local_hub.faults.forget()
    (tmp_path / "large").write_bytes(first + known + second)
    fresh = [range(len(first)), range(len(first + known), len(first + known + second))]
    hub.client.commit(
        hub.client.head().revision or "",
        FileChanges({path: tmp_path / "large"}, fresh={path: fresh}, message="Publish"),
    )
    xorbs = [exchange.received for exchange in local_hub.faults.seen("POST", "/v1/xorbs/")]
    assert [round(each / (1 << 20)) for each in xorbs[:5]] == [4, 4, 4, 1, 2]
    assert sum(xorbs) < len(first + second) * 1.05
    assert hub.client.head().files[path].holds(tmp_path / "large")


def test_nothing_is_uploaded_in_pieces_that_is_little_or_known_or_without_xet(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(upload, "PIECE_BYTES", 2)
    monkeypatch.setattr(upload, "LARGE_BYTES", 5)
    added = upload.operations_of({"one": b"0123456789"}, (), ())

    def ahead(*fresh: range) -> list[object]:
        groups = upload.uploads_ahead(added, {"one": fresh, "two": [range(10)]})
        return [each.path_or_fileobj for group in groups for each in group]

    assert ahead(range(1, 4), range(6, 8)) == [b"12", b"3", b"67"]
    assert ahead(range(1, 3), range(6, 8)) == []
    assert ahead() == []
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    assert ahead(range(10)) == []


@pytest.mark.usefixtures("a_file_a_group")
def test_a_publication_asks_once_about_its_uploads_and_the_client_not_again(
    hub: Dataset, write: Write, local_hub: LocalHub
):
    write("one")
    local_hub.faults.forget()
    assert commit(hub, five_days(), hub.client.head()).committed
    assert len(local_hub.faults.seen("POST", UPLOADS)) == 1


QUOTA = {
    402: ("Payment Required", "You have exceeded your monthly included credits", "Add a payment method to go on"),
    403: (
        "Private repository storage limit reached, please upgrade your plan",
        "Your storage patterns tripped our internal systems! Please contact us to unlock more room",
        "Quota exceeded for namespace org",
    ),
}


@pytest.mark.parametrize(("status", "words"), [(status, each) for status, all_ in QUOTA.items() for each in all_])
@pytest.mark.parametrize("path", ["/xet-write-token/", "/commit/main$", "/preupload/"])
def test_a_quota_or_a_bill_is_told_first_in_the_words_of_the_hub_and_asked_for_once(
    hub: Dataset, write: Write, local_hub: LocalHub, path: str, status: int, words: str
):
    write("one")
    local_hub.faults.forget()
    local_hub.faults.add(Fault("*", path, answer(status, words), times=99))
    with pytest.raises(HubDeniedError) as caught:
        commit(hub, put(), hub.client.head())
    told = str(caught.value)
    assert told.startswith("The quota or the billing of the owner of org/")
    assert words in told
    assert "Look at HF_TOKEN" not in told
    # Of the storage's client nobody hears why, so the Hub is asked once more.
    assert len(local_hub.faults.seen("*", path)) == (2 if "xet" in path else 1)


@pytest.mark.parametrize(
    "words",
    [
        "Your account has unpaid invoices", "org is past due", "Spending cap of the organization",
        "You have exceeded the maximum size limit", "The limit has been reached", "Not enough space left for org",
    ],
)  # fmt: skip
def test_a_refusal_in_other_words_for_room_or_money_is_no_matter_of_the_token(
    words: str, hub: Dataset, local_hub: LocalHub
):
    local_hub.faults.add(Fault("GET", "/api/datasets/", answer(403, words), times=99))
    with pytest.raises(HubDeniedError, match=r"^The quota or the billing of the owner"):
        hub.client.head()


@pytest.mark.parametrize("words", ["Forbidden: pass a token with the role write", "You may not write to this space"])
def test_a_refusal_for_a_right_is_a_matter_of_the_token(words: str, hub: Dataset, local_hub: LocalHub):
    local_hub.faults.add(Fault("GET", "/api/datasets/", answer(403, words), times=99))
    with pytest.raises(HubDeniedError, match="Look at HF_TOKEN"):
        hub.client.head()


@pytest.mark.parametrize(("status", "named"), [(402, "quota or the billing"), (403, "HF_TOKEN"), (401, "HF_TOKEN")])
@pytest.mark.parametrize("path", ["/v1/xorbs/", "/v1/shards"])
def test_a_storage_that_refuses_after_it_gave_a_token_is_not_asked_again(
    hub: Dataset, write: Write, local_hub: LocalHub, path: str, status: int, named: str
):
    write("one")
    local_hub.faults.add(Fault("POST", path, answer(status, "no"), times=99))
    with pytest.raises(HubDeniedError, match=named):
        commit(hub, put("fresh", f"{path}{status}"), hub.client.head())


def test_a_quota_of_large_files_without_xet_is_told_in_the_words_of_the_hub(
    hub: Dataset, write: Write, local_hub: LocalHub, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    write("one")
    full = {"code": 403, "message": "Repository storage limit reached"}
    local_hub.faults.add(
        Fault(
            "POST",
            "/objects/batch",
            rewrite_answer(
                lambda told: {
                    "transfer": "basic",
                    "objects": [{"oid": each["oid"], "size": each["size"], "error": full} for each in told["objects"]],
                }
            ),
        )
    )
    with pytest.raises(HubDeniedError, match=r"^The quota or the bill.*: Repository storage limit reached`?\. Free"):
        commit(hub, put("without"), hub.client.head())


@pytest.mark.usefixtures("a_file_a_group")
def test_groups_are_uploaded_one_after_another_and_committed_together(
    hub: Dataset, write: Write, local_hub: LocalHub, repo_id: str
):
    write("one")
    before = hub.client.head()
    seen: list[str | None] = []
    local_hub.faults.add(
        Fault("POST", "/v2/shards$", call(lambda: seen.append(local_hub.store.head(repo_id))), times=9),
        Fault("POST", "/v1/shards", call(lambda: seen.append("upload")), times=9),
    )
    publication = commit(hub, five_days(), before)
    assert seen[:10] == [before.revision, "upload"] * 5
    assert local_hub.store.commits(repo_id)[1].sha == before.revision
    assert (
        publication.snapshot
        == Dataset.open(repo_id, NEWS, token=hub.client.token, endpoint=hub.client.api.endpoint).client.head()
    )
    assert [file.path for file in publication.snapshot.data_files] == DAYS
    assert all(publication.snapshot.files[path].holds(encode(shard([path]))) for path in DAYS)


@pytest.mark.usefixtures("a_file_a_group")
def test_a_refusal_between_two_groups_leaves_the_head_and_a_later_try_succeeds(
    hub: Dataset, write: Write, local_hub: LocalHub, repo_id: str
):
    write("one")
    before = hub.client.head()
    local_hub.faults.add(Fault("POST", STORED, answer(403, "Forbidden"), skip=2))
    with pytest.raises(HubDeniedError, match="HF_TOKEN"):
        commit(hub, five_days(), before)
    assert local_hub.store.head(repo_id) == before.revision
    assert commit(hub, five_days(), before).committed
    assert [file.path for file in hub.client.head().data_files] == DAYS


@pytest.mark.usefixtures("a_file_a_group")
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_cut_between_two_groups_is_tried_again_in_the_same_publication(
    hub: Dataset, write: Write, local_hub: LocalHub, repo_id: str, when: str
):
    write("one")
    before = len(local_hub.store.commits(repo_id))
    local_hub.faults.add(Fault("POST", "/v1/xorbs/", cut(), when=when, skip=2))  # pyright: ignore[reportArgumentType]
    assert commit(hub, five_days(), hub.client.head()).committed
    assert len(local_hub.store.commits(repo_id)) == before + 1


@pytest.mark.usefixtures("a_file_a_group")
def test_somebody_elses_commit_between_two_groups_makes_the_plan_anew(
    hub: Dataset, write: Write, local_hub: LocalHub, repo_id: str
):
    write("one")
    before = hub.client.head()
    local_hub.faults.add(Fault("POST", STORED, call(lambda: write("in between")), skip=2))
    plan = five_days()
    publication = commit(hub, plan, before)
    titles = [each.title for each in local_hub.store.commits(repo_id)]
    assert titles[:3] == ["Publish", "in between", "one"]
    assert plan.made_at == [before.revision, publication.before]
    assert {*DAYS, "notes.txt"} <= set(hub.client.head().files)


_PUBLISH = """
import sys
from govbr_assets.publications import NEWS
from govbr_assets.dataset import Dataset
from govbr_assets.huggingface import upload
from govbr_assets.dataset.transaction import commit
from govbr_assets_tests.huggingface.test_send import five_days

upload.UPLOAD_BYTES = 1
hub = Dataset.open(sys.argv[1], NEWS, token=sys.argv[2], endpoint=sys.argv[3])
commit(hub, five_days(), hub.client.head())
"""


def test_a_process_that_is_killed_between_two_groups_leaves_the_head_and_a_later_try_succeeds(
    hub: Dataset, write: Write, local_hub: LocalHub, repo_id: str
):
    write("one")
    before = local_hub.store.head(repo_id)
    victims: list[subprocess.Popen[bytes]] = []
    local_hub.faults.add(Fault("POST", STORED, call(lambda: victims[0].kill()), skip=2))
    victims.append(
        subprocess.Popen([sys.executable, "-c", _PUBLISH, repo_id, f"{hub.client.token}", local_hub.endpoint])
    )
    assert victims[0].wait(60) == -signal.SIGKILL
    assert len(local_hub.faults.seen("POST", STORED)) == 3
    assert local_hub.store.head(repo_id) == before
    assert commit(hub, five_days(), hub.client.head()).committed
    assert [file.path for file in hub.client.head().data_files] == DAYS
