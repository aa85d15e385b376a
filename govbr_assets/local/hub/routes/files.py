"""Routes that hand out contents: small ones at their path, LFS files by way of a storage on another origin."""

from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import FileResponse, RedirectResponse, Response
from starlette.routing import Route

from govbr_assets.local.hub.answers import refuse
from govbr_assets.local.hub.calls import MEGABYTE, Call, hub_of, to_repo
from govbr_assets.local.hub.errors import EntryNotFoundError


class _Content(FileResponse):
    """A content, or the ranges of it that the request asks for."""

    chunk_size = MEGABYTE


def resolve(call: Call) -> Response:
    """Hand out a file of a revision, or the address of it if it is an LFS file."""
    commit = call.history.commit_at(call.revision)
    path = call.request.path_params["path"]
    blob = call.history.tree(commit.sha).get(path)
    if blob is None:
        # The client remembers by the commit that there is no such file.
        missing = refuse(EntryNotFoundError("Entry not found"))
        missing.headers["X-Repo-Commit"] = commit.sha
        return missing
    headers = {"X-Repo-Commit": commit.sha, "ETag": f'"{blob.sha256 or blob.oid}"', "Accept-Ranges": "bytes"}
    if blob.sha256 is None:
        return _Content(blob.path, headers=headers)
    headers |= {"X-Linked-Etag": headers["ETag"], "X-Linked-Size": str(blob.size)}
    address = call.other_origin.replace(
        path=f"/lfs/{blob.sha256}", query=f"signature={call.hub.signer.sign(_read(blob.sha256))}"
    )
    return RedirectResponse(str(address), 302, headers)


def page(call: Call) -> Response:
    """Lead from the page of a file, as a browser opens it, to the file: there are no pages here."""
    url = call.request.url
    return RedirectResponse(str(url.replace(path=url.path.replace("/blob/", "/resolve/", 1))), 302)


def download(request: Request) -> Response:
    """Hand out an LFS file to whoever was given its signed address."""
    hub, sha256 = hub_of(request), request.path_params["sha256"]
    hub.signer.check(_read(sha256), request.query_params.get("signature"))
    blob = hub.store.blobs.large(sha256)
    if blob is None:
        raise EntryNotFoundError("There is no such object.")
    headers: Mapping[str, str] = {"ETag": f'"{sha256}"'}
    return _Content(blob.path, headers=headers)


def _read(sha256: str) -> str:
    """Return what a signature permits."""
    return f"read {sha256}"


ROUTES = [
    Route("/datasets/{namespace}/{name}/resolve/{revision}/{path:path}", to_repo(resolve)),
    Route("/datasets/{namespace}/{name}/blob/{revision}/{path:path}", to_repo(page)),
    Route("/lfs/{sha256}", download, methods=["GET"]),
]
