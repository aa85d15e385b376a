"""The newest revision that the steps of one run look at after an asset was made: asked for once, for all its checks.

So they judge one and the same revision, which was the head when the asset's own step had ended, or later. What a check
looks for in it belongs to `checks`.
"""

from collections import OrderedDict

from dagster import AssetKey

from govbr_assets.dataset import Dataset
from govbr_assets.huggingface.snapshot import Snapshot

_RUNS = 8
_known = OrderedDict[tuple[str, AssetKey], Snapshot]()
"""By run and asset. Steps of a run that other processes execute ask for themselves."""


def note_newest(run_id: str, asset: AssetKey, snapshot: Snapshot | None) -> None:
    """Tell the checks of an asset in a run which revision is the newest, as the Hub has just said; None lets them ask.

    An older one is forgotten in any case: a step that is tried again has asked again.
    """
    _known.pop((run_id, asset), None)
    if snapshot:
        _known[run_id, asset] = snapshot
    while len(_known) > _RUNS:
        _known.popitem(last=False)


def newest(run_id: str, asset: AssetKey, dataset: Dataset) -> Snapshot:
    """Return the newest revision for a check of an asset in a run: as the asset's step has told, else as it is listed.

    Args:
        run_id: of the run.
        asset: that is checked.
        dataset: on the Hub.

    Raises:
        HubUnavailableError: the Hub is out of reach.
    """
    if (run_id, asset) not in _known:
        note_newest(run_id, asset, dataset.client.head(listed=True))
    return _known[run_id, asset]
