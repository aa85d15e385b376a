"""What the job `rollback` records: from which revision to which one, in how many commits."""

from collections.abc import Sequence

from govbr_assets.core.counting import count
from govbr_assets.dataset.changeset import Changeset
from govbr_assets.defs.metadata.events import Metadata
from govbr_assets.operations.restore import RestoreStep


def restore_metadata(
    named: str,
    revisions: tuple[str | None, str | None, str | None],
    changesets: Sequence[Changeset[RestoreStep]],
    *,
    dry_run: bool,
) -> Metadata:
    """Describe all of a restore.

    Args:
        named: how the first of the revisions was named: by a tag, or by its hex digits.
        revisions: the one whose files come back, the one before and the one after.
        changesets: that were committed, or would be in a dry run.
        dry_run: nothing was committed.
    """
    target, before, after = (each or "" for each in revisions)
    return {
        "dry_run": dry_run,
        "target": target,
        "tag": "" if target.startswith(named.strip().lower()) else named.strip(),
        "revision_before": before,
        "revision_after": after,
        "commits": len(changesets),
        "files_back": sum(len(each.copy) for each in changesets),
        "files_gone": sum(len(each.delete) for each in changesets),
    }


def described(changeset: Changeset[RestoreStep]) -> str:
    """Return what a commit of a restore does."""
    back, gone = len(changeset.copy), len(changeset.delete)
    return f"{changeset.message}: {count(back, 'file')} back, {count(gone, 'file')} gone"
