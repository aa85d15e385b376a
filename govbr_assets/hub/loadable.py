"""What makes a revision load for every reader: the card's pattern, no stale sizes, and files of one schema."""

from govbr_assets.core.card import appendable_card
from govbr_assets.core.dataset_info import corrected_infos
from govbr_assets.core.layout import CARD_PATH, STALE_INFO_PATH, is_data_file
from govbr_assets.core.readable import reader_differences
from govbr_assets.errors import ContractError
from govbr_assets.hub.edit import Edit
from govbr_assets.hub.repo import Hub
from govbr_assets.hub.scan import file_schema
from govbr_assets.hub.snapshot import HubFile, Snapshot
from govbr_assets.hub.validate import check_card


def card_changes(hub: Hub, snapshot: Snapshot) -> tuple[dict[str, bytes], tuple[str, ...]]:
    """Say what has to change beside the data, so that any data files load.

    Returns:
        The card and the older file beside it, if they have to change, and the files to delete.

    Raises:
        ContractError: the card cannot be understood or not be edited, or the Hub refuses what it would become.
    """
    old = hub.content(snapshot, CARD_PATH)
    card = appendable_card(old).encode()
    put = {} if card == old else {CARD_PATH: card}
    if put:
        check_card(hub, card)
    infos = hub.content(snapshot, STALE_INFO_PATH)
    if infos is None:
        return put, ()
    corrected = corrected_infos(infos, "default")
    if corrected is None:
        return put, (STALE_INFO_PATH,)
    return put if corrected == infos else {**put, STALE_INFO_PATH: corrected}, ()


def check_readable(hub: Hub, snapshot: Snapshot, edit: Edit) -> list[str]:
    """Compare the schemas of the files that will stand beside new ones, or come back, with the contract.

    Args:
        hub: the repo.
        snapshot: the revision that the commit is planned at.
        edit: the commit; the data files that it puts have the contract's schema.

    Returns:
        What differs and is tolerated by readers, a sentence each; in a state that there was before also what is not.

    Raises:
        ContractError: what differs breaks readers; the message names file, column and both types.
    """
    touched = {*edit.put, *edit.delete, *(each.file.path for each in edit.copy)}
    standing = [(file, snapshot) for file in snapshot.data_files if file.path not in touched]
    standing += [(each.file, hub.at(each.revision)) for each in edit.copy if is_data_file(each.file.path)]
    first = min([file.path for file, _ in standing] + [path for path in edit.put if is_data_file(path)], default="")
    notes = []
    for file, revision in standing:
        try:
            notes += _differences(hub, revision, file, first=file.path == first)
        except ContractError as error:
            if not edit.lenient:
                raise
            notes.append(str(error))
    return notes


def _differences(hub: Hub, snapshot: Snapshot, file: HubFile, *, first: bool) -> list[str]:
    """Say what readers tolerate of a file's schema, or raise if that breaks them."""
    asked = file.content, first
    if asked not in hub.schema_verdicts:
        hub.schema_verdicts[asked] = reader_differences(file_schema(hub, snapshot, file), first=first)
    breaking, tolerated = hub.schema_verdicts[asked]
    if breaking:
        raise ContractError(
            f"{file.path} on the Hub would break readers beside a new file: {'; '.join(breaking)}."
            " Fold or replace that file first."
        )
    return [f"{file.path}: {each}" for each in tolerated]
