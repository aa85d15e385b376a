"""The steps of the demo: the product's own commands, the files on the Hub after them, and the metadata in Dagster."""

import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from dagster import AssetCheckKey, AssetKey, DagsterInstance
from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecordStatus
from huggingface_hub import HfApi

from govbr_assets.core.counting import count
from govbr_assets.core.days import Day
from govbr_assets.core.gitignore import GITIGNORE
from govbr_assets.core.layout import CARD_PATH, CHANGELOG_PATH
from govbr_assets.dataset import Dataset
from govbr_assets.dataset.changeset import SourceRevision
from govbr_assets.huggingface.snapshot import Snapshot
from govbr_assets.local.stack import REDUCED_REPO_ID, REPO_ID, LocalStack
from govbr_assets.publications import NEWS, REDUCED

_COMPACTED = AssetKey("consolidated_dataset")
_CHECKS = ["dataset_ids_are_unique", "dataset_schema_is_the_contract", "dataset_is_sorted", "no_row_was_lost"]
_REFUSED = f"{REPO_ID} has line"
_DRY_RUN = '{"ops": {"consolidated_dataset": {"config": {"dry_run": true}}}}'
_READ = f"""\
from datasets import load_dataset
news = load_dataset("{REPO_ID}", split="train")
print(news.num_rows, "news, the last one:", news[-1]["title"])
"""


