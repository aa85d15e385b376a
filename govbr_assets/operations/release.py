"""Releases get their tags: after a compaction, and in a later run if the Hub refused one.

Which commits are releases says their history, so that nothing has to be remembered between runs. What a release is, and
the changelog's entry in its commit, belong to the operations that plan it and to `dataset.release_notes`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, pairwise

from govbr_assets.core.release_text import message_before
from govbr_assets.core.releases import Release, name_before
from govbr_assets.dataset import Dataset
from govbr_assets.dataset.release_notes import notes_of
from govbr_assets.errors import HubDeniedError, HubUnavailableError
from govbr_assets.huggingface.commit import Log
from govbr_assets.huggingface.tags import create_tag, tag_names


@dataclass(frozen=True)
class TaggedReleases:
    """What became of the releases that had no tag.

    Attributes:
        created: the tags, the oldest first.
        problem: why some could not be created, in a sentence; empty if all could. The next run tries again.
    """

    created: tuple[str, ...] = ()
    problem: str = ""


def tag_releases(dataset: Dataset, log: Log = lambda _: None) -> TaggedReleases:
    """Create the tags of all releases since the last one that has its tag.

    Nothing is raised: a dataset that is published is none the worse for a tag that it lacks.

    Args:
        dataset: the dataset.
        log: gets a sentence for each tag.
    """
    created = list[str]()
    try:
        revision = dataset.client.head().revision
        waiting = [*_waiting(dataset, revision, tag_names(dataset.client))] if revision else []
        for name, tagged in reversed(waiting):
            create_tag(dataset.client, name, tagged, _message(dataset, name, tagged))
            log(f"Revision {tagged[:8]} got the tag {name}.")
            created.append(name)
    except (HubDeniedError, HubUnavailableError) as error:
        return TaggedReleases(tuple(created), f"A release has no tag yet, and the next compaction tries again: {error}")
    return TaggedReleases(tuple(created))


def tag_mirrored(full: Dataset, reduced: Dataset, source: str, log: Log = lambda _: None) -> TaggedReleases:
    """Create the tag of a release in the repo of a projection whose head mirrors that release.

    Nothing is raised, as in `tag_releases`; the next run that mirrors the same revision tries again.

    Args:
        full: the full dataset.
        reduced: the projection's own.
        source: the revision of the full dataset that the projection mirrors.
        log: gets a sentence for each tag.
    """
    try:
        commit, revision = next(full.client.commits(source), None), reduced.client.head().revision
        name = Release.parse(commit.message).name if commit else ""
        if not name or not revision or name not in tag_names(full.client) or name in tag_names(reduced.client):
            return TaggedReleases()
        create_tag(reduced.client, name, revision, _message(full, name, source))
    except (HubDeniedError, HubUnavailableError) as error:
        return TaggedReleases(problem=f"A release has no tag in {reduced.client.repo_id} yet: {error}")
    log(f"Revision {revision[:8]} of {reduced.client.repo_id} got the tag {name}.")
    return TaggedReleases((name,))


def _waiting(dataset: Dataset, revision: str, tags: set[str]) -> Iterator[tuple[str, str]]:
    """List the tags that are missing, each with its revision, the newest first."""
    named = set(tags)
    for commit, parent in pairwise(chain(dataset.client.commits(revision), [None])):
        release = Release.parse(commit.message) if commit else Release()
        if commit and release.name and release.name not in named:
            named.add(release.name)
            yield release.name, commit.revision
        before = name_before(release.before)
        if parent and release.before and before not in named:
            named.add(before)
            yield before, parent.revision
        if release.name in tags:
            return


def _message(dataset: Dataset, name: str, revision: str) -> str:
    """Say of a release what the changelog says of it."""
    if name.startswith(name_before("")):
        return message_before(name.removeprefix(name_before("")))
    return f"{name}\n\n{notes_of(dataset, dataset.client.at(revision), name)}".strip()
