"""Cards of all kinds on the Hub: the real `load_dataset` reads the contract's types afterwards, or we say why not."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import yaml
from huggingface_hub import DatasetCard

from govbr_assets.core.days import Day
from govbr_assets.dataset import Dataset
from govbr_assets.dataset.changeset import Changeset
from govbr_assets.dataset.transaction import commit
from govbr_assets.errors import ContractError
from govbr_assets.huggingface.snapshot import Snapshot
from govbr_assets.local.hub import LocalHub
from govbr_assets.local.hub.actions import answer
from govbr_assets.local.hub.faults import Fault
from govbr_assets.operations.compact.plan import compact
from govbr_assets.publications import NEWS
from govbr_assets_tests import stranger
from govbr_assets_tests.tables import encode, shard

RIGHT: list[dict[str, Any]] = [
    {"name": field.name, "list": "string"} if field.name == "tags" else {"name": field.name, "dtype": str(field.type)}
    for field in NEWS.schema
]
OTHER = {
    "config_name": "agencies",
    "features": [{"name": "name", "dtype": "string"}],
    "splits": [{"name": "train", "num_bytes": 9, "num_examples": 1}],
    "dataset_size": 9,
}
TYPES = [str(field.type).replace("element", "item") for field in NEWS.schema]
CONFIG = {"config_name": "default", "data_files": "data/*.parquet"}
SHARD = "data/train-2026-01-15.parquet"

_LOAD = """
import json, sys
from datasets import load_dataset
for repo in sys.argv[1:]:
    try:
        rows = load_dataset(repo, split="train").with_format("arrow")[:]
        print(json.dumps([rows.num_rows, [str(each).replace("element", "item") for each in rows.schema.types]]))
    except Exception as error:
        print(json.dumps(repr(error)))
