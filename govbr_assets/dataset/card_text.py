"""The text of a card, and the features of its columns: all of it for a new card, else only the part kept current.

Nothing here is needed to load the dataset, and so none of it stands in the way of a commit: what cannot be written, or
what the Hub would reject, is left out. Which files are ours is the business of `card`.
"""

from collections.abc import MutableMapping
from contextlib import suppress
from typing import Any

from govbr_assets.core.card import Card
from govbr_assets.core.card_block import replace_block
from govbr_assets.core.card_tables import SIZES, current_block, size_category
from govbr_assets.core.card_text import new_card
from govbr_assets.core.coverage import Coverage
from govbr_assets.core.dataset_info import add_features
from govbr_assets.dataset import Dataset
from govbr_assets.errors import ContractError
from govbr_assets.huggingface.card_validation import check_card


def first_card(dataset: Dataset, coverage: Coverage | None = None) -> bytes:
    """Write the card of a repo that has none.

    Args:
        dataset: the dataset.
        coverage: of the dataset; None if nobody has counted it.
    """
    size = size_category(coverage.rows) if coverage else ""
    return new_card(dataset.spec, dataset.card, size, current_block(dataset.spec, coverage)).encode()


def described(dataset: Dataset, card: Card, config: str, coverage: Coverage | None) -> tuple[Card, list[str]]:
    """Write into a card what it says of the columns, and of the rows where it has marks for that.

    Args:
        dataset: the dataset.
        card: the card, which selects the right files.
        config: name of the default config.
        coverage: of the dataset; None leaves what the card says of rows.

    Returns:
        The card, and what stood in the way of keeping its text current, a sentence each.
    """
    current, problems = card, list[str]()
    if coverage is not None:
        block = current_block(dataset.spec, coverage)
        current, problems = _kept_current(card, block, size_category(coverage.rows))
    with suppress(ContractError):  # written in a way that cannot be edited, and without features it loads as well
        current = current.edited(lambda metadata: add_features(metadata, config, dataset.spec.schema))
    if current.text == card.text:
        return card, problems
    try:
        check_card(dataset.client, current.encode())
    except ContractError:
        if coverage is not None:
            problems.append(
                "The Hub rejects the metadata of README.md, so that it was left as it is: correct it there."
            )
        return card, problems
    return current, problems


def _kept_current(card: Card, block: str, size: str) -> tuple[Card, list[str]]:
    """Write what is kept current between the marks of a card, if it has them, and then its size category as well."""
    problems = list[str]()

    def edit(text: str) -> str:
        """Replace what lies between the marks, or note why that cannot be."""
        after, problem = replace_block(text, block)
        problems.extend([problem] if problem else [])
        return after

    def resize(metadata: MutableMapping[Any, Any]) -> None:
        """Correct the size category, if there is one of the Hub's and no other."""
        known = metadata.get("size_categories")
        if isinstance(known, list) and len(known) == 1 and known[0] in SIZES:
            known[0] = size

    current = card.with_body(edit)
    if problems or current.text == card.text:
        return card, problems
    try:
        return current.edited(resize), []
    except ContractError:
        return current, []
