"""All of Dagster, and nothing else: assets, checks, sensors, metadata, resources, IO managers, jobs, schedules.

What lies here is listed in `definitions.py`, and not found by itself: Dagster's loader of such a folder needs a
pyproject.toml above the package, which an installed package has not. Rules belong in `core`, and what is done to the
dataset in `operations`; Dagster's private API is used in `partition_events`, `event_batch` and `sensors.instigators`
only.
"""
