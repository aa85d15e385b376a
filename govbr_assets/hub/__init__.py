"""A Hugging Face dataset repo at a revision: its files, their rows, and the one way to publish.

The only importer of huggingface_hub. `repo` says what is there, `scan` reads rows out of it, `publish` changes it,
`failures` turns the client's errors into ours.
"""

from govbr_assets.hub.publish import Edit, Plan, Publication, publish
from govbr_assets.hub.repo import Hub, HubFile, Snapshot
from govbr_assets.hub.scan import day_rows, file_rows, file_schema

__all__ = [
    "Edit",
    "Hub",
    "HubFile",
    "Plan",
    "Publication",
    "Snapshot",
    "day_rows",
    "file_rows",
    "file_schema",
    "publish",
]
