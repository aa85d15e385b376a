"""Edits of a card's front matter: whatever it looks like, what is not edited stays byte for byte and means the same."""

import math
from collections.abc import MutableMapping
from datetime import UTC, date, datetime
from typing import Any

import pytest
import yaml
from huggingface_hub.repocard import REGEX_YAML_BLOCK, RepoCard
from hypothesis import example, given, settings
from hypothesis import strategies as st

from govbr_assets.core.card import Card
from govbr_assets.core.round_trip import same
from govbr_assets.errors import ContractError

TRICKY = [
    *("yes", "No", "on", "OFF", "y", "n", "true", "010", "0o10", "0x1F", "1_000", "1:30", "190:20:30", "1e3", "1.5"),
    *(".inf", ".nan", "~", "null", "Null", "=", "<<", "2024-01-01", "2024-02-31", "2001-12-14t21:59:43.10-05:00", "-"),
    *("?", ":", "---", "...", "#", "&", "*", "!", "|", ">", "%", "@", "`", "mit", "", " a", "a ", "a: b", "a #b", "'"),
    *("two\nlines\n", "\ttab", "é 🇧🇷", "-a", '"', "[x]", "{x}", "a\u2028b"),
]
characters = st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Cn"))
texts = st.sampled_from(TRICKY) | st.text(characters, max_size=9)
scalars = (
    texts
    | st.none()
    | st.booleans()
    | st.integers(-99, 99999)
    | st.floats()
    | st.dates(date(1900, 1, 1))
    | st.datetimes(datetime(1900, 1, 1))  # noqa: DTZ001 - YAML has both kinds
    | st.datetimes(datetime(1900, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3), max_leaves=8
)
words = st.from_regex(r"[a-z_]{1,8}", fullmatch=True)
styles = st.fixed_dictionaries(
    {
        "default_flow_style": st.sampled_from([None, False, True]),
        "default_style": st.sampled_from([None, None, "'", '"']),
        "indent": st.sampled_from([2, 4]),
        "width": st.sampled_from([20, 80, 9999]),
        "explicit_end": st.booleans(),
        "allow_unicode": st.booleans(),
        "line_break": st.sampled_from(["\n", "\r\n"]),
    }
)
FLOW = {"default_flow_style": None, "indent": 2, "width": 20, "allow_unicode": True}


@st.composite
def metadata(draw: st.DrawFn) -> dict[str, Any]:
    """Make metadata of which some parts are shared, so that YAML has them as an anchor and its aliases."""
    made = draw(st.dictionaries(words, values, max_size=5))
    if draw(st.booleans()):
        shared = [{"name": "train", "num_bytes": draw(scalars)}]
        made["dataset_info"] = [{"config_name": name, "splits": shared, "x": draw(values)} for name in ("a", "b")]
    return made


def read(text: str) -> tuple[Any, str]:
    """Read metadata and text as the Hub's client does, whose regular expression is the Hub's."""
    block = REGEX_YAML_BLOCK.search(text.removeprefix("\ufeff"))
    return (yaml.safe_load(block[2]) or {}, text.removeprefix("\ufeff")[block.end() :]) if block else ({}, text)


def lines_of(text: str) -> dict[str, str]:
    """Cut YAML in block style into the text of each key."""
    root = yaml.compose(text)
    if not isinstance(root, yaml.MappingNode) or root.flow_style:
        return {}
    starts = [key.start_mark.index for key, _ in root.value]
    parts = [text[start:end] for start, end in zip(starts, [*starts[1:], len(text)], strict=True)]
    return {str(key.value): part for (key, _), part in zip(root.value, parts, strict=True)}


@pytest.mark.parametrize("text", ["0?", "?0", "why? not", "a, b", "a: b", "}", "#"])
@pytest.mark.parametrize("front", ["{a: 1}", "a: 1", "a: {}"])
def test_a_text_is_added_so_that_readers_can_load_it_within_brackets_too(front: str, text: str):
    def add(found: MutableMapping[Any, Any]) -> None:
        found["b"] = text
        found["c"] = {text: [text]}
        if isinstance(found["a"], dict):
            found["a"]["x"] = text

    card = Card.parse(f"---\n{front}\n---\n".encode())
    wish = card.metadata.copy()
    add(wish)
    assert same(read(card.edited(add).text)[0], wish)


@settings(max_examples=80, deadline=None)
@given(metadata(), styles, st.data())
@example({"a": math.nan, "b": "yes", "c": ["no", True]}, {}, None)
@example({"a": [{"x\u2028y": "yes", "yes": "no", ".nan": "yes"}], "configs": []}, FLOW, None)
def test_an_edit_in_any_style_keeps_everything_else(before: dict[str, Any], style: dict[str, Any], data: Any):
    front = yaml.safe_dump(before, sort_keys=False, **style)
    body = "\n# Title\r\n---\nconfigs: no metadata\n---"
    end = style.get("line_break", "\n")
    card = Card.parse(f"---{end}{front}---{end}{body}".encode())
    gone = data.draw(st.sets(st.sampled_from(sorted(before)), max_size=2)) if data and before else set[str]()
    added = data.draw(st.dictionaries(words, values, max_size=2)) if data else {"configs": [{"config_name": "yes"}]}

    def edit(found: MutableMapping[Any, Any]) -> None:
        for key in gone:
            del found[key]
        found.update(added)
        for info in found.get("dataset_info", []) if isinstance(found.get("dataset_info"), list) else []:
            info.pop("splits", None) if isinstance(info, dict) and info.get("config_name") == "a" else None

    wish = Card(card.text).metadata.copy()
    edit(wish)
    try:
        edited = card.edited(edit)
    except ContractError:
        if "!!" not in front:  # a tag may be beyond the library; it is refused then
            raise
        return
    found, text = read(edited.encode().decode())
    assert same(found, wish)
    assert text == body
    assert edited.edited(lambda _: None) is edited
    keys = before.keys() - gone - added.keys() - {"dataset_info"}
    if "&" not in front:
        for key in keys & lines_of(front).keys():
            assert lines_of(front)[key].removesuffix("...\n").removesuffix("...\r\n") in edited.text


FENCES = {
    "a blank behind the first": "--- \nlicense: mit\n---\n# Text\n",
    "a tab behind the first": "---\t\nlicense: mit\n---\n# Text\n",
    "blanks behind the second": "---\nlicense: mit\n--- \t \n# Text\n",
    "a CR LF among LF": "---\r\nlicense: mit\n---\n# Text\n",
    "an LF among CR LF": "---\nlicense: mit\r\ntags:\r\n- a\n---\r\n# Text\r\n",
    "CR alone": "---\rlicense: mit\r---\n# Text\n",
    "an empty line before the first": "\n\nlicense".replace("license", "---\nlicense: mit\n---\n# Text\n"),
    "blanks before the first": "  ---\nlicense: mit\n---\n# Text\n",
    "a BOM before the first": "\ufeff---\nlicense: mit\n---\n# Text\n",
    "a BOM and an empty line": "\ufeff\r\n---\r\nlicense: mit\r\n---\r\n# Text\n",
    "no newline behind the second": "---\nlicense: mit\n---",
    "the end of a document": "---\nlicense: mit\n...\n---\n# Text\n",
    "the end of a document in place of the second": "---\nlicense: mit\n...\n# Text\n",
    "a line of dashes in the text": "---\nlicense: mit\n---\n# Text\n\n---\n\nmore\n---\n",
    "dashes in a block text": "---\nlicense: mit\nabout: |\n  a\n  ---\n  b\n---\n# Text\n",
    "an empty line at either end": "---\n\nlicense: mit\n\n---\n# Text\n",
}


@pytest.mark.parametrize("text", FENCES.values(), ids=FENCES)
def test_fences_as_people_write_them_keep_the_metadata_and_the_text(text: str):
    card = Card.parse(text.encode())
    assert card.metadata == read(text)[0]
    edited = card.edited(lambda found: found.update(configs=[1])).encode().decode()
    found, body = read(edited)
    assert found == {**found, "license": "mit", "configs": [1]}
    assert edited.count("license") == 1
    assert edited.removeprefix("\ufeff").strip().startswith("---")
    assert ("# Text" in body) == ("# Text" in text)
    assert text.endswith(body)
    assert edited.startswith("\ufeff") == text.startswith("\ufeff")


NO_METADATA = {
    "an empty file": "",
    "a text": "# Text\n",
    "a text of CR LF": "# Text\r\n\r\nMore\r\n",
    "comments alone": "---\n# license: mit\n\n# more\n---\n# Text\n",
    "nothing between the fences": "---\n---\n# Text\n",
    "an empty line between the fences": "---\n\n---\n# Text\n",
    "braces": "---\n{}\n---\n# Text\n",
    "null": "---\n~\n---\n# Text\n",
    "blanks alone": " \n\t\n",
    "a BOM alone": "\ufeff",
    "a BOM and a text": "\ufeff# Text\n",
    "a rule further down": "# Text\n\n---\nlicense: in the text\n---\n",
}


@pytest.mark.parametrize("text", NO_METADATA.values(), ids=NO_METADATA)
def test_a_card_without_metadata_gets_it_on_top_and_keeps_its_text(text: str):
    card = Card.parse(text.encode())
    assert card.metadata == {}
    edited = card.edited(lambda found: found.update(configs=[1])).encode().decode()
    assert read(edited)[0] == {"configs": [1]}
    kept = text.removeprefix("\ufeff") if not text.lstrip("\ufeff").startswith("---") else "# Text\n"
    assert edited.endswith(kept)
    assert [line for line in text.splitlines() if line.startswith("#") and line not in edited] == []
    assert card.edited(lambda _: None) is card


@settings(max_examples=100, deadline=None)
@example(["---", "\n", "a: 1", "---", "\n", "---"])
@given(
    st.lists(st.sampled_from(["---", "...", "\n", "\r\n", "\r", " ", "\t", "a: 1", "# c", "\ufeff", "x"]), max_size=9)
)
def test_any_fences_are_read_as_the_hub_client_reads_them_and_never_put_twice(parts: list[str]):
    text = "".join(parts)
    try:
        client = RepoCard(text.removeprefix("\ufeff")).data.to_dict()
    except (ValueError, yaml.YAMLError):
        with pytest.raises(ContractError, match=r"README\.md"):
            Card.parse(text.encode())
        return
    card = Card.parse(text.encode())
    assert card.metadata == client
    try:
        edited = card.edited(lambda found: found.update(b=2))
    except ContractError:
        return
    found = read(edited.text)[0]
    assert found == {**({"a": 1} if "a" in found else {}), **client, "b": 2}
    assert edited.edited(lambda found: found.update(b=2)) is edited


KEPT = """---
# who made it
license:    mit   # keep my spaces
language: [pt,    en]   # and mine
pretty_name: >-
  A long
  name

tags:
    - "a"
    - 'b'
answer: yes
mode: 010
at: 1:30
nothing: ~
# before the one that goes
gone:
  # inside
  x: 1
# behind the one that goes

base: &base {a: 1, b: TRUE}
same: *base
more:
  <<: *base
  c: a plain text that is
    continued on the next line
? complex
: key
---
text
"""


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_comments_quotes_widths_anchors_and_merges_stay(end: str):
    card = Card.parse(KEPT.replace("\n", end).encode())
    edited = card.edited(lambda found: found.pop("gone")).encode().decode()
    assert edited == KEPT.replace("gone:\n  # inside\n  x: 1\n", "").replace("\n", end)


EDITED_TOGETHER = {
    "an alias of what goes": "a: &id001\n- x\nb: *id001\nc: 1\n",
    "an alias in a list": "a: &s [x]\nb: [*s, *s]\nc: 1\n",
    "a merge of what goes": "a: &s {k: 1, l: no}\nb:\n  <<: *s\n  m: on\nc: 1\n",
    "several merges": "a: &s {k: 1}\nt: &t {k: 2, n: 010}\nb:\n  <<: [*s, *t]\nc: 1\n",
    "a mapping of JSON": '{"a": {"x": 1}, "b": ["yes", yes], "c": 1}\n',
    "flow over lines": "{a: 1,\n b: [1,\n  2], # c\n c: 1}\n",
    "an indented block": "  a: 1\n  b:\n    - 1\n    - yes\n  c: 1\n",
    "tagged": "a: !!str 1\nb: !!set {x, y}\nc: !!int 1\n",
    "keys that are no texts": "a: 1\n2024: x\nyes: y\n~: z\n010: o\nb: 1\nc: 1\n",
    "a directive": "a: 1\nb: &a !!str x\nc: 1\n",
    "complex keys": "? a\n: 1\n? x y\n: 2\nb: 1\nc: 1\n",
    "a merge at the top": "a: 1\nd: &d {b: 7, e: 8}\n<<: *d\nc: 1\n",
}


@pytest.mark.parametrize("front", EDITED_TOGETHER.values(), ids=EDITED_TOGETHER)
@pytest.mark.parametrize("key", ["a", "b", "c"])
@pytest.mark.parametrize("instead", [None, 2, [{"path": "yes"}]], ids=repr)
def test_anchors_aliases_merges_and_tags_are_understood(front: str, key: str, instead: Any):
    card = Card.parse(f"---\n{front}---\n".encode())

    def edit(found: MutableMapping[Any, Any]) -> None:
        found.pop(key)
        if instead is not None:
            found[key] = instead

    wish = dict(card.metadata)
    edit(wish)
    assert same(read(card.edited(edit).text)[0], wish)


def test_a_mapping_that_becomes_the_first_item_of_a_list_keeps_its_comments():
    info = "info: # two\n  # three\n  name: other # four\n  text: |\n    x\n\n    y # no comment\n# five\n"
    before = f"---\na: 1 # one\n{info}b: 2\n---\n"

    def edit(metadata: MutableMapping[Any, Any]) -> None:
        metadata["info"] = [metadata["info"], {"name": "ours"}]

    after = Card.parse(before.encode()).edited(edit)
    assert after.metadata["info"] == [{"name": "other", "text": "x\n\ny # no comment\n"}, {"name": "ours"}]
    for number in ("one", "two", "three", "four", "five"):
        assert f"# {number}\n" in after.text
