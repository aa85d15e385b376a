"""Which content of the full dataset each file of a projection was made of: from the trailer of its last commit.

Nothing is downloaded for it. A file that somebody else has changed since, and all files if the trailer is lost or names
a revision that is there no more, are of unknown origin: `plan` has them compared.

A change of the full dataset that no projected column or row shows makes no commit, and so no trailer. That the newest
revision mirrors this one as well is remembered in the metadata cache: without it the same files would be made again at
each run, to find that they are there.
"""

from collections.abc import Mapping
from contextlib import suppress
from itertools import islice, takewhile
from typing import NamedTuple

from govbr_assets.core.projection import Projection
from govbr_assets.core.releases import Release
from govbr_assets.dataset import Dataset
from govbr_assets.dataset.changeset import SourceRevision
from govbr_assets.errors import ConfigurationError, ContractError, HubDeniedError
from govbr_assets.huggingface.history import Commit
from govbr_assets.huggingface.snapshot import Snapshot

_COMMITS = 200  # that are looked through: of others after the last one of ours, of the full dataset for a release


class Mirror(NamedTuple):
    """What is known of a projection at a revision.

    Attributes:
        source: the revision of the full dataset that its last commit names; empty if none does.
        origins: content of the full dataset that is mirrored as it should be, by path there.
    """

    source: str = ""
    origins: Mapping[str, str] = {}


def check_apart(full: Dataset, reduced: Dataset) -> None:
    """Check that two datasets whose heads were asked for are two repos, whatever names lead to them.

    Raises:
        ConfigurationError: they are one.
    """
    name, other = full.client.canonical_id, reduced.client.canonical_id
    if name.lower() == other.lower():
        raise ConfigurationError(
            f"GOVBR_REPO_ID ({full.client.repo_id}) and GOVBR_REDUCED_REPO_ID ({reduced.client.repo_id}) both lead to"
            f" {name}, where the reduced dataset would replace the full one: name a repo of its own for it."
        )


def check_is_full(full: Dataset, snapshot: Snapshot) -> None:
    """Check that the newest commit of a dataset does not mirror another one.

    Args:
        full: what should be the full dataset.
        snapshot: its newest revision.

    Raises:
        ConfigurationError: it does.
    """
    newest = next(full.client.commits(snapshot.revision), None) if snapshot.revision else None
    if newest and SourceRevision.parse(newest.message):
        raise ConfigurationError(
            f"GOVBR_REPO_ID ({full.client.repo_id}) leads to a reduced dataset, whose newest commit mirrors another"
            " one: name the full dataset there; or, if this is it, bring it back with the job rollback."
        )


def check_replaceable(full: Dataset, reduced: Dataset, snapshot: Snapshot) -> None:
    """Check that what a projection would replace is no full dataset, unless it has all columns itself.

    Args:
        full: the full dataset.
        reduced: the projection's own.
        snapshot: a revision of the projection of whose files it is not known what they mirror.

    Raises:
        ContractError: all files that can be read have all columns of the full dataset.
    """
    if not {*full.spec.schema.names}.difference(reduced.spec.schema.names):
        return
    reduced.reader.fetch_schemas(snapshot.data_files)
    columns = list[set[str]]()
    for file in snapshot.data_files:
        with suppress(ContractError):  # what nobody can read is no loss
            columns.append({*reduced.reader.schema(file).names})
    if columns and all(each.issuperset(full.spec.schema.names) for each in columns):
        raise ContractError(
            f"{reduced.client.repo_id} has all columns of the full dataset, which the reduced one would replace: look"
            " at GOVBR_REPO_ID and GOVBR_REDUCED_REPO_ID, which may be exchanged; or delete the data files of that"
            " repo."
        )


def mirror_of(full: Dataset, reduced: Dataset, projection: Projection, snapshot: Snapshot) -> Mirror:
    """Return what the files of a projection were made of.

    Args:
        full: the full dataset.
        reduced: the projection's own.
        projection: which columns and rows.
        snapshot: a revision of the projection.

    Raises:
        ConfigurationError: both are one repo.
        HubUnavailableError: the Hub is out of reach.
    """
    check_apart(full, reduced)
    for commit in islice(reduced.client.commits(snapshot.revision), _COMMITS) if snapshot.revision else ():
        named = _named(reduced, projection, commit, head=commit.revision == snapshot.revision)
        if named is None:
            continue
        if named.projection != projection.fingerprint:
            break
        with suppress(HubDeniedError, ContractError):  # its history was squashed, or it is another repo, or none
            then = snapshot if commit.revision == snapshot.revision else reduced.client.at(commit.revision)
            source = full.client.at(named.revision)
            pairs = [(file, projection.path(file.path)) for file in source.data_files]
            return Mirror(
                named.revision,
                {file.path: file.content for file, path in pairs if snapshot.data_file(path) == then.data_file(path)},
            )
        break
    return Mirror()


def released(full: Dataset, since: str, revision: str) -> bool:
    """Return whether the full dataset was released after one revision, and not after another one.

    Args:
        full: the full dataset.
        since: the earlier revision; empty if it is not known.
        revision: the later one.

    Raises:
        HubUnavailableError: the Hub is out of reach.
    """
    commits = takewhile(lambda commit: commit.revision != since, full.client.commits(revision))
    return any(Release.parse(commit.message).name for commit in islice(commits, _COMMITS))


def remember(reduced: Dataset, snapshot: Snapshot, source: SourceRevision) -> None:
    """Remember that a revision of a projection mirrors another revision than its commit says, or that it says none."""
    if snapshot.revision:
        reduced.cache.keep_source(reduced.client.key_of(snapshot.revision), str(source))


def _named(reduced: Dataset, projection: Projection, commit: Commit, *, head: bool) -> SourceRevision | None:
    """Return what a commit of a projection mirrors: what was found last, or what it says itself."""
    said = SourceRevision.parse(commit.message)
    if said is None and not head:
        return None  # somebody else's
    found = SourceRevision.parse(reduced.cache.source(reduced.client.key_of(commit.revision)))
    return found if found and found.projection == projection.fingerprint else said
