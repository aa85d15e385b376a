"""What Python finds as it starts when this folder is in `PYTHONPATH`: Dagster looks for backfills each second then.

It does so every half minute otherwise, for which it has no setting: a backfill waits for that twice, to begin and to
have ended.
"""

import sys

if "dagster._daemon" in sys.orig_argv:
    from dagster._daemon import controller

    controller.DEFAULT_DAEMON_INTERVAL_SECONDS = 1
