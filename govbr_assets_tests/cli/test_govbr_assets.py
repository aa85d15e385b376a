"""`govbr-assets` in processes of its own, as a user runs it on a machine without a daemon: what it says holds."""

import json
import signal
import threading
import time
from collections import Counter
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Literal

import pytest
from dagster import DagsterInstance

from govbr_assets.cli.main import run
from govbr_assets.cli.signals import Signals
from govbr_assets.core.days import Day
from govbr_assets.local.hub.actions import call
from govbr_assets.local.hub.faults import Fault
from govbr_assets_tests.cli.command import begin, command, document, environment_of
from govbr_assets_tests.graph import Graph
from govbr_assets_tests.stranger import as_others_write, write
from govbr_assets_tests.tables import shard

CONCLUSION = "The Hub equals PostgreSQL on all days that have ended."
SECRET = "s3cr3t-p4ssw0rd"


@pytest.fixture
def environment(graph: Graph, dagster_home: Path, tmp_path: Path) -> dict[str, str]:
    return environment_of(graph, tmp_path, dagster_home)


def test_what_cannot_be_published_is_left_with_its_sentence_and_the_rest_is_published(
    graph: Graph, environment: dict[str, str]
):
    graph.insert("bad", day="2025-06-01")
    graph.insert("a", "b", day="2026-01-15")
    graph.insert("later", day="2026-03-15")
    graph.execute("UPDATE news SET updated_datetime = 'infinity' WHERE unique_id = 'bad'")
    del environment["DAGSTER_HOME"]  # nothing is remembered then

    code, told = document(environment, "mend", "--max-runs", "2")
    assert (code, told["problem"]) == (1, "")
    left = {each["what"]: each["why"] for each in told["left"]}
    assert "Column updated_datetime of the row with id 1" in left["2025-06-01"]
    assert left["2026-03-15"] == "1 missing: no run of it was begun"
    assert graph.ids() == {"data/train-2026-01-15.parquet": ["a", "b"]}

    code, told = document(environment, "plan", "2026-03-14..2026-03-16")
    nothing = {name: {} for name in ("columns", "moved_from", "moved_to")}
    assert (code, told["days"]) == (0, [{"day": "2026-03-15", "rows": {"added": 1}, **nothing}])
    code, output, _ = command(environment, "plan", "2025-06-01")
    assert code == 1
    assert "Column updated_datetime of the row with id 1" in " ".join(output.split())  # cells are broken at words
    code, output, _ = command(environment, "status")
    assert code == 1
    assert "Days that differ: 2" in output
    assert graph.ids() == {"data/train-2026-01-15.parquet": ["a", "b"]}


def test_a_dry_run_counts_each_row_once_whatever_it_looks_at_first(graph: Graph, environment: dict[str, str]):
    for day in ("2026-01-10", "2026-01-12", "2026-01-15", "2026-03-01"):
        graph.insert(f"old-{day}", day=day)
    graph.execute("ALTER TABLE news DISABLE TRIGGER news_touch")
    graph.execute("UPDATE news SET created_at = now() - interval '9 days', updated_at = now() - interval '9 days'")
    assert document(environment, "mend", "--dry-run")[0] == 0  # from now on its records know the days that differ
    for day in ("2026-01-10", "2026-01-15"):
        graph.insert(f"late-{day}", day=day)
    code, told = document(environment, "mend", "--dry-run")
    days = [(run["days"], run["done"]) for run in told["runs"] if run["job"] == "daily_sync"]
    assert (code, days) == (0, [("2026-01-10..2026-01-15", "rows: 5 added"), ("2026-03-01", "rows: 1 added")])


def test_a_mend_of_another_repo_in_between_loses_no_late_rows(graph: Graph, environment: dict[str, str]):
    graph.insert("a", "b", day="2026-01-15")
    assert command(environment, "mend")[0] == 0
    other = environment | {"GOVBR_REPO_ID": f"{graph.repo_id}-other"}
    for words in (["mend", "--dry-run"], ["mend"]):
        assert command(other, *words)[0] == 0
        graph.execute("UPDATE news SET title = title || '+' WHERE unique_id = 'a'")
        code, told = document(environment, "mend")
        assert (code, [run["job"] for run in told["runs"]]) == (0, ["daily_sync", "reconciliation"])
        assert told["runs"][0]["done"] == "rows: 1 changed"


