"""The dataset card: the front matter that lets every reader load whatever shards there are.

Text and all other metadata of a card that is there stay byte for byte: keys are cut out at the places that the YAML
parser gives, and nothing is written anew but the keys that must change.
"""

import yaml

from govbr_assets.core.layout import DATA_PATTERN
from govbr_assets.errors import ContractError

_FENCE = "---\n"
_SIZES = ("splits", "download_size", "dataset_size")
_CONFIGS = f"""configs:
- config_name: default
  data_files:
  - split: train
    path: {DATA_PATTERN}
"""
_NEW_CARD = f"""{_FENCE}language:
- pt
{_CONFIGS}{_FENCE}
# Notícias do governo federal

Notícias publicadas pelos órgãos do governo brasileiro, um arquivo Parquet por dia em `data/`.
"""


def appendable_card(card: str | None) -> str:
    """Make the card safe for adding shards: the data pattern in `configs`, and no split sizes that would go stale.

    Args:
        card: text of `README.md` on the Hub; None when there is none.

    Returns:
        The same text where nothing has to change, so that an unchanged card costs no upload.

    Raises:
        ContractError: the front matter is no YAML mapping.
    """
    if card is None:
        return _NEW_CARD
    newline = "\r\n" if card.startswith("---\r\n") else "\n"
    fence = "---" + newline
    front, body = _split(card, fence, newline)
    root = _compose(front)
    edits = [] if _wanted(front) else [*_cuts(front, root, ["configs"]), (len(front), len(front), _CONFIGS)]
    edited = _apply(front, edits + _size_cuts(front, root))
    return card if edited == front else fence + edited.replace("\r\n", "\n").replace("\n", newline) + fence + body


def _split(card: str, fence: str, newline: str) -> tuple[str, str]:
    """Split a card into the YAML between its fences and the text after them."""
    if not card.startswith(fence):
        return "", newline + card
    rest = card[len(fence) :]
    if rest.startswith(fence):
        return "", rest[len(fence) :]
    front, closing, body = rest.partition(newline + fence)
    if not closing and not rest.endswith(newline + "---"):
        raise ContractError("The front matter of README.md on the Hub has no closing `---`: add it.")
    return front.removesuffix(newline + "---") + newline, body


def _compose(front: str) -> yaml.MappingNode:
    """Parse the front matter into nodes, which know where they stand."""
    try:
        root = yaml.compose(front, Loader=yaml.SafeLoader) if front.strip() else yaml.MappingNode("", [])
    except yaml.YAMLError as error:
        raise ContractError(f"The front matter of README.md on the Hub is not YAML: {error}.") from error
    if not isinstance(root, yaml.MappingNode):
        raise ContractError("The front matter of README.md on the Hub is not a mapping of keys to values.")
    return root


def _wanted(front: str) -> bool:
    """Say whether `configs` already has the one default configuration with the one pattern."""
    wanted = yaml.safe_load(_CONFIGS)["configs"]
    return ((yaml.safe_load(front) or {}) if front.strip() else {}).get("configs") == wanted


def _size_cuts(front: str, root: yaml.MappingNode) -> list[tuple[int, int, str]]:
    """Find the split sizes in `dataset_info`, which is a mapping or a list of them."""
    info = next((value for key, value in root.value if key.value == "dataset_info"), None)
    entries = info.value if isinstance(info, yaml.SequenceNode) else [info]
    mappings = [entry for entry in entries if isinstance(entry, yaml.MappingNode)]
    if mappings and all({key.value for key, _ in entry.value} <= {*_SIZES, "config_name"} for entry in mappings):
        return _cuts(front, root, ["dataset_info"])  # nothing would be left that says anything
    return [cut for entry in mappings for cut in _cuts(front, entry, _SIZES)]


def _cuts(front: str, mapping: yaml.MappingNode, names: list[str] | tuple[str, ...]) -> list[tuple[int, int, str]]:
    """Find the places of some keys of a mapping, each with its value."""
    return [_cut(front, key, value, mapping) for key, value in mapping.value if key.value in names]


def _cut(front: str, key: yaml.Node, value: yaml.Node, mapping: yaml.MappingNode) -> tuple[int, int, str]:
    """Find the place of one key with its value: whole lines in block style, up to the comma in flow style."""
    start, end = key.start_mark.index, _last_leaf(value).end_mark.index
    if mapping.flow_style:
        after = front[end:].lstrip()
        return (start, len(front) - len(after) + 1, "") if after.startswith(",") else (start, end, "")
    line = front.rfind("\n", 0, start) + 1
    following = [other.start_mark.index for other, _ in mapping.value if other.start_mark.index > start]
    if front[line:start].strip() and following:  # the first key of a list item, behind its dash
        return start, min(following), ""
    newline = front.find("\n", end - 1)  # a block text ends behind its newline
    return line, len(front) if newline < 0 else newline + 1, ""


def _last_leaf(node: yaml.Node) -> yaml.Node:
    """Find the last node that ends where its text ends: a block collection ends only where the next key starts."""
    if isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        return _last_leaf(last[1] if isinstance(last, tuple) else last)
    return node


def _apply(front: str, edits: list[tuple[int, int, str]]) -> str:
    """Apply replacements that do not overlap, last first."""
    for start, end, text in sorted(edits, reverse=True):
        front = front[:start] + text + front[end:]
    return front
