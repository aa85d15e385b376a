"""The damage that the public dataset has, on a local stack: PostgreSQL as it should be, the Hub as it was left.

The job that this project replaces wrote base files, and then a file a run; of most days of a while it wrote none.
"""

import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from hashlib import md5
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from govbr_assets.core.days import TIME_ZONE, Day
from govbr_assets.postgres.news import NewsTable
from govbr_assets.publications import NEWS
from govbr_assets_tests.graph import Graph
from govbr_assets_tests.stranger import write

OLD = date(2024, 5, 5)
DAYS = [date(2025, 12, 3) + timedelta(days=number) for number in range(45)]
"""Without a day left out; of most of them the job before published nothing."""

STRINGS = DAYS[-7:]
MISSING = [day for number, day in enumerate(DAYS[:-7]) if number % 8 not in (0, 3, 6)][:24]
DOUBLED = {DAYS[0]: False, DAYS[3]: True}
"""Days that stand in a second file, too, as they are or under the ids that PostgreSQL has now."""

GONE, GONE_ROWS = date(2025, 6, 1), 4
"""A day that the Hub has, and of which PostgreSQL has no row any more."""

NOWHERE_ROWS = GONE_ROWS + 1
"""Rows of the Hub that PostgreSQL has nowhere: those of the day, and one without a time."""

THEMES = {1: ("01", "Economia e Finanças"), 2: ("09", "Esportes e Lazer")}
AGENCIES = ("mec", "agu", "saude")

_FEATURES = "\n".join(
    f"  - name: {field.name}\n    {'list: string' if pa.types.is_list(field.type) else f'dtype: {field.type}'}"
    for field in NEWS.schema
)
CARD = f"""---
license: mit
dataset_info:
  features:
{_FEATURES}
  splits:
  - name: train
    num_bytes: 4321
    num_examples: 17
---
# Notícias

Um texto que fica.
"""