def test_two_repos_are_mended_at_once_with_one_home(graph: Graph, environment: dict[str, str]):
    for day in ("2026-01-15", "2026-01-16", "2026-03-01"):
        graph.insert(f"of-{day}", day=day)
    other = environment | {"GOVBR_REPO_ID": f"{graph.repo_id}-other"}
    begun = [begin(each, "mend") for each in (environment, other)]
    told = [(*process.communicate(timeout=250), process.returncode) for process in begun]
    assert [code for *_, code in told] == [0, 0], told
    assert all(output.splitlines()[-1].startswith("The Hub equals PostgreSQL") for output, *_ in told)


def test_a_dry_run_leaves_what_is_recorded_of_published_days(graph: Graph, environment: dict[str, str]):
    for number in range(20):
        graph.insert(f"row{number}", day="2026-01-15")
    assert command(environment, "mend")[0] == 0
    graph.execute("DELETE FROM news")
    code, told = document(environment, "mend", "--dry-run")
    assert (code, "2026-01-15" in [each["what"] for each in told["left"]]) == (1, True)
    with DagsterInstance.local_temp(environment["DAGSTER_HOME"]) as instance:
        runs = [(run.job_name, run.status.value) for run in instance.get_runs()]
    assert Counter(runs) == {("daily_sync", "SUCCESS"): 1, ("reconciliation", "SUCCESS"): 3}


def test_a_year_that_somebody_has_rewritten_unsorted_is_told_and_mended_at_once(
    graph: Graph, environment: dict[str, str]
):
    year = "data/train-2026-00.parquet"
    graph.insert("a", day="2026-01-15")
    graph.insert("c", day="2026-03-15")
    write(graph.local_hub.store, graph.repo_id, {"data/x.parquet": as_others_write(shard(["a"]))})
    assert command(environment, "mend")[0] == 0
    write(graph.local_hub.store, graph.repo_id, {year: as_others_write(shard(["q1", "q2", "a"]).take([2, 0, 1]))})
    code, told = document(environment, "status")
    assert (code, told["uncompacted"]) == (1, [year])
    code, told = document(environment, "mend", "--dry-run", "--allow-removals", "9")
    assert (code, told["left"]) == (0, [])
    assert year in told["assessment"]["compacted"]
    code, told = document(environment, "mend", "--allow-removals", "9")
    jobs = [run["job"] for run in told["runs"]]
    assert (code, jobs[:2], told["left"]) == (0, ["reconciliation", "weekly_consolidation"], [])
    assert sorted(id for ids in graph.ids().values() for id in ids) == ["a", "c"]
    code, told = document(environment, "status")
    assert (code, told["uncompacted"]) == (0, [])


def test_a_repo_that_is_not_there_is_named_before_and_after_it_is_created(graph: Graph, environment: dict[str, str]):
    graph.insert("a", day="2026-01-15")
    _, output, _ = command(environment, "mend", "--dry-run")
    assert f"{graph.repo_id} is not on the Hub, or not for this token: it would be created, private." in output
    assert f"{graph.repo_id} was not on the Hub: it was created, private." in command(environment, "mend")[1]
    assert "created" not in command(environment, "mend")[1]


def test_a_dry_run_tells_of_days_that_no_run_can_publish(graph: Graph, environment: dict[str, str]):
    graph.insert("early", day="1999-05-05")
    graph.insert("a", day="2026-01-15")
    for words in (["mend", "--dry-run"], ["mend"]):
        code, told = document(environment, *words)
        assert (code, [each["what"] for each in told["left"]]) == (1, ["1999-05-05"])
        assert "1 missing: it is before GOVBR_FIRST_DAY" in told["left"][0]["why"]


