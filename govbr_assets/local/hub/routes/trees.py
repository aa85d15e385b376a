"""Routes about what is in a revision: its folders and files by pages, or those at given paths."""

from collections.abc import Mapping
from urllib.parse import parse_qs

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from govbr_assets.local.hub.answers import page, time_of
from govbr_assets.local.hub.blobs import Blob, git_oid
from govbr_assets.local.hub.calls import DATASET, Call, to_repo
from govbr_assets.local.hub.changes import folders_of
from govbr_assets.local.hub.commits import Commit
from govbr_assets.local.hub.errors import EntryNotFoundError, RefusedError

_MOST_PATHS = 1000
"""Of one request; the real Hub refuses more."""

_EXPANDED_PAGE = 100
"""Entries with their last commits are dear, on the real Hub: it gives fewer of them on a page."""


def tree(call: Call) -> Response:
    """List a folder of a revision, with all below it if it says `recursive`."""
    files = call.history.tree(call.revision)
    folder = call.request.path_params.get("path", "").strip("/")
    prefix = f"{folder}/" if folder else ""
    below = [path for path in files if path.startswith(prefix)]
    if folder and not below:
        raise EntryNotFoundError(f"{folder} does not exist on {call.revision!r}")
    folders = {path for path in folders_of(below) if path.startswith(prefix)}
    if not call.flag("recursive"):
        folders = {path for path in folders if "/" not in path[len(prefix) :]}
        below = [path for path in below if "/" not in path[len(prefix) :]]
    expand = call.flag("expand")
    shown, headers = page(call, sorted(folders) + below, _EXPANDED_PAGE if expand else None)
    return JSONResponse(_entries(call, files, shown, expand=expand), headers=headers)


def paths_info(call: Call) -> Response:
    """Describe the files and folders at given paths; a path where nothing is gets no entry."""
    form = parse_qs(call.body.decode(errors="replace"))
    if len(form.get("paths", [])) > _MOST_PATHS:
        raise RefusedError("too many parameters", 413)
    files = call.history.tree(call.revision)
    folders = folders_of(files)
    there = [path for path in form.get("paths", []) if path in files or path in folders]
    return JSONResponse(_entries(call, files, there, expand=form.get("expand", [""])[0].lower() == "true"))


def _entries(call: Call, files: Mapping[str, Blob], paths: list[str], *, expand: bool) -> list[dict]:
    """Describe files and folders as the Hub does."""
    last = call.history.last_changes(call.revision) if expand else {}
    entries = []
    for path in paths:
        inside = [path] if path in files else [file for file in files if file.startswith(path + "/")]
        entry = _file(path, files[path]) if path in files else _folder(path, [files[file] for file in inside])
        if expand:
            newest = max((last[file] for file in inside), key=lambda commit: commit.created_at)
            entry["lastCommit"] = _commit(newest)
        entries.append(entry)
    return entries


def _file(path: str, blob: Blob) -> dict:
    entry: dict = {"type": "file", "oid": blob.oid, "size": blob.size, "path": path}
    if blob.sha256:
        entry["lfs"] = {"oid": blob.sha256, "size": blob.size, "pointerSize": blob.pointer_size}
    return entry


def _folder(path: str, blobs: list[Blob]) -> dict:
    oid = git_oid("".join(blob.oid for blob in blobs).encode())
    return {"type": "directory", "oid": oid, "size": 0, "path": path}


def _commit(commit: Commit) -> dict:
    return {"id": commit.sha, "title": commit.title, "date": time_of(commit)}


ROUTES = [
    Route(DATASET + "/tree/{revision}", to_repo(tree)),
    Route(DATASET + "/tree/{revision}/{path:path}", to_repo(tree)),
    Route(DATASET + "/paths-info/{revision:path}", to_repo(paths_info), methods=["POST"]),
]
