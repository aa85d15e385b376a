"""Publishes a PostgreSQL table of news as a Hugging Face dataset, and keeps the two equal by uploading what changed.

The rooms, from the top down; imports go down only (`govbr_assets_tests/test_imports.py`, drawn in
`docs/architecture.md`):

cli            the commands `govbr-assets mend`, `status`, `plan`: how they are called and shown
definitions    settings, resources, and the one Definitions
defs           all that imports Dagster: assets, checks, sensors, metadata, resources, IO managers, jobs, schedules;
               decisions, which say what to run now, and in_process, which runs it in the process of a command
publications   what is published: the columns of each dataset, as a DatasetSpec that all below is given
operations     what can be done to a dataset: sync, compact, reconcile, restore, release, project, migrate,
               assess, existing_ids; below them rewrite, which writes changed files, and verify, which checks them
               before a commit
dataset        a dataset at a revision: `Dataset` (client, reader, metadata cache, spec), key index, changesets,
               transaction, compatibility with readers
huggingface    the Hub and its viewer; the only importer of huggingface_hub
postgres       the news table in PostgreSQL; the only importer of its driver
alerts         alerts by HTTP
core           rules on Arrow tables and values: no Dagster, no network, no disk, no clock
io             storage, temporary files, memory, threads, deadlines, settings, environment variables
errors         the exceptions
redact         redaction of secrets in text
local          an embedded stack for demo, development and tests, which no other room imports
"""

from govbr_assets.io.process import prepare_process, uncollected_imports

prepare_process()  # first: what follows imports Arrow and the Hub's client

with uncollected_imports():
    from govbr_assets.definitions import defs as code_location

__all__ = ["code_location"]
