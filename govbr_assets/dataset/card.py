"""The card's metadata in a commit: it selects our files, loses stale sizes, and keeps what it says of other configs.

Its text is made in `card_text`, and the rules for its metadata are in `core`.
"""

from collections.abc import Collection, Sequence
from typing import NamedTuple

from govbr_assets.core.card import Card, card_of
from govbr_assets.core.coverage import Coverage
from govbr_assets.core.dataset_info import correct_info, corrected_infos, drop_sizes
from govbr_assets.core.layout import CARD_PATH, DATA_PATTERN, STALE_INFO_PATH
from govbr_assets.core.scope import DEFAULT, Scope, scope_of
from govbr_assets.core.selection import Metadata, restate, restate_info, select, train_patterns
from govbr_assets.core.spec import DatasetSpec
from govbr_assets.core.unchanged import changed_configs, check_selection
from govbr_assets.dataset import Dataset
from govbr_assets.dataset.card_text import described, first_card
from govbr_assets.dataset.changeset import Changeset
from govbr_assets.huggingface.card_validation import check_card
from govbr_assets.huggingface.snapshot import Snapshot


def check_card_usable(dataset: Dataset, snapshot: Snapshot) -> None:
    """Check that the card of a revision can be edited and that the Hub would take it then.

    Raises:
        ContractError: it cannot be understood or not be edited, or the Hub refuses what it would become.
    """
    scope = snapshot.scope

    def edit(metadata: Metadata) -> None:
        select(metadata, scope, scope.ours.patterns or [DATA_PATTERN], snapshot.files)
        correct_info(metadata, scope.default or DEFAULT, dataset.spec.schema)

    with card_of(dataset.client.repo_id):
        content = Card.parse(_base(dataset, snapshot)).edited(edit).encode()
    if content != snapshot.card:
        check_card(dataset.client, content)


class CardChanges(NamedTuple):
    """What has to change beside the data: contents by path, paths to delete, and what was left as it is, and why."""

    put: dict[str, bytes]
    delete: tuple[str, ...] = ()
    notes: Sequence[str] = ()


def card_changes(
    dataset: Dataset, snapshot: Snapshot, edit: Changeset[object] | None = None, coverage: Coverage | None = None
) -> CardChanges:
    """Return what has to change beside the data, so that readers see our files and of all others what they saw.

    Args:
        dataset: the dataset.
        snapshot: the revision that the commit is planned at.
        edit: the commit; None for one that changes no file, to see what has to change all the same.
        coverage: of the dataset after the commit, for a new card and for one whose text is kept current; or None.

    Returns:
        The card and the older file beside it, if they change.

    Raises:
        ContractError: the card cannot be understood or not be edited, readers would see something else, or the Hub
            refuses what it would become.
    """
    describing, edit = edit is not None and not edit.like, edit or Changeset(report=None)
    old = {path: file.content for path, file in snapshot.files.items()}
    new = {path: content for path, content in old.items() if path not in edit.delete}
    new |= dict.fromkeys(edit.put, "") | {each.path: each.content for each in edit.copy}
    wanted, base = edit.data_paths(snapshot), Card.parse(_base(dataset, snapshot, coverage))
    card = _card(base, snapshot, edit.like, wanted, new.keys() | {CARD_PATH}, dataset.spec)
    after = scope_of(card.metadata, new.keys())
    check_selection(snapshot.scope, after, wanted, old, new)
    others = changed_configs(snapshot.scope, after, old, new) - {after.default}
    card = card.edited(lambda metadata: _correct_others(metadata, others, after, edit.like, dataset.spec))
    current = coverage if edit.describes and snapshot.card else None
    card, notes = described(dataset, card, after.default or DEFAULT, current) if describing else (card, [])
    content = card.encode()
    put = {} if content == snapshot.card else {CARD_PATH: content}
    if put:
        check_card(dataset.client, content)
    infos, delete = _stale_infos(dataset, snapshot, {snapshot.scope.default or DEFAULT, *others})
    return CardChanges(put | infos, delete, notes)


def _stale_infos(
    dataset: Dataset, snapshot: Snapshot, configs: Collection[str]
) -> tuple[dict[str, bytes], tuple[str, ...]]:
    """Correct the older file beside the card, or delete it."""
    infos = dataset.client.content(snapshot, STALE_INFO_PATH)
    if infos is None:
        return {}, ()
    corrected = corrected_infos(infos, configs)
    if corrected is None:
        return {}, (STALE_INFO_PATH,)
    return {} if corrected == infos else {STALE_INFO_PATH: corrected}, ()


def _base(dataset: Dataset, snapshot: Snapshot, coverage: Coverage | None = None) -> bytes:
    """Take the card of a revision, or write one."""
    return first_card(dataset, coverage) if snapshot.card is None else snapshot.card


def _card(
    base: Card,
    snapshot: Snapshot,
    like: Snapshot | None,
    wanted: Collection[str],
    paths: Collection[str],
    spec: DatasetSpec,
) -> Card:
    """Make the card select some files: as another revision's does, if that is asked for and right, else as ours do."""
    before = snapshot.scope
    config = before.default or DEFAULT

    def restated(metadata: Metadata) -> None:
        """Restore the config of the other revision."""
        assert like
        restate(metadata, before, like.metadata, like.scope)
        drop_sizes(metadata, like.scope.default or DEFAULT)

    def selecting(metadata: Metadata) -> None:
        """Set the patterns of the train split, and correct its features."""
        # In a projection, files from before it was one can have such names until a later commit deletes them.
        old = (like or snapshot).scope.ours.patterns
        select(metadata, before, train_patterns(old, wanted, paths, may_list=not spec.key), paths)
        correct_info(metadata, config, spec.schema)

    if like:
        card = base.edited(restated)
        if sorted(scope_of(card.metadata, paths).ours.files) == sorted(wanted):
            return card
    return base.edited(selecting)


def _correct_others(
    metadata: Metadata, configs: Collection[str], after: Scope, like: Snapshot | None, spec: DatasetSpec
) -> None:
    """Correct what the card says of other configs that select files of ours, too, and so have others by a commit."""
    for name in sorted(configs):
        if like:
            restate_info(metadata, like.metadata, name, name)
        if not like and after.has_only_ours(name):
            correct_info(metadata, name, spec.schema)
        else:
            drop_sizes(metadata, name)
