"""`make demo`: the product's first five minutes, and a test of them: the exit code says whether all of it held."""

import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from govbr_assets.core.days import Day
from govbr_assets.core.layout import shard_path
from govbr_assets.hub import Hub, Snapshot, day_rows
from govbr_assets.local.load import load
from govbr_assets.local.news import late_news
from govbr_assets.local.stack import REPO_ID, LocalStack, fortnight

_FIRST, _LAST = fortnight(date(2026, 1, 18))
_LATE_DAY, _LATE_ROWS = date(2026, 1, 15), 3
_SAMPLE_ROWS = 2000
_SELECT = "postgres_news_partition,hf_existing_ids,hf_parquet_shard"
_READ = f"""\
from datasets import load_dataset
news = load_dataset("{REPO_ID}", split="train")
print(news.num_rows, "news, the last one:", news[-1]["title"])
"""


def demo(folder: Path) -> int:
    """Publish two weeks, publish them again, publish late rows, and show what is there.

    Args:
        folder: made anew.

    Returns:
        0 if all of it held.
    """
    shutil.rmtree(folder, ignore_errors=True)
    with LocalStack(folder) as stack:
        show = _Show(stack, folder)
        show.step("PostgreSQL, a Hub and its viewer run on this machine")
        show.step(f"{stack.fill(_SAMPLE_ROWS, _FIRST, _LAST)} sample news from {_FIRST} to {_LAST} are in PostgreSQL")
        span = f"{_FIRST}...{_LAST}"
        show.materialize("--partition-range", span)
        first = show.published("two weeks are published")
        show.materialize("--partition-range", span)
        again = show.published("the same two weeks again: nothing is published twice")
        load(stack.postgres.url, [late_news(_LATE_DAY, _LATE_ROWS)])
        show.step(f"{_LATE_ROWS} rows of {_LATE_DAY} arrive late in PostgreSQL")
        show.materialize("--partition", str(_LATE_DAY))
        late = show.published(f"{_LATE_DAY} once more")
        held = show.table(late) and first.revision == again.revision
        late_path = shard_path(Day(_LATE_DAY))
        changed = {path for path in late.files if late.files[path] != again.files.get(path)}
        held &= changed == {late_path}
        held &= show.read()
        print("\nAll of it held." if held else "\nerror: not all of it held; see above.", flush=True)
        return 0 if held else 1


@dataclass
class _Show:
    """Runs the steps and tells a person about them."""

    stack: LocalStack
    folder: Path

    def __post_init__(self) -> None:
        self._began = time.monotonic()
        self._hub = Hub(REPO_ID, token=self.stack.hub.write_token, endpoint=self.stack.hub.endpoint)

    def step(self, text: str) -> None:
        """Tell what has been done."""
        print(f"[{time.monotonic() - self._began:5.1f} s] {text}", flush=True)

    def materialize(self, *partition: str) -> None:
        """Run the product's own command; its log goes to a file, and to the screen if it fails."""
        words = ["asset", "materialize", "-m", "govbr_assets", "--select", _SELECT, *partition]
        self.step(f"dagster {' '.join(words)}")
        process = subprocess.Popen(
            [sys.executable, "-m", "dagster", *words],
            env=self.stack.environment(_FIRST),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert process.stdout
        with process, (self.folder / "dagster.log").open("a") as log:
            for line in process.stdout:
                log.write(line)
                if " - STEP_START - " in line:  # what it is at, without the thousand lines of its log
                    print(f"          {line.split(' - ')[6]} ...", flush=True)
        if process.returncode:
            raise SystemExit(f"error: the run failed; its log is {self.folder / 'dagster.log'}.")

    def published(self, text: str) -> Snapshot:
        """Tell what the Hub holds now."""
        head = self._hub.head()
        commits = len(self.stack.hub.store.commits(REPO_ID, head.revision or "")) - 1  # the first one makes the repo
        self.step(f"{text}: {len(head.data_files)} shards, {commits} commits, head {str(head.revision)[:8]}")
        return head

    def table(self, head: Snapshot) -> bool:
        """Print what PostgreSQL and the Hub have of each day; say whether they agree."""
        commits = _last_commits(self.stack, head)
        agree = True
        print(f"\n{'day':<10}  {'Postgres':>8}  {'Hub':>5}  {'shard':<30}  {'bytes':>8}  commit")
        for key, rows in self.stack.rows_by_day().items():
            path = shard_path(Day.of(key))
            ids = day_rows(self._hub, head, Day.of(key), ["unique_id"])["unique_id"]
            held = len(ids) == len(ids.unique()) == rows
            agree &= held
            wrong = "" if held else "  <- differs"
            size = head.files[path].size if path in head.files else 0
            print(f"{key:<10}  {rows:>8}  {len(ids):>5}  {path:<30}  {size:>8}  {commits.get(path, '-')[:8]}{wrong}")
        return agree

    def read(self) -> bool:
        """Read the dataset as anybody would."""
        print(f"\nRead it as anybody would:\n\n{_READ}", flush=True)
        done = subprocess.run([sys.executable, "-c", _READ], env=self.stack.environment(_FIRST), check=False)
        return done.returncode == 0


def _last_commits(stack: LocalStack, head: Snapshot) -> dict[str, str]:
    """Find the commit that last changed each file."""
    last: dict[str, str] = {}
    newer, revision = head.files, head.revision or ""
    trees = [
        (commit.sha, stack.hub.store.tree(REPO_ID, commit.sha)) for commit in stack.hub.store.commits(REPO_ID, revision)
    ]
    for (sha, tree), (_, older) in zip(trees, [*trees[1:], ("", {})], strict=True):
        for path in newer:
            if path in tree and (path not in older or older[path].oid != tree[path].oid):
                last.setdefault(path, sha)
    return last