def test_days_that_are_rejected_in_part_are_counted_once_and_what_was_published_is_told(
    graph: Graph, environment: dict[str, str]
):
    for day in ("2026-01-10", "2026-01-12"):
        for number in range(30):
            graph.insert(f"{day}-{number}", day=day)
    assert command(environment, "mend")[0] == 0
    graph.execute("DELETE FROM news WHERE unique_id LIKE '2026-01-10%' AND unique_id <> '2026-01-10-1'")
    graph.insert("late", day="2026-01-10")
    graph.insert("late-too", day="2026-01-12")
    code, told = document(environment, "mend", "--dry-run")
    assert (code, [run["days"] for run in told["runs"] if run["days"]]) == (1, ["2026-01-10..2026-01-12"])
    assert (
        "1 of 3 days would not be on the Hub as it is in PostgreSQL, the others would be" in told["runs"][0]["problem"]
    )
    code, output, _ = command(environment, "mend")
    told = " ".join(output.split())  # cells are broken at words
    assert (code, "rows: 2 added, 29 kept though not in PostgreSQL; failed: 1 of 3 days is not" in told) == (1, True)


def test_a_plan_names_the_days_between_which_rows_move(graph: Graph, environment: dict[str, str]):
    for day in ("2026-01-14", "2026-01-16"):
        graph.insert(f"of-{day}", f"stays-{day}", day=day)
    assert command(environment, "mend")[0] == 0
    graph.execute("UPDATE news SET published_at = '2026-01-15T10:00-03:00' WHERE unique_id LIKE 'of-%'")
    code, told = document(environment, "plan", "2026-01-14..2026-01-16")
    moves = {each["day"]: (each["rows"], each["moved_from"], each["moved_to"]) for each in told["days"]}
    assert (code, moves) == (
        0,
        {
            "2026-01-14": ({"moved out": 1}, {}, {"2026-01-15": 1}),
            "2026-01-15": ({"moved in": 1}, {"2026-01-16": 1}, {}),
        },
    )
    output = command(environment, "plan", "2026-01-14..2026-01-16")[1]
    assert "1 moved out to 2026-01-15 (1)" in output
    assert "1 moved in from 2026-01-16 (1)" in output
    assert output.splitlines()[-1] == "3 days would change, by 1 commit; nothing was published."
    assert command(environment, "mend")[0] == 0
    titles = [commit.title for commit in graph.local_hub.store.commits(graph.repo_id)]
    assert titles[0].startswith("Move 2 rows of ")


def test_status_advises_what_helps(graph: Graph, environment: dict[str, str]):
    graph.insert("early", day="1999-05-05")
    graph.insert("a", day="2026-01-15")
    differs, first = "The Hub differs from PostgreSQL: ", "set GOVBR_FIRST_DAY (2003-01-01) to an earlier day"
    assert command(environment, "status")[1].splitlines()[-1] == (
        f"{differs}run govbr-assets mend; {first} for the 1 day before it."
    )
    assert command(environment, "mend")[0] == 1
    assert command(environment, "status")[1].splitlines()[-1] == f"{differs}{first} for the 1 day before it."


def test_it_says_its_version(environment: dict[str, str]):
    assert command(environment, "--version") == (0, f"govbr-assets {version('govbr-assets')}\n", "")


def test_a_plan_that_changes_nothing_says_so_though_rows_are_kept(graph: Graph, environment: dict[str, str]):
    for number in range(20):
        graph.insert(f"row{number}", day="2026-01-15")
    assert command(environment, "mend")[0] == 0
    graph.execute("DELETE FROM news")
    code, output, _ = command(environment, "plan", "2026-01-15")
    assert (code, output.splitlines()[-1].partition(".")[0]) == (1, "Nothing of 2026-01-15 would change")


def test_what_differs_and_that_a_compaction_is_a_dry_run_is_in_the_log(graph: Graph, environment: dict[str, str]):
    graph.insert("a", day="2026-01-15")
    graph.insert("b", day="2026-03-15")
    write(graph.local_hub.store, graph.repo_id, {"data/x.parquet": as_others_write(shard(["a", "c"]))})
    errors = command(environment, "mend", "--dry-run", "--allow-removals", "9")[2]
    assert "dropped. Dry run, nothing is written." in errors
    assert "2 days differ, 2026-01-15..2026-03-15: 1 missing, 1 surplus" in errors
    command(environment, "mend", "--allow-removals", "9")
    errors = command(environment, "mend")[2]
    assert "No day differs." in errors
    assert errors.casefold().count("no day differs") == 1


