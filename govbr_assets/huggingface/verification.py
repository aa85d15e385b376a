"""What the client does not say: what the Hub would leave out of a commit, and what is in one that it has made.

The client sends no file that a `.gitignore` of the repo names, and reports success. So the Hub is asked before a
commit, as the client asks it, and after one, whether the new revision holds what was sent.
"""

import base64
from collections.abc import Mapping
from typing import Any

from huggingface_hub import constants
from huggingface_hub.utils import build_hf_headers, hf_raise_for_status, http_backoff

from govbr_assets.core.gitignore import gitignores_above, ignoring_line
from govbr_assets.core.layout import CARD_PATH
from govbr_assets.errors import HubUnavailableError, IncompleteCommitError
from govbr_assets.huggingface.blob import Blob, bytes_of, opened, size_of
from govbr_assets.huggingface.client import RepoClient
from govbr_assets.huggingface.errors import translated_errors
from govbr_assets.huggingface.file_changes import FileChanges
from govbr_assets.huggingface.snapshot import Snapshot

_SAMPLE = 512  # bytes of a file that the Hub wants to see, to tell text from data
_FILES = 256  # of one question
_NAMED = 3  # paths in a sentence


def check_taken(hub: RepoClient, snapshot: Snapshot, put: Mapping[str, Blob]) -> None:
    """Ask the Hub whether it would take every file of a commit.

    Raises:
        IncompleteCommitError: it would leave some out, by a line of a `.gitignore`.
        HubDeniedError: the token may not write.
        HubUnavailableError: the Hub is out of reach.
    """
    left_out = _left_out(hub, put)
    if not left_out:
        return
    texts = {path: _text(hub, snapshot, path) for path in gitignores_above(left_out[0]) if path in snapshot.files}
    line = ignoring_line(left_out[0], texts) or "some line of a .gitignore"
    raise IncompleteCommitError(
        f"{hub.repo_id} has {line}, for which the Hub would leave {_some(left_out)} out of the commit: take that"
        " line out of the repo; nothing was published."
    )


def verified(hub: RepoClient, snapshot: Snapshot, changes: FileChanges, revision: str) -> Snapshot:
    """Ask the Hub whether a new revision holds what was sent, and give the repo as it is there.

    Args:
        hub: the repo.
        snapshot: the parent.
        changes: what was sent.
        revision: what was made of it, as the client says.

    Raises:
        IncompleteCommitError: it is not so.
        HubUnavailableError: the Hub is out of reach, or does not know the revision yet.
    """
    there = hub.files_at(revision, changes.paths)
    breaches = changes.breaches(there)
    if not breaches:
        card = bytes_of(changes.put[CARD_PATH]) if CARD_PATH in changes.put else snapshot.card
        return snapshot.with_changes(revision, there.values(), changes.delete, card)
    now, before = len(hub.at(revision).data_files), len(snapshot.data_files)
    told = f"Commit {revision[:8]} of {hub.repo_id} is not what was sent to it: {_some(breaches)}"
    told += f"; the dataset has {now} data files now and had {before} at {(snapshot.revision or '')[:8]}"
    raise IncompleteCommitError(told + (", which the job rollback brings back." if before else "."))


def _left_out(hub: RepoClient, put: Mapping[str, Blob]) -> list[str]:
    """List the paths that the Hub would ignore."""
    address = f"{hub.api.endpoint}/api/datasets/{hub.repo_id}/preupload/{constants.DEFAULT_REVISION}"
    headers, paths, left_out = build_hf_headers(token=hub.token), list(put), []
    for start in range(0, len(paths), _FILES):
        files = [_described(path, put[path]) for path in paths[start : start + _FILES]]
        with translated_errors(hub.repo_id, "asking which files may come"):
            answer = http_backoff("POST", address, json={"files": files}, headers=headers)
            hf_raise_for_status(answer)
            left_out += _ignored(answer.json())
    return left_out


def _ignored(answer: Any) -> list[str]:
    """Read which paths an answer says that are ignored; one that does not say it of each file is none."""
    try:
        return [file["path"] for file in answer["files"] if file["shouldIgnore"]]
    except (KeyError, TypeError) as error:
        raise HubUnavailableError(f"The Hub does not say which files may come: {error!r} in its answer.") from error


def _described(path: str, content: Blob) -> dict[str, str | int]:
    """Describe a file as the Hub wants to know of it before it comes."""
    with opened(content) as file:
        sample = base64.b64encode(file.read(_SAMPLE)).decode("ascii")
    return {"path": path, "size": size_of(content), "sample": sample}


def _text(hub: RepoClient, snapshot: Snapshot, path: str) -> str:
    """Read a text file of whatever encoding."""
    with translated_errors(hub.repo_id, f"reading {path}"), hub.open(snapshot, snapshot.files[path]) as remote:
        return remote.read(snapshot.files[path].size).decode(errors="replace")


def _some(names: list[str]) -> str:
    """Name a few things, and how many more there are."""
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more
