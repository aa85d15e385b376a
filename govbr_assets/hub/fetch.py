"""A whole file of the Hub onto the disk, every byte as it should be."""

from pathlib import Path

import pyarrow as pa

from govbr_assets.core.contract import schema_difference
from govbr_assets.errors import ContractError, HubUnavailableError
from govbr_assets.hub.failures import hub_failures
from govbr_assets.hub.keys import keep
from govbr_assets.hub.ranges import metadata_of, read_footer
from govbr_assets.hub.repo import Hub
from govbr_assets.hub.snapshot import HubFile, Snapshot

_PIECE = 4 << 20  # bytes of one request


def fetch(hub: Hub, snapshot: Snapshot, file: HubFile, path: Path) -> None:
    """Write a file of a revision to the disk, a piece at a time, and keep what it says.

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
    if hub.kept.keeps and not hub.kept.has_keys(file.content):
        try:
            _keep(hub, file, path)
        except pa.ArrowException as error:
            raise ContractError(f"{file.path} on the Hub is no Parquet file that can be read: {error}") from error


def _keep(hub: Hub, file: HubFile, path: Path) -> None:
    """Keep footer and keys; only the footer if its keys need not be what the contract has."""
    with path.open("rb") as local:
        end = read_footer(local, file.size)
    if schema_difference(metadata_of(end).schema.to_arrow_schema()):
        hub.kept.keep_footer(file.content, end)
    else:
        keep(hub, file, path)