def test_without_a_command_it_helps(environment: dict[str, str]):
    code, output, errors = command(environment)
    assert (code, errors, output.splitlines()[0]) == (0, "", "Usage: govbr-assets [OPTIONS] COMMAND [ARGS]...")


def test_results_begin_with_their_first_line_and_end_with_the_conclusion(graph: Graph, environment: dict[str, str]):
    graph.insert("a", day="2026-01-15")
    first = {
        "plan 2026-01-15": "What a sync of 2026-01-15 would change",
        "mend": "What differed: 1 day, the oldest first",
    }
    last = {"plan 2026-01-15": "1 day would change, by 1 commit; nothing was published.", "mend": CONCLUSION}
    for words, line in first.items():
        output = command(environment, *words.split())[1]
        assert (output.splitlines()[0], output.splitlines()[-2:]) == (line, ["", last[words]])
        assert "\n\n\n" not in output
    output = command(environment, "status")[1]
    assert (output.partition(" ")[0], output.splitlines()[-2]) == ("dataset", "")
    assert output.splitlines()[-1].startswith(
        "By ids, the Hub equals PostgreSQL on all days that have ended; contents were last compared on 20"
    )
    assert "\n\n\n" not in output


CARDS = {
    "two configs without a default": (
        "---\nconfigs:\n- {config_name: one, data_files: one/*}\n- {config_name: two, data_files: two/*}\n---\n"
    ),
    "only another split": "---\nconfigs:\n- config_name: default\n  data_files: [{split: test, path: one/*}]\n---\n",
    "nothing": "",
}


@pytest.mark.parametrize("card", sorted(CARDS))
def test_a_dry_run_tells_of_files_beside_which_a_dataset_would_begin(
    graph: Graph, environment: dict[str, str], card: str
):
    graph.insert("a", day="2026-01-15")
    files = {"one/old.parquet": as_others_write(shard(["b"]))} if CARDS[card] else {"two/notes.txt": b"of others"}
    write(graph.local_hub.store, graph.repo_id, files | {"README.md": CARDS[card].encode()})
    _, output, errors = command(environment, "mend", "--dry-run")
    assert "1 to stay as it is, no part of the dataset" in output, errors


def test_a_mend_that_is_interrupted_leaves_nothing_in_part_and_the_next_one_goes_on(
    graph: Graph, environment: dict[str, str]
):
    graph.insert("a", day="2026-01-15")
    graph.insert("b", day="2026-03-15")
    process = begin(environment, "mend", "--json")

    def interrupt() -> None:
        process.send_signal(signal.SIGTERM)
        time.sleep(1)

    graph.local_hub.faults.add(Fault("POST", r"/commit/main$", call(interrupt)))
    output, errors = process.communicate(timeout=200)
    told = json.loads(output)
    assert (process.returncode, told["interrupted"], "Traceback" in errors) == (143, True, False)
    assert [run["job"] for run in told["runs"]] == ["reconciliation", "daily_sync"]
    assert graph.ids() in ({}, {"data/train-2026-01-15.parquet": ["a"]})

    code, output, _ = command(environment, "mend")
    assert (code, output.splitlines()[-1]) == (0, "The Hub equals PostgreSQL on all days that have ended.")
    assert list(graph.ids().values()) == [["a"], ["b"]]


def ended_at_a_commit(graph: Graph, environment: dict[str, str], when: Literal["before", "after"]) -> tuple[str, str]:
    """Begin a mend, send it SIGTERM while the Hub holds its next commit, and give what it says."""
    reached, released = threading.Event(), threading.Event()

    def hold() -> None:
        reached.set()
        released.wait(60)

    graph.local_hub.faults.add(Fault("POST", "/commit/main$", call(hold), when))
    process = begin(environment, "mend")
    assert reached.wait(100)
    process.send_signal(signal.SIGTERM)
    terminated = time.monotonic()
    output, errors = process.communicate(timeout=60)
    assert (process.returncode, time.monotonic() - terminated < 10) == (143, True)
    released.set()
    return output, errors


