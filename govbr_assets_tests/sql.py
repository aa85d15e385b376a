"""SQL on the database of a test, as its owner: what becomes of the news before, and beside, what the product reads.

Through psycopg2, which comes with `dagster-postgres`: the product's driver reads the whole catalogue as it connects,
which takes longer than most tests have to say.
"""

import psycopg2


def execute(url: str, *statements: str) -> None:
    """Run statements, each in a transaction of its own."""
    connection = psycopg2.connect(url, client_encoding="UTF8")
    try:
        connection.autocommit = True
        with connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
    finally:
        connection.close()
