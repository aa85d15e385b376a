"""Publishes a PostgreSQL table of news as a Hugging Face dataset and keeps it true: only what changed travels.

The rooms, from the top down; imports go down only (`govbr_assets_tests/test_imports.py`):

definitions    settings -> resources; the one Definitions
defs           all that imports Dagster: assets, checks, sensors, metadata, resources, IO managers, jobs, schedules
operations     what can be done to a published dataset: sync, compact, reconcile, restore, existing_ids; under them
               rewrite, a file made anew, and verify, its proof
dataset        a dataset at a revision: transaction, compatibility with readers, reader, keys, what readers see
huggingface    the Hub and its viewer, as a service; the only importer of huggingface_hub
postgres       PostgreSQL, as a service
alerts         whoever takes alerts, as a service
publications   what is published: the columns of each dataset, declared once
core           rules on Arrow tables and values: no Dagster, no network, no disk, no clock
io             the machine: storage, temporary files, memory, deadlines, the environment that others left
errors         what can go wrong
redact         no secret in any text
local          an embedded stack for demo, development and tests; imported by nobody but them
"""

import os
import warnings

import dagster  # noqa: F401 - it sets filters of its own when it is imported

# Dagster calls these two beta and preview on every command; the range of versions in pyproject.toml is our answer.
for _message in ("Parameter `backfill_policy`", "Specifying a partitions_def on an AssetCheckSpec"):
    warnings.filterwarnings("ignore", message=_message)

# Arrow and the Hub's client read these once, when they are first used. Arrow's own pool would keep 10 MB of a day that
# is gone, and `pa.set_memory_pool` does not reach the Parquet writer. The client would have the whole of a 300 MB file
# in memory: what waits for the network, and once more what it compresses in vain, for Parquet is compressed.
os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
os.environ.setdefault("HF_XET_FIXED_UPLOAD_CONCURRENCY", "1")
os.environ.setdefault("HF_XET_DATA_INGESTION_BLOCK_SIZE", "1mb")
os.environ.setdefault("HF_XET_XORB_COMPRESSION_POLICY", "none")

from govbr_assets.io import environment, memory  # noqa: E402 - the filters and the pool must stand first

memory.limit_heap()
environment.prepare()  # before the Hub's client is imported, which reads it then

from govbr_assets.definitions import defs as code_location  # noqa: E402

__all__ = ["code_location"]
