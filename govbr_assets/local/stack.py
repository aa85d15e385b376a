"""The whole local stack in one folder: PostgreSQL, Hub and viewer, and the settings that point the product at them."""

import os
from contextlib import ExitStack
from datetime import date, timedelta
from pathlib import Path
from typing import Self

import adbc_driver_postgresql.dbapi as adbc

from govbr_assets.local.hub import LocalHub
from govbr_assets.local.load import load
from govbr_assets.local.news import sample_news
from govbr_assets.local.postgres import EmbeddedPostgres
from govbr_assets.local.viewer import LocalViewer

REPO_ID = "demo/govbrnews"
REDUCED_REPO_ID = "demo/govbrnews-reduced"

_DAGSTER_YAML = "telemetry:\n  enabled: false\nnux:\n  enabled: false\n"


class LocalStack:
    """PostgreSQL, Hub and viewer over one folder, which outlives them.

    Args:
        folder: holds everything, also what Dagster remembers; made when missing.
        delay: seconds that each request to the Hub, its storage and the viewer takes longer.

    Attributes:
        hub: the Hub.
        viewer: its viewer.
        postgres: the database server.
    """

    def __init__(self, folder: Path, delay: float = 0.0) -> None:
        self._folder = folder.absolute()
        self._stack = ExitStack()
        self.postgres = EmbeddedPostgres(self._folder / "postgres")
        self.hub = LocalHub(self._folder / "hub", delay=delay)
        self.viewer = LocalViewer(self.hub.store, delay=delay)

    def __enter__(self) -> Self:
        with ExitStack() as starting:
            for server in (self.postgres, self.hub, self.viewer):
                starting.enter_context(server)
            self._stack = starting.pop_all()
        home = self._folder / "dagster"
        home.mkdir(parents=True, exist_ok=True)
        (home / "dagster.yaml").write_text(_DAGSTER_YAML)
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def environment(self, first_day: date, *, reduced: bool = False) -> dict[str, str]:
        """Make the environment for the product's own commands, with nothing left of other settings for it.

        Args:
            first_day: the first partition.
            reduced: whether there is a reduced dataset, too.
        """
        others = {
            name: value for name, value in os.environ.items() if not name.startswith(("GOVBR_", "HF_", "DAGSTER_"))
        }
        return others | {
            "DAGSTER_HOME": str(self._folder / "dagster"),
            "GOVBR_FIRST_DAY": first_day.isoformat(),
            "GOVBR_POSTGRES_URL": self.postgres.url,
            "GOVBR_REPO_ID": REPO_ID,
            "GOVBR_STORAGE_URL": str(self._folder / "tables"),
            "GOVBR_VIEWER_URL": self.viewer.url,
            "HF_ENDPOINT": self.hub.endpoint,
            "HF_HOME": str(self._folder / "hf"),
            "HF_HUB_DISABLE_TELEMETRY": "1",
            "HF_TOKEN": self.hub.write_token,
            **({"GOVBR_REDUCED_REPO_ID": REDUCED_REPO_ID} if reduced else {}),
        }

    def fill(self, rows: int, first_day: date, last_day: date) -> int:
        """Load sample news, if there is no news yet.

        Returns:
            How many rows were written.
        """
        if self.rows_by_day():
            return 0
        return load(self.postgres.url, sample_news(rows, first_day, last_day))

    def rows_by_day(self) -> dict[str, int]:
        """Count the rows in PostgreSQL by local day."""
        with adbc.connect(self.postgres.url) as connection, connection.cursor() as cursor:
            cursor.execute(
                "SELECT (published_at AT TIME ZONE 'America/Sao_Paulo')::date::text, count(*) FROM news"
                " GROUP BY 1 ORDER BY 1"
            )
            return dict(cursor.fetchall())


def fortnight(last_day: date) -> tuple[date, date]:
    """Name the two weeks that end on a day."""
    return last_day - timedelta(days=13), last_day
