"""The changelog of a dataset: the newest entry first, and what was there stays byte for byte."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from govbr_assets.core.changelog import newest_entry, newest_name, with_entry

OLD, NEW = "## 2026.01.20\n\n- old\n", "## 2026.01.27\n\n- new\n"


def added(content: bytes | None, entry: str = NEW) -> bytes:
    found = with_entry(content, entry)
    assert found is not None
    return found


def test_a_new_changelog_has_a_title_and_the_newest_entry_first():
    both = added(added(None, OLD)).decode()
    assert both.startswith("# Histórico de versões\n")
    assert both.endswith(f"\n\n{NEW}\n{OLD}")
    assert newest_entry(both.encode(), "2026.01.27") == "- new"
    assert newest_entry(both.encode(), "2026.01.20") == "- old"
    assert newest_entry(both.encode(), "2026.01.13") == ""


OTHERS = {
    "text before our first entry": (b"# Log\n\nOurs.\n\n", OLD.encode()),
    "a heading of somebody else's before our first entry": (b"## About\n\nx\n", OLD.encode()),
    "other sections only": (b"# Changelog\n\n", b"## [1.0.0]\n- x"),
    "windows": (b"# Log\r\n\r\n", OLD.replace("\n", "\r\n").encode()),
    "old macs": (b"# Log\r\r", OLD.replace("\n", "\r").encode()),
    "a byte order mark and nothing else before our entry": (b"\xef\xbb\xbf", OLD.encode()),
    "an example in code": (b"```\n## 2026.01.01\n```\n~~~\n## 2026.01.02\n~~~\n", OLD.encode()),
    "an entry without a newline at the end": (b"x\n", b"## 2026.01.20"),
}


@pytest.mark.parametrize("name", OTHERS)
def test_an_entry_goes_before_the_ones_that_are_there_in_the_line_ends_of_the_file(name: str):
    before, after = OTHERS[name]
    newline = {"windows": b"\r\n", "old macs": b"\r"}.get(name, b"\n")
    assert added(before + after) == before + NEW.encode().replace(b"\n", newline) + newline + after


@pytest.mark.parametrize(
    ("content", "gap"),
    [(b"", b""), (b"\xef\xbb\xbf", b""), (b"# Log", b"\n\n"), (b"text\n", b"\n"), (b"a\r\nb", b"\r\n\r\n")],
)
def test_an_entry_comes_to_the_end_of_a_text_without_sections(content: bytes, gap: bytes):
    newline = b"\r\n" if b"\r" in content else b"\n"
    assert added(content) == content + gap + NEW.encode().replace(b"\n", newline)


@pytest.mark.parametrize("content", ["# Histórico".encode("latin-1"), "# Log".encode("utf-16")])
def test_a_file_in_another_encoding_is_left_alone(content: bytes):
    assert with_entry(content, NEW) is None
    assert newest_entry(content, "2026.01.27") == ""


@given(
    st.lists(st.sampled_from(["## 2026.01.20", "## x", "# x", "```", "~~~", "text", "", "\n", "\r\n", "\n", "é"])).map(
        "".join
    )
)
def test_whatever_was_there_is_there_in_one_stretch_or_two(text: str):
    content = text.encode()
    after = added(content)
    more = len(after) - len(content)
    assert any(after[:at] + after[at + more :] == content for at in range(len(content) + 1))
    assert after.count(b"- new") == 1


def test_an_entry_takes_the_place_of_the_newest_one_if_it_is_that():
    first = added(b"# Log\r\n", OLD)
    assert with_entry(first, NEW, OLD) == b"# Log\r\n\r\n" + NEW.encode().replace(b"\n", b"\r\n")
    assert with_entry(first, NEW, NEW) == added(first)
    changed = first.replace(b"- old", b"- old, as somebody says")
    assert with_entry(changed, NEW, OLD) == added(changed)


@pytest.mark.parametrize("mine", ["  ## Mine\n\ntext\n", "# Mine\n", "### Mine\n", "##\n\ntext\n"])
def test_an_entry_ends_where_somebody_elses_heading_begins(mine: str):
    assert newest_entry((NEW + mine + OLD).encode(), "2026.01.27") == "- new"


def test_an_example_in_code_is_no_entry():
    content = f"```\n{OLD}```\n{OLD.replace('old', 'real')}~~~\n# no heading\n~~~\n".encode()
    assert newest_entry(content, "2026.01.20") == "- real\n~~~\n# no heading\n~~~"
    assert newest_name(content) == "2026.01.20"
    assert newest_name(b"```\n" + OLD.encode() + b"```\n## Mine\n") == newest_name(None) == ""
