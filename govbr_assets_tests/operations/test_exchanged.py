"""A projection replaces no full dataset, whatever the settings say, and makes nothing of one that is none."""

from dataclasses import replace

import pytest
from dagster import materialize

from govbr_assets.defs.assets.reduced import reduced_dataset
from govbr_assets.defs.decisions.reduced import next_mirror
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


def test_a_projection_that_is_declared_anew_has_to_be_mirrored_anew(both: Graph, monkeypatch: pytest.MonkeyPatch):
    hub = both.resources(reduced_repo_id=f"{both.repo_id}-r")["hub"]
    assert next_mirror(both.instance, hub, "test").requests == []
    from govbr_assets.defs.decisions import reduced

    fewer = replace(reduced.REDUCED, columns=("published_at", "title", "url"))
    monkeypatch.setattr(reduced, "REDUCED", fewer)
    assert len(next_mirror(both.instance, hub, "test").requests) == 1
