"""What the job `migrate_schema` records: which columns came into which files, and how many rows have no value."""

from collections.abc import Sequence

from dagster import MetadataValue

from govbr_assets.defs.metadata.events import Metadata
from govbr_assets.defs.metadata.markdown import table
from govbr_assets.operations.migrate.plan import MigrationReport, Step


def migration_metadata(results: Sequence[Step], *, dry_run: bool) -> Metadata:
    """Describe a migration.

    Args:
        results: its commits, those of the compaction before it first.
        dry_run: nothing was committed.
    """
    *compacted, last = results
    report = last.report
    assert isinstance(report, MigrationReport)
    return {
        "dry_run": dry_run,
        "schema_before": report.before,
        "schema_after": report.after if report.rows else report.before,
        "columns": ", ".join(report.columns) or "none",
        "files": len(report.rows),
        "rows": sum(report.rows.values()),
        "rows_not_in_postgres": report.unknown,
        "compactions_before": len(compacted),
        "files_to_be_compacted_first": ", ".join(report.waiting) or "none",
        "revision_before": results[0].before or "",
        "revision_after": last.after or "",
        "by_file": MetadataValue.md(table(["file", "rows"], [[path, rows] for path, rows in report.rows.items()])),
    }
