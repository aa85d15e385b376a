"""The graph with another `publications.py`, in a process of its own: what is declared there, nothing else knows.

python -m govbr_assets_tests.operations.other_publications <JSON: the scene, the edit of the file, and the stack>
"""

import json
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType, SimpleNamespace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from govbr_assets_tests.graph import Graph

DAYS = ["2024-01-15", "2024-02-10", "2025-03-01"]
PUBLICATIONS = "govbr_assets.publications"


class EditedFile(SourceFileLoader):
    """Loads a module as if its file had been edited: each text of it that is named replaced by another."""

    edits: dict[str, str]

    def get_code(self, fullname: str) -> CodeType:
        text = Path(self.path).read_text()
        for before, after in self.edits.items():
            assert text.count(before) == 1, before
            text = text.replace(before, after)
        return compile(text, self.path, "exec")


class EditedPublications(MetaPathFinder):
    """Finds the edited module."""

    def __init__(self, edits: dict[str, str]) -> None:
        self._edits = edits

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        found = PathFinder.find_spec(fullname, path, target) if fullname == PUBLICATIONS else None
        if found and found.origin:
            found.loader = EditedFile(fullname, found.origin)
            found.loader.edits = self._edits
        return found


def publish(graph: "Graph") -> None:
    """Publish two rows on each day."""
    graph.execute("ALTER TABLE news ADD COLUMN level text")
    for number, day in enumerate(DAYS):
        graph.insert(f"a{number}", f"b{number}", day=day)
    graph.execute("UPDATE news SET level = 'high' WHERE unique_id LIKE 'a%'")
    for day in DAYS:
        succeeds(graph.run(day))


def succeeds(result: Any) -> None:
    """See that a run and its checks went well."""
    assert result.success
    assert all(each.passed for each in result.get_asset_check_evaluations())


def values(graph: "Graph", column: str) -> dict[str, Any]:
    """Return a column of all rows on the Hub, by id."""
    import pyarrow as pa

    read = [file.read(["unique_id", column]) for file in files(graph).values()]
    return dict(zip(*(each.to_pylist() for each in pa.concat_tables(read).columns), strict=True))


def files(graph: "Graph") -> dict[str, Any]:
    """Open the files of the dataset on the Hub."""
    import pyarrow as pa
    import pyarrow.parquet as pq
    from huggingface_hub import HfApi

    api, found = HfApi(endpoint=graph.local_hub.endpoint, token=graph.local_hub.write_token), {}
    for file in graph.head.data_files:
        local = api.hf_hub_download(graph.repo_id, file.path, repo_type="dataset", revision=graph.head.revision)
        found[file.path] = pq.ParquetFile(pa.BufferReader(Path(local).read_bytes()))
    return found


def one_column_more(graph: "Graph") -> None:
    """Publish, compact, reconcile and change a column that is declared in one line."""
    publish(graph)
    expected = {f"{name}{number}": "high" if name == "a" else None for name in "ab" for number in range(len(DAYS))}
    assert values(graph, "level") == expected
    succeeds(graph.reconcile(deep=True))
    succeeds(graph.compact())
    assert sorted(graph.ids()) == ["data/train-2024-00.parquet", "data/train-2025-00.parquet"]
    for file in files(graph).values():
        assert file.schema_arrow.names[-1] == "level"
        level = file.metadata.row_group(0).column(file.metadata.num_columns - 1)
        assert level.has_dictionary_page
        assert level.is_stats_set
    graph.execute("UPDATE news SET level = 'low' WHERE unique_id = 'b0'")
    result = graph.reconcile(deep=True)
    assert result.success
    assert not all(each.passed for each in result.get_asset_check_evaluations())
    succeeds(graph.run(DAYS[0]))
    assert values(graph, "level") == expected | {"b0": "low"}
    succeeds(graph.reconcile(deep=True))


FEATURES = "CREATE TABLE news_features (unique_id varchar(120), features jsonb, updated_at timestamptz DEFAULT now())"
FEATURES_OF = "INSERT INTO news_features VALUES ('{}', '{}')"


