"""The files of a projection, made of some columns of the full dataset's; and whether one there has the same rows.

Which files are wanted is decided in `plan`.
"""

from collections.abc import Iterator
from hashlib import blake2b
from itertools import count
from pathlib import Path

import pyarrow as pa

from govbr_assets.core.digest import row_digests
from govbr_assets.core.projection import Projection
from govbr_assets.dataset import Dataset
from govbr_assets.dataset.parquet import encode_groups
from govbr_assets.errors import ContractError
from govbr_assets.huggingface.snapshot import DataFile


class ProjectedFiles:
    """Makes the files of a projection, each once for a content of the full dataset, and compares them.

    Args:
        full: the full dataset.
        reduced: the projection's own.
        projection: which columns and rows.
        folder: for the files; they stay as long as it does.
    """

    def __init__(self, full: Dataset, reduced: Dataset, projection: Projection, folder: Path) -> None:
        self._full, self._reduced, self._projection, self._folder = full, reduced, projection, folder
        self._made: dict[str, Path | None] = {}
        self._same: dict[tuple[str, str], bool] = {}
        self._numbers = count()

    def make(self, source: DataFile) -> Path | None:
        """Make the file that mirrors one; None if it would have no rows.

        Raises:
            ContractError: the file of the full dataset cannot be read as the published types.
            HubUnavailableError: the Hub is out of reach.
        """
        if source.content not in self._made:
            path = self._folder / f"{next(self._numbers)}.parquet"
            with path.open("wb") as sink:
                rows = encode_groups(sink, self._groups(source), self._reduced.spec)
            self._made[source.content] = path if rows else None
        return self._made[source.content]

    def rows(self, source: DataFile) -> int:
        """Count the rows of the file that mirrors one: by a footer, unless rows are left out."""
        if self._projection.rows is None:
            return self._full.reader.row_count(source)
        return sum(rows.num_rows for rows in self._groups(source))

    def same(self, source: DataFile, there: DataFile | None) -> bool:
        """Return whether a file of the projection holds what it should, by schema, number of rows and their digest.

        Args:
            source: the file of the full dataset.
            there: the file of the projection; None if there is none.
        """
        if there is None:
            return self.rows(source) == 0
        key = source.content, there.content
        if key not in self._same:
            self._same[key] = self._compare(source, there)
        return self._same[key]

    def _compare(self, source: DataFile, there: DataFile) -> bool:
        reader, spec = self._reduced.reader, self._reduced.spec
        try:
            if there.text or spec.compare(reader.schema(there)) or self.rows(source) != reader.row_count(there):
                return False
            theirs = digest(reader.column_chunks(there, spec.schema.names), spec.schema)
        except ContractError:  # whoever wrote it: it is made anew
            return False
        return digest(self._groups(source), spec.schema) == theirs

    def _groups(self, source: DataFile) -> Iterator[pa.Table]:
        """Stream the projected rows of a file, a row group at a time."""
        key, repo_id = self._full.spec.key, self._full.client.repo_id
        if not source.text and key not in self._full.reader.schema(source).names:
            raise ContractError(
                f"{source.path} of {repo_id} has no column {key}, so that this is not the full dataset and nothing is"
                " made of it: look at GOVBR_REPO_ID and GOVBR_REDUCED_REPO_ID, which may be exchanged."
            )
        for rows in self._full.reader.column_chunks(source, self._projection.sources):
            yield self._projection.apply(rows)


def digest(tables: Iterator[pa.Table], schema: pa.Schema) -> str:
    """Digest rows in their order, however they are divided.

    Args:
        tables: [n rows x columns] each.
        schema: of all of them.
    """
    digested = blake2b(digest_size=16)
    for table in tables:
        digests = row_digests(table, schema)
        if len(digests):
            digested.update(memoryview(digests.buffers()[1])[digests.offset * 8 : (digests.offset + len(digests)) * 8])
    return digested.hexdigest()
