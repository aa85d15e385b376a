"""What the job `rollback` records: from which revision to which one, in how many commits."""

from collections.abc import Sequence, Set

from govbr_assets.core.counting import count
from govbr_assets.dataset.changeset import Changeset
from govbr_assets.defs.metadata.events import Metadata
from govbr_assets.operations.restore import RestoreStep

_SHOWN, _FIRST = 100, 10  # files in the metadata, and in a line


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
        "back": _named({file.path for each in changesets for file in each.copy}),
        "gone": _named({path for each in changesets for path in each.delete}),
    }


def _named(paths: Set[str]) -> str:
    """List files, a line each."""
    more = [f"and {len(paths) - _SHOWN:,} more"] if len(paths) > _SHOWN else []
    return "\n".join([*sorted(paths)[:_SHOWN], *more]) or "none"


def described(changeset: Changeset[RestoreStep]) -> str:
    """Return what a commit of a restore does, in a line."""
    paths = {"back": [file.path for file in changeset.copy], "gone": changeset.delete}
    done = (f"{count(len(each), 'file')} {word}{_first(each)}" for word, each in paths.items())
    return f"{changeset.message}: {', '.join(done)}"


def _first(paths: Sequence[str]) -> str:
    """Name the first of some files."""
    more = f" and {len(paths) - _FIRST:,} more" if len(paths) > _FIRST else ""
    return f" ({', '.join(paths[:_FIRST])}{more})" if paths else ""
