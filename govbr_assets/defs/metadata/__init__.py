"""What assets record: metadata for people in the UI, and typed records that later runs and sensors read back.

A record is written (`to_metadata`) and read (`from_event`) in the same module; nobody else knows the names of its
values. `events` reads events, `markdown` makes tables; `existing_ids`, `daily`, `compaction` and `reconciliation`
belong to the assets.
"""
