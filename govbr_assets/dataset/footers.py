"""Footers, schemas and row counts of data files, fetched once and cached by content id.

Rows are read in `row_reader`; what is kept between runs is the metadata cache's business.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import IO

import pyarrow as pa
import pyarrow.parquet as pq

from govbr_assets.core.card import card_of
from govbr_assets.core.days import Day
from govbr_assets.core.spec import DatasetSpec
from govbr_assets.core.text_tables import text_tables
from govbr_assets.dataset.metadata_cache import MetadataCache
from govbr_assets.errors import ContractError
from govbr_assets.huggingface.client import RepoClient
from govbr_assets.huggingface.errors import translated_errors
from govbr_assets.huggingface.range_reader import metadata_of, read_footer
from govbr_assets.huggingface.snapshot import DataFile
from govbr_assets.io.parallel import map_ordered

FILES_AT_ONCE = 32
"""Files of which something is fetched at the same time."""


class FooterReader:
    """Reads footers, and remembers what they say as long as it lives.

    Args:
        client: of the repo.
        cache: what is known from earlier runs.
        spec: of the dataset.
    """

    def __init__(self, client: RepoClient, cache: MetadataCache, spec: DatasetSpec) -> None:
        self._client, self._cache, self._spec = client, cache, spec
        # All by content id.
        self._schemas: dict[str, pa.Schema] = {}
        self._row_counts: dict[str, int] = {}
        self._empty_starts: set[str] = set()
        self._incompatibilities: dict[tuple[str, bool], tuple[list[str], list[str]]] = {}

    def footer(self, file: DataFile) -> pq.FileMetaData:
        """Read the footer of a Parquet file."""
        end = self._cache.footer(file.content) or self._fetch_footer(file)
        with self.errors_of(file):
            return metadata_of(end)

    def _fetch_footer(self, file: DataFile) -> bytes:
        """Fetch the end of a Parquet file, from its footer on, and keep it."""
        with self.errors_of(file), self._client.open(file) as remote:
            end = read_footer(remote, file.size)
        self._cache.keep_footer(file.content, end)
        return end

    def fetch_schemas(self, files: Iterable[DataFile]) -> None:
        """Read schemas and row counts that are not known yet, those of several files at the same time.

        A file that cannot be read is left to whoever asks for it.

        Raises:
            HubUnavailableError: the Hub is out of reach.
        """
        unknown = [file for file in files if not file.text and file.content not in self._schemas]
        for _ in map_ordered(self._readable_schema, unknown, FILES_AT_ONCE if len(unknown) > 1 else 1):
            pass

    def fetch_row_counts(self, files: Iterable[DataFile]) -> None:
        """Read row counts that are not known yet, as `fetch_schemas` does."""
        self.fetch_schemas(file for file in files if file.content not in self._row_counts)

    def _readable_schema(self, file: DataFile) -> None:
        with suppress(ContractError):
            self.schema(file)

    def schema(self, file: DataFile) -> pa.Schema:
        """Read the Arrow schema of a file from its footer; CSV and JSON have none."""
        if file.text:
            return pa.schema([])
        if file.content not in self._schemas:
            metadata = self.footer(file)
            if metadata.num_row_groups and not metadata.row_group(0).num_rows:
                self._empty_starts.add(file.content)
            self.remember(file, metadata.schema.to_arrow_schema(), metadata.num_rows)
        return self._schemas[file.content]

    def row_count(self, file: DataFile) -> int:
        """Count the rows of a file: by its footer, or by reading it if it is CSV or JSON."""
        if file.content not in self._row_counts:
            text = sum(rows.num_rows for rows in self._text_tables(file)) if file.text else None
            self._row_counts[file.content] = self.footer(file).num_rows if text is None else text
        return self._row_counts[file.content]

    def remember(self, file: DataFile, schema: pa.Schema, rows: int) -> None:
        """Remember schema and row count of a file that is at hand, so that its footer is not fetched."""
        self.remember_row_count(file, rows)
        same = schema.equals(self._spec.schema, check_metadata=True)
        self._schemas[file.content] = self._spec.schema if same else schema  # thousands of them would be megabytes

    def remember_row_count(self, file: DataFile, rows: int) -> None:
        """Remember the row count of a file that is at hand."""
        self._row_counts[file.content] = rows

    def begins_empty(self, file: DataFile) -> bool:
        """Return whether a Parquet file begins with a row group without rows, which `datasets` cannot load.

        Source: measured with datasets 5.2; a file without row groups is fine, and so are both for all other readers.
        """
        self.schema(file)
        return file.content in self._empty_starts

    def incompatibilities(self, file: DataFile, *, first: bool) -> tuple[list[str], list[str]]:
        """Compare the schema of a Parquet file with the contract.

        Args:
            file: the file.
            first: whether it is the first of the dataset by name, from which readers take the schema.

        Returns:
            What breaks readers and what they tolerate, a phrase each.
        """
        asked = file.content, first
        if asked not in self._incompatibilities:
            breaking, tolerated = self._spec.compare(self.schema(file)).for_readers(first=first)
            if self.begins_empty(file):
                breaking.append("its first row group has no rows, with which load_dataset fails")
            self._incompatibilities[asked] = breaking, tolerated
        return self._incompatibilities[asked]

    def text_rows(self, file: DataFile, content: IO[bytes] | None = None) -> Iterator[pa.Table]:
        """Stream the rows of a CSV or JSON file, from the Hub or from its bytes: [n rows x 24] each of the contract.

        Raises:
            ContractError: something would be lost or guessed; the message names file, column, row and value.
        """
        for rows in self._text_tables(file, content):
            yield self._spec.conform(rows, file.path)

    @contextmanager
    def errors_of(self, file: DataFile) -> Iterator[None]:
        """Translate the errors of reading a file: the Hub fails, or the file is not what it should be."""
        problem = f"{file.path} of {self._client.repo_id} on the Hub cannot be read as the published schema"
        try:
            with translated_errors(self._client.repo_id, f"reading {file.path}"):
                try:
                    yield
                except (pa.ArrowException, KeyError) as error:
                    raise ContractError(_unreadable(problem, error)) from error
        except OSError as error:  # the Hub's own failures are none by now
            raise ContractError(_unreadable(problem, error)) from error

    def _text_tables(self, file: DataFile, content: IO[bytes] | None = None) -> Iterator[pa.Table]:
        """Stream a CSV or JSON file as it is."""
        assert file.text, file.path
        repo_id = self._client.repo_id
        reading = translated_errors(repo_id, f"reading {file.path}")
        with reading, content or self._client.open(file) as opened, card_of(repo_id):
            yield from text_tables(opened, *file.text, file.path, self._spec.schema)


def _unreadable(problem: str, error: Exception) -> str:
    """Say of a file why it cannot be read, in the words of the library, and what to do."""
    why = f"{error}".strip().rstrip(".")
    return f"{problem}: {why}. Write it anew, delete it, or bring an earlier revision back with the job rollback."


def row_groups_of_day(metadata: pq.FileMetaData, day: Day) -> list[int]:
    """List the row groups that can hold rows of a day, by what the footer says of their times."""
    return [index for index in range(metadata.num_row_groups) if not misses_day(metadata, index, day)]


def misses_day(metadata: pq.FileMetaData, index: int, day: Day) -> bool:
    """Return whether the statistics of a row group rule the day out."""
    group = metadata.row_group(index)
    columns = (group.column(position) for position in range(group.num_columns))
    statistics = next((column.statistics for column in columns if column.path_in_schema == "published_at"), None)
    if statistics is None or not statistics.has_min_max:
        return False
    try:
        least, greatest = statistics.min, statistics.max
    except (OverflowError, ValueError):  # a time outside of Python's calendar
        return False
    return getattr(least, "tzinfo", None) is not None and (greatest < day.start or least >= day.end)
