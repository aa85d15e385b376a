"""SQL to Arrow: the published view of PostgreSQL's news. The only importer of the Postgres driver.

`connection` speaks to the driver, in a thread by `background`; `address` reads the setting for it, and `errors` its
errors. `catalogue` knows what the database has. `row_query` has the queries for whole rows, `key_query` the one for the
ids of all of them, `late_rows` the one for days that changed, `newest` that for the last day; `reading` takes days one
by one, and `news` is the client.
"""

from govbr_assets.postgres.news import NewsTable

__all__ = ["NewsTable"]
