"""Verification of commits: whether the Hub would accept all files, and whether the new revision has them.

The client drops files that a `.gitignore` of the repo names, and reports success. So before a commit the Hub is asked
which files it would ignore, and afterwards the new revision is compared with what was sent.
"""

import base64
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from huggingface_hub import constants
from huggingface_hub.utils import build_hf_headers, hf_raise_for_status, http_backoff

from govbr_assets.core.gitignore import gitignores_above, ignoring_line
from govbr_assets.core.layout import CARD_PATH
from govbr_assets.errors import HubDeniedError, HubUnavailableError, IncompleteCommitError
from govbr_assets.huggingface.blob import Blob, bytes_of, opened, size_of
from govbr_assets.huggingface.client import RepoClient
from govbr_assets.huggingface.errors import translated_errors
from govbr_assets.huggingface.file_changes import FileChanges
from govbr_assets.huggingface.snapshot import DataFile, Snapshot
from govbr_assets.huggingface.upload import TakenFile

_SAMPLE_BYTES = 512  # of a file, from which the Hub determines whether it is text
_REQUEST_FILES = 256
_EXAMPLES = 3  # paths in a message


def check_taken(hub: RepoClient, snapshot: Snapshot, put: Mapping[str, Blob]) -> Mapping[str, TakenFile]:
    """Raise unless the Hub would accept every file of a commit.

    Returns:
        What the Hub says of each file beside that, by path.

    Raises:
        IncompleteCommitError: it would ignore some, because of a line of a `.gitignore`.
        HubDeniedError: the token may not write.
        HubUnavailableError: the Hub is unreachable.
    """
    answers = _answers(hub, put)
    left_out = [path for path, answer in answers.items() if answer["shouldIgnore"]]
    if not left_out:
        return {path: TakenFile(str(answer.get("uploadMode")), answer.get("oid")) for path, answer in answers.items()}
    texts = {path: _text(hub, snapshot.files[path]) for path in gitignores_above(left_out[0]) if path in snapshot.files}
    line = ignoring_line(left_out[0], texts) or "some line of a .gitignore"
    raise IncompleteCommitError(
        f"{hub.repo_id} has {line}, for which the Hub would leave {_list(left_out)} out of the commit: take that"
        " line out of the repo; nothing was published."
    )


def check_ignored(hub: RepoClient, snapshot: Snapshot, put: Mapping[str, Blob]) -> None:
    """Look ahead for a dry run whether a `.gitignore` of the repo would keep files out of a commit.

    Nobody is asked where there is no such file, and a token that may not write learns nothing.

    Raises:
        IncompleteCommitError, HubUnavailableError: as `check_taken`.
    """
    if any(path in snapshot.files for each in put for path in gitignores_above(each)):
        with suppress(HubDeniedError):
            check_taken(hub, snapshot, put)


def verified(hub: RepoClient, snapshot: Snapshot, changes: FileChanges, revision: str) -> Snapshot:
    """Verify that a new revision has the files that were sent.

    Args:
        hub: the repo.
        snapshot: the parent.
        changes: what was sent.
        revision: the new revision, as reported by the client.

    Returns:
        The snapshot of the new revision.

    Raises:
        IncompleteCommitError: it differs from what was sent.
        HubUnavailableError: the Hub is unreachable, or does not know the revision yet.
    """
    there = hub.files_at(revision, changes.paths)
    breaches = changes.breaches(there)
    if not breaches:
        card = bytes_of(changes.put[CARD_PATH]) if CARD_PATH in changes.put else snapshot.card
        return snapshot.with_changes(revision, there.values(), changes.delete, card)
    now, before = len(hub.at(revision).data_files), len(snapshot.data_files)
    text = f"Commit {revision[:8]} of {hub.repo_id} is not what was sent to it: {_list(breaches)}"
    text += f"; the dataset has {now} data files now and had {before} at {(snapshot.revision or '')[:8]}"
    raise IncompleteCommitError(text + (", which the job rollback brings back." if before else "."))


def _answers(hub: RepoClient, put: Mapping[str, Blob]) -> dict[str, Mapping[str, Any]]:
    """Return what the Hub says of each file, by path."""
    address = f"{hub.api.endpoint}/api/datasets/{hub.repo_id}/preupload/{constants.DEFAULT_REVISION}"
    headers, paths, answers = build_hf_headers(token=hub.token), list(put), dict[str, Mapping[str, Any]]()
    for start in range(0, len(paths), _REQUEST_FILES):
        files = [_describe(path, put[path]) for path in paths[start : start + _REQUEST_FILES]]
        with translated_errors(hub.repo_id, "asking which files may come"):
            answer = http_backoff("POST", address, json={"files": files}, headers=headers)
            hf_raise_for_status(answer)
            answers |= _by_path(answer.json())
    return answers


def _by_path(answer: Any) -> dict[str, Mapping[str, Any]]:
    """Return the files of an answer; raise if it does not say of one whether it is ignored."""
    try:
        return {file["path"]: {**file, "shouldIgnore": file["shouldIgnore"]} for file in answer["files"]}
    except (KeyError, TypeError) as error:
        raise HubUnavailableError(f"The Hub does not say which files may come: {error!r} in its answer.") from error


def _describe(path: str, content: Blob) -> dict[str, str | int]:
    """Return the description of a file for the Hub's preupload request."""
    with opened(content) as file:
        sample = base64.b64encode(file.read(_SAMPLE_BYTES)).decode("ascii")
    return {"path": path, "size": size_of(content), "sample": sample}


def _text(hub: RepoClient, file: DataFile) -> str:
    """Read a text file of any encoding."""
    with translated_errors(hub.repo_id, f"reading {file.path}"), hub.open(file) as remote:
        return remote.read(file.size).decode(errors="replace")


def _list(names: list[str]) -> str:
    """Join the first names, and the number of the others."""
    more = f" and {len(names) - _EXAMPLES} more" if len(names) > _EXAMPLES else ""
    return ", ".join(names[:_EXAMPLES]) + more
