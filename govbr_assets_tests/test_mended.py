"""The damage that the public dataset has is mended by turning automation on, and approving what leaves it.

The sensors tick, and what they request is run. What came of it is read by the dataset's readers, and out of the local
Hub's store.
"""

import json
from collections import Counter
from dataclasses import asdict
from itertools import pairwise
from pathlib import Path

import polars as pl
import pytest
from dagster import AssetCheckSeverity

from govbr_assets.core.days import Day
from govbr_assets.core.layout import UNDATED_PATH
from govbr_assets.defs.partitions import FIRST_DAY
from govbr_assets.operations.assess import assess
from govbr_assets.postgres.news import NewsTable
from govbr_assets.publications import NEWS
from govbr_assets_tests import readers
from govbr_assets_tests.alerts.test_alerts import Receiver, receiver  # noqa: F401
from govbr_assets_tests.approvals import used_approvals
from govbr_assets_tests.automation import Automation
from govbr_assets_tests.damaged import DAYS, GONE, GONE_ROWS, MISSING, OLD, Damaged
from govbr_assets_tests.defs.test_sensors import automation  # noqa: F401
from govbr_assets_tests.graph import Graph
from govbr_assets_tests.stranger import read


@pytest.fixture
def damaged(graph: Graph) -> Damaged:
    return Damaged(graph)


def check_history(damaged: Damaged, folder: Path, base: str) -> list[str]:
    """Every revision since `base` loads, loses no row and doubles none; give these revisions."""
    graph = damaged.graph
    names = zip(damaged.truth["legacy_unique_id"].to_pylist(), damaged.truth["unique_id"].to_pylist(), strict=True)
    now = {old: new for old, new in names if old}
    store = graph.local_hub.store
    commits = [commit.sha for commit in store.commits(graph.repo_id)][::-1]
    revisions = commits[commits.index(base) :]
    counts = []
    for revision in revisions:
        tree = store.tree(graph.repo_id, revision)
        tables = [read(blob) for path, blob in tree.items() if path.startswith("data/")]
        counts.append(Counter(now.get(each, each) for table in tables for each in table["unique_id"].to_pylist()))
    for revision, (before, after) in zip(revisions[1:], pairwise(counts), strict=True):
        assert set(before) - set(damaged.gone) <= set(after)
        assert all(count <= max(1, before[each]) for each, count in after.items())
        downloaded = readers.download(graph, folder / revision, revision)
        for name in ("polars", "pyarrow"):
            ids = readers.ON_FILES[name](downloaded)["unique_id"].to_pylist()
            assert Counter(now.get(each, each) for each in ids) == after
    assert set(counts[-1].values()) == {1}
    return revisions[1:]


def check_readers(damaged: Damaged, folder: Path) -> None:
    """Every reader has the rows of PostgreSQL, column by column."""
    graph = damaged.graph
    downloaded = readers.download(graph, folder / "head")
    found = {name: reader(downloaded) for name, reader in readers.ON_FILES.items()}
    found["datasets"] = readers.by_datasets(graph, folder)
    expected = damaged.truth.select(NEWS.schema.names).sort_by("unique_id").combine_chunks()
    for name, table in found.items():
        back = table.select(NEWS.schema.names).sort_by("unique_id").combine_chunks().cast(NEWS.schema)
        assert back.num_rows == expected.num_rows, name
        for column in NEWS.schema.names:
            assert back[column].equals(expected[column]), f"{name} differs in {column}"


def check_assessment(damaged: Damaged) -> None:
    """The dry run tells what is there and what it takes, in numbers, and changes nothing."""
    graph, head = damaged.graph, damaged.graph.head
    found = assess(graph.hub, head, NewsTable(graph.postgres_url, NEWS), Day.of("2026-01-19"), Day(FIRST_DAY))
    assert {name: value for name, value in vars(found).items() if name in damaged.expected} == damaged.expected
    assert (found.moved, found.standing, found.others) == ([], [], ["dataset_infos.json"])
    assert found.compacted == [path for path in sorted(head.files) if path.startswith("data/")]
    (theme,) = found.columns
    assert (theme.column, theme.rows, theme.day) == ("theme_1_level_1", damaged.expected["changed"], OLD)
    assert theme.hub.strip("'").partition(" - ")[2] == theme.postgres.strip("'")
    assert (found.commits, found.minutes) == (4, 1)  # the compaction, and as many runs as there are ranges of days
    assert "PostgreSQL has nowhere, 1 of them without a time; the guard keeps them until 5 removals" in str(found)
    assert json.loads(json.dumps(asdict(found), default=str))["missing_days"] == list(map(str, MISSING))
    assert graph.head == head


