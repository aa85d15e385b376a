"""Days made true: what has to change on the Hub so that it holds a day as PostgreSQL does, at whatever revision.

From the bottom up: `changes` is what becomes of a day, `years` reads and changes the years' files, `draft` is a commit
in the making, `day` decides for one day, `plan` makes that a value, `commit` puts several days into one commit. Sending
it is `hub.publish`'s, recording it the IO manager's; where a row belongs is said in `core.compare`.
"""

from govbr_assets.shards.changes import DayChanges, Removals, Rules, Shard, Unfolded
from govbr_assets.shards.commit import ShardsPlan
from govbr_assets.shards.plan import ShardPlan
from govbr_assets.shards.years import YearFiles

__all__ = ["DayChanges", "Removals", "Rules", "Shard", "ShardPlan", "ShardsPlan", "Unfolded", "YearFiles"]
