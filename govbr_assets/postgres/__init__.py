"""SQL to Arrow: the published view of PostgreSQL's news. The only importer of the Postgres driver.

`connection` speaks to the driver, `keys` has the query for the ids of all rows, `changed` the one for days that
changed, `news` reads whole rows and is the client.
"""

from govbr_assets.postgres.news import PostgresNews

__all__ = ["PostgresNews"]
