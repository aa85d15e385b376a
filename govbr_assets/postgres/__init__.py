"""SQL to Arrow: the published view of PostgreSQL's news. The only importer of the Postgres driver.

`connection` speaks to the driver, in a thread by `background`; `address` reads the setting for it, and `failures` its
errors. `catalogue` knows what the database has. `rows` has the queries for whole rows, `keys` the one for the ids of
all of them, `changed` the one for days that changed, `newest` that for the last day; `reading` takes days one by one,
and `news` is the client.
"""

from govbr_assets.postgres.news import PostgresNews

__all__ = ["PostgresNews"]
