"""A Hugging Face dataset repo at a revision: its files, their rows, and the one way to publish.

The only importer of huggingface_hub. From the bottom up: `failures` turns the client's errors into ours, `content` is
what goes into a file, `snapshot` what a revision holds, `kept` what outlives a run of it, `operations` a commit in the
client's words, `edit` what a commit changes, `repo` the client; `ranges`, `scan` and `keys` read rows, `fetch` whole
files, `left_over` says what a compaction has still to delete, `loadable` what readers need, `reach` whether all rows
lie where new ones come, `truth` asks what the client does not say, `seen` counts what readers see, `send` makes one
commit, and `publish` makes a plan one.
"""

from govbr_assets.hub.content import Content, opened, size_of
from govbr_assets.hub.edit import Edit, Seen
from govbr_assets.hub.fetch import fetch, fetched
from govbr_assets.hub.kept import DIGESTS_SCHEMA, KEYS_SCHEMA
from govbr_assets.hub.keys import HOLDING_SCHEMA, file_digests, file_keys, foreign_keys, holding, revision_ids
from govbr_assets.hub.left_over import left_over
from govbr_assets.hub.loadable import card_changes, obstacles
from govbr_assets.hub.publish import Plan, Publication, publish
from govbr_assets.hub.reach import check_movable, out_of_reach
from govbr_assets.hub.repo import Hub
from govbr_assets.hub.scan import (
    begins_empty,
    day_rows,
    file_rows,
    file_schema,
    footer,
    groups_with,
    is_text,
    learn_schema,
    row_group,
    row_groups,
    text_rows,
    whole_file,
)
from govbr_assets.hub.seen import rows_seen
from govbr_assets.hub.send import COMMIT_FILES
from govbr_assets.hub.snapshot import HubFile, HubFileAt, Snapshot

__all__ = [
    "COMMIT_FILES",
    "DIGESTS_SCHEMA",
    "HOLDING_SCHEMA",
    "KEYS_SCHEMA",
    "Content",
    "Edit",
    "Hub",
    "HubFile",
    "HubFileAt",
    "Plan",
    "Publication",
    "Seen",
    "Snapshot",
    "begins_empty",
    "card_changes",
    "check_movable",
    "day_rows",
    "fetch",
    "fetched",
    "file_digests",
    "file_keys",
    "file_rows",
    "file_schema",
    "footer",
    "foreign_keys",
    "groups_with",
    "holding",
    "is_text",
    "learn_schema",
    "left_over",
    "obstacles",
    "opened",
    "out_of_reach",
    "publish",
    "revision_ids",
    "row_group",
    "row_groups",
    "rows_seen",
    "size_of",
    "text_rows",
    "whole_file",
]
