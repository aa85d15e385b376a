"""Releases on a real Hub: a compaction is tagged, has an entry in the changelog, and a card that says what there is."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from huggingface_hub import HfApi

from govbr_assets.core.card_block import BEGIN, END
from govbr_assets.core.days import Day
from govbr_assets.core.releases import ChangesSince, RowCounts
from govbr_assets.dataset import Dataset
from govbr_assets.dataset.release_notes import changes_since
from govbr_assets.defs import jobs
from govbr_assets.local.hub import LocalHub
from govbr_assets.local.hub.actions import after, answer, call
from govbr_assets.local.hub.faults import Fault
from govbr_assets.local.hub.tags import Tag
from govbr_assets.operations.compact.plan import compact
from govbr_assets.operations.release import tag_releases
from govbr_assets.publications import NEWS
from govbr_assets_tests import readers, stranger
from govbr_assets_tests.graph import Graph
from govbr_assets_tests.laws import HubReader
from govbr_assets_tests.operations.test_compact import TODAY, day_shards, rows
from govbr_assets_tests.tables import encode, usual_card

TAG = r"/tag/"
NEXT_WEEK = Day.of("2026-01-27")
Write = Callable[..., str]

_LOAD_EACH = """
import json, os
from datasets import load_dataset
for revision in os.environ["REVISIONS"].split():
    news = load_dataset(os.environ["REPO"], split="train", revision=revision)
    print(json.dumps([sorted(news["unique_id"]), [str(each) for each in news.features.arrow_schema.types]]))