@dataclass
class Damaged:
    """PostgreSQL as it is, and the Hub as the job before has left it.

    Attributes:
        graph: both.
        truth: [n rows x 25], all rows of PostgreSQL.
        undated: ids on the Hub of rows without a time that PostgreSQL has under a day.
        unknown: the id of one that it has nowhere.
        gone: ids of rows with a time that it has nowhere: all of a day.
    """

    graph: Graph
    truth: pa.Table = field(init=False)
    undated: Sequence[str] = ()
    unknown: str = md5(b"nowhere").hexdigest()
    gone: Sequence[str] = tuple(md5(f"gone {number}".encode()).hexdigest() for number in range(GONE_ROWS))

    def __post_init__(self) -> None:
        self._fill_postgres()
        self.read_postgres()
        self.undated = [self._of(day)["legacy_unique_id"][0].as_py() for day in (DAYS[6], MISSING[-1])]
        base = [each for each in [OLD, *DAYS[:-7]] if each not in MISSING]
        files = {f"data/train-0000{number}-of-00003.parquet": each for number, each in enumerate(self._base(base))}
        files["data/train-2026-01-15-101010.parquet"] = self._second(DOUBLED)
        for number, day in enumerate(STRINGS):
            files[f"data/train-{day + timedelta(days=1)}-04000{number}.parquet"] = with_texts(self._of(day))
        files |= {"README.md": CARD.encode(), "dataset_infos.json": b'{"default": {"splits": {}}}'}
        write(self.graph.local_hub.store, self.graph.repo_id, files)

    def read_postgres(self) -> None:
        """Read all its rows."""
        days = [Day(day) for day in [OLD, *DAYS]]
        self.truth = pa.concat_tables(map(NewsTable(self.graph.postgres_url, NEWS).read_days(days), days))

    @property
    def ids_replaced(self) -> int:
        """How many old ids the base files have: of three rows a day, and of one without a time of a day beside."""
        return 3 * (1 + len(DAYS) - len(STRINGS) - len(MISSING)) + 1

    @property
    def expected(self) -> dict[str, object]:
        """What an assessment should find, counted from what was put in."""
        base = self.ids_replaced - 1
        missing = sum(map(_rows_of, MISSING))
        return {
            "postgres_rows": base + 3 * len(STRINGS) + missing,
            "hub_rows": base + 1 + 1 + GONE_ROWS + 3 * len(DOUBLED) + 3 * len(STRINGS),
            "duplicates": 3 * len(DOUBLED),
            "renamed": self.ids_replaced,
            "removals": NOWHERE_ROWS,
            "approval": NOWHERE_ROWS,
            "undated": 1,
            "missing": missing - 1,
            "missing_days": MISSING,
            "replaced": len(self.undated),
            "changed": base - 1 - 3 * sum(DOUBLED.values()),
            "days": 1 + 1 + len(DAYS) - len(STRINGS),
            "unpublishable": 0,
            "rejected": {},
        }

    def find_the_unknown_row(self) -> None:
        """Let somebody put into PostgreSQL the row that it has nowhere."""
        self.graph.execute(_insert(DAYS[-1], 9, self.unknown, "now()"))
        self.read_postgres()

    def _fill_postgres(self) -> None:
        """Insert some rows for each day, long ago; from the last base day on they have had no other id."""
        agencies = (f"({number}, '{key}', '{key}')" for number, key in enumerate(AGENCIES))
        themes = (f"({number}, '{code}', '{label}', 1)" for number, (code, label) in THEMES.items())
        self.graph.execute(
            f"INSERT INTO agencies (id, key, name) VALUES {', '.join(agencies)}",
            f"INSERT INTO themes (id, code, label, level) VALUES {', '.join(themes)}",
            *(
                _insert(day, number, None if day in STRINGS else _old_id(day, number), "'2026-01-17'")
                for day in [OLD, *DAYS]
                for number in range(_rows_of(day))
            ),
        )

    def _of(self, day: date) -> pa.Table:
        times = self.truth["published_at"].cast(pa.timestamp("us", TIME_ZONE))
        return self.truth.filter(pc.equal(pc.local_timestamp(times).cast(pa.date32()), pa.scalar(day)))

    def _base(self, days: Sequence[date]) -> Iterator[bytes]:
        """Write the base files: old ids and labels, rows without a time, by agency and then the newest first."""
        rows = as_before(pa.concat_tables(map(self._of, days)))
        known = as_before(self._of(MISSING[-1])).slice(0, 1)
        nowhere = with_values(rows.slice(0, 1), "unique_id", [self.unknown])
        at = datetime.combine(GONE, time(12), ZoneInfo(TIME_ZONE))
        gone = with_values(
            with_values(rows.slice(0, GONE_ROWS), "unique_id", self.gone), "published_at", [at] * GONE_ROWS
        )
        rows = pa.concat_tables([rows, known, nowhere, gone])
        undated = pc.is_in(rows["unique_id"], pa.array([*self.undated, self.unknown]))
        times = pc.if_else(undated, pa.scalar(None, NEWS.schema.field("published_at").type), rows["published_at"])
        rows = with_values(rows, "published_at", times).sort_by(
            [("agency", "ascending"), ("published_at", "descending")]
        )
        third = -(-rows.num_rows // 3)
        for start in range(0, rows.num_rows, third):
            yield as_pandas_did(rows.slice(start, third))

    def _second(self, days: Mapping[date, bool]) -> bytes:
        """Write whole days that the base has, too."""
        return as_pandas_did(
            pa.concat_tables(
                self._of(day).select(NEWS.schema.names) if renamed else as_before(self._of(day))
                for day, renamed in days.items()
            )
        )


def _rows_of(day: date) -> int:
    """Say how many rows PostgreSQL has of a day."""
    return 1 + day.day % 2 if day in MISSING else 3


def _old_id(day: date, number: int) -> str:
    return md5(f"{day} {number}".encode()).hexdigest()


def _insert(day: date, number: int, legacy: str | None, created_at: str) -> str:
    """Write the statement for a row."""
    theme = 1 + number % len(THEMES)
    at = f"'{day}T{9 + number:02}:00:00-03:00'::timestamptz"
    values = {
        "unique_id": f"'noticia-{day}-{number}_a1b2c3'",
        "legacy_unique_id": f"'{legacy}'" if legacy else "NULL",
        "agency_id": number % len(AGENCIES),
        "theme_l1_id": theme,
        "most_specific_theme_id": theme,
        "title": f"'Notícia {number} de {day}'",
        "subtitle": "''",
        "url": f"'https://www.gov.br/{day}/{number}'",
        "content": f"'texto\u00a0de {day}'",
        "category": "'No Category'",
        "tags": "ARRAY['um', NULL, 'dois']",
        "published_at": at,
        "updated_datetime": at,
        "extracted_at": f"{at} + interval '1 day'",
        "created_at": created_at,
        "updated_at": created_at,
    }
    return f"INSERT INTO news ({', '.join(values)}) VALUES ({', '.join(map(str, values.values()))})"


def with_values(rows: pa.Table, name: str, values: object) -> pa.Table:
    """Put other values into a column."""
    index, field = rows.schema.get_field_index(name), rows.schema.field(name)
    column = values if isinstance(values, pa.ChunkedArray) else pa.chunked_array([pa.array(values, field.type)])
    return rows.set_column(index, field, column)


def as_before(rows: pa.Table) -> pa.Table:
    """Give rows their old ids and the label with its code before it: [n rows x 24]."""
    codes, labels = rows["theme_1_level_1_code"], rows["theme_1_level_1_label"]
    rows = with_values(rows, "unique_id", pc.coalesce(rows["legacy_unique_id"], rows["unique_id"]))
    return with_values(rows, "theme_1_level_1", pc.binary_join_element_wise(codes, labels, " - ")).select(
        NEWS.schema.names
    )


def as_pandas_did(rows: pa.Table) -> bytes:
    """Write rows as pandas has written them: with its metadata, and `video_url`, which has no value, as of no type."""
    metadata = pa.Schema.from_pandas(rows.slice(0, 100).to_pandas(), preserve_index=False).metadata
    rows = rows.set_column(rows.schema.get_field_index("video_url"), "video_url", pa.nulls(rows.num_rows))
    sink = io.BytesIO()
    pq.write_table(rows.replace_schema_metadata(metadata), sink, row_group_size=1 << 20)
    return sink.getvalue()


def with_texts(rows: pa.Table) -> bytes:
    """Write rows with times as texts."""
    sink, table = io.BytesIO(), rows.select(NEWS.schema.names)
    for name in ("published_at", "updated_datetime", "extracted_at"):
        index = table.schema.get_field_index(name)
        texts = [each and each.isoformat() for each in table[name].to_pylist()]
        table = table.set_column(index, name, pa.array(texts, pa.string()))
    pq.write_table(table, sink)
    return sink.getvalue()