def test_an_assessment_counts_the_rows_of_a_day_that_is_not_over_apart(graph: Graph):
    for day in ("2026-01-15", "2026-01-19", "2026-01-20"):
        graph.insert(f"of-{day}", day=day)
    found = assess(graph.hub, graph.head, NewsTable(graph.postgres_url, NEWS), Day.of("2026-01-19"), Day(FIRST_DAY))
    assert (found.missing, found.waiting, found.days, found.postgres_rows) == (1, 2, 1, 3)
    assert found.missing_days == [Day.of("2026-01-15").date]
    assert found.facts["missing"].startswith(
        "1 row to come; 1 day without any yet: 2026-01-15; and 2 of today and later"
    )


def test_what_ails_the_public_dataset_is_mended_by_turning_automation_on(
    damaged: Damaged,
    automation: Automation,  # noqa: F811
    receiver: Receiver,  # noqa: F811
    tmp_path: Path,
):
    graph, base = damaged.graph, damaged.graph.head.revision or ""
    with pytest.raises(pl.exceptions.PolarsError):
        readers.ON_FILES["polars"](readers.download(graph, tmp_path / "damaged"))
    check_assessment(damaged)
    automation.truly, automation.alert_url = True, receiver.url

    again = [["daily_sync"], ["reconciliation"]]
    assert automation.let_it_run(ticks=12, allow_removals=str(GONE_ROWS - 1), failing=str(GONE)) == [
        ["reconciliation"],
        ["weekly_consolidation"],
        ["reconciliation"],
        ["daily_sync", "daily_sync"],
        *again,
        *again,
        *again,
    ]
    assert graph.hub.reader.day_rows(graph.head, Day(GONE)).num_rows == GONE_ROWS
    needs = "Of 3 approved removals 0 have been made, and this commit would make 4: 1 more than are approved."
    assert [needs in each["error"] for each in receiver.messages] == [True, True, True, False]
    assert f"given up after 3 runs; the Hub still differs from PostgreSQL on: {GONE}" in receiver.messages[-1]["error"]

    # More are approved, and what was given up is tried again; then all is used up.
    assert automation.let_it_run(ticks=4, allow_removals=str(GONE_ROWS)) == [["reconciliation"], *again]
    assert automation.let_it_run(ticks=1, allow_removals=str(GONE_ROWS)) == []
    assert used_approvals(graph) == [(GONE_ROWS, GONE_ROWS)]

    last = automation.judged()  # what is left is a row that no day can have, and one more is not approved
    told = {name: value.value for name, value in last.metadata.items()}
    assert (told["differing_days"], told["undated_surplus"]) == (0, 1)
    assert "approve 5 removals (`GOVBR_ALLOW_REMOVALS=5`" in str(told["removals"])
    assert (last.passed, last.severity) == (False, AssetCheckSeverity.WARN)
    ids = graph.ids()
    assert ids.pop(UNDATED_PATH) == [damaged.unknown]
    assert {*ids} == {f"data/train-{name}.parquet" for name in ("2024-00", "2025-00", "2026-00", DAYS[6], *MISSING)}

    damaged.find_the_unknown_row()
    assert automation.let_it_run(ticks=2, allow_removals=str(GONE_ROWS)) == [["daily_sync"]]
    automation.reconcile(deep=True)
    assert automation.judged().passed
    assert len(receiver.messages) == 4

    # The compaction, one for each of three ranges of days, and one for the row that was found.
    assert len(check_history(damaged, tmp_path / "revisions", base)) == 5
    check_readers(damaged, tmp_path)
    tree = graph.local_hub.store.tree(graph.repo_id)
    # The row that was found has got another id as well.
    renamed = f"- Identificadores: {damaged.ids_replaced + 1} linhas têm outro `unique_id`, e o anterior"
    assert tree["CHANGELOG.md"].path.read_text().count(renamed) == 1
    card = tree["README.md"].path.read_text()
    assert "Um texto que fica." in card
    assert "license: mit" in card
    assert "dtype: string" in card
    assert "splits:" not in card
    assert "num_examples" not in card
    assert "dataset_infos.json" not in tree
