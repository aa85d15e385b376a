"""What the commands do: Dagster runs in this process, one after another, until there is nothing more to do.

Which runs belongs to `decisions`, what they do to assets and jobs, and how it is shown to `cli`.
"""