"""


class Fixed:
    """A plan that puts the same files at every revision, and counts how often it is made."""

    def __init__(self, files: Mapping[str, bytes] | None = None) -> None:
        self.files, self.made = files or {SHARD: encode(shard(["x"]))}, 0

    def plan(self, snapshot: Snapshot) -> Changeset[None]:
        self.made += 1
        return Changeset(self.files, message="Publish", report=None)


def front(**metadata: object) -> bytes:
    return b"---\n" + yaml.safe_dump(metadata, sort_keys=False).encode() + b"---\n# News\n"


def said(features: object) -> bytes:
    return front(dataset_info={"features": features})


def with_type(name: str, dtype: str) -> list[dict[str, Any]]:
    return [{"name": name, "dtype": dtype} if each["name"] == name else each for each in RIGHT]


def infos(**columns: Mapping[str, str]) -> bytes:
    told = {
        config: {
            "features": {name: {"dtype": dtype, "_type": "Value"} for name, dtype in features.items()},
            "splits": {"train": {"name": "train", "num_bytes": 1, "num_examples": 7}},
        }
        for config, features in columns.items()
    }
    return json.dumps(told).encode()


LABEL = {"name": "agency", "dtype": {"class_label": {"names": {"0": "mec"}}}}
CARDS: dict[str, dict[str, bytes]] = {
    "push_to_hub of a column without values": {"README.md": said(with_type("video_url", "null"))},
    "a column is missing": {"README.md": said(RIGHT[:-1])},
    "no column at all": {"README.md": said([])},
    "columns of another kind of dataset": {"README.md": said([{"name": "image", "dtype": "image"}])},
    "times as text": {"README.md": said(with_type("published_at", "string"))},
    "times in seconds": {"README.md": said(with_type("extracted_at", "timestamp[s]"))},
    "a column twice": {"README.md": said([*RIGHT, RIGHT[0]])},
    "a label in place of a text": {"README.md": said([RIGHT[0], LABEL, *RIGHT[2:]])},
    "in a list": {"README.md": front(dataset_info=[{"config_name": "default", "features": [], "download_size": 3}])},
    "in the config": {"README.md": front(configs=[{**CONFIG, "features": RIGHT[:3]}])},
    "no columns but a text": {"README.md": said("24 columns")},
    "an anchor": {"README.md": b"---\nx: &f\n- {name: a, dtype: string}\ndataset_info:\n  features: *f\n---\n"},
    "the older file": {"dataset_infos.json": infos(default={"image": "string"})},
    "the older file under a name of its own": {"dataset_infos.json": infos(**{"org--news": {"image": "string"}})},
    "the older file with another config": {
        "dataset_infos.json": infos(default={"image": "string"}, agencies={"name": "string"})
    },
    "the older file is no JSON": {"dataset_infos.json": b"{'default': 1}"},
}


def load(hub: LocalHub, home: Path, *repos: str) -> list[Any]:
    """Load repos with the real `datasets`: rows and types, or the error."""
    environment = {"HF_ENDPOINT": hub.endpoint, "HF_HOME": str(home), "HF_TOKEN": hub.read_token}
    environment["HF_HUB_DISABLE_PROGRESS_BARS"] = "1"
    done = subprocess.run(
        [sys.executable, "-c", _LOAD, *repos], env=os.environ | environment, capture_output=True, text=True, check=True
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.fixture
def write(local_hub: LocalHub, repo_id: str) -> Callable[[Mapping[str, bytes]], str]:
    return lambda files: stranger.write(local_hub.store, repo_id, files)


def content(hub: Dataset, path: str = "README.md") -> bytes:
    found = hub.client.content(hub.client.head(), path)
    assert found is not None
    return found


def test_whatever_the_card_said_of_the_columns_load_dataset_reads_the_contract_types_afterwards(
    local_hub: LocalHub, repo_id: str, tmp_path: Path
):
    repos = {f"{repo_id}-{number}": files for number, files in enumerate(CARDS.values())}
    for repo, files in repos.items():
        stranger.write(local_hub.store, repo, files)
        hub = Dataset.open(repo, NEWS, token=local_hub.write_token, endpoint=local_hub.endpoint)
        commit(hub, Fixed(), hub.client.head())
    assert dict(zip(CARDS, load(local_hub, tmp_path, *repos), strict=True)) == {name: [1, TYPES] for name in CARDS}


def test_columns_that_are_right_stay_as_they_are_written(hub: Dataset, write: Callable[..., str]):
    lines = yaml.safe_dump({"dataset_info": {"features": RIGHT}}, sort_keys=False).replace("list:", "sequence:")
    card = (
        f"---\n{lines}configs:\n- {{config_name: default, data_files: [{{split: train, path: data/train-*.parquet}}]}}"
    )
    write({"README.md": f"{card}\n---\n# News\n".encode()})
    assert set(commit(hub, Fixed(), hub.client.head()).changeset.put) == {SHARD}


def test_only_the_line_of_a_column_that_is_wrong_changes(hub: Dataset, write: Callable[..., str]):
    write({"README.md": (before := said(with_type("video_url", "null")))})
    commit(hub, Fixed(), hub.client.head())
    after = content(hub).decode().splitlines()
    gone = [line for line in before.decode().splitlines() if line not in after]
    assert gone == ["    dtype: 'null'"]


def test_what_is_said_of_other_configs_stays_with_their_sizes(hub: Dataset, write: Callable[..., str]):
    ours = {"config_name": "default", "features": RIGHT[:2], "dataset_size": 3}
    older = infos(default={"image": "string"}, agencies={"name": "string"}, offices={"name": "string"})
    write({"README.md": front(dataset_info=[OTHER, ours]), "dataset_infos.json": older})
    commit(hub, Fixed(), hub.client.head())
    assert DatasetCard(content(hub).decode()).data.to_dict()["dataset_info"] == [
        OTHER,
        {"config_name": "default", "features": RIGHT},
    ]
    assert json.loads(content(hub, "dataset_infos.json")) == json.loads(older) | {"default": {}}


REFUSED = {
    "license: gpl-2.0-or-later": '"license" must be one of',
    "license: [mit, MIT]": r'"license\[1\]" must be one of',
    "language: pt-BR": '"language" must only contain lowercase',
    "language: [portuguese]": "ISO 639-1",
    "tags: news": '"tags" must be an array',
    "pretty_name: 2026": '"pretty_name" must be a string',
}
UNREADABLE = {
    "---\nlicense: mit\n---\n# Notícias\n".encode("utf-16"): "README.md on the Hub is not UTF-8: byte 0xFF in line 1",
    "# News\n".encode("utf-16-le"): "holds NUL bytes",
    "---\nlicense: mit\n---\n# Notícias\n".encode("cp1252"): "not UTF-8: byte 0xED in line 4",
    b"---\nlicense: mit\ntitle: \xff\n---\n": "not UTF-8: byte 0xFF in line 3",
    b"---\nlicense: mit\nx: !!python/tuple [1, 2]\n---\n": r"README.md on the Hub .* line 3: .*python/tuple",
    b"---\nreleased: 2024-02-31\n---\n": "line 2: .*day .*range",
    b"---\n\nop: =\n---\n": "line 3: .*tag:yaml.org,2002:value",
    b"---\na: !!int x\n---\n": "line 2: .*invalid literal",
    b"---\na: &a [*a]\n---\n": "README.md",
    b"---\na:\n\t- b\n---\n": "line 3: .*cannot start any token",
    b"---\na: \x07\n---\n": "README.md",
    b"---\nlicense: mit\nlicense: mit\n---\n": "line 3: `license` stands there twice",
    b"---\ndataset_info:\n  features: []\n  features: []\n---\n": "line 4: `features` stands there twice",
    b"---\nlicense: mit\n": "no closing `---`",
}
BROKEN = {f"---\n{line}\n---\n# News\n".encode(): words for line, words in REFUSED.items()} | UNREADABLE


@pytest.mark.parametrize("card", BROKEN)
def test_a_card_that_cannot_be_used_is_one_sentence_before_the_plan_and_before_any_upload(
    hub: Dataset, local_hub: LocalHub, write: Callable[..., str], card: bytes
):
    head = write({"README.md": card})
    local_hub.faults.forget()
    plan = Fixed()
    with pytest.raises(ContractError, match=BROKEN[card]) as caught:
        commit(hub, plan, hub.client.head())
    sentence = str(caught.value)
    assert "\n" not in sentence
    assert "README.md" in sentence
    assert len(sentence) < 600
    assert plan.made == 0
    assert not local_hub.faults.seen("POST", "preupload|commit/main|batch")
    assert len(local_hub.faults.seen("POST", "validate-yaml")) <= 1
    assert hub.client.head().revision == head


@pytest.mark.parametrize("card", [b"---\nlicense: gpl-2.0-or-later\n---\n", b"---\nreleased: 2024-02-31\n---\n"])
def test_a_compaction_looks_at_the_card_before_it_reads_a_row(
    hub: Dataset, local_hub: LocalHub, write: Callable[..., str], card: bytes
):
    write({"README.md": card, "data/train-00000-of-00001.parquet": encode(shard(["x"]))})
    local_hub.faults.forget()
    with pytest.raises(ContractError, match=r"README\.md"):
        list(compact(hub, Day.of("2026-02-01")))
    assert not local_hub.faults.seen("*", r"parquet$")


def test_a_card_that_the_hub_would_refuse_is_no_matter_while_it_stays_as_it_is(hub: Dataset, write: Callable[..., str]):
    data_files = [{"split": "train", "path": "data/train-*.parquet"}]
    write({"README.md": front(license="gpl-2.0-or-later", configs=[{**CONFIG, "data_files": data_files}])})
    assert commit(hub, Fixed(), hub.client.head()).committed


def test_a_hub_that_cannot_say_whether_a_card_is_valid_is_asked_again_by_the_commit(
    hub: Dataset, local_hub: LocalHub, write: Callable[..., str]
):
    write({"README.md": b"---\nlicense: gpl-2.0-or-later\n---\n"})
    local_hub.faults.add(Fault("POST", "validate-yaml", answer(500, "oops")))
    with pytest.raises(ContractError, match=r'refuses the metadata of README\.md: "license" must be one of'):
        commit(hub, Fixed(), hub.client.head())


def test_a_refusal_by_the_commit_itself_is_the_same_sentence(
    hub: Dataset, local_hub: LocalHub, write: Callable[..., str]
):
    write({"README.md": b"---\nlicense: mit\n---\n"})
    local_hub.faults.add(Fault("POST", "/commit/main$", answer(400, 'Invalid metadata in README.md: "x" is wrong')))
    with pytest.raises(ContractError, match=r'refuses the metadata of README\.md: "x" is wrong'):
        commit(hub, Fixed(), hub.client.head())


def test_a_new_card_counts_the_rows_that_are_there_by_one_column_of_their_files(
    hub: Dataset, local_hub: LocalHub, write: Callable[..., str]
):
    names = [f"id-{number}" for number in range(3000)]
    texts = pa.array([sha256(name.encode()).hexdigest() * 16 for name in names])
    theirs = shard(names, at=datetime(2024, 2, 29, 12, tzinfo=UTC)).set_column(9, "content", texts)
    write({"data/train-00000-of-00001.parquet": (content := stranger.as_others_write(theirs, 1000))})
    local_hub.faults.forget()
    commit(hub, Fixed(), hub.client.head())
    card = hub.client.content(hub.client.head(), "README.md") or b""
    assert b"| 2024 | 3.000 | 3 | 2024-02-29 | 2024-03-02 |\n| 2026 | 1 | 1 | 2026-01-15 | 2026-01-15 |\n" in card
    assert b"size_categories:\n- 1K<n<10K\n" in card
    assert sum(each.sent for each in local_hub.faults.seen("GET", "^/lfs/")) < len(content) / 5
