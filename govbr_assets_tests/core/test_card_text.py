"""What we write for readers: a new card that the Hub accepts, coverage that counts days as calendars do, releases."""

import re
from dataclasses import replace
from datetime import UTC, date, datetime

import pyarrow as pa
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from govbr_assets.core.card_block import find_block
from govbr_assets.core.card_tables import SIZES, current_block, size_category
from govbr_assets.core.card_text import CardFacts, new_card
from govbr_assets.core.columns import Column
from govbr_assets.core.coverage import Coverage
from govbr_assets.core.days import Day
from govbr_assets.core.licenses import LICENSES, check_license
from govbr_assets.core.release_text import entry
from govbr_assets.core.releases import (
    ChangesSince,
    Release,
    RowCounts,
    name_before,
    newest_release,
    next_name,
    release_name,
)
from govbr_assets.errors import ConfigurationError
from govbr_assets.local.hub.card_rules import card_errors
from govbr_assets.publications import NEWS

TIMES = [
    datetime(2025, 1, 1, 2, 59, tzinfo=UTC),  # still 2024 in Brazil
    datetime(2019, 1, 1, 1, 59, tzinfo=UTC),  # in the year of the last summer time, two hours behind UTC
    datetime(2025, 1, 1, 3, 0, tzinfo=UTC),
    datetime(2025, 1, 1, 23, 0, tzinfo=UTC),
    None,
]


def times(*instants: datetime | None) -> pa.ChunkedArray:
    return pa.chunked_array([pa.array(instants, NEWS.schema.field("published_at").type)])


COVERAGE = Coverage.of([times(*TIMES), times(), times(datetime(2025, 6, 1, tzinfo=UTC))])


def test_coverage_counts_rows_and_days_by_the_calendar_of_brazil():
    assert [(each.year, each.rows, each.days, str(each.first), str(each.last)) for each in COVERAGE.years] == [
        (2018, 1, 1, "2018-12-31", "2018-12-31"),
        (2024, 1, 1, "2024-12-31", "2024-12-31"),
        (2025, 3, 2, "2025-01-01", "2025-05-31"),
    ]
    assert (COVERAGE.rows, COVERAGE.days, COVERAGE.undated) == (6, 4, 1)
    assert Coverage.of([]) == Coverage() == Coverage.of([times()])


@pytest.mark.parametrize("coverage", [None, Coverage(), COVERAGE])
@pytest.mark.parametrize("license_id", ["", "cc-by-4.0"])
def test_a_new_card_is_accepted_by_the_hub_and_has_one_part_that_is_kept_current(
    coverage: Coverage | None, license_id: str
):
    block = current_block(NEWS, coverage)
    card = new_card(NEWS, CardFacts("org/news", license_id), size_category(coverage.rows) if coverage else "", block)
    assert card_errors(card) == ([], [])
    metadata = yaml.safe_load(card.split("---\n")[1])
    assert metadata["language"] == ["pt"]
    assert metadata.get("license", "") == license_id
    assert metadata.get("size_categories") == (["n<1K"] if coverage else None)
    assert ("## Licença" in card) == bool(license_id)
    place, problem = find_block(card)
    assert place
    assert not problem
    assert card[place.start : place.end] == block
    assert "{" not in re.sub(r"```.*?```", "", card, flags=re.DOTALL)


def test_a_card_says_how_to_pin_the_data_with_and_without_tags():
    with_tags, without = (new_card(NEWS, CardFacts("org/news", "", on), "", "\n") for on in (True, False))
    assert 'revision="AAAA.MM.DD"' in with_tags
    assert "AAAA.MM.DD" not in without
    assert "*hash*" in without


def test_the_dictionary_describes_every_column_in_both_languages():
    rows = [line.split(" | ") for line in current_block(NEWS, None).splitlines() if line.startswith("| `")]
    assert [row[0] for row in rows] == [f"| `{column.name}`" for column in NEWS.columns]
    assert [row[3].removesuffix(" |") for row in rows] == [column.description for column in NEWS.columns]
    assert [row[2] for row in rows] == [
        NEWS.introduction.columns.get(each.name, each.description) for each in NEWS.columns
    ]
    assert NEWS.introduction.columns.keys() <= {column.name for column in NEWS.columns}