def test_sigterm_ends_a_compaction_and_a_sync_within_seconds_and_leaves_nothing_behind(
    graph: Graph, environment: dict[str, str], tmp_path: Path
):
    graph.insert("a", day="2026-01-15")
    graph.insert("b", day="2026-03-15")
    write(graph.local_hub.store, graph.repo_id, {"data/old.parquet": as_others_write(shard(["a"]))})
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    environment |= {"TMPDIR": str(temporary)}
    moments: dict[str, Literal["before", "after"]] = {"weekly_consolidation": "after", "daily_sync": "before"}
    for job, when in moments.items():
        output, errors = ended_at_a_commit(graph, environment, when)
        assert output.splitlines()[-1].startswith("Interrupted: what was published before is complete")
        assert job in errors
        assert "Traceback" not in output + errors
        assert [*temporary.iterdir()] == []
    code, output, _ = command(environment, "mend")
    assert (code, output.splitlines()[-1]) == (0, "The Hub equals PostgreSQL on all days that have ended.")
    assert sorted(each for found in graph.ids().values() for each in found) == ["a", "b"]


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_plan_that_is_interrupted_says_so_by_its_exit_code(
    graph: Graph, environment: dict[str, str], sent: signal.Signals, code: int
):
    graph.insert("a", day="2026-01-15")
    write(graph.local_hub.store, graph.repo_id, {"data/train-2026-01-14.parquet": as_others_write(shard(["b"]))})
    process = begin(environment, "plan", "2026-01-15", "--json")

    def interrupt() -> None:
        process.send_signal(sent)
        time.sleep(1)

    graph.local_viewer.faults.add(Fault("GET", "/filter", call(interrupt)))
    output, errors = process.communicate(timeout=200)
    assert (process.returncode, json.loads(output)) == (code, {"error": "Interrupted."}), errors


def test_an_encoding_that_lacks_signs_ends_no_command(graph: Graph, environment: dict[str, str]):
    graph.insert("a", day="2026-01-15")
    environment |= {"PYTHONIOENCODING": "ascii"}
    code, output, errors = command(environment, "status")
    assert (code, output.splitlines()[-1].startswith("The Hub differs")) == (1, True), errors
    code, told = document(environment, "status")
    assert (code, told["years"][0]["year"]) == (1, 2026)


def test_rows_of_today_are_told_and_left(graph: Graph, environment: dict[str, str]):
    today = f"{Day.at(datetime.now(UTC))}"
    graph.insert("a", day="2026-01-15")
    graph.insert("new", day=today)
    code, output, errors = command(environment, "mend")
    assert (code, output.splitlines()[-1]) == (0, CONCLUSION)
    assert "1 day differs, 2026-01-15: 1 missing; 1 row of today and later: left until the day is over." in errors
    code, told = document(environment, "status")
    assert (code, told["later_rows"], told["differing_days"]) == (0, {"hub": 0, "postgres": 1}, 0)
    assert [each["differing"] for each in told["years"]] == [0]


def test_status_says_how_many_removals_to_approve(graph: Graph, environment: dict[str, str]):
    for number in range(30):
        graph.insert(f"row{number}", day="2026-01-15")
    assert command(environment, "mend")[0] == 0
    graph.execute("DELETE FROM news WHERE unique_id <> 'row1'")
    last = command(environment, "status")[1].splitlines()[-1]
    assert last == (
        "The Hub differs from PostgreSQL: run govbr-assets mend --allow-removals 29 if so many rows may leave the Hub."
    )
    assert command(environment, "mend", "--allow-removals", "29")[0] == 0


