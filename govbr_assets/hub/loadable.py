"""What makes a revision load for every reader: the card's pattern, no stale sizes, and files of one schema."""

from collections.abc import Collection

from govbr_assets.core.card import appendable_card
from govbr_assets.core.layout import CARD_PATH, STALE_INFO_PATH, is_data_file
from govbr_assets.core.readable import reader_differences
from govbr_assets.errors import ContractError
from govbr_assets.hub.repo import Hub
from govbr_assets.hub.scan import file_schema
from govbr_assets.hub.snapshot import Snapshot


def card_changes(hub: Hub, snapshot: Snapshot) -> tuple[dict[str, bytes], tuple[str, ...]]:
    """Say what has to change beside the data, so that any data files load.

    Returns:
        The card to put, if it has to change, and the files to delete.

    Raises:
        ContractError: the card's front matter cannot be understood.
    """
    old = hub.text(snapshot, CARD_PATH)
    card = appendable_card(old)
    stale = (STALE_INFO_PATH,) if STALE_INFO_PATH in snapshot.files else ()
    return {} if card == old else {CARD_PATH: card.encode()}, stale


def check_readable(hub: Hub, snapshot: Snapshot, put: Collection[str], delete: Collection[str]) -> list[str]:
    """Compare the schemas of the files that will stand beside new ones with the contract.

    Args:
        hub: the repo.
        snapshot: the revision that the commit is planned at.
        put: paths of the commit's new files, which have the contract's schema.
        delete: paths that it deletes.

    Returns:
        What differs and is tolerated by readers, a sentence each.

    Raises:
        ContractError: what differs breaks readers; the message names file, column and both types.
    """
    standing = [file for file in snapshot.data_files if file.path not in {*put, *delete}]
    first = min([file.path for file in standing] + [path for path in put if is_data_file(path)], default="")
    notes = []
    for file in standing:
        asked = file.content, file.path == first
        if asked not in hub.schema_verdicts:
            hub.schema_verdicts[asked] = reader_differences(file_schema(hub, snapshot, file), first=file.path == first)
        breaking, tolerated = hub.schema_verdicts[asked]
        if breaking:
            raise ContractError(
                f"{file.path} on the Hub would break readers beside a new file: {'; '.join(breaking)}."
                " Fold or replace that file first."
            )
        notes += [f"{file.path}: {each}" for each in tolerated]
    return notes
