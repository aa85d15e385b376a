"""Routes about repos as a whole: make one, delete one, what is known about it, its commits; and about the user."""

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from govbr_assets.local.hub.access import USER
from govbr_assets.local.hub.answers import page, time_of
from govbr_assets.local.hub.blobs import Blob, git_oid
from govbr_assets.local.hub.calls import DATASET, Call, to_repo, to_user
from govbr_assets.local.hub.errors import RefusedError, RepoExistsError
from govbr_assets.local.hub.history import MAIN
from govbr_assets.local.hub.store import Visibility

_COMMITS_PAGE = 50


def whoami(call: Call) -> Response:
    """Name the owner of a token and what the token may do."""
    role = call.hub.tokens.require(call.request, "read")
    token = {"displayName": role, "role": role}
    auth = {"type": "access_token", "accessToken": token}
    return JSONResponse({"type": "user", "id": git_oid(USER.encode())[:24], "name": USER, "orgs": [], "auth": auth})


def auth_check(call: Call) -> Response:
    """Answer whoever was let in: a token that may not do it was refused before."""
    return Response("OK")


def create(call: Call) -> Response:
    """Make a repo; 409 with its `url` if it is there."""
    wish = call.json()
    repo_id = _wished(wish)
    answer = {"url": f"{call.base}/datasets/{repo_id}", "name": repo_id}
    private = wish.get("private") or wish.get("visibility") == "private"
    visibility: Visibility = "private" if private else "public"
    try:
        call.hub.store.create(repo_id, visibility)
    except RepoExistsError as error:
        return JSONResponse({"error": str(error), **answer}, error.status)
    return JSONResponse(answer)


def delete(call: Call) -> Response:
    """Delete a repo with its history."""
    call.hub.store.delete(_wished(call.json()))
    return Response()


def info(call: Call) -> Response:
    """Return what is known about a repo at a revision."""
    revision = call.request.path_params.get("revision", MAIN)
    commit = call.history.commit_at(revision)
    first = call.history.commits(commit.sha)[-1]
    with_blobs = call.flag("blobs")
    siblings = [_sibling(path, blob, with_blobs=with_blobs) for path, blob in call.history.tree(commit.sha).items()]
    return JSONResponse(
        {
            "_id": git_oid(call.repo_id.encode())[:24],
            "id": call.repo_id,
            "author": call.repo_id.split("/")[0],
            "sha": commit.sha,
            "lastModified": time_of(commit),
            "createdAt": time_of(first),
            "private": call.hub.store.visibility(call.repo_id) == "private",
            "gated": False,
            "disabled": False,
            "downloads": 0,
            "likes": 0,
            "tags": [],
            "siblings": siblings,
        }
    )


def commits(call: Call) -> Response:
    """List the commits that lead to a revision, newest first, by pages."""
    shown, headers = page(call, call.history.commits(call.revision), _COMMITS_PAGE)
    entries = [
        {
            "id": commit.sha,
            "title": commit.title,
            "message": commit.description,
            "authors": [{"user": USER}],
            "date": time_of(commit),
        }
        for commit in shown
    ]
    return JSONResponse(entries, headers=headers)


def refs(call: Call) -> Response:
    """List the branches, of which there is one, and the tags."""
    main = {"name": MAIN, "ref": f"refs/heads/{MAIN}", "targetCommit": call.history.head.sha}
    tags = [
        {"name": tag.name, "ref": f"refs/tags/{tag.name}", "targetCommit": tag.sha}
        for tag in call.history.tags.all().values()
    ]
    return JSONResponse({"branches": [main], "converts": [], "tags": tags, "pullRequests": []})


def add_tag(call: Call) -> Response:
    """Tag a revision; 409 if the tag is there, whatever it names."""
    wish, commit = call.json(), call.history.commit_at(call.revision)
    name, message = wish.get("tag"), wish.get("message") or ""
    if not isinstance(name, str) or not isinstance(message, str):
        raise RefusedError('"tag" and "message" are texts.')
    call.history.tags.add(name, commit.sha, message)
    return JSONResponse({"success": True})


def delete_tag(call: Call) -> Response:
    """Delete a tag."""
    call.history.tags.delete(call.request.path_params["tag"])
    return Response()


def _wished(wish: dict) -> str:
    """Read which repo a request to make or delete one means."""
    if wish.get("type") != "dataset":
        raise RefusedError("This Hub keeps datasets only: say type=dataset.")
    return f"{wish.get('organization') or USER}/{wish.get('name')}"


def _sibling(path: str, blob: Blob, *, with_blobs: bool) -> dict:
    sibling: dict = {"rfilename": path}
    if with_blobs:
        sibling |= {"size": blob.size, "blobId": blob.oid}
        if blob.sha256:
            sibling["lfs"] = {"sha256": blob.sha256, "size": blob.size, "pointerSize": blob.pointer_size}
    return sibling


ROUTES = [
    Route("/api/whoami-v2", to_user(whoami)),
    Route("/api/repos/create", to_user(create, "write"), methods=["POST"]),
    Route("/api/repos/delete", to_user(delete, "write"), methods=["DELETE"]),
    Route(DATASET, to_repo(info)),
    Route(DATASET + "/auth-check", to_repo(auth_check)),
    Route(DATASET + "/auth-check/write", to_repo(auth_check, "write")),
    Route(DATASET + "/revision/{revision:path}", to_repo(info)),
    Route(DATASET + "/commits/{revision:path}", to_repo(commits)),
    Route(DATASET + "/refs", to_repo(refs)),
    Route(DATASET + "/tag/{revision:path}", to_repo(add_tag, "write"), methods=["POST"]),
    Route(DATASET + "/tag/{tag:path}", to_repo(delete_tag, "write"), methods=["DELETE"]),
]
