"""The fold: day shards and files of any origin into one sorted file a year, in small memory, with proof.

From the bottom up: `scratch` is the disk at hand, `abreast` some things done at once, `buckets` ids on the disk,
`spill` rows parted by month, `shelf` the files that they are of, `sources` what is to be folded, `intake` how it gets
there, `survivors` which row of an id stays, `proof` that nothing is lost, `months` those of one year and `year` its
file, `desk` all that was read, `taking` what of it goes together, and `plan` the plan for `hub.publish`. What a folded
file is says `core.consolidation`.
"""

from govbr_assets.fold.buckets import IdBuckets
from govbr_assets.fold.intake import local_rows
from govbr_assets.fold.months import OldYear
from govbr_assets.fold.plan import Folded, fold
from govbr_assets.fold.proof import Account
from govbr_assets.fold.scratch import scratch_folder
from govbr_assets.fold.sources import Inbox
from govbr_assets.fold.spill import Share, Spill
from govbr_assets.fold.year import YearBuilder

__all__ = [
    "Account",
    "Folded",
    "IdBuckets",
    "Inbox",
    "OldYear",
    "Share",
    "Spill",
    "YearBuilder",
    "fold",
    "local_rows",
    "scratch_folder",
]
