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

from govbr_assets.io.process import prepare_process

prepare_process()  # first: what follows imports Arrow and the Hub's client

from govbr_assets.definitions import defs as code_location  # noqa: E402

__all__ = ["code_location"]
