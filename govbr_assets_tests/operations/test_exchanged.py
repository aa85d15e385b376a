"""A projection replaces no full dataset, whatever the settings say, and makes nothing of one that is none."""

from dataclasses import replace

import pytest
from dagster import materialize

from govbr_assets.core.projection import Projection
from govbr_assets.dataset import Dataset
from govbr_assets.defs.assets.reduced import reduced_dataset
from govbr_assets.defs.decisions.reduced import next_mirror
from govbr_assets.errors import ContractError
from govbr_assets.operations.project.plan import project
from govbr_assets.publications import NEWS
from govbr_assets_tests import stranger
from govbr_assets_tests.graph import Graph
from govbr_assets_tests.tables import encode, shard


@pytest.fixture
def both(graph: Graph) -> Graph:
    """A full dataset with a reduced one that has followed it."""
    graph.insert("a", "b")
    assert graph.run("2026-01-15", checks=False, reduced_repo_id=f"{graph.repo_id}-r").success
    return graph


def mirrored(graph: Graph, **settings: str) -> str:
    """Materialize the reduced dataset; return why it failed, empty if it has not."""
    result = materialize(
        [reduced_dataset], instance=graph.instance, resources=graph.resources(**settings), raise_on_error=False
    )
    return "" if result.success else str([each.step_failure_data for each in result.get_step_failure_events()])


def test_names_that_are_exchanged_replace_no_full_dataset(both: Graph):
    other = f"{both.repo_id}-r"
    before = both.head.revision
    for _ in range(2):
        why = mirrored(both, repo_id=other, reduced_repo_id=both.repo_id)
        assert "has all columns of the full dataset, which the reduced one would replace" in why
        stranger.write(both.local_hub.store, other, {"notes.txt": b"Somebody else's commit is the newest one."})
    assert (both.head.revision, both.ids()) == (before, {"data/train-2026-01-15.parquet": ["a", "b"]})
    assert mirrored(both, reduced_repo_id=other) == ""


def test_nothing_is_made_of_a_dataset_without_ids(both: Graph):
    why = mirrored(both, repo_id=f"{both.repo_id}-r", reduced_repo_id=f"{both.repo_id}-new")
    assert "has no column unique_id, so that this is not the full dataset and nothing is made of it" in why
    assert not replace(both, repo_id=f"{both.repo_id}-new").head.data_files


def test_another_full_dataset_is_not_replaced_and_one_that_nobody_can_read_is(both: Graph):
    other = f"{both.repo_id}-other"
    stranger.write(both.local_hub.store, other, {"data/train-2025-00.parquet": encode(shard(["x"]))})
    assert "has all columns of the full dataset" in mirrored(both, reduced_repo_id=other)
    stranger.write(both.local_hub.store, other, {"data/train-2025-00.parquet": b"PAR1 and no end"})
    assert mirrored(both, reduced_repo_id=other) == ""
    assert [file.path for file in replace(both, repo_id=other).head.data_files] == ["data/train-2026-01-15.parquet"]


def test_a_projection_with_all_columns_takes_the_place_of_files_that_have_them(both: Graph):
    full, head = both.hub, both.head
    whole = Projection(of=NEWS, columns=tuple(NEWS.schema.names), name="whole")
    other = f"{both.repo_id}-whole"
    stranger.write(both.local_hub.store, other, {"data/train-2025-00.parquet": encode(shard(["x"]))})
    reduced = Dataset.open(other, whole.spec, token=full.client.token, endpoint=full.client.api.endpoint)
    assert list(project(full, reduced, whole))
    assert [file.path for file in reduced.client.head().data_files] == [file.path for file in head.data_files]


def test_a_file_that_nobody_can_read_is_told_with_what_helps(both: Graph):
    path = "data/train-2026-01-15.parquet"
    for damage in (b"", b"PAR1 and no end", b"PAR1" + b"x" * 40 + b"\x10\0\0\0PAR1"):
        stranger.write(both.local_hub.store, both.repo_id, {path: damage})
        with pytest.raises(ContractError) as raised:
            both.hub.reader.schema(both.head.data_files[0])
        assert str(raised.value).endswith("or bring an earlier revision back with the job rollback.")
        assert "\n" not in str(raised.value)


def test_a_projection_that_is_declared_anew_has_to_be_mirrored_anew(both: Graph, monkeypatch: pytest.MonkeyPatch):
    hub = both.resources(reduced_repo_id=f"{both.repo_id}-r")["hub"]
    assert next_mirror(both.instance, hub, "test").requests == []
    from govbr_assets.defs.decisions import reduced

    fewer = replace(reduced.REDUCED, columns=("published_at", "title", "url"))
    monkeypatch.setattr(reduced, "REDUCED", fewer)
    assert len(next_mirror(both.instance, hub, "test").requests) == 1
