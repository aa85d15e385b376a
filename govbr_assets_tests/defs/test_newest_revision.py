"""Which revision the checks of a run look at."""

from dagster import AssetKey

from govbr_assets.dataset import Dataset
from govbr_assets.defs.newest_revision import newest, note_newest
from govbr_assets.huggingface.snapshot import Snapshot
from govbr_assets.local.hub import LocalHub
from govbr_assets_tests import stranger

ASSET = AssetKey("an_asset")


def test_what_a_step_has_told_before_it_was_tried_again_is_not_looked_at(hub: Dataset, local_hub: LocalHub):
    stranger.write(local_hub.store, hub.client.repo_id, {"README.md": b"# News"})
    older = Snapshot("0" * 40, {})
    note_newest("a run", ASSET, older)
    assert newest("a run", ASSET, hub) is older
    note_newest("a run", ASSET, None)  # the Hub could not be asked the second time
    assert newest("a run", ASSET, hub) == hub.client.head()


def test_the_checks_of_a_run_look_at_one_revision_and_those_of_another_run_at_their_own(
    hub: Dataset, local_hub: LocalHub
):
    stranger.write(local_hub.store, hub.client.repo_id, {"README.md": b"# News"})
    first = newest("one run", ASSET, hub)
    stranger.write(local_hub.store, hub.client.repo_id, {"README.md": b"# Later news"})
    assert newest("one run", ASSET, hub) is first
    assert newest("another run", ASSET, hub).revision not in (None, first.revision)