def columns_of_another_table(graph: "Graph") -> None:
    """Publish columns of a table beside `news`, and change a row of it alone."""
    from govbr_assets.core.days import Day
    from govbr_assets.core.late_rows import Watermark
    from govbr_assets.postgres.news import NewsTable
    from govbr_assets.publications import NEWS

    graph.insert("a", day=DAYS[0], legacy="old-a")
    graph.insert("b", day=DAYS[0])
    rejected(graph.run(DAYS[0]), "PostgreSQL has no table `news_features`, from which publications.py reads column")
    graph.execute("CREATE TABLE news_features (unique_id varchar(120), features jsonb)")
    rejected(graph.run(DAYS[0]), "Table `news_features` in PostgreSQL has no column updated_at")
    graph.execute("DROP TABLE news_features", FEATURES)
    rejected(graph.run(DAYS[0]), "may have several rows of one unique_id")
    graph.execute(
        "CREATE UNIQUE INDEX ON news_features (unique_id)",
        FEATURES_OF.format("a", '{"score": 0.1, "entities": ["Brasil", "MEC"]}'),
        FEATURES_OF.format("elsewhere", '{"score": 1}'),
    )
    succeeds(graph.run(DAYS[0]))
    assert values(graph, "score") == {"a": 0.1, "b": None}
    assert values(graph, "entities") == {"a": ["Brasil", "MEC"], "b": []}
    assert values(graph, "legacy_unique_id") == {"a": "old-a", "b": None}
    assert values(graph, "agency_name") == dict.fromkeys("ab", "Ministério da Educação")
    news, first, end = NewsTable(graph.postgres_url, NEWS), Day.of(DAYS[0]), Day.of(DAYS[-1])
    mark = news.changed_since(Watermark(), first, end).mark
    assert not news.changed_since(mark, first, end).days
    graph.execute("UPDATE news_features SET features = '{\"score\": -2.5}', updated_at = now() WHERE unique_id = 'a'")
    assert news.changed_since(mark, first, end).days == (Day.of(DAYS[0]).date,)
    succeeds(graph.run(DAYS[0]))
    assert values(graph, "score") == {"a": -2.5, "b": None}
    succeeds(graph.compact())
    succeeds(graph.reconcile(deep=True))
    graph.execute("ALTER TABLE news ALTER legacy_unique_id TYPE int USING 7")
    rejected(graph.run(DAYS[0]), "Column legacy_unique_id of the row with id")


def rejected(result: Any, sentence: str) -> None:
    """See that a run ended with a sentence."""
    assert not result.success
    assert sentence in str(errors(result)), errors(result)


def errors(result: Any) -> list[str]:
    """Return what the steps of a run say of their failure."""
    failures = [event.step_failure_data for event in result.all_events if event.is_step_failure]
    return [" ".join(str(each) for each in (data.error, data.user_failure_data)) for data in failures]


def files_of_months(graph: "Graph") -> None:
    """Publish and compact by a layout with one file a month, and change a row in such a file."""
    publish(graph)
    succeeds(graph.compact())
    paths = ["data/train-2024-01-00.parquet", "data/train-2024-02-00.parquet", "data/train-2025-03-00.parquet"]
    assert sorted(graph.ids()) == paths
    graph.execute("UPDATE news SET title = 'changed' WHERE unique_id = 'a1'")
    graph.insert("late", day=DAYS[1])
    succeeds(graph.run(DAYS[1]))
    assert sorted(graph.ids()) == [*paths[:2], f"data/train-{DAYS[1]}.parquet", paths[2]]
    assert values(graph, "title")["a1"] == "changed"
    succeeds(graph.compact())
    assert {path: len(ids) for path, ids in graph.ids().items()} == dict(zip(paths, [2, 3, 2], strict=True))
    succeeds(graph.reconcile(deep=True))


SCENES: dict[str, Callable[["Graph"], None]] = {
    each.__name__: each for each in (one_column_more, columns_of_another_table, files_of_months)
}

ELSEWHERE = {
    "schema_grows": "growing_schema",
    "grows_under_automation": "growing_under_automation",
    "sibling_follows_a_migration": "growing_under_automation",
    "numbers_and_lists": "numbers_and_lists",
}
"""Scenes in modules that import the product, each with its module."""


def main() -> None:
    """Play a scene."""
    wanted = json.loads(sys.argv[1])
    sys.meta_path.insert(0, EditedPublications(wanted["edits"]))
    from govbr_assets_tests.graph import Graph

    hub: Any = SimpleNamespace(endpoint=wanted["endpoint"], write_token=wanted["token"], read_token=wanted["token"])
    viewer: Any = SimpleNamespace(url=wanted["viewer"])
    graph = Graph(wanted["postgres"], wanted["repo_id"], hub, viewer, Path(wanted["folder"]))
    scene = wanted["scene"]
    if scene in ELSEWHERE:
        getattr(import_module(f"govbr_assets_tests.operations.{ELSEWHERE[scene]}"), scene)(graph)
    else:
        SCENES[scene](graph)


if __name__ == "__main__":
    main()
