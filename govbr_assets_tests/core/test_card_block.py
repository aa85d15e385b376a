"""The part of a card that is kept current: between two marks; of the rest not a byte changes, however they stand."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from govbr_assets.core.card_block import BEGIN, END, replace_block

NEW = "\nnew\n\n"


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", ["{}", "   {}", "{} \t"])
def test_what_lies_between_the_marks_is_replaced_in_the_line_ends_of_the_file(newline: str, mark: str):
    begin, end = mark.format(BEGIN), mark.format(END)
    before = newline.join(["# Title", begin, "old", "older", end, "", "tail without newline"])
    after, problem = replace_block(before, NEW)
    assert after == newline.join(["# Title", begin, "", "new", "", end, "", "tail without newline"])
    assert problem == ""
    assert replace_block(after, NEW) == (after, "")


def test_marks_that_are_the_whole_text_and_have_no_newline_behind_them():
    assert replace_block(f"{BEGIN}\n{END}", NEW)[0] == f"{BEGIN}\n{NEW}{END}"


CODE = [
    f"```\n{BEGIN}\nx\n{END}\n```\n",
    f"~~~md\n{BEGIN}\nx\n{END}\n~~~\n",
    f"````\n```\n{BEGIN}\n```\n{END}\n````\n",
    f"```\n{BEGIN}\nx\n{END}\n",
    f"- item\n  ```\n{BEGIN}\n{END}\n  ```\n",
    f"    {BEGIN}\n    x\n    {END}\n",
    f"\t{BEGIN}\n\t{END}\n",
    f"Write `{BEGIN}` and ``{END}``.\n",
]


@pytest.mark.parametrize("text", CODE)
def test_marks_in_code_are_text(text: str):
    assert replace_block(text, NEW) == (text, "")


@pytest.mark.parametrize("text", CODE[:3])
def test_a_text_that_shows_the_marks_in_code_may_have_them_as_well(text: str):
    assert replace_block(f"{text}{BEGIN}\nold\n{END}\n{text}", NEW) == (f"{text}{BEGIN}\n{NEW}{END}\n{text}", "")


WRONG = {
    f"{BEGIN}\nx\n": "have no end",
    f"x\n{END}\n": "have no begin",
    f"{END}\nx\n{BEGIN}\n": "stand in the wrong order",
    f"{BEGIN}\n{BEGIN}\n{END}\n": "stand there more than once",
    f"{BEGIN}\n{END}\n{BEGIN}\n{END}\n": "stand there more than once",
    f"{BEGIN}{END}\n": "share their lines",
    f"Text {BEGIN}\nx\n{END}\n": "share their lines",
    f"{BEGIN}\nx\n{END} text\n": "share their lines",
    f"{BEGIN}\n```\n{END}\n```\n": "have no end",
    f"{BEGIN}\n```\nnever closed\n{END}\n": "have no end",
}


@pytest.mark.parametrize("text", WRONG)
def test_other_marks_leave_the_text_alone_and_are_one_sentence(text: str):
    after, problem = replace_block(text, NEW)
    assert after == text
    assert WRONG[text] in problem
    assert "\n" not in problem


PIECES = st.lists(
    st.sampled_from([BEGIN, END, "```", "~~~", "text", "", "    ", "`", "\n", "\r\n", "\n", "# x", "<!--", "-->"])
)


@given(PIECES.map("".join))
@example(f"```{BEGIN}\n{END}")
def test_whatever_the_text_is_it_stays_or_one_stretch_between_two_marks_changes(text: str):
    after, problem = replace_block(text, NEW)
    if after == text:
        return
    assert not problem
    head, tail = after.split(NEW) if "\r\n" not in text else after.replace("\r\n", "\n").split(NEW)
    assert head.rstrip().endswith(BEGIN)
    assert tail.lstrip().startswith(END)
    plain = text.replace("\r\n", "\n")
    assert plain.startswith(head)
    assert plain.endswith(tail)
