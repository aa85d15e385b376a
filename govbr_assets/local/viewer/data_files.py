"""Which files of a revision are the dataset: what the train split of the default config selects, by the Hub's rules.

These are `core.scope`'s, which is tried against the library that readers use.
"""

from collections.abc import Mapping

from govbr_assets.core.card import Card
from govbr_assets.core.layout import CARD_PATH, is_parquet
from govbr_assets.core.scope import DEFAULT, scope_of
from govbr_assets.errors import ContractError
from govbr_assets.local.hub.blobs import Blob
from govbr_assets.local.viewer.errors import UnexpectedError

CONFIG, SPLIT = DEFAULT, "train"


def data_files(tree: Mapping[str, Blob]) -> dict[str, Blob]:
    """Pick the Parquet files of the split, in the order of their names.

    Args:
        tree: path to content of a revision.
    """
    return files_of_default(tree)[1]


def files_of_default(tree: Mapping[str, Blob]) -> tuple[str, dict[str, Blob]]:
    """Name the default config, and pick the Parquet files of its split, in the order of their names.

    Args:
        tree: path to content of a revision.

    Raises:
        UnexpectedError: the card cannot be understood.
    """
    content = tree[CARD_PATH].path.read_bytes() if CARD_PATH in tree else None
    try:
        scope = scope_of(Card.parse(content).metadata, tree)
    except ContractError as error:
        raise UnexpectedError(str(error)) from error
    return scope.default or CONFIG, {path: tree[path] for path in sorted({*scope.ours.files}) if is_parquet(path)}
