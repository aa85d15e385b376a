"""Where lineage begins: the tables of PostgreSQL, which others fill and nothing here materializes."""

from dagster import AssetSpec, TableColumn, TableSchema

from govbr_assets.defs.assets.defaults import OWNERS
from govbr_assets.publications import NEWS

_READ = [column for column in NEWS.columns if column.sql.startswith("n.")]

news = AssetSpec(
    "news",
    description="The table `news`: a row for each news item that was collected. Columns that are not published, and"
    " those that say which theme a row has, are left out here.",
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
    description="The table `themes`: the themes that rows of `news` refer to, on three levels.",
    group_name="source",
    kinds={"postgres", "table"},
    owners=OWNERS,
    metadata={
        "dagster/table_name": "themes",
        "dagster/column_schema": TableSchema(
            [
                TableColumn("id", "integer", "Id to which rows of `news` refer."),
                TableColumn("code", "string", "Code of the theme, such as 01.02."),
                TableColumn("label", "string", "Label of the theme."),
            ]
        ),
    },
)
