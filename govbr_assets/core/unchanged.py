"""Checks of a commit's effect on configs and splits: ours select the intended files, all others what they did before.

`selection` edits the card accordingly.
"""

from collections.abc import Collection, Mapping

from govbr_assets.core.formats import Format, common_format
from govbr_assets.core.layout import DATA_PATTERN
from govbr_assets.core.scope import Scope
from govbr_assets.core.splits import Split
from govbr_assets.errors import ContractError


def check_selection(
    before: Scope, after: Scope, wanted: Collection[str], old: Mapping[str, str], new: Mapping[str, str]
) -> None:
    """Raise unless a commit selects the intended files, and leaves all other configs and splits unchanged.

    Args:
        before: scope before the commit.
        after: scope after it.
        wanted: paths of the dataset after it.
        old: content id of all files before it, by path.
        new: content id of all files after it, by path.

    Raises:
        ContractError: it does not; the message names config, split and file.
    """
    for path in sorted(set(wanted) - {*before.ours.files}):
        if path in old and old[path] != new[path]:
            raise ContractError(
                f"{path} on the Hub is in the place of a file of the dataset, and is none: the train split of the"
                " default config does not select it; give it another name, or delete it."
            )
    seen = after.ours.files
    if sorted(seen) != sorted(wanted):
        wrong = min(set(seen) ^ set(wanted), default=min(seen, default=""))
        raise ContractError(
            f"After this commit readers would see {wrong} {seen.count(wrong)} times and should see it"
            f" {int(wrong in wanted)} times: look at `configs` in README.md on the Hub."
        )
    if not wanted and (theirs := next((other for other in before.others if other[2].loads), None)):
        raise ContractError(
            "After this commit no file of the dataset would be left, and readers could load nothing of the repo, nor"
            f" the split {theirs[1]} of the config {theirs[0]}, which is not ours: set `removals` to `keep`, or publish"
            " a day that has rows first."
        )
    _check_format(after, wanted)
    for config, name, split in before.others:
        _check_other(config, name, split, before, after, old, new)


def _check_format(after: Scope, wanted: Collection[str]) -> None:
    """Raise if readers would take the files of the dataset for another format than theirs."""
    kind = common_format(wanted)
    if not wanted or (kind and after.format == kind):
        return
    first = next(iter(after.configs), "")
    kinds = {name: common_format(split.files) for name, split in after.configs.get(first, {}).items()}
    split = next((name for name, other in kinds.items() if other != kind), None)
    if kind is None or split is None:
        raise ContractError(
            f"Readers would take the files of the dataset for {_named(after.format)} after this commit, and they are"
            f" {_named(kind)}: look at `configs` in README.md on the Hub."
        )
    raise ContractError(
        f"Readers take all files of a repo for one format, by those of its first config. That is {first} in README.md"
        f" on the Hub, whose split {split} is {_named(kinds[split])}, while the dataset is {kind.name}: write the files"
        " of that split as Parquet, or move them to a repo of their own."
    )


def _named(kind: Format | None) -> str:
    return kind.name if kind else "of no known format"


def changed_configs(before: Scope, after: Scope, old: Mapping[str, str], new: Mapping[str, str]) -> set[str]:
    """Return the configs with a split whose files a commit changes; arguments as of `check_selection`."""

    def files(split: Split | None, all_: Mapping[str, str]) -> list[tuple[str, str]]:
        """Return the files of a split with their content ids."""
        return sorted((path, all_[path]) for path in split.files) if split else []

    return {
        config
        for config, splits in after.configs.items()
        for name, split in splits.items()
        if files(split, new) != files(before.configs.get(config, {}).get(name), old)
    }


def _check_other(
    config: str,
    name: str,
    split: Split,
    before: Scope,
    after: Scope,
    old: Mapping[str, str],
    new: Mapping[str, str],
) -> None:
    """Raise if another split changes, except for files of ours if it had selected such files before."""
    now, subject = after.configs.get(config, {}).get(name, Split(())), f"The split {name} of the config {config}"
    ours, added = {*before.ours.files}, {*now.files} & {*after.ours.files} - {*split.files}
    if split.files and added and ours.isdisjoint(split.files):
        raise ContractError(
            f"{subject} in README.md on the Hub would select {min(added)} as well, by {', '.join(split.patterns)}: let"
            " it name its own files only."
        )
    ours |= {*after.ours.files}
    was = sorted((path, old[path]) for path in split.files if path not in ours)
    is_ = sorted((path, new[path]) for path in now.files if path not in ours)
    if was != is_:
        changed = min({*was} ^ {*is_}, default=("a file", ""))[0]
        raise ContractError(
            f"{subject} has {changed}, which this commit would change: give that file another name, outside of"
            f" {DATA_PATTERN}."
        )
    if split.loads and before.format and (not now.loads or after.format != before.format):
        raise ContractError(
            f"{subject} in README.md on the Hub could not be loaded after this commit"
            f" (by {', '.join(split.patterns)}): let it name files of its own, in the format of the dataset."
        )
