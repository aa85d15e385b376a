"""Publishes a PostgreSQL table of news as a Hugging Face dataset and keeps it true: only what changed travels.

The rooms, from the top down; imports go down only:

definitions                           settings -> resources; all that Dagster loads
schedules, sensors, jobs              when to run: by the clock, because something happened; what together
checks, newest_day                    verdicts about what was published; whether the newest day is there
assets, rehearsal                     the graph; the dry run
io_managers, records                  tables between assets, days on the Hub; what runs leave in Dagster's records
told, told_fold, told_reconciliation  what is told of days, of a fold, of a reconciliation
failures, executor                    errors as Dagster's; runs that show that they are alive
batches, fold, rollback               days into commits; shards into a file a year; the way back
reconciliation                        the rows of PostgreSQL against those of the Hub
shards, trail, existing               a day made true as a plan; what moved meanwhile; which rows the Hub holds
resources, partitions                 configuration -> clients; the days
postgres, hub, viewer, alerts         the four services, one client each
storage, staging                      files at rest, and the tables between assets; rows that are too many for memory
core                                  rules: Arrow in, Arrow out
deadline, heap, errors                work within a time; memory that was freed; what can go wrong
web, environment                      a session of requests; what others have left in the environment
redact                                no secret in any text
local                                 an embedded stack for demo, development and tests
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

from govbr_assets import environment, heap  # noqa: E402 - the filters and the pool must stand first

heap.lean()
environment.prepare()  # before the Hub's client is imported, which reads it then

from govbr_assets.definitions import defs  # noqa: E402

__all__ = ["defs"]
