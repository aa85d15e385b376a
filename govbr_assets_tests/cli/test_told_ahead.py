"""What `govbr-assets` tells before anything is published: that a run would be refused, by whom, and what to do."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from govbr_assets.core.layout import is_parquet
from govbr_assets.local.hub.access import Tokens
from govbr_assets.local.hub.actions import answer, call
from govbr_assets.local.hub.faults import Fault
from govbr_assets.local.hub.store import Visibility
from govbr_assets_tests.cli.command import begin, command, document, environment_of
from govbr_assets_tests.graph import ROOT, Graph
from govbr_assets_tests.operations.test_compact import rows
from govbr_assets_tests.stranger import as_others_write, read, write

BROKEN_CARD = b"---\nconfigs: [\n---\n"


@pytest.fixture
def environment(graph: Graph, dagster_home: Path, tmp_path: Path) -> dict[str, str]:
    graph.insert("a", day="2026-01-15")
    return environment_of(graph, tmp_path, dagster_home)


@pytest.fixture
def sibling(graph: Graph, environment: dict[str, str]) -> Graph:
    """The reduced dataset, whose repo is not there yet."""
    environment["GOVBR_REDUCED_REPO_ID"] = f"{graph.repo_id}-reduced"
    return replace(graph, repo_id=environment["GOVBR_REDUCED_REPO_ID"])


def without_token(environment: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in environment.items() if name != "HF_TOKEN"}


def tokens(graph: Graph, environment: dict[str, str]) -> dict[str, dict[str, str]]:
    """Name environments by what their token lacks."""
    return {
        "403": environment | {"HF_TOKEN": graph.local_hub.read_token},
        "There is no token": without_token(environment),
    }


@pytest.mark.parametrize("visibility", ["private", None], ids=["a private repo", "no repo yet"])
def test_every_command_tells_at_once_of_a_repo_that_it_cannot_see_without_a_token(
    graph: Graph, environment: dict[str, str], visibility: Visibility | None
):
    if visibility:
        graph.local_hub.store.create(graph.repo_id, visibility)
    for words in (["status"], ["plan", "2026-01-15"], ["mend", "--dry-run"], ["mend"]):
        graph.local_hub.faults.forget()
        code, told = document(without_token(environment), *words)
        assert (code, [*told]) == (1, ["error"])
        assert told["error"].startswith(f"The Hub answered 401 while asking for the head in {graph.repo_id}")
        assert f"set HF_TOKEN to one that may read {graph.repo_id}" in told["error"]
        assert len(graph.local_hub.faults.seen("GET", "")) == 1  # nothing is tried again that cannot change


def test_a_mend_ends_before_it_would_publish_if_the_token_may_not(graph: Graph, environment: dict[str, str]):
    graph.local_hub.store.create(graph.repo_id, "public")
    base = graph.head.revision
    for reason, changed in tokens(graph, environment).items():
        code, told = document(changed, "mend")
        assert (code, told["holds"], [run["job"] for run in told["runs"]]) == (1, False, ["reconciliation"])
        assert reason in told["problem"]
        assert graph.repo_id in told["problem"]
        assert "HF_TOKEN" in told["problem"]
        assert not graph.local_hub.faults.seen("POST", "/(preupload|commit)/")
    assert graph.head.revision == base


@pytest.mark.parametrize("is_there", [True, False], ids=["a repo", "no repo yet"])
def test_a_dry_run_and_a_plan_tell_that_a_token_may_not_write(
    graph: Graph, environment: dict[str, str], *, is_there: bool
):
    if is_there:
        graph.local_hub.store.create(graph.repo_id, "public")
    for reason, changed in [*tokens(graph, environment).items()][: 2 if is_there else 1]:
        code, told = document(changed, "mend", "--dry-run")
        assert (code, told["holds"], told["problem"]) == (1, False, "")
        assert {run["job"] for run in told["runs"]} == {"reconciliation", "daily_sync"}
        assert all(run["success"] for run in told["runs"])
        assert [each["what"] for each in told["left"]] == [graph.repo_id]
        why = told["left"][0]["why"]
        assert graph.repo_id in why
        assert "HF_TOKEN" in why
        assert reason in why or not is_there
        code, told = document(changed, "plan", "2026-01-15")
        assert (code, told["days"][0]["rows"], [*told["rejected"]]) == (1, {"added": 1}, ["2026-01-15"])
        assert told["rejected"]["2026-01-15"] == why


def test_it_is_told_before_the_first_run_and_again_at_the_end(graph: Graph, environment: dict[str, str]):
    graph.local_hub.store.create(graph.repo_id, "public")
    code, output, errors = command(environment | {"HF_TOKEN": graph.local_hub.read_token}, "mend", "--dry-run")
    sentence = f"The Hub answered 403 while asking whether the token may write in {graph.repo_id}"
    assert code == 1
    assert sentence in errors.partition("reconciliation")[0]
    assert sentence in output.partition("What would be rejected")[2]
    assert "What would be done" in output
    assert "Skipping step" not in errors


def test_a_token_of_which_the_hub_tells_nothing_blocks_no_dry_run(graph: Graph, environment: dict[str, str]):
    graph.local_hub.store.create(graph.repo_id, "public")
    for status in (404, 503):
        graph.local_hub.faults.add(Fault("GET", "/auth-check/write$", answer(status), times=9))
        code, told = document(environment, "mend", "--dry-run")
        assert (code, told["left"]) == (0, [])


def test_a_read_token_blocks_nothing_where_nothing_would_be_published(graph: Graph, environment: dict[str, str]):
    assert command(environment, "mend")[0] == 0
    code, told = document(environment | {"HF_TOKEN": graph.local_hub.read_token}, "mend", "--dry-run")
    assert (code, told["left"], told["runs"][-1]["done"]) == (0, [], "no day differs")


def test_a_dry_run_with_a_read_token_holds_where_late_rows_change_nothing(graph: Graph, environment: dict[str, str]):
    assert command(environment, "mend")[0] == 0
    graph.execute("UPDATE news SET title = title")
    code, told = document(environment | {"HF_TOKEN": graph.local_hub.read_token}, "mend", "--dry-run")
    assert (code, told["left"]) == (0, [])
    assert [run["done"] for run in told["runs"]] == ["nothing had to change", "no day differs"]


def test_a_repo_that_is_there_and_not_shown_is_told_and_not_created_again_and_again(
    graph: Graph, environment: dict[str, str]
):
    graph.local_hub.store.create(graph.repo_id, "private")
    missing = {"X-Error-Code": "RepoNotFound"}
    graph.local_hub.faults.add(
        Fault("GET", f"/api/datasets/{graph.repo_id}", answer(404, "Repository not found", missing), times=99)
    )
    code, told = document(environment, "mend")
    (left,) = told["left"]
    assert (code, left["what"]) == (1, "2026-01-15")
    assert f"{graph.repo_id} is on the Hub, which does not show it to this token. Set HF_TOKEN" in left["why"]
    assert len(graph.local_hub.faults.seen("POST", "/api/repos/create")) == 2


def test_a_token_for_one_repo_alone_is_told_of_the_sibling(graph: Graph, sibling: Graph, environment: dict[str, str]):
    for each in (graph, sibling):
        each.local_hub.store.create(each.repo_id, "public")
    token = graph.local_hub._tokens.exchange(Tokens().identity, graph.repo_id)
    _, told = document(environment | {"HF_TOKEN": token}, "mend", "--dry-run")
    assert [each["what"] for each in told["left"]] == [sibling.repo_id]
    assert f"This token is for {graph.repo_id} alone" in told["left"][0]["why"]
    for words in (["mend"], ["mend"]):
        code, told = document(environment | {"HF_TOKEN": token}, *words)
        assert (code, "he Hub equals PostgreSQL on all days that have ended" in told["conclusion"]) == (1, True)
        assert ", and the reduced dataset does not follow" in told["conclusion"]


def test_status_tells_of_a_sibling_that_the_token_may_not_read_beside_all_else(
    graph: Graph, sibling: Graph, environment: dict[str, str]
):
    for each in (graph, sibling):
        each.local_hub.store.create(each.repo_id, "private")
    token = graph.local_hub._tokens.exchange(Tokens().identity, graph.repo_id)
    code, output, errors = command(environment | {"HF_TOKEN": token}, "status")
    assert (code, errors.count("error")) == (1, 0)
    assert f"{sibling.repo_id} cannot be compared: The Hub answered 403 while" in output
    assert output.splitlines()[-1] == "The Hub differs from PostgreSQL: run govbr-assets mend."
    code, told = document(environment | {"HF_TOKEN": token}, "mend")
    assert (code, told["conclusion"].partition(",")[2]) == (1, " and the reduced dataset does not follow.")
    assert list(graph.ids().values()) == [["a"]]


@pytest.mark.parametrize("old_name", ["GOVBR_REPO_ID", "GOVBR_REDUCED_REPO_ID"])
def test_two_names_that_lead_to_one_repo_are_refused_before_anything(
    graph: Graph, environment: dict[str, str], old_name: str
):
    assert command(environment, "mend")[0] == 0
    new = f"{graph.repo_id}-renamed"
    graph.local_hub.store.rename(graph.repo_id, new)
    names = {"GOVBR_REPO_ID": new, "GOVBR_REDUCED_REPO_ID": new} | {old_name: graph.repo_id}
    renamed = replace(graph, repo_id=new)
    before = renamed.head.revision, renamed.ids()
    for words in (["mend", "--dry-run"], ["mend"], ["plan", "2026-01-15"]):
        code, told = document(environment | names, *words)
        assert (code, [*told]) == (2, ["error"])
        assert f"both lead to {new}" in told["error"]
    code, told = document(environment | names, "status")
    assert (code, f"both lead to {new}" in told["reduced"]["problem"]) == (1, True)
    assert (renamed.head.revision, renamed.ids()) == before


@pytest.mark.parametrize("gone", ["the full dataset", "the reduced dataset"])
def test_a_repo_that_is_deleted_meanwhile_is_not_created_anew(
    graph: Graph, sibling: Graph, environment: dict[str, str], gone: str
):
    assert command(environment, "mend")[0] == 0
    graph.insert("b", day="2026-03-15")
    repo_id = (graph if gone == "the full dataset" else sibling).repo_id
    process = begin(environment, "mend", "--json")

    def delete() -> None:
        graph.local_hub.store.delete(repo_id)

    graph.local_hub.faults.add(Fault("GET", f"/api/datasets/{graph.repo_id}/auth-check/write", call(delete)))
    told = json.loads(process.communicate(timeout=200)[0])
    assert process.returncode == 1
    assert f"{repo_id} was on the Hub when this began, and is gone" in told["problem"] + str(told["left"])
    assert repo_id not in graph.local_hub.store.repos()


def test_a_dry_run_tells_of_rows_that_no_day_can_publish(graph: Graph, environment: dict[str, str]):
    assert command(environment, "mend")[0] == 0
    graph.insert("b", day="2026-03-15")
    graph.execute("UPDATE news SET published_at = 'infinity' WHERE unique_id = 'b'")
    for words in (["mend", "--dry-run"], ["mend"]):
        code, told = document(environment, *words)
        assert (code, [each["what"] for each in told["left"]]) == (1, ["rows of PostgreSQL"])
    last = command(environment, "status")[1].splitlines()[-1]
    assert last == "The Hub differs from PostgreSQL: correct the rows of PostgreSQL that cannot be published."


def test_a_dataset_that_is_emptied_is_told_by_all_commands(graph: Graph, environment: dict[str, str]):
    assert command(environment, "mend")[0] == 0
    graph.execute("DELETE FROM news")
    code, told = document(environment, "mend", "--dry-run", "--allow-removals", "1")
    assert (code, [each["what"] for each in told["left"]]) == (1, ["the dataset"])
    assert "PostgreSQL has no row" in told["left"][0]["why"]
    assert graph.ids() == {"data/train-2026-01-15.parquet": ["a"]}
    code, told = document(environment, "mend", "--allow-removals", "1")
    assert (code, graph.ids()) == (1, {})
    code, told = document(environment, "status")
    assert (code, told["holds"], told["lacking"].partition(";")[0]) == (1, False, "No row is left")
    assert "which the job rollback brings back" in command(environment, "status")[1].splitlines()[-1]


def test_what_goes_by_approval_from_before_the_first_day_is_no_rejection(graph: Graph, environment: dict[str, str]):
    graph.insert("early", day="2020-01-15")
    assert command(environment, "mend")[0] == 0
    graph.execute("DELETE FROM news WHERE unique_id = 'early'")
    environment |= {"GOVBR_FIRST_DAY": "2026-01-01"}
    last = command(environment, "status")[1].splitlines()[-1]
    assert last.endswith("run govbr-assets mend --allow-removals 1 if so many rows may leave the Hub.")
    for words in (["mend", "--dry-run"], ["mend"]):
        code, told = document(environment, *words)
        assert (code, [each["what"] for each in told["left"]]) == (1, ["rows that PostgreSQL has nowhere: 1"])
    for words in (["mend", "--dry-run"], ["mend"]):
        code, told = document(environment, *words, "--allow-removals", "1")
        assert (code, told["left"]) == (0, [])


REPLACED = """
from dataclasses import replace
from govbr_assets.cli.progress import progress
from govbr_assets.definitions import defs
from govbr_assets.defs.in_process.bootstrap import mend_context, temporary_instance
from govbr_assets.defs.in_process.mend import mend
from govbr_assets.defs.in_process.options import MendOptions

