"""A commit on its way: inside the hourly limit of the repo's own history, patient within bounds, sent once."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from huggingface_hub import CommitOperationAdd, HfApi

from govbr_assets.errors import HubUnavailableError
from govbr_assets.hub import Hub, publish, send
from govbr_assets.local.hub import LocalHub
from govbr_assets.local.hub.actions import after, answer, call
from govbr_assets.local.hub.faults import Fault
from govbr_assets_tests.test_hub import COMMIT, put

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


def impatient(hub: Hub, seconds: float) -> Hub:
    hub.patience = seconds
    return hub


def test_commits_of_the_last_hour_are_counted_from_the_repos_history(
    hub: Hub, write: Write, local_hub: LocalHub, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(send, "COMMITS", 4)  # the repo's first one, and three of somebody else's
    for number in range(3):
        write(f"{number}")
    local_hub.faults.forget()
    with pytest.raises(HubUnavailableError, match=r"4 commits within the hour.* UTC.*GOVBR_HUB_PATIENCE_MINUTES"):
        publish(impatient(hub, 60), put(), hub.head())
    assert not local_hub.faults.seen("POST", COMMIT)
    assert len(local_hub.faults.seen("GET", "/commits/main")) == 1


def test_a_spent_hour_is_waited_for_and_it_is_told_until_when(hub: Hub, write: Write, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(send, "COMMITS", 2)
    monkeypatch.setattr(send, "WINDOW", timedelta(seconds=2))
    write("one")
    told: list[str] = []
    publication = publish(hub, put(), hub.head(), tell=told.append)
    assert publication.committed
    assert len(told) == 1
    assert "takes no more before" in told[0]
    assert told[0].endswith("Waiting until then.")


def test_older_commits_do_not_count(hub: Hub, write: Write, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(send, "COMMITS", 1)
    monkeypatch.setattr(send, "WINDOW", timedelta(0))
    write("one")
    assert publish(impatient(hub, 0), put(), hub.head()).committed


def test_counting_stops_at_the_first_commit_that_is_too_old(
    hub: Hub, write: Write, local_hub: LocalHub, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(send, "WINDOW", timedelta(0))
    for number in range(55):  # a page of the listing has 50
        write(f"{number}")
    local_hub.faults.forget()
    publish(hub, put(), hub.head())
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
    hub: Hub, write: Write, local_hub: LocalHub, text: str, named: str
):
    write("one")
    local_hub.faults.add(Fault("POST", COMMIT, answer(429, text), times=9))
    with pytest.raises(HubUnavailableError, match=named):
        publish(impatient(hub, 60), put(), hub.head())
    assert len(local_hub.faults.seen("POST", COMMIT)) == 2  # the other writer's, and ours


def test_a_short_wait_is_waited_and_told(hub: Hub, write: Write, local_hub: LocalHub):
    write("one")
    local_hub.faults.add(Fault("POST", COMMIT, answer(429, "Slow down for 1 second")))
    told: list[str] = []
    assert publish(hub, put(), hub.head(), tell=told.append).committed
    assert "429" in told[0]
    assert "Trying again" in told[0]


def test_a_commit_that_landed_is_found_although_somebody_committed_after_it(
    hub: Hub, write: Write, local_hub: LocalHub, repo_id: str
):
    write("one")
    before = hub.head()
    local_hub.faults.add(Fault("POST", COMMIT, after(call(lambda: write("after it"))), when="before"))
    local_hub.faults.add(Fault("POST", COMMIT, answer(500), when="after"))
    publication = publish(hub, put("a"), before)
    titles = [commit.title for commit in local_hub.store.commits(repo_id)]
    assert titles.count("Publish") == 1
    assert publication.committed
    assert "data/train-2026-01-15.parquet" in hub.head().files


def test_somebody_elses_commit_is_not_taken_for_ours(hub: Hub, write: Write, local_hub: LocalHub, repo_id: str):
    write("one")
    before = hub.head()

    def slip_in() -> None:
        write("not ours")

    local_hub.faults.add(Fault("POST", COMMIT, call(slip_in)), Fault("POST", COMMIT, answer(500), skip=1))
    publication = publish(hub, put("a"), before)
    assert publication.committed
    assert hub.head().revision == publication.after
    titles = [commit.title for commit in local_hub.store.commits(repo_id)]
    assert titles[:2] == ["Publish", "not ours"]