def test_only_the_days_that_are_guarded_need_an_approval(graph: Graph, environment: dict[str, str]):
    for day in ("2026-01-15", "2026-01-16"):
        for number in range(30):
            graph.insert(f"{day}-{number}", day=day)
    assert command(environment, "mend")[0] == 0
    graph.execute("DELETE FROM news WHERE unique_id LIKE '2026-01-15-1_' OR unique_id = '2026-01-16-1'")
    assert document(environment, "status")[1]["removals_to_approve"] == 10
    code, output, _ = command(environment, "mend")
    assert (code, output.count("more than"), output.count("--allow-removals 10")) == (1, 1, 1), output
    assert command(environment, "mend", "--allow-removals", "10")[0] == 0
    code, told = document(environment, "status")
    assert (code, told["removals_to_approve"]) == (0, 0)


def test_rows_of_the_future_need_no_approval(graph: Graph, environment: dict[str, str]):
    graph.insert("a", "b", "stays", day="2026-01-15")
    assert command(environment, "mend")[0] == 0
    graph.execute("UPDATE news SET published_at = '2031-05-05T12:00-03:00' WHERE unique_id <> 'stays'")
    assert command(environment, "mend")[0] == 0
    graph.execute("DELETE FROM news WHERE unique_id = 'b'")
    graph.execute("UPDATE news SET published_at = '2032-05-05T12:00-03:00' WHERE unique_id = 'a'")
    code, told = document(environment, "status")
    assert (code, told["removals_to_approve"], told["later_rows"]) == (0, 0, {"hub": 2, "postgres": 1})
    code, told = document(environment, "mend")
    assert (code, told["runs"][-1]["done"]) == (0, "no day differs")


def test_a_dry_run_says_nothing_that_is_dagster_s(graph: Graph, environment: dict[str, str]):
    graph.insert("a", day="2026-01-15")
    assert "dagster.yaml" not in command(environment, "mend", "--dry-run")[2]


def test_a_sibling_that_is_not_there_is_named_as_well(graph: Graph, environment: dict[str, str]):
    graph.insert("a", day="2026-01-15")
    environment |= {"GOVBR_REDUCED_REPO_ID": f"{graph.repo_id}-reduced"}
    for words, told in ((["mend", "--dry-run"], "it would be created"), (["mend"], "it was created")):
        output = command(environment, *words)[1]
        for repo_id in (graph.repo_id, f"{graph.repo_id}-reduced"):
            assert any(line.startswith(f"{repo_id} ") and told in line for line in output.splitlines()), output


WRONG: dict[str, tuple[dict[str, str], list[str], int, str]] = {
    "a day before the first one": ({"GOVBR_FIRST_DAY": "2026-01-01"}, ["plan", "2025-12-31"], 2, "is no day from"),
    "a first day that is none": ({"GOVBR_FIRST_DAY": "yesterday"}, ["status"], 2, "GOVBR_FIRST_DAY is 'yesterday'"),
    "no Hub": (
        {"HF_ENDPOINT": "http://127.0.0.1:9"},
        ["mend"],
        1,
        "(http://127.0.0.1:9 was asked: look at HF_ENDPOINT",
    ),
    "no PostgreSQL": (
        {"GOVBR_POSTGRES_URL": f"postgresql://u:{SECRET}@127.0.0.1:9/n"},
        ["plan", "2026-01-15"],
        1,
        "PostgreSQL",
    ),
    "no port": (
        {"HF_ENDPOINT": "http://127.0.0.1:x"},
        ["status"],
        2,
        "HF_ENDPOINT is malformed, for it has no host and",
    ),
    "half an address": ({"HF_ENDPOINT": "http://[::1"}, ["mend"], 2, "HF_ENDPOINT is malformed"),
    "too many digits": ({}, ["mend", "--allow-removals", "9" * 5000], 2, "is no number of removals"),
    "too many digits in a setting": ({"GOVBR_ALLOW_REMOVALS": "9" * 5000}, ["mend"], 2, "GOVBR_ALLOW_REMOVALS is '9"),
    "days of tables": ({"GOVBR_STORAGE_DAYS": "-1"}, ["mend"], 2, "GOVBR_STORAGE_DAYS is '-1'"),
    "no URL of a viewer": ({"GOVBR_VIEWER_URL": "localhost"}, ["plan", "2026-01-15"], 2, "GOVBR_VIEWER_URL"),
    "a range backwards": ({}, ["plan", "2026-01-15..2026-01-14"], 2, "write 2026-01-14..2026-01-15."),
    "a number with a point": ({}, ["mend", "--allow-removals", "3.700"], 2, "'3.700' is no number of removals"),
    "an option without its value": ({}, ["mend", "--allow-removals"], 2, "see govbr-assets mend --help"),
    "no repo": ({"GOVBR_REPO_ID": ""}, ["mend"], 2, "GOVBR_REPO_ID is not set"),
    "no room for records": ({"DAGSTER_HOME": "/nowhere"}, ["mend"], 2, "DAGSTER_HOME cannot be opened"),
    "an approval that is no number": ({"GOVBR_ALLOW_REMOVALS": "-3"}, ["mend"], 2, "GOVBR_ALLOW_REMOVALS is '-3'"),
    "a sibling that is no repo": ({"GOVBR_REDUCED_REPO_ID": "news"}, ["mend"], 2, "GOVBR_REDUCED_REPO_ID is 'news'"),
}