with temporary_instance() as instance, progress() as watch:
    context = mend_context(defs, instance, watch, lambda: False)
    report = mend(replace(context, load=lambda: context.load().slice(1)), MendOptions(False, 0, None))
    print(report.holds, report.conclusion)
"""


def test_a_table_that_is_not_of_the_reconciliation_is_no_verdict(graph: Graph, environment: dict[str, str]):
    command = [sys.executable, "-c", REPLACED]
    paths = {"PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
    done = subprocess.run(command, env=environment | paths, capture_output=True, text=True, check=False)
    assert done.stdout.startswith("False Stopped: somebody else has replaced the table"), done.stdout + done.stderr
    assert graph.ids() == {}


def test_tables_of_two_datasets_at_one_place_are_kept_apart(graph: Graph, environment: dict[str, str]):
    other = environment | {"GOVBR_REPO_ID": f"{graph.repo_id}-other"}
    assert command(environment, "mend")[0] == command(other, "mend")[0] == 0
    storage = Path(environment["GOVBR_STORAGE_URL"])
    for repo_id in (environment["GOVBR_REPO_ID"], other["GOVBR_REPO_ID"]):
        assert (storage / repo_id / "postgres_news_partition" / "2026-01-15.parquet").exists()
    assert not (storage / "postgres_news_partition").exists()


def test_a_card_of_the_sibling_that_nobody_can_load_is_told_with_its_repo(
    graph: Graph, sibling: Graph, environment: dict[str, str]
):
    write(graph.local_hub.store, sibling.repo_id, {"README.md": BROKEN_CARD})
    for words, code in ((["mend", "--dry-run"], 1), (["mend"], 1)):
        found, told = document(environment, *words)
        assert (found, len(told["left"])) == (code, 1)
        assert told["left"][0]["why"].startswith(f"{sibling.repo_id}: The front matter of README.md on the Hub cannot")
    assert list(graph.ids().values()) == [["a"]]
    code, told = document(environment, "status")
    assert (code, told["differing_days"]) == (1, 0)
    assert told["reduced"]["problem"].startswith(f"{sibling.repo_id}: The front matter of README.md")
    last = command(environment, "status")[1].splitlines()[-1]
    assert last.startswith("By ids, the Hub equals PostgreSQL")
    assert last.endswith(", and the reduced dataset does not follow: run govbr-assets mend.")


def test_a_late_row_in_a_file_that_the_compaction_frees_is_no_rejection(graph: Graph, environment: dict[str, str]):
    assert command(environment, "mend")[0] == 0
    theirs = as_others_write(rows("x", "late", day="2026-02-03"))
    write(graph.local_hub.store, graph.repo_id, {"data/train-of-february.parquet": theirs})
    graph.insert("late", "b", day="2026-02-03")
    for words, code in ((["mend", "--dry-run", "--allow-removals", "1"], 0), (["mend", "--allow-removals", "1"], 0)):
        found, told = document(environment, *words)
        assert (found, told["holds"], told["left"]) == (code, True, []), told
    assert sorted(key for ids in graph.ids().values() for key in ids) == ["a", "b", "late"]


MIXED_CARD = b"""---
configs:
- config_name: default
  default: true
  data_files:
  - split: train
    path: data/train-*.parquet
  - split: test
    path: "*.csv"
