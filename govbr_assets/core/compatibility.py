"""A schema compared with the published one: what is the same, what readers tolerate, and what breaks every reader."""

from dataclasses import dataclass, field

import pyarrow as pa


@dataclass(frozen=True)
class SchemaDiff:
    """How a schema differs from the published one; false if it does not.

    Attributes:
        missing: published columns that it lacks.
        extra: columns that are not published.
        changed: columns of another type, each with the published one.
        reordered: all columns are there, in another order.
        metadata: names of its key-value metadata, which published files do not have.
    """

    missing: list[pa.Field] = field(default_factory=list)
    extra: list[pa.Field] = field(default_factory=list)
    changed: list[tuple[pa.Field, pa.Field]] = field(default_factory=list)
    reordered: bool = False
    metadata: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.missing or self.extra or self.changed or self.reordered or self.metadata)

    def __str__(self) -> str:
        if self.missing or self.extra:
            missing, extra = ([column.name for column in columns] for columns in (self.missing, self.extra))
            return f"missing columns {missing}, extra columns {extra}"
        if self.reordered:
            return "another order of columns"
        wrong = [f"{found.name} is {found.type} and should be {wanted.type}" for found, wanted in self.changed]
        return "; ".join(wrong) or (f"metadata {self.metadata}" if self.metadata else "")

    @property
    def withdrawn(self) -> str:
        """Say that published columns are not declared any more, or with another type, if this project wrote the file.

        Of its own compacted files it knows that: they have no metadata, and no type of their own for a column without
        a value. Times that somebody wrote in another way are mended by a compaction. The text is empty if nothing is.
        """
        changed = [
            found
            for found, wanted in self.changed
            if not (_is_tolerated(found.type, wanted.type) or pa.types.is_timestamp(wanted.type))
        ]
        if self.metadata or not (self.extra or changed):
            return ""
        named = ", ".join(f"{column.name} ({column.type})" for column in (*self.extra, *changed))
        return (
            f"has {named}, which publications.py does not declare so: a published column is not removed or renamed, and"
            " keeps its type, because readers depend on it. Declare it as it is."
        )

    def for_readers(self, *, first: bool) -> tuple[list[str], list[str]]:
        """Return what the differences mean to readers of the whole dataset.

        Args:
            first: the schema is that of the first data file by name, whose types readers expect of all others.

        Returns:
            What breaks readers, and what they tolerate: a column of type `null` outside the first file, large strings
            and lists, another order. Each names the column and both types.

        Source: measured with polars, pandas, DuckDB, pyarrow and datasets; a column of type `null` in the first file
        breaks all of them as soon as another file has the published type.
        """
        breaking = [f"column {column.name} is missing and should be {column.type}" for column in self.missing]
        tolerated = []
        for found, wanted in self.changed:
            mild = _is_tolerated(found.type, wanted.type) and not (first and pa.types.is_null(found.type))
            difference = f"column {found.name} is {found.type} and should be {wanted.type}"
            (tolerated if mild else breaking).append(difference)
        breaking += [f"column {column.name} is {column.type} and should not be there" for column in self.extra]
        if self.reordered and not breaking:
            tolerated.append("another order of columns")
        return breaking, tolerated


def compare(schema: pa.Schema, published: pa.Schema) -> SchemaDiff:
    """Compare the schema of a file or of rows with the published one."""
    found = {column.name: column for column in schema}
    missing = [column for column in published if column.name not in found]
    extra = [column for column in schema if column.name not in published.names]
    shared = [(found[column.name], column) for column in published if column.name in found]
    changed = [(theirs, ours) for theirs, ours in shared if theirs.type != ours.type]
    reordered = not missing and not extra and schema.names != published.names  # or a column stands twice
    metadata = sorted(key.decode(errors="backslashreplace") for key in schema.metadata or ())
    return SchemaDiff(missing, extra, changed, reordered, metadata)


def _is_tolerated(found: pa.DataType, wanted: pa.DataType) -> bool:
    """Say whether readers take a column of a type for one of another: so they do in all files but the first."""
    return _plain(found) == wanted or pa.types.is_null(found)


def _plain(kind: pa.DataType) -> pa.DataType:
    """Return the type with 32-bit offsets that readers take for the same."""
    if pa.types.is_large_string(kind):
        return pa.string()
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return pa.list_(pa.field("element", _plain(kind.value_type)))
    return kind