def test_what_is_wrong_is_one_sentence_with_an_exit_code_and_no_secret(environment: dict[str, str]):
    begun = {name: begin(environment | changed, *words, "--json") for name, (changed, words, _, _) in WRONG.items()}
    for name, (_, _, code, sentence) in WRONG.items():
        output, errors = begun[name].communicate(timeout=200)
        told = json.loads(output)
        assert (begun[name].returncode, sentence in told["error"]) == (code, True), f"{name}: {told}"
        assert "\n" not in told["error"]
        assert f"error: {told['error']}" in errors
        assert "Traceback" not in errors
        assert SECRET not in output + errors


def test_a_home_whose_settings_are_no_yaml_is_one_sentence(environment: dict[str, str], dagster_home: Path):
    (dagster_home / "dagster.yaml").write_text("storage: [")
    code, told = document(environment, "mend")
    assert (code, "DAGSTER_HOME cannot be opened" in told["error"], "\n" in told["error"]) == (2, True, False)


def test_telemetry_that_has_nowhere_to_write_is_one_sentence(environment: dict[str, str], dagster_home: Path):
    (dagster_home / "dagster.yaml").write_text("")  # so that it is on
    code, told = document(environment | {"HOME": "/proc/nowhere"}, "mend")
    assert (code, "set HOME to a folder that can" in told["error"]) == (2, True)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["mend", "--forever"], "error: No such option '--forever': see govbr-assets mend --help."),
        (["mend", "--allow-removals", "0"], "error: Invalid value for '--allow-removals': '0' is no number of"),
        (["mend", "--max-runs", "0"], "error: Invalid value for '--max-runs': '0' is no number of runs"),
        (["plan", "2026-01-20..2026-01-10"], "error: The range 2026-01-20..2026-01-10 begins after its end"),
        (
            ["plan", "2026-01-20..1999-01-10"],  # though the first day is later
            "error: The range 2026-01-20..1999-01-10 begins after its end: write 1999-01-10..2026-01-20.",
        ),
        (["plan", "2026-13-01"], "error: There is no date 2026-13-01: write one of the calendar, such as 2026-01-15."),
        (["plan", "2026-01-15..2026-02-30"], "error: There is no date 2026-02-30: write one of the calendar"),
        (["plan", "2999-01-01"], "error: '2999-01-01' is no day from 2003-01-01 (GOVBR_FIRST_DAY) to"),
        (["plan"], "error: Missing argument 'DAY|A..B': see govbr-assets plan --help."),
    ],
)
def test_what_is_written_wrongly_is_one_line(words: list[str], sentence: str, capsys: pytest.CaptureFixture[str]):
    with Signals() as signals:
        assert run(words, signals) == 2
    output, errors = capsys.readouterr()
    assert (output, errors.count("\n")) == ("", 1)
    assert errors.startswith(sentence)
