"""The dataset card: what must change does, everything else stays byte for byte."""

import pytest
import yaml
from datasets import Features
from huggingface_hub.repocard import REGEX_YAML_BLOCK

from govbr_assets.errors import ContractError
from govbr_assets.publications import NEWS
from govbr_assets_tests.tables import usual_card

CONFIGS = [{"config_name": "default", "data_files": [{"split": "train", "path": "data/train-*.parquet"}]}]
FEATURES = Features.from_arrow_schema(NEWS.schema)._to_yaml_list()
STALE = """---
# who made it
license: mit   # keep my spaces
dataset_info:
  features:
  - name: unique_id
    dtype: string
  splits:
  - name: train
    num_bytes: 100
    num_examples: 3
  download_size: 5
  dataset_size: 100
# a comment of mine
configs:
- config_name: default
  data_files:
  - split: train
    path: data/train-0000*
tags: [a, "b"]
---
# Title

configs: not metadata
---
tail without newline"""


def appendable_card(card: str | None) -> str:
    return usual_card(None if card is None else card.encode()).text


def front(card: str) -> dict:
    """Read the metadata as the Hub's client does."""
    read = REGEX_YAML_BLOCK.search(card.removeprefix("\ufeff"))
    return (yaml.safe_load(read[2]) or {}) if read else {}


def test_a_new_card_names_the_pattern_and_the_columns_and_no_sizes():
    card = appendable_card(None)
    assert front(card)["configs"] == CONFIGS
    assert front(card)["dataset_info"] == {"features": FEATURES}


def test_a_stale_card_loses_its_sizes_and_nothing_else():
    card = appendable_card(STALE)
    assert front(card) == {
        "license": "mit",
        "dataset_info": {"features": FEATURES},
        "tags": ["a", "b"],
        "configs": CONFIGS,
    }
    assert card.endswith("---\n# Title\n\nconfigs: not metadata\n---\ntail without newline")
    for line in ("# who made it\n", "license: mit   # keep my spaces\n", "# a comment of mine\n", 'tags: [a, "b"]\n'):
        assert line in card


@pytest.mark.parametrize(
    "card",
    [
        None,
        STALE,
        STALE.replace("\n", "\r\n"),
        "# only text, no metadata",
        "",
        "---\n---\ntext",
        "---\nlicense: mit\n---",
        "---\ndataset_info:\n  splits:\n  - name: train\n  download_size: 1\n---\n",
        "---\ndataset_info:\n- config_name: default\n  splits: []\n  features: []\n- splits: []\n  features: []\n---\n",
        "---\ndataset_info: {splits: [], features: [], dataset_size: 1}\n---\nx",
        "---\ndescription: |\n  long\n  text\nconfigs: []\n---\nx",
        "---\nconfigs:\n- config_name: default\n  data_files: '*.csv'\n---\nx",
    ],
)
def test_any_card_becomes_appendable_and_then_stays_as_it_is(card: str | None):
    edited = appendable_card(card)
    data = front(edited)
    assert data["configs"] == CONFIGS
    info = data.get("dataset_info", {})
    for entry in info if isinstance(info, list) else [info]:
        assert not {"splits", "download_size", "dataset_size"} & set(entry)
    if card and "features" in card:
        assert "features" in edited
    assert appendable_card(edited) == edited


def test_line_endings_of_windows_stay():
    card = appendable_card(STALE.replace("\n", "\r\n"))
    assert card.replace("\r\n", "") == appendable_card(STALE).replace("\n", "")


@pytest.mark.parametrize("card", ["---\n- a\n---\n", "---\na: [\n---\n", "---\nlicense: mit\n"])
def test_a_broken_front_matter_is_named(card: str):
    with pytest.raises(ContractError, match=r"front matter of README\.md"):
        appendable_card(card)
