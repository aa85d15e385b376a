"""Reconciliation: the ids and times of all rows in PostgreSQL against those on the Hub, at one revision.

Both sides are streamed once, as eight bytes for each id, onto the disk (`buckets`, filled by `sides`). There they are
parted by id and not by month: a row can have moved from any month to any other, or stand in two, and rows of one id are
to be seen together. Then one part after another is compared (`reconcile`). What is compared and how says
`core.reconciliation`.
"""

from govbr_assets.reconciliation.reconcile import Reconciled, reconcile

__all__ = ["Reconciled", "reconcile"]
