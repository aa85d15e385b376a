"""What a person sees: the UI of `make dev` in a real browser, from an empty repo to days, checks and coverage.

Screenshots are left in `build/screenshots`.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from govbr_assets.core.days import TIME_ZONE
from govbr_assets_tests.test_cli import IMPATIENT, ROOT
from govbr_assets_tests.test_local_dev import free_port

SCREENSHOTS = ROOT / "build" / "screenshots"
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync"]
PATIENCE = 120_000  # milliseconds, in which a fortnight is published on a busy machine many times


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Run what `make dev` runs, and give the address of the UI."""
    port = free_port()
    words = ["-m", "govbr_assets.local", "dev", "--folder", str(folder), "--port", str(port)]
    impatient = os.environ | {"PYTHONPATH": IMPATIENT}
    process = subprocess.Popen([sys.executable, *words], env=impatient, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout
        output = "".join(iter(process.stdout.readline, "Ctrl-C stops all of it.\n"))
        assert process.poll() is None, output
        yield f"http://127.0.0.1:{port}"
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(60)


@contextmanager
def browser_page() -> Iterator[Page]:
    """Open a page in a browser without a screen."""
    assert CHROMIUM, "no browser is there: install chromium (apt-get install chromium)"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_page(viewport={"width": 1500, "height": 1000})
        page.set_default_timeout(PATIENCE)
        expect.set_options(timeout=PATIENCE)
        yield page
        browser.close()


def a_day() -> date:
    """Take a day of the fortnight before yesterday that `make dev` fills."""
    return datetime.now(ZoneInfo(TIME_ZONE)).date() - timedelta(days=4)


def picture(page: Page, name: str) -> None:
    """Leave a screenshot, once nothing is on its way."""
    page.wait_for_load_state("networkidle")
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"{name}.png")


@pytest.mark.timeout(600)
def test_a_backfill_from_the_ui_fills_the_days_and_all_of_it_can_be_read_there(tmp_path: Path):
    with served(tmp_path / "dev") as address, browser_page() as page:
        page.goto(f"{address}/locations/govbr_assets/asset-groups/daily/lineage")
        for asset in ("postgres_news_partition", "hf_existing_ids", "hf_parquet_shard", "consolidated_dataset"):
            expect(page.get_by_text(asset).first).to_be_visible()
        expect(page.get_by_text("14 partitions")).to_have_count(3)
        picture(page, "graph")

        page.get_by_role("button", name="Materialize all").click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_role("button", name="All", exact=True).click()
        picture(page, "backfill-dialog")
        dialog.get_by_role("button", name="Launch backfill").click()
        expect(dialog).to_have_count(0)
        page.goto(f"{address}/runs?view=backfills")
        expect(page.get_by_text(re.compile("Completed|Success")).first).to_be_visible()
        picture(page, "backfill")

        page.goto(f"{address}/assets/hf_parquet_shard?view=partitions")
        expect(page.get_by_text("Materialized (14)")).to_be_visible()
        page.goto(f"{address}/assets/hf_parquet_shard?view=partitions&partition={a_day()}")
        expect(page.get_by_text("how many")).to_be_visible()
        expect(page.get_by_role("cell", name="added", exact=True)).to_be_visible()
        picture(page, "day")

        page.goto(f"{address}/assets/hf_parquet_shard?view=checks")
        expect(page.get_by_text("Succeeded")).to_have_count(4)
        expect(page.get_by_text("Passed").first).to_be_visible()
        picture(page, "checks")

        page.goto(f"{address}/assets/hub_reconciliation?view=events")
        page.get_by_role("button", name="Materialize").first.click()
        page.get_by_role("button", name="Confirm").click()  # the dataset was not folded before
        expect(page.get_by_text("Materialized in run").first).to_be_visible()
        expect(page.get_by_role("columnheader", name="Nov")).to_be_visible()
        expect(page.get_by_role("cell", name="ok", exact=True).first).to_be_visible()
        picture(page, "coverage")