---
"""


def test_a_split_of_the_sibling_in_another_format_is_told_ahead_with_its_name(
    graph: Graph, sibling: Graph, environment: dict[str, str]
):
    head = write(graph.local_hub.store, sibling.repo_id, {"README.md": MIXED_CARD, "extra.csv": b"a,b\n1,2\n"})
    for words in (["mend", "--dry-run"], ["mend"]):
        code, told = document(environment, *words)
        assert (code, len(told["left"])) == (1, 1), told["left"]
        assert told["left"][0]["why"].startswith(f"{sibling.repo_id}: Readers take all files of a repo for one format")
        assert "That is default in README.md on the Hub, whose split test is csv" in told["left"][0]["why"]
    assert graph.local_hub.store.head(sibling.repo_id) == head


def test_a_column_that_postgresql_lacks_is_told_though_no_day_differs(graph: Graph, environment: dict[str, str]):
    assert command(environment, "mend")[0] == command(environment, "mend")[0] == 0
    graph.execute("ALTER TABLE news DROP COLUMN subtitle")
    for words in (["mend"], ["mend", "--dry-run"], ["status"]):
        code, output, errors = command(environment, *words)
        assert (code, "subtitle does not exist" in output + errors) == (1, True), output + errors


def test_damaged_files_of_the_sibling_are_made_anew_or_go(graph: Graph, sibling: Graph, environment: dict[str, str]):
    for day in ("2020-01-01", "2026-01-15"):
        write(graph.local_hub.store, sibling.repo_id, {f"data/train-{day}.parquet": b"PAR1, and not all of it"})
    for words in (["mend", "--dry-run"], ["mend"], ["status"]):
        code, told = document(environment, *words)
        assert (code, told["holds"]) == (0, True), told
    (held,) = (read(blob) for path, blob in graph.local_hub.store.tree(sibling.repo_id).items() if is_parquet(path))
    assert held.num_rows == 1


def test_a_card_of_the_dataset_that_nobody_can_load_is_told_with_its_repo(graph: Graph, environment: dict[str, str]):
    write(graph.local_hub.store, graph.repo_id, {"README.md": BROKEN_CARD})
    sentence = f"{graph.repo_id}: The front matter of README.md on the Hub cannot be used, line 2"
    for words in (["mend"], ["mend", "--dry-run"], ["status"], ["plan", "2026-01-15"]):
        code, output, errors = command(environment, *words)
        assert (code, sentence in output + errors) == (1, True), output + errors


def mend_in(folder: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Mend in a working folder, with nothing set that says where records and tables go."""
    bare = {name: each for name, each in environment.items() if name not in ("DAGSTER_HOME", "GOVBR_STORAGE_URL")}
    command = [sys.executable, "-m", "govbr_assets", "mend"]
    paths = {"PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
    return subprocess.run(command, env=bare | paths, cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("place", ["a folder of the system", "a file in its place"])
def test_a_working_folder_that_cannot_be_written_is_told_before_any_request(
    graph: Graph, environment: dict[str, str], tmp_path: Path, place: str
):
    folder = Path("/proc")  # which nobody can write, root neither
    if place == "a file in its place":
        folder = tmp_path
        (folder / ".local").touch()
    done = mend_in(folder, environment)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"error: The folder {folder}/.local/tables cannot be written (")
    assert done.stderr.endswith("): set GOVBR_STORAGE_URL to a folder or a bucket that can.\n")
    assert not graph.local_hub.faults.seen("*", graph.repo_id)


def test_a_working_folder_that_can_be_written_has_the_tables(graph: Graph, environment: dict[str, str], tmp_path: Path):
    assert mend_in(tmp_path, environment).returncode == 0
    tables = tmp_path / ".local" / "tables" / environment["GOVBR_REPO_ID"]
    assert (tables / "hub_reconciliation.parquet").exists()


def test_the_reduced_dataset_follows_and_in_the_place_of_the_full_one_is_refused_before_anything(
    graph: Graph, environment: dict[str, str]
):
    full, reduced = "GOVBR_REPO_ID", "GOVBR_REDUCED_REPO_ID"
    environment = environment | {reduced: f"{graph.repo_id}-r"}
    code, told = document(environment, "mend")
    assert (code, [run["job"] for run in told["runs"]]) == (0, ["reconciliation", "daily_sync", "reconciliation"])
    assert f"{graph.repo_id}-r mirrors {told['after'][:8]}, the newest revision." in told["notes"]
    swapped = environment | {full: environment[reduced], reduced: environment[full]}
    for settings in (swapped, {name: value for name, value in swapped.items() if name != reduced}):
        for words in (["mend", "--dry-run"], ["mend"], ["status"], ["plan", "2026-01-15"]):
            code, _, error = command(settings, *words)
            assert code == 2
            assert f"error: GOVBR_REPO_ID ({graph.repo_id}-r) leads to a reduced dataset" in error
    other = replace(graph, repo_id=f"{graph.repo_id}-r")
    assert "has no column unique_id, so that nobody can tell" in str(other.run("2026-01-15", checks=False).all_events)
    assert command(environment, "status")[0] == 0
