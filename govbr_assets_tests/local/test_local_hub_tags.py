"""Tags of the local Hub with the real client, unchanged: they name commits, for good, and outlive a restart."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from huggingface_hub import HfApi, HfFileSystem, hf_hub_download
from huggingface_hub.errors import BadRequestError, HfHubHTTPError, RevisionNotFoundError

from govbr_assets.local.hub import LocalHub

REPO = "ns/news"


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalHub]:
    with LocalHub(tmp_path_factory.mktemp("hub")) as hub:
        yield hub


@pytest.fixture
def api(hub: LocalHub) -> HfApi:
    if REPO in hub.store.repos():
        hub.store.delete(REPO)
    hub.store.create(REPO)
    return HfApi(endpoint=hub.endpoint, token=hub.write_token)


def upload(api: HfApi, content: bytes) -> str:
    return api.upload_file(path_or_fileobj=content, path_in_repo="a.txt", repo_id=REPO, repo_type="dataset").oid


def test_a_tag_is_a_revision_wherever_one_can_be_named(hub: LocalHub, api: HfApi, tmp_path: Path):
    old = upload(api, b"old")
    api.create_tag(REPO, tag="2026.01.20", tag_message="two\nlines", repo_type="dataset")
    new = upload(api, b"new")
    api.create_tag(REPO, tag="before-2026.01.20", revision=old, repo_type="dataset")
    refs = api.list_repo_refs(REPO, repo_type="dataset")
    assert {(tag.name, tag.ref, tag.target_commit) for tag in refs.tags} == {
        ("2026.01.20", "refs/tags/2026.01.20", old),
        ("before-2026.01.20", "refs/tags/before-2026.01.20", old),
    }
    assert [branch.target_commit for branch in refs.branches] == [new]
    assert hub.store.history(REPO).tags.all()["2026.01.20"].message == "two\nlines"
    api.create_tag(REPO, tag="copy", revision="2026.01.20", repo_type="dataset")
    for tag in ("2026.01.20", "copy", "refs/tags/copy"):
        assert api.dataset_info(REPO, revision=tag).sha == old
        assert len(api.list_repo_commits(REPO, repo_type="dataset", revision=tag)) == 2
    (file,) = api.get_paths_info(REPO, ["a.txt"], repo_type="dataset", revision="copy")
    assert file in list(api.list_repo_tree(REPO, repo_type="dataset", revision="copy"))
    place = hf_hub_download(
        REPO, "a.txt", repo_type="dataset", revision="copy", endpoint=hub.endpoint, cache_dir=tmp_path
    )
    assert Path(place).read_bytes() == b"old"
    files = HfFileSystem(endpoint=hub.endpoint, token=hub.read_token)
    assert files.cat(f"datasets/{REPO}@copy/a.txt") == b"old"


def test_a_tag_that_is_there_is_409_and_stays(hub: LocalHub, api: HfApi):
    old = upload(api, b"old")
    api.create_tag(REPO, tag="v1", repo_type="dataset")
    upload(api, b"new")
    with pytest.raises(HfHubHTTPError) as caught:
        api.create_tag(REPO, tag="v1", repo_type="dataset")
    assert caught.value.response.status_code == 409
    api.create_tag(REPO, tag="v1", repo_type="dataset", exist_ok=True)
    assert api.dataset_info(REPO, revision="v1").sha == old
    with LocalHub(hub.folder) as again:
        assert again.store.head(REPO) != again.store.history(REPO).commit_at("v1").sha == old


def test_a_tag_that_is_deleted_is_no_revision_any_more(api: HfApi):
    api.create_tag(REPO, tag="v1", repo_type="dataset")
    api.delete_tag(REPO, tag="v1", repo_type="dataset")
    with pytest.raises(RevisionNotFoundError):
        api.dataset_info(REPO, revision="v1")
    with pytest.raises(RevisionNotFoundError):
        api.delete_tag(REPO, tag="v1", repo_type="dataset")
    api.create_tag(REPO, tag="v1", repo_type="dataset")


@pytest.mark.parametrize(
    "name", ["", "a b", "a..b", ".a", "a/.b", "a/", "/a", "a//b", "a.", "a.lock", "a~1", "a:b", "a?", "@", "a@{b", "-a"]
)
def test_names_that_git_does_not_take_are_refused(api: HfApi, name: str):
    with pytest.raises(BadRequestError):
        api.create_tag(REPO, tag=name, repo_type="dataset")


def test_only_a_revision_can_be_tagged_and_only_by_who_may_write(hub: LocalHub, api: HfApi):
    with pytest.raises(RevisionNotFoundError):
        api.create_tag(REPO, tag="v1", revision="0" * 40, repo_type="dataset")
    with pytest.raises(HfHubHTTPError) as caught:
        HfApi(endpoint=hub.endpoint, token=hub.read_token).create_tag(REPO, tag="v1", repo_type="dataset")
    assert caught.value.response.status_code == 403
    assert api.list_repo_refs(REPO, repo_type="dataset").tags == []