"""


@pytest.fixture
def write(local_hub: LocalHub, repo_id: str) -> Write:
    def write(files: dict[str, bytes | None], title: str = "Somebody else's") -> str:
        return stranger.write(local_hub.store, repo_id, files, title)

    return write


@pytest.fixture
def tags(local_hub: LocalHub, repo_id: str) -> Callable[[], dict[str, Tag]]:
    return lambda: dict(local_hub.store.history(repo_id).tags.all())


@pytest.fixture
def text(local_hub: LocalHub, repo_id: str) -> Callable[..., str]:
    return lambda path, revision="main": local_hub.store.tree(repo_id, revision)[path].path.read_bytes().decode()


def in_utc(table: pa.Table) -> bytes:
    """Write rows with times that break readers beside other files: such files are all compacted in one commit."""
    times = table["published_at"].cast(pa.timestamp("us", "UTC"))
    return stranger.as_others_write(table.set_column(2, "published_at", times))


def compact_all(hub: Dataset, today: Day = TODAY) -> list[str]:
    """Compact, and tag; return the revisions."""
    revisions = [result.after or "" for result in compact(hub, today)]
    assert tag_releases(hub).problem == ""
    return revisions


def test_the_last_commit_of_a_compaction_is_tagged_and_says_what_changed_since_the_last(
    hub: Dataset, write: Write, tags: Callable, text: Callable
):
    write(day_shards("2026-01-14", "2026-01-15"))
    (first,) = compact_all(hub)
    assert {tag.name: tag.sha for tag in tags().values()} == {"2026.01.20": first}
    entry = "- 2 linhas em 2 dias, de 2026-01-14 a 2026-01-15.\n- Primeira versão"
    assert entry in tags()["2026.01.20"].message
    assert f"## 2026.01.20\n\n{entry}" in text("CHANGELOG.md", first)
    assert compact_all(hub) == []
    assert len(tags()) == 1
    twice = {"data/train-2026-01-21.parquet": encode(rows("id-2026-01-14", "new", day="2026-01-21"))}
    write({"notes.txt": b"no data"})
    write(twice)
    (second,) = compact_all(hub, NEXT_WEEK)
    changelog = text("CHANGELOG.md", second)
    assert changelog.index("## 2026.01.27") < changelog.index("## 2026.01.20")
    assert "- Desde 2026.01.20: as linhas que mudaram não foram contadas, pois houve 1 commit de terceiros" in changelog
    assert changelog.endswith(text("CHANGELOG.md", first).partition("## 2026.01.20")[2])
    assert tags()["2026.01.27"].sha == second
    write(day_shards("2026-01-28"))
    assert compact_all(hub, Day.of("2026-01-29"))
    assert {*tags()} == {"2026.01.20", "2026.01.27", "2026.01.29"}


def test_a_release_takes_no_name_that_a_tag_has_and_the_tag_before_a_foreign_dataset_names_what_was_before(
    hub: Dataset, write: Write, tags: Callable, local_hub: LocalHub
):
    base = write({"data/train-00000-of-00001.parquet": encode(rows("old", day="2026-01-02"))})
    HfApi(endpoint=local_hub.endpoint, token=local_hub.write_token).create_tag(
        hub.client.repo_id, tag="2026.01.20", revision=base, repo_type="dataset"
    )
    compact_all(hub)
    assert {name: tag.sha for name, tag in tags().items()} == {
        "2026.01.20": base,
        "before-2026.01.20.1": base,
        "2026.01.20.1": hub.client.head().revision,
    }
    assert "antes da reorganização de 2026.01.20.1." in tags()["before-2026.01.20.1"].message
    write({"data/train-00000-of-00001.parquet": encode(rows("again", day="2026-01-03"))})
    compact_all(hub, NEXT_WEEK)
    assert {*tags()} == {"2026.01.20", "2026.01.20.1", "before-2026.01.20.1", "2026.01.27"}


def test_each_release_of_a_day_has_a_name_a_tag_and_an_entry_of_its_own(
    hub: Dataset, write: Write, tags: Callable, text: Callable
):
    revisions = list[str]()
    names = ["2026.01.20", "2026.01.20.1", "2026.01.20.2"]
    for number in range(3):
        write(day_shards(f"2026-01-{number + 10}"))
        revisions += compact_all(hub)
    assert {name: tag.sha for name, tag in tags().items()} == dict(zip(names, revisions, strict=True))
    headings = [line[3:] for line in text("CHANGELOG.md").splitlines() if line.startswith("## ")]
    assert headings == [*reversed(names)]
    since = re.findall(r"- Desde ([\d.]+):", text("CHANGELOG.md"))
    assert since == ["2026.01.20.1", "2026.01.20"]
    assert "3 linhas em 3 dias" in tags()["2026.01.20.2"].message
    # A clock that goes back makes no name that comes before one that is there.
    write(day_shards("2026-01-15"))
    compact_all(hub, Day.of("2026-01-18"))
    assert tags()["2026.01.20.3"].sha not in revisions
    write(day_shards("2026-01-16"))
    compact_all(hub, NEXT_WEEK)
    assert {*tags()} == {*names, "2026.01.20.3", "2026.01.27"}


def test_a_history_that_is_squashed_between_two_releases_of_a_day_takes_no_name_away(
    hub: Dataset, write: Write, tags: Callable, text: Callable, local_hub: LocalHub, repo_id: str
):
    write(day_shards("2026-01-14"))
    compact_all(hub)
    files = {path: blob.path.read_bytes() for path, blob in local_hub.store.tree(repo_id).items()}
    local_hub.store.delete(repo_id)  # tags too
    write(files)
    write(day_shards("2026-01-15"))
    compact_all(hub)
    assert {*tags()} == {"2026.01.20.1"}
    assert re.findall(r"^## (.*)$", text("CHANGELOG.md"), re.MULTILINE) == ["2026.01.20.1", "2026.01.20"]


def test_a_foreign_dataset_that_comes_after_a_release_of_the_day_names_what_was_before_anew(
    hub: Dataset, write: Write, tags: Callable
):
    legacy = "data/train-00000-of-00001.parquet"
    first = write({legacy: encode(rows("old", day="2026-01-02"))})
    compact_all(hub)
    year = "data/train-2026-00.parquet"
    second = write({year: None, legacy: encode(rows("other", day="2026-01-03"))})
    compact_all(hub)
    found = tags()
    assert {*found} == {"before-2026.01.20", "2026.01.20", "before-2026.01.20.1", "2026.01.20.1"}
    assert (found["before-2026.01.20"].sha, found["before-2026.01.20.1"].sha) == (first, second)
    assert "antes da reorganização de 2026.01.20.1." in found["before-2026.01.20.1"].message


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize("status", [403, 500, 429])
def test_a_tag_that_the_hub_refuses_loses_nothing_and_is_set_by_the_next_run(
    hub: Dataset, write: Write, tags: Callable, local_hub: LocalHub, status: int
):
    base = write({"data/train-00000-of-00001.parquet": encode(rows("old", day="2026-01-02"))})
    local_hub.faults.add(Fault("POST", TAG, answer(status, "no"), times=9))
    (first,) = (result.after for result in compact(hub, TODAY))
    problem = tag_releases(hub).problem
    assert str(status) in problem
    assert "\n" not in problem
    assert tags() == {}
    local_hub.faults.clear()
    assert tag_releases(hub).created == ("before-2026.01.20", "2026.01.20")
    assert {name: tag.sha for name, tag in tags().items()} == {"before-2026.01.20": base, "2026.01.20": first}
    assert tag_releases(hub).created == ()


def test_a_compaction_of_several_commits_is_released_by_its_last_one(
    hub: Dataset, write: Write, tags: Callable, text: Callable, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("govbr_assets.operations.compact.plan.COMMIT_FILES", 3)
    days = [f"2026-01-{day:02}" for day in range(1, 8)]
    write(day_shards(*days) | {"README.md": usual_card(None).encode()})
    revisions = compact_all(hub)
    assert len(revisions) > 2
    assert tags()["2026.01.20"].sha == revisions[-1]
    assert text("CHANGELOG.md").count("## ") == 1
    uncounted = ["As linhas serão contadas" in text("README.md", each) for each in revisions]
    assert uncounted == [True] * (len(revisions) - 1) + [False]


def test_files_that_are_deleted_by_later_commits_are_gone_when_a_release_is_tagged(
    hub: Dataset, write: Write, tags: Callable, local_hub: LocalHub, repo_id: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("govbr_assets.operations.compact.plan.COMMIT_FILES", 3)
    base = write({f"old/{day}.parquet": in_utc(rows(f"id-{day}", day=f"2026-01-0{day}")) for day in range(1, 9)})
    revisions = compact_all(hub)
    titles = [commit.title for commit in local_hub.store.commits(repo_id)]
    assert titles[0].startswith("Delete ")
    assert {name: tag.sha for name, tag in tags().items()} == {
        "before-2026.01.20": base,
        "2026.01.20": revisions[-1],
    }
    tree = local_hub.store.tree(repo_id, "2026.01.20")
    assert [path for path in tree if path.endswith("parquet")] == ["data/train-2026-00.parquet"]


def test_an_entry_is_made_anew_when_somebody_else_commits_first(
    hub: Dataset, write: Write, tags: Callable, text: Callable, local_hub: LocalHub
):
    write(day_shards("2026-01-14"))
    more = day_shards("2026-01-15") | {"CHANGELOG.md": b"# Log\n\n## Mine\n"}
    local_hub.faults.add(Fault("POST", "/commit/main$", call(lambda: write(more))))
    compact_all(hub)
    assert text("CHANGELOG.md").startswith("# Log\n\n## 2026.01.20\n\n- 2 linhas em 2 dias")
    assert text("CHANGELOG.md").endswith("\n\n## Mine\n")
    assert "2 linhas em 2 dias" in tags()["2026.01.20"].message


@pytest.mark.usefixtures("at_once")
def test_a_response_that_is_lost_makes_no_second_entry_and_no_second_tag(
    hub: Dataset, write: Write, tags: Callable, text: Callable, local_hub: LocalHub
):
    write(day_shards("2026-01-14"))
    local_hub.faults.add(Fault("POST", "/commit/main$", after(answer(500))))
    local_hub.faults.add(Fault("POST", TAG, after(answer(500))))
    compact_all(hub)
    assert {*tags()} == {"2026.01.20"}
    assert text("CHANGELOG.md").count("## 2026.01.20") == 1


BODY = f"# Mine\r\n\r\ntext\r\n{BEGIN}\r\nold\r\n{END}\r\n\r\nmore `{BEGIN}`"


@pytest.mark.parametrize("marks", [True, False])
def test_only_what_is_between_the_marks_of_a_card_changes(hub: Dataset, write: Write, text: Callable, marks: bool):
    body = BODY if marks else "# Mine\r\n\r\nno marks"
    front = "---\r\n# a comment\r\nlicense: mit # and one more\r\nsize_categories:\r\n- 1M<n<10M\r\n---\r\n"
    write(day_shards("2026-01-14", "2026-01-15") | {"README.md": (front + body).encode()})
    compact_all(hub)
    after = text("README.md")
    assert after.startswith("---\r\n# a comment\r\nlicense: mit # and one more\r\nsize_categories:\r\n- ")
    assert ("- n<1K\r\n" in after) == marks
    if not marks:
        assert after.endswith(f"---\r\n{body}")
        return
    begin, end = after.index(BEGIN), after.index(END)
    assert after[:begin].endswith("---\r\n# Mine\r\n\r\ntext\r\n")
    assert after[end:] == BODY[BODY.index(END) :]
    assert "| 2026 | 2 | 2 | 2026-01-14 | 2026-01-15 |\r\n" in after[begin:end]
    assert not re.search(r"[^\r]\n", after)


@pytest.mark.parametrize("body", [f"{BEGIN}\nno end\n", f"{END}\n{BEGIN}\n"])
def test_marks_that_are_no_pair_are_told_and_the_text_stays(hub: Dataset, write: Write, text: Callable, body: str):
    write(day_shards("2026-01-14") | {"README.md": f"---\nlicense: mit\n---\n{body}".encode()})
    (result,) = compact(hub, TODAY)
    (sentence,) = result.unwritten
    assert "The marks of govbr_assets in README.md" in sentence
    assert text("README.md").endswith(f"---\n{body}")


def test_a_changelog_of_somebody_elses_stays_byte_for_byte_and_one_that_is_no_text_is_left_alone(
    hub: Dataset, write: Write, tags: Callable, text: Callable, local_hub: LocalHub, repo_id: str
):
    theirs = "\ufeff# Log\r\n\r\n## [1.0]\r\n- x"
    write(day_shards("2026-01-14") | {"CHANGELOG.md": theirs.encode()})
    compact_all(hub)
    before, after = theirs.split("## [1.0]")
    assert text("CHANGELOG.md").startswith(f"{before}## 2026.01.20\r\n")
    assert text("CHANGELOG.md").endswith(f"## [1.0]{after}")
    write(day_shards("2026-01-21") | {"CHANGELOG.md": (latin := "# Histórico\n".encode("latin-1"))})
    (result,) = compact(hub, NEXT_WEEK)
    assert result.unwritten == ["CHANGELOG.md on the Hub is not UTF-8, so that it got no entry: save it as UTF-8."]
    assert local_hub.store.tree(repo_id)["CHANGELOG.md"].path.read_bytes() == latin
    assert tag_releases(hub).created == ("2026.01.27",)


def test_a_changelog_that_is_huge_is_neither_read_nor_sent(
    hub: Dataset, write: Write, tags: Callable, local_hub: LocalHub, repo_id: str
):
    huge = b"## 2025.01.01\n\n- x\n" * 500_000
    write(day_shards("2026-01-14") | {"CHANGELOG.md": huge})
    local_hub.faults.forget()
    (result,) = compact(hub, TODAY)
    assert result.unwritten == [
        f"CHANGELOG.md on the Hub has {len(huge)} bytes, so that it got no entry: move what is old in it to another"
        " file."
    ]
    assert tag_releases(hub).created == ("2026.01.20",)
    assert tags()["2026.01.20"].message == "2026.01.20"
    assert sum(each.sent for each in local_hub.faults.seen("GET", "")) < 1_000_000
    assert local_hub.store.tree(repo_id)["CHANGELOG.md"].path.read_bytes() == huge


def test_a_card_that_the_hub_would_reject_with_features_is_left_as_it_is(hub: Dataset, write: Write, text: Callable):
    card = usual_card(b"---\nlicense: mit\n---\n# News\n").text
    right = re.sub(r"dataset_info:\n(?:  .*\n)+", "", card).replace("license: mit", "license: no-such-licence")
    write(day_shards("2026-01-14") | {"README.md": right.encode()})
    compact_all(hub)
    assert text("README.md") == right


def test_a_new_card_counts_what_is_there_by_one_column_of_each_file(
    hub: Dataset, write: Write, text: Callable, local_hub: LocalHub
):
    write({"data/train-00000-of-00001.parquet": stranger.as_others_write(rows("a", "b", "c", day="2025-12-31"))})
    write(day_shards("2026-01-14"))
    compact_all(hub)
    card = text("README.md")
    assert "| 2025 | 3 | 1 | 2025-12-31 | 2025-12-31 |\n| 2026 | 1 | 1 | 2026-01-14 | 2026-01-14 |" in card
    assert "size_categories:\n- n<1K\n" in card
    metadata: dict[str, Any] = hub.client.head().metadata
    assert metadata["dataset_info"].keys() == {"features"}


def test_days_that_are_published_compacted_and_changed_are_counted_and_can_be_brought_back_by_their_tag(
    graph: Graph, tmp_path: Path
):
    graph.insert("a", "b", day="2026-01-14")
    graph.insert("c", day="2026-01-15")
    assert graph.run("2026-01-14", "2026-01-15", license_id="CC-BY-4.0").success
    card = graph.hub.client.content(graph.head, "README.md") or b""
    assert b"license: cc-by-4.0\n" in card
    assert "| 2026 | 3 | 2 | 2026-01-14 | 2026-01-15 |" in card.decode()
    first_day = compacted(graph)
    first = tags_of(graph)[first_day].sha
    graph.execute("UPDATE news SET title = 'Another' WHERE unique_id = 'a'", "DELETE FROM news WHERE unique_id = 'b'")
    graph.insert("d", "e", day="2026-01-16")
    assert graph.run("2026-01-14", "2026-01-16").success
    assert changes(graph) == ChangesSince(first_day, RowCounts(added=2, changed=1, removed=1))
    resources = {"hub": graph.resources()["hub"]}
    config = {"ops": {"put_data_files_back": {"config": {"revision": first_day}}}}
    assert jobs.rollback.execute_in_process(run_config=config, resources=resources).success
    assert sorted(id for ids in graph.ids().values() for id in ids) == ["a", "b", "c"]
    assert graph.hub.client.content(graph.head, "README.md")
    assert {file.content for file in graph.head.data_files} == {
        file.content for file in graph.hub.client.at(first).data_files
    }
    assert (changes(graph).counts, changes(graph).uncounted) == (None, 1)
    check_readers(graph, card.decode(), first_day, tmp_path)


def test_ids_that_change_have_one_entry_that_the_release_of_the_day_takes_the_place_of(graph: Graph):
    day = "2026-01-14"
    graph.insert("a", "b", "c", day=day)
    assert graph.run(day, checks=False).success

    def rename(id: str) -> list[str]:
        graph.execute(f"UPDATE news SET legacy_unique_id = unique_id, unique_id = 'new-{id}' WHERE unique_id = '{id}'")
        assert graph.run(day, checks=False).success
        return changelog(graph)

    assert "- Identificadores: 1 linha tem outro" in rename("a")[0]
    (of_ids,) = rename("b")
    assert "- Identificadores: 2 linhas têm outro" in of_ids
    name = compacted(graph)
    (released,) = changelog(graph)
    assert released.startswith(f"{name}\n\n- 3 linhas")
    assert "- Identificadores: 2 linhas têm outro" in released
    assert rename("c")[1:] == [released]
    assert changelog(graph)[0].startswith(f"{name}.1\n\n- Identificadores: 1 linha tem outro")
    graph.insert("d", day="2026-01-15")
    assert graph.run("2026-01-15", checks=False).success
    assert compacted(graph) == f"{name}.1"
    assert [entry.partition("\n")[0] for entry in changelog(graph)] == [f"{name}.1", name]
    assert "- Identificadores: 1 linha tem outro" in changelog(graph)[0]


def test_after_a_rollback_only_ids_that_change_again_are_told_and_of_no_earlier_release(graph: Graph):
    graph.insert("a", "b", day="2026-01-14")
    assert graph.run("2026-01-14", checks=False).success
    compacted(graph)
    before = graph.head.revision or ""
    graph.execute("UPDATE news SET legacy_unique_id = unique_id, unique_id = 'new-' || unique_id")
    assert graph.run("2026-01-14", checks=False).success
    assert "- Identificadores: 2 linhas" in changelog(graph)[0]
    name = compacted_with(graph, "c")
    config = {"ops": {"put_data_files_back": {"config": {"revision": before}}}}
    assert jobs.rollback.execute_in_process(run_config=config, resources={"hub": graph.resources()["hub"]}).success
    assert graph.run("2026-01-14", checks=False).success
    of_ids, released, *rest = changelog(graph)
    assert "- Identificadores: 2 linhas" in of_ids  # and not four
    assert released.startswith(name)
    again = compacted_with(graph, "d")
    entries = changelog(graph)
    assert entries[0].startswith(again)
    assert "- Identificadores desde a volta a uma versão anterior: 2 linhas têm outro" in entries[0]
    assert "ainda tem" not in entries[0]  # the release before had these ids
    assert entries[1:] == [released, *rest]


def test_without_release_tags_a_compaction_has_its_entry_and_no_tag(graph: Graph):
    graph.insert("a", day="2026-01-14")
    assert graph.run("2026-01-14", checks=False).success
    assert graph.compact(checks=False, release_tags="off").success
    assert tags_of(graph) == {}
    assert "CHANGELOG.md" in graph.head.files
    result = graph.compact(checks=False)
    (name,) = tags_of(graph)
    assert graph.metadata(result, "consolidated_dataset")[""]["tags"] == name
    result = graph.compact(checks=False, release_tags="no")
    assert "GOVBR_RELEASE_TAGS is 'no': write on or off" in str(result.all_events)


def check_readers(graph: Graph, card: str, tag: str, folder: Path) -> None:
    """Run the code that a card shows, and load each revision and tag: its rows, once each, of the published types."""
    store, read = graph.local_hub.store, HubReader(graph.local_hub.store, graph.repo_id)
    commits = [commit.sha for commit in store.commits(graph.repo_id)]
    revisions = [*(sha for sha in commits if "README.md" in store.tree(graph.repo_id, sha)), *tags_of(graph)]
    assert len(revisions) == len(commits)  # the first one has no rows, and there is one tag
    shown = "".join(re.findall(r"```python\n(.*?)```", card, re.DOTALL)).replace("AAAA.MM.DD", tag)
    assert shown.count("load_dataset(") == 3
    script = f"{shown}\nprint(dados.num_rows)\n{_LOAD_EACH}"
    told = readers.run(graph, folder / "hf", script, REVISIONS=" ".join(revisions)).splitlines()
    assert [line.count("'unique_id'") for line in told[:3]] == [1, 1, 1]
    assert told[3] == "3"
    for revision, (ids, types) in zip(revisions, map(json.loads, told[4:]), strict=True):
        assert ids == sorted(read.ids(store.history(graph.repo_id).commit_at(revision).sha))
        assert types == [str(each).replace("element", "item") for each in NEWS.schema.types]
    (sql,) = re.findall(r"```sql\n(.*?)```", card, re.DOTALL)
    local = sql.replace(f"hf://datasets/{graph.repo_id}", str(readers.download(graph, folder / "files", tag)))
    assert len(duckdb.execute(local).fetchall()) == 3
    assert len(duckdb.execute(local.replace("2026-01-01", "2026-01-15")).fetchall()) == 1


def compacted(graph: Graph) -> str:
    """Compact with all checks; return the release."""
    result = graph.compact()
    assert result.success
    metadata = graph.metadata(result, "consolidated_dataset")[""]
    assert metadata["tags_missing"] == ""
    return metadata["tags"]


def changelog(graph: Graph) -> list[str]:
    """Return the entries, the newest first, each with its heading."""
    content = graph.hub.client.content(graph.head, "CHANGELOG.md") or b""
    return content.decode().split("\n## ")[1:]


def compacted_with(graph: Graph, id: str) -> str:
    """Publish another row, and compact; return the release."""
    graph.insert(id, day="2026-01-16")
    assert graph.run("2026-01-16", checks=False).success
    return compacted(graph)


def tags_of(graph: Graph) -> dict[str, Tag]:
    return dict(graph.local_hub.store.history(graph.repo_id).tags.all())


def changes(graph: Graph) -> ChangesSince:
    """Say what a release would say now of what happened since the last one."""
    return changes_since(graph.hub, graph.head.revision or "", RowCounts())
