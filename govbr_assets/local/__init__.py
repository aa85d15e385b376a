"""The embedded default: PostgreSQL, a Hub with its viewer, and sample news, on this machine alone.

`python -m govbr_assets.local` is its command. Nothing else in the package imports this room.
"""
