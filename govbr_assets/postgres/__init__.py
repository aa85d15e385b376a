"""PostgreSQL as a service: the published view of the news table, as Arrow tables. The only importer of the driver.

What is published of a row is the contract's business (`core`), and when to read it is the caller's.

news         `NewsTable`, the client
row_query, key_query, late_rows, newest    SQL for whole rows, for all keys, for changed days, for the newest day
day_reader   one query for many days, split into days, and resumed around the days that fail
too_large    rows over the size limit
catalogue    the columns of the database, and which of them the role may read
connection   one query in one read-only transaction; `background` runs it in a thread, `address` reads the URL,
             `errors` maps the driver's errors to ours
"""

from govbr_assets.postgres.news import NewsTable

__all__ = ["NewsTable"]
