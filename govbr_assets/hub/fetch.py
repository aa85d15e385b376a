"""A whole file of the Hub onto the disk, every byte as it should be."""

from pathlib import Path

from govbr_assets.errors import HubUnavailableError
from govbr_assets.hub.failures import hub_failures
from govbr_assets.hub.ranges import read_footer
from govbr_assets.hub.repo import Hub
from govbr_assets.hub.snapshot import HubFile, Snapshot

_PIECE = 4 << 20  # bytes of one request


def fetch(hub: Hub, snapshot: Snapshot, file: HubFile, path: Path) -> None:
    """Write a file of a revision to the disk, a piece at a time, and keep its footer.

    Raises:
        HubUnavailableError: the Hub is out of reach, or what came is not the file.
        ContractError: it is no Parquet file.
    """
    with (
        path.open("wb") as sink,
        hub_failures(hub.repo_id, f"fetching {file.path}"),
        hub.open(snapshot, file) as remote,
    ):
        while piece := remote.read(_PIECE):
            sink.write(piece)
    if not file.holds(path):
        raise HubUnavailableError(f"{file.path} came from the Hub with other bytes than it has: try again.")
    if not hub.kept.footer(file.content):
        with path.open("rb") as local:
            hub.kept.keep_footer(file.content, read_footer(local, file.size))
