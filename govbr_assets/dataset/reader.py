"""Rows, keys and digests of data files: from the metadata cache if they are there, else by reading what is needed.

How rows are read belongs to `row_reader`; here is what never changes for a content, and is kept between runs.
"""

import io
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import chain

import pyarrow as pa
import pyarrow.parquet as pq

from govbr_assets.dataset.footers import FILES_AT_ONCE
from govbr_assets.dataset.row_reader import RowReader
from govbr_assets.errors import ContractError
from govbr_assets.huggingface.blob import Blob, opened
from govbr_assets.huggingface.range_reader import TAIL_BYTES, metadata_of, read_footer
from govbr_assets.huggingface.snapshot import DataFile, Snapshot
from govbr_assets.io.parallel import map_ordered


class DatasetReader(RowReader):
    """Reads rows and keys of data files; what never changes for a content is read once, and kept if there is a cache.

    Args:
        client: of the repo.
        cache: what is known from earlier runs.
        spec: the columns.
    """

    def keys(self, file: DataFile) -> Iterator[pa.Table]:
        """Stream the keys of one file, a row group at a time, and keep them once all have been taken.

        Returns:
            [n rows x 2] each, of its `keys_schema`, in the order of the file.
        """
        groups = self.row_groups(file, self._spec.keys_schema.names)
        if self._cache.keeps and not file.text and not self._cache.has_keys(file.content):
            self.footer(file)  # which may bring the keys
        if self._cache.has_keys(file.content):
            yield from groups
            return
        with self._cache.keeping_keys(file.content) as keep_rows:
            for rows in groups:
                keep_rows(rows)
                yield rows

    def fetch_keys(self, files: Iterable[DataFile]) -> None:
        """Fetch and keep the keys that are not kept yet, those of several files at the same time.

        A file that cannot be read is left to whoever asks for it, and so are all where nothing is kept.

        Raises:
            HubUnavailableError: the Hub is out of reach.
        """
        unknown = [*files] if self._cache.keeps else []
        for _ in map_ordered(self._fetch_keys, unknown, FILES_AT_ONCE if len(unknown) > 1 else 1):
            pass

    def _fetch_keys(self, file: DataFile) -> None:
        with suppress(ContractError):
            if not file.text and not self._cache.has_keys(file.content):
                for _ in self.keys(file):
                    pass

    def _fetch_footer(self, file: DataFile) -> bytes:
        """Fetch the end of a file as others do; of one that travels as a whole for that, the keys are kept as well."""
        if file.size > TAIL_BYTES or not self._cache.keeps:
            return super()._fetch_footer(file)
        with self.errors_of(file):
            with self._client.open(file) as remote:
                content = remote.read(file.size)
            end = read_footer(io.BytesIO(content), file.size)
            self.remember_keys(file, content)
        return end

    def ids(self, snapshot: Snapshot) -> Iterator[pa.Table]:
        """Stream the ids of all rows of a revision: [n rows x 1 or more] each with `unique_id`, in no order."""
        kept = self._cache.keys(self._client.key_of(snapshot.revision)) if snapshot.revision else None
        if not kept:
            self.fetch_keys(snapshot.data_files)
        return kept or chain.from_iterable(self.keys(file) for file in snapshot.data_files)

    def digests(self, file: DataFile, digested: Iterable[pa.Table]) -> Iterator[pa.Table]:
        """Stream the keys of one file, each with the digest of its row, and keep them once all have been taken.

        Args:
            file: the file.
            digested: makes them of its rows, [n rows x 3] each of its `digests_schema`; taken only if nothing is kept.
        """
        if kept := self._cache.digests(file.content):
            yield from kept
            return
        with self._cache.keeping_digests(file.content) as keep_rows:
            for rows in digested:
                keep_rows(rows)
                yield rows

    def remember_keys(self, file: DataFile, content: Blob) -> None:
        """Keep footer and keys of a file that is at hand, so that nobody fetches them.

        Only the footer of one with another schema than the contract: its keys need not be what the contract has.
        """
        with opened(content) as local:
            end = read_footer(local, file.size)
            self._cache.keep_footer(file.content, end)
            metadata = metadata_of(end)
            if not self._spec.key or self._spec.compare(metadata.schema.to_arrow_schema()):
                return
            parquet = pq.ParquetFile(local, metadata=metadata, pre_buffer=False)
            with self._cache.keeping_keys(file.content) as keep_rows:
                for group in range(parquet.num_row_groups):
                    keep_rows(parquet.read_row_group(group, self._spec.keys_schema.names, use_threads=False))
