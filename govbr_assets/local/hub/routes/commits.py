"""Routes that change a repo: which way each file is to be uploaded, whether the card is valid, and the commit."""

import base64
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from typing import Any

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from govbr_assets.core.gitignore import GITIGNORE, ignoring_line
from govbr_assets.local.hub.blobs import Blob
from govbr_assets.local.hub.calls import DATASET, Call, json_object, to_repo, to_user
from govbr_assets.local.hub.card_rules import card_errors
from govbr_assets.local.hub.changes import Delete, Operation, Put, check_path
from govbr_assets.local.hub.errors import RefusedError, RevisionNotFoundError
from govbr_assets.local.hub.history import MAIN
from govbr_assets.local.hub.rules import is_large


def validate_yaml(call: Call) -> Response:
    """Return what is wrong with the text of a dataset card."""
    errors, warnings = card_errors(str(call.json().get("content", "")))
    answer = {
        "errors": [{"message": message} for message in errors],
        "warnings": [{"message": message} for message in warnings],
    }
    return JSONResponse(answer, 400 if errors else 200)


def preupload(call: Call) -> Response:
    """Say of each file whether it is to be an LFS file, is ignored, and what stands at its path now."""
    wish = call.json()
    tree = call.history.tree(call.revision)
    ignores = {path: _text(tree, path) for path in tree if path.rpartition("/")[2] == GITIGNORE}
    ignores |= {GITIGNORE: wish["gitIgnore"]} if wish.get("gitIgnore") else {}
    attributes = _text(tree, ".gitattributes")
    files = [_mode(call, tree, file, attributes, ignores) for file in wish.get("files", [])]
    return JSONResponse({"files": files})


def commit(call: Call) -> Response:
    """Add a commit, from the lines of JSON in the body."""
    if call.revision != MAIN:
        raise RevisionNotFoundError(f"Invalid rev id: {call.revision}; this Hub has the branch {MAIN!r} only.")
    if call.flag("create_pr"):
        raise RefusedError("This Hub has no pull requests.")
    lines = [json_object(line) for line in call.body.splitlines() if line.strip()]
    if not lines or lines[0].get("key") != "header":
        raise RefusedError("The first line of a commit is its header.")
    header = _value(lines[0])
    title = header.get("summary")
    if not isinstance(title, str) or not title:
        raise RefusedError("A commit needs a summary.")
    _check_rate(call)
    operations = [_operation(call, line) for line in lines[1:]]
    made = call.history.commit(header.get("parentCommit"), operations, title, header.get("description") or "")
    url = f"{call.base}/datasets/{call.repo_id}/commit/{made.sha}"
    return JSONResponse({"success": True, "commitOid": made.sha, "commitUrl": url, "hookOutput": ""})


def _check_rate(call: Call) -> None:
    """Refuse a commit when the repo has had too many within the hour, and name the minutes as the real Hub does."""
    most, hour = call.hub.limits.commits_an_hour, timedelta(hours=1)
    now = datetime.now(UTC)
    recent = [each.created_at for each in takewhile(lambda c: c.created_at > now - hour, call.history.commits(MAIN))]
    if len(recent) >= most:
        minutes = max(1, round((recent[most - 1] + hour - now).total_seconds() / 60))
        raise RefusedError(
            f"You have exceeded the rate limit for repository commits ({most} per hour)."
            f" Retry this action in about {minutes} minutes.",
            429,
        )


def _mode(
    call: Call, tree: Mapping[str, Blob], file: dict[str, Any], attributes: str, ignores: Mapping[str, str]
) -> dict:
    """Return how one file is to be uploaded."""
    path, size = file.get("path"), file.get("size")
    if not isinstance(path, str) or not isinstance(size, int):
        raise RefusedError("A file to upload has a `path` and a `size`.")
    check_path(path)
    # As on the real Hub a binary file is large whatever its size; `sample` is its first 512 bytes.
    binary = b"\0" in _decoded(path, file.get("sample", ""))
    large = binary or size > call.hub.limits.regular_bytes or is_large(path, attributes)
    answer = {
        "path": path,
        "uploadMode": "lfs" if large else "regular",
        "shouldIgnore": bool(ignoring_line(path, ignores)),
    }
    if there := tree.get(path):
        answer["oid"] = there.sha256 or there.oid
    return answer


def _operation(call: Call, line: dict[str, Any]) -> Operation:
    """Read one line of a commit."""
    value = _value(line)
    path = value.get("path")
    if not isinstance(path, str):
        raise RefusedError("An operation needs a path.")
    match line.get("key"):
        case "file":
            return Put(path, _regular(call, path, value))
        case "lfsFile":
            return Put(path, _large(call, path, value))
        case "deletedFile":
            return Delete(path)
        case "deletedFolder":
            return Delete(path.rstrip("/"), folder=True)
        case key:
            raise RefusedError(f"{key!r} is no operation of a commit.")


def _regular(call: Call, path: str, value: dict[str, Any]) -> Blob:
    """Keep the content that a line brings along."""
    text = str(value.get("content", ""))
    content = _decoded(path, text) if value.get("encoding") == "base64" else text.encode()
    most = call.hub.limits.regular_bytes
    if len(content) > most:
        raise RefusedError(f"{path!r} has {len(content)} bytes: a file of more than {most} goes by LFS or Xet.", 413)
    if path == "README.md" and (errors := card_errors(content.decode(errors="replace"))[0]):
        raise RefusedError(f"Invalid metadata in README.md: {errors[0]}")
    return call.hub.store.blobs.add(content)


def _large(call: Call, path: str, value: dict[str, Any]) -> Blob:
    """Find the content that a line names; a copy of a file that the repo has, or had, leaves out its size."""
    blob = call.hub.store.blobs.large(str(value.get("oid"))) if value.get("algo") == "sha256" else None
    if blob is None or ("size" not in value and not call.history.has_had(blob)):
        raise RefusedError(f"LFS pointer pointed to a file that does not exist: {path!r}, {value.get('oid')}")
    if value.get("size", blob.size) != blob.size:
        raise RefusedError(f"{path!r} has {blob.size} bytes, not {value['size']}.")
    return blob


def _decoded(path: str, text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        raise RefusedError(f"The content of {path!r} is not base64.") from None


def _value(line: dict[str, Any]) -> dict[str, Any]:
    value = line.get("value")
    if not isinstance(value, dict):
        raise RefusedError("A line of a commit has a key and a value.")
    return value


def _text(tree: Mapping[str, Blob], path: str) -> str:
    return tree[path].path.read_text(errors="replace") if path in tree else ""


ROUTES = [
    Route("/api/validate-yaml", to_user(validate_yaml), methods=["POST"]),
    Route(DATASET + "/preupload/{revision:path}", to_repo(preupload, "write"), methods=["POST"]),
    Route(DATASET + "/commit/{revision:path}", to_repo(commit, "write"), methods=["POST"]),
]
