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
from contextlib import contextmanager, suppress
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Page, Playwright, expect, sync_playwright

from govbr_assets.core.days import TIME_ZONE
from govbr_assets_tests.local.test_local_dev import free_port
from govbr_assets_tests.test_cli import IMPATIENT, ROOT

SCREENSHOTS = ROOT / "build" / "screenshots"
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "microsoft-edge")
APPS = ("Google Chrome", "Chromium", "Microsoft Edge")  # of a Mac
NO_BROWSER = (
    "No browser is there, so nobody has looked at the UI: `apt-get install chromium libatomic1`, or `python -m"
    " playwright install chromium`, and run this test again"
)
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
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_of(playwright), args=FLAGS)
        page = browser.new_page(viewport={"width": 1500, "height": 1000})
        page.set_default_timeout(PATIENCE)
        expect.set_options(timeout=PATIENCE)
        yield page
        browser.close()


def browser_of(playwright: Playwright) -> str | None:
    """Find a browser: one of the machine's, or the one that Playwright has fetched."""
    apps = (Path(f"/Applications/{app}.app/Contents/MacOS/{app}") for app in APPS)
    fetched = Path(playwright.chromium.executable_path)
    found = (str(path) for path in (*apps, fetched) if path.exists())
    return next(filter(None, map(shutil.which, NAMES)), None) or next(found, None)


@pytest.fixture(scope="module")
def browser() -> None:
    """Skip what needs a browser where there is none, or where Playwright lacks a library."""
    found = None
    with suppress(Exception), sync_playwright() as playwright:  # it has no narrower one for its own end
        found = browser_of(playwright)
    if found is None:
        pytest.skip(NO_BROWSER)


def test_without_a_browser_the_tests_pass_and_say_in_their_closing_lines_how_to_get_one(tmp_path: Path):
    words = ["-m", "pytest", "-p", "no:cacheprovider", __file__, "-k", "backfill"]
    bare = os.environ | {"PATH": str(tmp_path), "PLAYWRIGHT_BROWSERS_PATH": str(tmp_path)}
    done = subprocess.run([sys.executable, *words], env=bare, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert NO_BROWSER in " ".join(done.stdout.splitlines()[-5:])


def a_day() -> date:
    """Take a day of the fortnight before yesterday that `make dev` fills."""
    return datetime.now(ZoneInfo(TIME_ZONE)).date() - timedelta(days=4)


def picture(page: Page, name: str) -> None:
    """Leave a screenshot, once nothing is on its way."""
    page.wait_for_load_state("networkidle")
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"{name}.png")


@pytest.mark.timeout(600)
@pytest.mark.usefixtures("browser")
def test_a_backfill_from_the_ui_fills_the_days_and_all_of_it_can_be_read_there(tmp_path: Path):
    with served(tmp_path / "dev") as address, browser_page() as page:
        page.goto(f"{address}/locations/govbr_assets/asset-groups/daily/lineage")
        for asset in (
            "news",
            "themes",
            "postgres_news_partition",
            "hf_existing_ids",
            "hf_parquet_shard",
            "consolidated_dataset",
        ):
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
        expect(page.get_by_role("link", name=f"/data/train-{a_day()}.parquet").first).to_be_visible()
        picture(page, "day")

        page.goto(f"{address}/assets/hf_parquet_shard?view=checks")
        expect(page.get_by_text("Succeeded")).to_have_count(4)
        expect(page.get_by_text("Passed").first).to_be_visible()
        picture(page, "checks")

        page.goto(f"{address}/assets/hub_reconciliation?view=events")
        page.get_by_role("button", name="Materialize").first.click()
        page.get_by_role("button", name="Confirm").click()  # the dataset was not compacted before
        expect(page.get_by_text("Materialized in run").first).to_be_visible()
        expect(page.get_by_role("columnheader", name="Nov")).to_be_visible()
        expect(page.get_by_role("cell", name="ok", exact=True).first).to_be_visible()
        picture(page, "coverage")
        page.get_by_role("row", name="calendar").get_by_text("[Show Markdown]").click()
        calendar = page.get_by_role("img", name=re.compile("^14 days with rows from .*, 0 of them differ$"))
        expect(calendar).to_be_visible()
        assert calendar.evaluate("image => image.naturalWidth") > 0, "the browser does not show the picture"
        page.wait_for_timeout(500)  # milliseconds, in which the dialog fades in
        picture(page, "calendar")