@dataclass
class Show:
    """Runs the steps and prints their results.

    Attributes:
        stack: PostgreSQL, Hub and viewer.
        folder: for the log.
        first_day: the first partition.
    """

    stack: LocalStack
    folder: Path
    first_day: date

    def __post_init__(self) -> None:
        self._began = time.monotonic()
        self._environment = self.stack.environment(self.first_day, reduced=True)
        hub = self.stack.hub
        self._dataset = Dataset.open(REPO_ID, NEWS, token=hub.write_token, endpoint=hub.endpoint)
        self._reduced = Dataset.open(REDUCED_REPO_ID, REDUCED.spec, token=hub.write_token, endpoint=hub.endpoint)

    def step(self, text: str) -> None:
        """Print a step and the seconds since the start."""
        print(f"[{time.monotonic() - self._began:5.1f} s] {text}", flush=True)

    def materialize(self, select: str, *more: str) -> None:
        """Run the product's own command; its log goes to a file, and to the screen if it fails."""
        if self._run(select, *more):
            raise SystemExit(f"error: the run failed; its log is {self.folder / 'dagster.log'}.")

    def refusal(self, day: str, before: Snapshot, select: str) -> bool:
        """Publish a day while a `.gitignore` of somebody else makes the Hub drop its shard: nothing may happen.

        Args:
            day: has rows that are not on the Hub.
            before: what the Hub holds.
            select: the assets of a day.

        Returns:
            Whether the run failed with the sentence that names the file, and left every data file as it was.
        """
        others = HfApi(endpoint=self.stack.hub.endpoint, token=self.stack.hub.write_token)
        self.step(
            "somebody commits a .gitignore with `data/train-*`: the Hub would take no shard, and say so to nobody"
        )
        others.upload_file(
            path_or_fileobj=b"data/train-*\n", path_in_repo=GITIGNORE, repo_id=REPO_ID, repo_type="dataset"
        )
        failed = self._run(select, "--partition", day)
        lines = (self.folder / "dagster.log").read_text().splitlines()
        reason = next((line[line.index(_REFUSED) :] for line in reversed(lines) if _REFUSED in line), "")
        print(f"          {reason or 'no reason was given'}", flush=True)
        same = self._dataset.client.head().data_files == before.data_files
        others.delete_file(path_in_repo=GITIGNORE, repo_id=REPO_ID, repo_type="dataset")
        self.step(
            f"the day is refused, {'nothing' if same else 'SOMETHING'} has changed, and the .gitignore is removed"
        )
        return bool(failed and reason and same)

    def _run(self, select: str, *more: str) -> int:
        """Run the product's own command; return its exit code."""
        words = ["asset", "materialize", "-m", "govbr_assets", "--select", select, *more]
        self.step(f"dagster {' '.join(words)}")
        process = subprocess.Popen(
            [sys.executable, "-m", "dagster", *words],
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert process.stdout
        with process, (self.folder / "dagster.log").open("a") as log:
            for line in process.stdout:
                log.write(line)
                if " - STEP_START - " in line:  # progress, without the thousand lines of its log
                    print(f"          {line.split(' - ')[6]} ...", flush=True)
        return process.returncode

    def published(self, text: str) -> Snapshot:
        """Print how many shards and commits the Hub has; return its head."""
        head = self._dataset.client.head()
        commits = len(self.stack.hub.store.commits(REPO_ID, head.revision or "")) - 1  # the first one makes the repo
        counted = f"{count(len(head.data_files), 'shard')}, {count(commits, 'commit')}"
        self.step(f"{text}: {counted}, head {str(head.revision)[:8]}")
        return head

    def table(self, head: Snapshot) -> bool:
        """Print the rows of each day in PostgreSQL and on the Hub; return whether they agree."""
        commits = _last_commits(self.stack, head)
        agree = True
        print(f"\n{'day':<10}  {'Postgres':>8}  {'Hub':>5}  {'shard':<30}  {'bytes':>8}  commit")
        for key, rows in self.stack.rows_by_day().items():
            path = NEWS.layout.day_path(Day.of(key))
            ids = self._dataset.reader.day_rows(head, Day.of(key), ["unique_id"])["unique_id"]
            held = len(ids) == len(ids.unique()) == rows
            agree &= held
            wrong = "" if held else "  <- differs"
            size = head.files[path].size if path in head.files else 0
            print(f"{key:<10}  {rows:>8}  {len(ids):>5}  {path:<30}  {size:>8}  {commits.get(path, '-')[:8]}{wrong}")
        return agree

    def compact(self, before: Snapshot) -> bool:
        """Compact the shards into the file of their year; print the plan, the verification, and the files."""
        print("\nOnce a week the shards become one file a year. First the plan, which changes nothing:", flush=True)
        self.materialize("consolidated_dataset", "--config-json", _DRY_RUN)
        self._print_metadata(
            "files_in", "files_out", "dagster/row_count", "duplicates_dropped", "bytes_in", "bytes_written"
        )
        planned = self._dataset.client.head()
        self.materialize("consolidated_dataset")
        verified = self._print_metadata("proof", "commits", "revision_before", "revision_after", "tags")
        after = self.published("the shards are compacted")
        for text, head in (("before", before), ("after", after)):
            print(f"\nfiles {text}:")
            for file in head.data_files:
                print(f"  {file.path:<30}  {file.size:>9}")
        rows = sum(self._dataset.reader.rows(file, ["unique_id"]).num_rows for file in after.data_files)
        return (
            planned.revision == before.revision
            and len(after.data_files) == 1
            and rows == sum(self.stack.rows_by_day().values())
            and verified
        )

    def _print_metadata(self, *names: str) -> bool:
        """Print the latest metadata of the compaction and the results of its checks; return whether all passed."""
        with DagsterInstance.from_config(self._environment["DAGSTER_HOME"]) as instance:
            done = instance.get_latest_materialization_event(_COMPACTED)
            plan = instance.fetch_observations(_COMPACTED, limit=1).records[0].asset_observation
            keys = [AssetCheckKey(_COMPACTED, name) for name in _CHECKS] if done else []
            checks = instance.event_log_storage.get_latest_asset_check_execution_by_key(keys)
        event = done.asset_materialization if done else plan
        for name in names:
            print(f"          {name:<30}  {event.metadata[name].value if event else ''}")
        passed = {
            key.name: record.status == AssetCheckExecutionRecordStatus.SUCCEEDED for key, record in checks.items()
        }
        for name, verdict in passed.items():
            print(f"          {name:<30}  {'passed' if verdict else 'FAILED'}", flush=True)
        return all(passed.values()) and len(passed) == len(keys)

    def card(self) -> bool:
        """Show what the card says that this project has written, and what the release says of itself."""
        head = self._dataset.client.head()
        card, changelog = (self._dataset.client.content(head, path) or b"" for path in (CARD_PATH, CHANGELOG_PATH))
        text = card.decode().split("---\n", 2)[2]
        print(f"\nThe text of its card (README.md):\n{text}\nIts changelog:\n\n{changelog.decode()}", flush=True)
        return b"## Cobertura" in card and b"\n## 20" in changelog

    def reduced(self) -> bool:
        """Show the reduced dataset beside the full one; return whether it mirrors it."""
        full, reduced = self._dataset.client.head(), self._reduced.client.head()
        mirrored = SourceRevision.parse(next(self._reduced.client.commits()).message)
        print(f"\nThe reduced dataset, {REDUCED_REPO_ID}, with {', '.join(REDUCED.columns)}:")
        rows = list[list[int]]()
        for name, dataset, head in (("full", self._dataset, full), ("reduced", self._reduced, reduced)):
            rows.append([dataset.reader.row_count(file) for file in head.data_files])
            size, count = sum(file.size for file in head.data_files), len(head.data_files)
            print(
                f"  {name:<8} {count:>3} files  {sum(rows[-1]):>6} rows  {size:>9} bytes  head {str(head.revision)[:8]}"
            )
        source = mirrored.revision if mirrored else "nothing"
        print(f"  It mirrors the revision {source[:8]}.", flush=True)
        paths = [[file.path for file in head.data_files] for head in (full, reduced)]
        return source == full.revision and paths[0] == paths[1] and rows[0] == rows[1]

    def read(self) -> bool:
        """Read the dataset as anybody would."""
        print(f"\nRead it as anybody would:\n\n{_READ}", flush=True)
        done = subprocess.run([sys.executable, "-c", _READ], env=self._environment, check=False)
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
