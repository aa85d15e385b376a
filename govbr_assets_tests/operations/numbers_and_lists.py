"""Whole numbers, numbers with a fraction, and lists of texts: from PostgreSQL and from files of others, to readers.

Runs in a process of its own, with another `publications.py` (`other_publications`).
"""

import csv
import io
import json
import math
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import yaml
from huggingface_hub import HfApi

from govbr_assets.core.days import Day
from govbr_assets.core.projection import Projection, RowFilter
from govbr_assets.dataset import Dataset
from govbr_assets.operations.compact.plan import compact
from govbr_assets.operations.project.compare import compare_projection
from govbr_assets.operations.project.plan import project
from govbr_assets.publications import NEWS
from govbr_assets_tests.graph import Graph
from govbr_assets_tests.operations.other_publications import DAYS, succeeds, values
from govbr_assets_tests.stranger import as_others_write

LONG = 2**53 + 1  # which no number with a fraction of 64 bits is
ROWS: dict[str, tuple[int | None, float | None, list[str] | None]] = {
    "a": (LONG, math.nan, ["é", ""]),
    "b": (-(2**63), -0.0, None),
    "c": (None, math.inf, []),
    "d": (LONG, 0.1, ["x"]),
}
NUMBERS = ("words", "score", "entities")
OF_ONE_LENGTH = Projection(NEWS, ("score", "entities", "words", "title"), "long", RowFilter("words", frozenset({LONG})))


def numbers_and_lists(graph: Graph) -> None:
    """Go through all of it."""
    graph.execute("ALTER TABLE news ADD COLUMN words bigint, ADD COLUMN score float8, ADD COLUMN entities text[]")
    graph.insert(*ROWS, day=DAYS[0])
    graph.execute(
        "UPDATE news SET words = 9007199254740993, score = 'NaN', entities = '{é,\"\"}' WHERE unique_id = 'a'",
        "UPDATE news SET words = -9223372036854775808, score = '-0' WHERE unique_id = 'b'",
        "UPDATE news SET score = 'inf', entities = '{}' WHERE unique_id = 'c'",
        "UPDATE news SET words = 9007199254740993, score = 0.1, entities = '{x}' WHERE unique_id = 'd'",
    )
    succeeds(graph.run(DAYS[0]))
    assert_same(rows_of(graph))
    a_row_changes_alone(graph, "UPDATE news SET title = 'another' WHERE unique_id = 'd'")
    succeeds(graph.compact())
    assert_same(rows_of(graph))
    a_row_changes_alone(graph, "UPDATE news SET score = 0 WHERE unique_id = 'b'")
    assert math.copysign(1, rows_of(graph)["b"][1] or 0) == 1
    a_row_changes_alone(graph, "UPDATE news SET score = '-0' WHERE unique_id = 'b'")
    for form in ("parquet", "csv", "jsonl"):
        as_others_have_written_it(graph, form)


def rows_of(graph: Graph) -> dict[str, Any]:
    """Read the columns on the Hub, by id."""
    found = [values(graph, name) for name in NUMBERS]
    return {row: tuple(each[row] for each in found) for row in found[0]}


def assert_same(found: dict[str, Any], *, nulls: bool = False) -> None:
    """Compare to the last bit; a CSV file has no NaN."""
    assert {*found} == {*ROWS}
    for row, (words, score, entities) in ROWS.items():
        assert (found[row][0], found[row][2]) == (words, entities), found
        wanted = None if nulls and score is not None and math.isnan(score) else score
        assert str(found[row][1]) == str(wanted)  # which tells -0.0, and NaN from null


def a_row_changes_alone(graph: Graph, statement: str) -> None:
    """Change a row, and see that the contents of this one are found to differ, and are the only ones that change."""
    graph.execute(statement)
    assert not all(each.passed for each in graph.reconcile(deep=True).get_asset_check_evaluations())
    result = graph.run(DAYS[0])
    succeeds(result)
    assert graph.metadata(result)[DAYS[0]]["changed_rows"] == 1
    again = graph.run(DAYS[0])
    assert graph.metadata(again)[DAYS[0]]["changed_rows"] == 0
    succeeds(graph.reconcile(deep=True))


def as_others_have_written_it(graph: Graph, form: str) -> None:
    """Compact a file of others with the same rows, and project it before that and after it."""
    hub = graph.local_hub
    api = HfApi(endpoint=hub.endpoint, token=hub.write_token)
    repo_id, reduced_id = (f"{graph.repo_id}-{form}{more}" for more in ("", "-reduced"))
    full = Dataset.open(repo_id, NEWS, token=hub.write_token, endpoint=hub.endpoint)
    reduced = Dataset.open(reduced_id, OF_ONE_LENGTH.spec, token=hub.write_token, endpoint=hub.endpoint)
    api.create_repo(repo_id, repo_type="dataset")
    content = written(pa.concat_tables(graph.hub.reader.rows(file) for file in graph.head.data_files), form)
    api.upload_file(path_or_fileobj=content, path_in_repo=f"news.{form}", repo_id=repo_id, repo_type="dataset")
    check_projection(full, reduced, nulls=form == "csv")
    assert list(compact(full, Day.at(datetime.now(UTC))))
    check_projection(full, reduced, nulls=form == "csv")
    (file,) = full.client.head().data_files
    rows = {row["unique_id"]: tuple(row[name] for name in NUMBERS) for row in full.reader.rows(file).to_pylist()}
    assert_same(rows, nulls=form == "csv")
    check_card((full.client.head().card or b"").decode())


def check_projection(full: Dataset, reduced: Dataset, *, nulls: bool) -> None:
    """Mirror a dataset, and see that the rows of one value are there, and right to the last bit."""
    assert any(each.committed for each in project(full, reduced, OF_ONE_LENGTH))
    assert not compare_projection(full, reduced, OF_ONE_LENGTH).differences
    (file,) = reduced.client.head().data_files
    rows = reduced.reader.rows(file).to_pylist()
    found = {row["title"]: tuple(row[name] for name in NUMBERS) for row in rows}
    assert str(found) == str({"Title of a": (LONG, None if nulls else math.nan, ["é", ""]), "another": ROWS["d"]})


def check_card(card: str) -> None:
    """See that a card names the types as readers do."""
    features = {each["name"]: each for each in yaml.safe_load(card.split("---\n")[1])["dataset_info"]["features"]}
    types = [{"dtype": "int64"}, {"dtype": "float64"}, {"list": "string"}]
    assert [features[name] for name in NUMBERS] == [
        {"name": name} | kind for name, kind in zip(NUMBERS, types, strict=True)
    ]
    for name, kind in zip(NUMBERS, ("int64", "float64", "list<string>"), strict=True):
        assert f"| `{name}` | `{kind}` |" in card


def written(rows: pa.Table, form: str) -> bytes:
    """Write rows as somebody else does, the columns the other way round."""
    rows = rows.select([*reversed(rows.column_names)])
    if form == "parquet":
        return as_others_write(rows)
    found = [{name: plain(value) for name, value in row.items()} for row in rows.to_pylist()]
    if form == "jsonl":
        return "\n".join(map(json.dumps, found)).encode()
    text = io.StringIO()
    writer = csv.DictWriter(text, rows.column_names)
    writer.writeheader()
    for row in found:
        writer.writerow({name: json.dumps(value) if isinstance(value, list) else value for name, value in row.items()})
    return text.getvalue().encode()


def plain(value: Any) -> Any:
    """Write a time as text."""
    return value.isoformat() if isinstance(value, datetime) else value