def test_a_description_of_any_signs_is_one_row_of_the_dictionary():
    said = 'One | two\r\n\r\n{three} {repo!r} "four"\n\n# five\t%s'
    columns = (*NEWS.columns, Column("tone", pa.string(), "n.tone", said, since=2))
    card = new_card(
        replace(NEWS, columns=columns), CardFacts("org/news"), "", current_block(replace(NEWS, columns=columns), None)
    )
    described = r'One \| two {three} {repo!r} "four" # five %s'
    assert f"| `tone` | `string` | {described} | {described} |\n\n" in card
    assert card_errors(card) == ([], [])


def test_a_table_of_coverage_has_a_line_a_year_and_their_sum():
    lines = [line for line in current_block(NEWS, COVERAGE).splitlines() if re.match(r"\| (\d{4}|sem|\*\*T)", line)]
    assert lines == [
        "| 2018 | 1 | 1 | 2018-12-31 | 2018-12-31 |",
        "| 2024 | 1 | 1 | 2024-12-31 | 2024-12-31 |",
        "| 2025 | 3 | 2 | 2025-01-01 | 2025-05-31 |",
        "| sem data | 1 |  |  |  |",
        "| **Total** | **6** | **4** | **2018-12-31** | **2025-05-31** |",
    ]


def test_size_categories_are_those_of_the_hub():
    assert [size_category(rows) for rows in (0, 999, 1000, 335_012, 9_999_999, 10**12)] == [
        *("n<1K", "n<1K", "1K<n<10K", "100K<n<1M", "1M<n<10M"),
        SIZES[-1],
    ]


def test_a_release_says_what_changed_and_invents_nothing_where_others_have_written():
    ours = [RowCounts.of(10, 13, changed=2, removed=1), RowCounts.of(13, 11)]
    told = entry("2026.01.27", NEWS.at(1), COVERAGE, ChangesSince.of("2026.01.20", ours))
    assert told.splitlines()[2:] == [
        "- 6 linhas em 4 dias, de 2018-12-31 a 2025-05-31; 1 linha sem data.",
        "- Desde 2026.01.20: 4 linhas acrescentadas, 2 alteradas e 3 removidas.",
        "- Esquema: versão 1, 24 colunas.",
    ]
    others = entry("2026.01.27", NEWS, COVERAGE, ChangesSince.of("2026.01.20", [*ours, None]))
    assert "não foram contadas, pois houve 1 commit de terceiros" in others
    assert "acrescentadas" not in others
    assert "Primeira versão" in entry("2026.01.27", NEWS, COVERAGE, ChangesSince())


def test_a_commit_says_which_release_it_is():
    day = Day.of("2026-01-05")
    release = Release(release_name(day), release_name(day))
    message = "\n".join([*release.trailers, "Rows: 1 -> 2"])
    assert Release.parse(message) == release == Release("2026.01.05", "2026.01.05")
    assert Release.parse("Rows: 1 -> 2\nA Release: 2026.01.05") == Release()
    assert name_before(release.name) == "before-2026.01.05"
    assert Release.parse("Release: 2026.01.05.12") == Release("2026.01.05.12")
    assert [Release.parse(f"Release: 2026.01.05{end}") for end in (".0", ".", ".1.1", "x")] == [Release()] * 4


@given(st.lists(st.dates(date(2026, 1, 1), date(2026, 1, 5)), min_size=1, max_size=30))
def test_releases_have_names_of_their_own_in_the_order_of_time(days: list[date]):
    names = list[str]()
    for day in days:
        name = release_name(Day(day))
        names.append(next_name(name, names[-1] if names else ""))
        assert names[-1] == name or names[-1].count(".") == 3
    assert len({*names}) == len(names)
    for number in range(1, len(names) + 1):
        others = ["v1.0", "before-2026.02.01", "2026.02.01.0"]
        assert newest_release([*reversed(names[:number]), *others]) == names[number - 1]


def test_licences_are_those_of_the_hub_in_any_case():
    assert check_license("X", "CC-BY-4.0") == "cc-by-4.0"
    assert check_license("X", "") == ""
    assert len(LICENSES) == len(set(LICENSES)) > 70
    with pytest.raises(ConfigurationError, match=r"^X is 'cc-by', a licence that .* such as cc-by-4\.0, or leave"):
        check_license("X", "cc-by")
