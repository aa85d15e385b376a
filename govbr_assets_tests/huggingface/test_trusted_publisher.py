"""A workflow that has no token: the Hub gives it one for one repo, or it is told in a sentence what is missing."""

from types import SimpleNamespace

import pytest
from huggingface_hub import _oidc
from huggingface_hub.utils import _auth

from govbr_assets.dataset import Dataset
from govbr_assets.errors import ConfigurationError, HubDeniedError, HubUnavailableError
from govbr_assets.local.hub.access import Tokens
from govbr_assets.local.hub.actions import answer, rewrite_answer
from govbr_assets.local.hub.faults import Fault
from govbr_assets.publications import NEWS
from govbr_assets_tests.graph import Graph

EXCHANGE = "^/oauth/token$"


@pytest.fixture(autouse=True)
def workflow(graph: Graph, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stand where a workflow does that knows who it is."""
    # HF_ENDPOINT, which the client reads at its import.
    monkeypatch.setattr(_oidc, "constants", SimpleNamespace(ENDPOINT=graph.local_hub.endpoint))
    monkeypatch.setattr(_auth, "_OIDC_TOKEN_CACHE", None)
    monkeypatch.setenv("HF_OIDC_RESOURCE", f"datasets/{graph.repo_id}")
    monkeypatch.setenv("HF_OIDC_ID_TOKEN", Tokens().identity)
    graph.hub.client.create()


def exchanges(graph: Graph) -> int:
    return len(graph.local_hub.faults.seen("POST", EXCHANGE))


def test_a_day_is_published_without_a_stored_token(graph: Graph):
    graph.insert("a", "b")
    assert graph.run("2026-01-15", token="").success
    assert graph.ids() == {"data/train-2026-01-15.parquet": ["a", "b"]}
    assert exchanges(graph) == 1


def test_a_token_that_has_expired_in_a_long_run_is_replaced(graph: Graph):
    expired = rewrite_answer(lambda given: given | {"expires_in": 0})
    graph.local_hub.faults.add(Fault("POST", EXCHANGE, expired, times=999))
    graph.insert("a")
    assert graph.run("2026-01-15", token="").success
    assert exchanges(graph) > 5


def test_the_token_of_the_settings_goes_first(graph: Graph):
    graph.insert("a")
    assert graph.run("2026-01-15").success
    assert exchanges(graph) == 0


def test_a_token_for_one_repo_opens_no_other(graph: Graph):
    other = Dataset.open(f"{graph.repo_id}-2", NEWS, endpoint=graph.local_hub.endpoint)
    with pytest.raises(HubDeniedError, match="HF_TOKEN"):
        other.client.create()


@pytest.mark.parametrize(
    ("identity", "resource", "status", "error", "words"),
    [
        ("", "", 0, ConfigurationError, "HF_OIDC_RESOURCE is set.* permission `id-token` to write"),
        ("somebody_else", "", 0, HubDeniedError, r"gives this process no token .*\(400\).* trusted publishers"),
        ("", "my-org/my-news", 0, HubDeniedError, r"\(400\): write datasets/ and the repo there"),
        ("", "", 503, HubUnavailableError, "503 while asking for a token"),
    ],
)
def test_what_is_missing_is_one_sentence(
    identity: str,
    resource: str,
    status: int,
    error: type[Exception],
    words: str,
    graph: Graph,
    monkeypatch: pytest.MonkeyPatch,
):
    if error is ConfigurationError:
        monkeypatch.delenv("HF_OIDC_ID_TOKEN")
    elif identity:
        monkeypatch.setenv("HF_OIDC_ID_TOKEN", identity)
    if resource:
        monkeypatch.setenv("HF_OIDC_RESOURCE", resource)
    if status:
        graph.local_hub.faults.add(Fault("POST", EXCHANGE, answer(status), times=9))
    with pytest.raises(error, match=words) as raised:
        Dataset.open(graph.repo_id, NEWS, endpoint=graph.local_hub.endpoint)
    assert Tokens().identity not in str(raised.value)
