"""Where lineage begins: the tables of PostgreSQL, which others fill and nothing here materializes."""

from dagster import AssetSpec, TableColumn, TableSchema

from govbr_assets.defs.assets.defaults import OWNERS
from govbr_assets.publications import NEWS

_READ = [column for column in NEWS.columns if column.sql.startswith("n.")]

news = AssetSpec(
    "news",
    description="The table of PostgreSQL that has a row for each news item that was collected. Listed are the columns"
    " that are published as they are.",
    group_name="source",
    kinds={"postgres", "table"},
    owners=OWNERS,
    metadata={
        "dagster/table_name": "news",
        "dagster/column_schema": TableSchema(
            [TableColumn(each.sql.removeprefix("n."), str(each.type), each.description) for each in _READ]
        ),
    },
)

themes = AssetSpec(
    "themes",
    description="The table of PostgreSQL that has the themes, on three levels, to which rows of news refer.",
    group_name="source",
    kinds={"postgres", "table"},
    owners=OWNERS,
    metadata={
        "dagster/table_name": "themes",
        "dagster/column_schema": TableSchema(
            [
                TableColumn("id", "integer", "Id to which rows of news refer."),
                TableColumn("code", "string", "Code of the theme, such as 01.02."),
                TableColumn("label", "string", "Label of the theme."),
            ]
        ),
    },
)
