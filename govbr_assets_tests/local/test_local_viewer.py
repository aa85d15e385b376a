"""The local viewer over real HTTP: its grammar, its pages, its index that lags, and whom it turns away."""

import hashlib
import io
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from itertools import count
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
import requests
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from govbr_assets.errors import HubDeniedError, ViewerUncertainError
from govbr_assets.huggingface.viewer import Viewer
from govbr_assets.local.hub.access import Tokens
from govbr_assets.local.hub.actions import answer, cut
from govbr_assets.local.hub.changes import Delete, Operation, Put
from govbr_assets.local.hub.faults import Fault
from govbr_assets.local.hub.store import HubStore
from govbr_assets.local.viewer import LocalViewer
from govbr_assets.publications import NEWS
from govbr_assets_tests.tables import DAY, shard, usual_card

TOKENS = Tokens(write="hf_w", read="hf_r")
SHARD = f"data/train-{DAY}.parquet"
ODD = ["plain", "it's", "''", "'", 'a"b', "%", "_", "\\", "ção 🇧🇷\u00a0", "", " ", "true", "null", "1", "x' or '1'='1"]
_numbers = count()


class Repo:
    """A repo in the store, and the viewer's eyes on it."""

    def __init__(self, viewer: LocalViewer, store: HubStore, repo_id: str) -> None:
        self.viewer, self.store, self.id = viewer, store, repo_id
        self.index = viewer.index

    def put(self, path: str, content: pa.Table | bytes, **options: Any) -> Put:
        if isinstance(content, pa.Table):
            out = io.BytesIO()
            pq.write_table(content, out, **options)
            content = out.getvalue()
        sha256 = hashlib.sha256(content).hexdigest()
        with self.store.blobs.receive(sha256, len(content)) as incoming:
            incoming.write(content)
        blob = self.store.blobs.large(sha256)
        assert blob is not None
        return Put(path, blob)

    def commit(self, *operations: Operation) -> str:
        return self.store.commit(self.id, None, operations, "change").sha

    def publish(self, path: str, table: pa.Table, **options: Any) -> str:
        return self.commit(self.put(path, table, **options))

    def get(self, path: str = "/filter", token: str | None = None, **query: Any) -> requests.Response:
        asked = {"dataset": self.id, "config": "default", "split": "train", **query}
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return requests.get(self.viewer.url + path, params=asked, headers=headers, timeout=30)

    def ids(self, **query: Any) -> list[str]:
        response = self.get(**query)
        assert response.status_code == 200, response.text
        return [row["row"]["unique_id"] for row in response.json()["rows"]]


def code(response: requests.Response) -> tuple[int, str | None]:
    """Take what an error is recognised by, after a look at what all of them have in common."""
    assert list(response.json()) == ["error"]
    assert response.json()["error"]
    assert "X-Revision" not in response.headers
    return response.status_code, response.headers.get("X-Error-Code")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> HubStore:
    return HubStore(tmp_path_factory.mktemp("hub"))


@pytest.fixture(scope="module")
def viewer(store: HubStore) -> Iterator[LocalViewer]:
    with LocalViewer(store, tokens=TOKENS) as viewer:
        yield viewer


def new_repo(viewer: LocalViewer, store: HubStore) -> Repo:
    repo_id = f"org/news-{next(_numbers)}"
    store.create(repo_id)
    viewer.faults.clear()
    return Repo(viewer, store, repo_id)


@pytest.fixture
def repo(viewer: LocalViewer, store: HubStore) -> Repo:
    return new_repo(viewer, store)


@pytest.fixture(scope="module")
def odd(viewer: LocalViewer, store: HubStore) -> Repo:
    """A repo of texts that are hard to quote, with a number, a truth and a null."""
    repo = new_repo(viewer, store)
    columns = {
        "unique_id": ODD,
        "n": pa.array(range(len(ODD)), pa.int64()),
        "x": pa.array([n / 2 for n in range(len(ODD))], pa.float64()),
        "even": [n % 2 == 0 for n in range(len(ODD))],
        'a "name"': [None, *ODD[1:]],
    }
    repo.publish(SHARD, pa.table(columns))
    return repo


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ("\"unique_id\"='plain'", ["plain"]),
        ("\"unique_id\" = 'plain'", ["plain"]),
        ("(\"unique_id\"='plain')", ["plain"]),
        ("\"unique_id\"='it''s'", ["it's"]),
        ("\"unique_id\"=''''''", ["''"]),
        ("\"unique_id\"='x'' or ''1''=''1'", ["x' or '1'='1"]),
        ('"n"<2', ODD[:2]),
        ('"n"<=2', ODD[:3]),
        ('"n">12', ODD[13:]),
        ('"n">=12', ODD[12:]),
        ('"n"<>0 and "n"!=1 and "n"<4', ODD[2:4]),
        ('"x"=0.5', ODD[1:2]),
        ('"x">6 AND "even"=true', ODD[14:15]),
        ('"n"=1 or "n"=3 OR "n"=5', ODD[1:6:2]),
        ('"n"=1 Or "n"=3 and "even"=False', ODD[1:4:2]),
        ('("n"=1 or "n"=2) and "even"=true', ODD[2:3]),
        ('"even"=true and ("n"=1 or "n"=2)', ODD[2:3]),
        ('("n">3 and "n"<6) or ("n"=0)', [ODD[0], *ODD[4:6]]),
        ("\"a \"\"name\"\"\"='it''s'", ["it's"]),
        ('"unique_id"=null', []),
        ("\"unique_id\"='- -'", []),
    ],
)  # fmt: skip
def test_the_grammar_takes(odd: Repo, where: str, found: list[str]):
    assert odd.ids(where=where) == found


@pytest.mark.parametrize(
    "where",
    [
        "unique_id='plain'",
        "'plain'=\"unique_id\"",
        '"n"=-1',
        '"n"=1e3',
        '"n"=1.',
        '"n"="x"',
        '"n"==1',
        '"n" in (1,2)',
        '"n" between 1 and 2',
        'not "n"=1',
        '"n"=1 and not "n"=2',
        '"unique_id" is null',
        "\"unique_id\" like 'p%'",
        "\"unique_id\" ilike 'p%'",
        "\"unique_id\"='a'::varchar",
        "cast(\"n\" as varchar)='1'",
        "lower(\"unique_id\")='plain'",
        '"n"=1+1',
        '"n"=1  and  "n"=1',
        '"n"=1 xor "n"=2',
        '"n"=1 and',
        '"n"=1 ',
        '"n"=1\n',
        '"n"=1 union select 1',
        "\"unique_id\"='plain' 'x'",
        "\"unique_id\"='plain",
        "\"unique_id\"='it's'",
        "(\"n\"=1",
        '"n"=1)',
        '(("n"=1))',
        '("n"=1 or ("n"=2))',
        '("n"=1 or "n"=2)) and ("n"=3',
        ')"n"=1(',
        '"n"',
        "1=1",
        '""=1',
        "\"unique_id\"='a;b'",
        "\"unique_id\"='a--b'",
        "\"unique_id\"='a/*b'",
        "\"unique_id\"='a*/b'",
        '"n"=1; drop table x',
        '"n"=1 -- x',
        "\"unique_id\"='a\x00b'",
        '"n"=\u0661',
        '"nobody"=1',
        '"N"=1',
        '"__row_idx"=1',
        '"file_row_number"=1',
        "\"n\"='one'",
        "\"even\"='perhaps'",
    ],
)  # fmt: skip
def test_the_grammar_refuses(odd: Repo, where: str):
    assert code(odd.get(where=where)) == (422, "InvalidParameter")


@given(text=st.text(st.sampled_from("a'\"-;/*\\%_ ()=1\u00a0é🇧") | st.characters(codec="utf-8"), max_size=12))
@example(text="' or 1=1 or ''='")
@example(text="'; drop table x")
@example(text="''")
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_is_refused_by_the_rule_or_finds_exactly_the_rows_that_equal_it(odd: Repo, text: str):
    forbidden = any(each in text for each in (";", "--", "/*", "*/", "\x00"))
    response = odd.get(where="\"unique_id\"='{}'".format(text.replace("'", "''")))
    if forbidden:
        assert code(response) == (422, "InvalidParameter")
    else:
        assert [row["row"]["unique_id"] for row in response.json()["rows"]] == [each for each in ODD if each == text]


@given(text=st.text(st.sampled_from("\"n'=1<>() andortrue0."), max_size=14))
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_sent_the_answer_is_rows_or_a_refusal(odd: Repo, text: str):
    assert odd.get(where=text, orderby=text).status_code in (200, 422)
    assert odd.ids(where='"n"<2', length=5) == ODD[:2]


@pytest.mark.parametrize(
    ("order", "first"),
    [('"n"', 0), ('"n" ASC', 0), ('"n" desc', 14), ('"n" DESC', 14)],
)
def test_rows_come_in_the_order_asked_for(odd: Repo, order: str, first: int):
    found = odd.ids(orderby=order)
    assert found == (ODD if first == 0 else ODD[::-1])


def test_rows_of_equal_rank_keep_their_order(odd: Repo):
    assert odd.ids(orderby='"even"') == ODD[1::2] + ODD[::2]
    assert odd.ids(orderby='"even" desc') == ODD[::2] + ODD[1::2]


@pytest.mark.parametrize(
    "order", ["n", '"n" up', '"n", "x"', '"n" asc desc', '"nobody"', '"n";', '"n" desc nulls last', "1", '"n" --']
)
def test_an_order_that_is_none_is_refused(odd: Repo, order: str):
    assert code(odd.get(orderby=order)) == (422, "InvalidParameter")


@pytest.mark.parametrize(
    "query",
    [{"length": 101}, {"length": -1}, {"length": "ten"}, {"offset": -1}, {"offset": "1.0"}, {"offset": 10**30}],
    ids=str,
)
def test_a_page_outside_the_limits_is_refused(odd: Repo, query: dict[str, Any]):
    assert code(odd.get(**query)) == (422, "InvalidParameter")


def test_a_page_may_be_empty_and_still_counts_all_rows(odd: Repo):
    pages: list[dict[str, Any]] = [{"length": 0}, {"offset": 15}, {"offset": 10**9}]
    for query in pages:
        page = odd.get(**query).json()
        assert (page["rows"], page["num_rows_total"], page["num_rows_per_page"]) == ([], 15, 100)


@pytest.mark.parametrize("name", ["dataset", "config", "split"])
def test_a_missing_parameter_is_named(odd: Repo, name: str):
    left_out: dict[str, Any] = {name: None}
    response = odd.get(**left_out)
    assert code(response) == (422, "MissingRequiredParameter")
    assert name in response.json()["error"]


def test_an_address_of_more_than_8_kilobytes_is_too_long(odd: Repo):
    where = "\"unique_id\"='{}'"
    assert odd.ids(where=where.format("x" * 7900)) == []
    assert odd.get(where=where.format("x" * 8200)).status_code == 414


def test_a_page_has_the_shape_of_the_real_one(repo: Repo):
    revision = repo.publish(SHARD, shard(["a", "b"]))
    response = repo.get(offset=1)
    page = response.json()
    assert response.headers["X-Revision"] == revision
    assert sorted(page) == ["features", "num_rows_per_page", "num_rows_total", "partial", "rows"]
    assert page["partial"] is False
    assert [each["name"] for each in page["features"]] == NEWS.schema.names
    kinds = {each["name"]: each["type"] for each in page["features"]}
    assert kinds["published_at"] == {"dtype": "timestamp[us, tz=-03:00]", "_type": "Value"}
    assert kinds["tags"] == {"feature": {"dtype": "string", "_type": "Value"}, "_type": "List"}
    (row,) = page["rows"]
    assert (row["row_idx"], row["truncated_cells"]) == (1, [])
    expected = shard(["a", "b"]).slice(1).to_pylist()[0] | {"published_at": "2026-01-15T09:01:00-03:00"}
    assert row["row"] == expected


def test_a_zoned_time_keeps_its_offset_and_a_naive_one_has_none(repo: Repo):
    at = datetime.fromisoformat("2026-01-15T23:59:59.999999-03:00")
    stamp = pa.array([1_768_446_000_123_456_789], pa.timestamp("ns"))
    table = shard(["a"], at=at)
    repo.publish(SHARD, table.set_column(table.schema.get_field_index("extracted_at"), "extracted_at", stamp))
    row = repo.get().json()["rows"][0]["row"]
    assert row["published_at"] == "2026-01-15T23:59:59.999999-03:00"
    assert row["extracted_at"] == "2026-01-15T03:00:00.123456"


def instants(*texts: str) -> pa.Table:
    """Make a row for each instant, with the instant as its id."""
    rows = [shard([text], at=datetime.fromisoformat(text)) for text in texts]
    return pa.concat_tables(rows)


EDGES = [
    "2026-01-14T23:59:59.999999-03:00",
    "2026-01-15T00:00:00-03:00",
    "2026-01-15T12:00:00-03:00",
    "2026-01-15T23:59:59.999999-03:00",
    "2026-01-16T00:00:00-03:00",
]


@pytest.mark.parametrize("statistics", [True, False])
@pytest.mark.parametrize("files", ["one file", "a file each"])
def test_a_window_has_its_first_instant_and_not_its_last(repo: Repo, files: str, statistics: bool):
    tables = [instants(*EDGES)] if files == "one file" else [instants(each) for each in EDGES]
    paths = [f"data/train-{number}.parquet" for number in range(len(tables))]
    pairs = zip(paths, tables, strict=True)
    revision = repo.commit(*(repo.put(path, table, write_statistics=statistics) for path, table in pairs))
    assert Viewer(repo.viewer.url, repo.id).ids_of_day(DAY, revision) == EDGES[1:4]


@pytest.mark.parametrize(
    ("operator", "found"), [("=", 1), ("<>", 4), ("!=", 4), ("<", 1), ("<=", 2), (">", 3), (">=", 4)]
)
@pytest.mark.parametrize("midnight", ["2026-01-15T00:00:00-03:00", "2026-01-15 03:00:00", "2026-01-15T05:00:00+02:00"])
def test_an_offset_is_honoured_and_without_one_it_is_utc(repo: Repo, midnight: str, operator: str, found: int):
    repo.commit(*(repo.put(f"data/train-{n}.parquet", instants(each)) for n, each in enumerate(EDGES)))
    assert len(repo.ids(where=f"\"published_at\"{operator}'{midnight}'")) == found


@pytest.mark.parametrize("value", ["yesterday", "2026-13-01T00:00:00-03:00", "2026-02-30 00:00:00"])
def test_a_time_that_is_none_is_refused(repo: Repo, value: str):
    repo.publish(SHARD, shard(["a"]))
    assert code(repo.get(where=f"\"published_at\">='{value}'")) == (422, "InvalidParameter")


def test_either_of_two_windows_will_do(repo: Repo):
    repo.commit(*(repo.put(f"data/train-{n}.parquet", instants(each)) for n, each in enumerate(EDGES)))
    assert repo.ids(where=f"\"published_at\"<'{EDGES[1]}' or \"published_at\">='{EDGES[4]}'") == [EDGES[0], EDGES[4]]
    where = f"(\"published_at\"='{EDGES[0]}' or \"published_at\"='{EDGES[2]}') and \"published_at\">='{EDGES[1]}'"
    assert repo.ids(where=where) == [EDGES[2]]


def test_a_null_time_is_in_no_window_and_in_the_dataset(repo: Repo):
    table = shard(["a", "b"])
    nulls = pa.nulls(2, NEWS.schema.field("published_at").type)
    repo.publish(SHARD, table.set_column(2, NEWS.schema.field("published_at"), nulls))
    assert repo.ids() == ["a", "b"]
    assert repo.ids(where="\"published_at\">='1900-01-01T00:00:00-03:00'") == []
    assert repo.ids(where="\"published_at\">='1900-01-01T00:00:00-03:00' or \"unique_id\"='b'") == ["b"]


def test_sorted_pages_add_up_to_the_day(repo: Repo):
    names = [f"{(n * 7919) % 250:03}" for n in range(250)]
    tables = [shard(names[start::3]) for start in range(3)]
    revision = repo.commit(*(repo.put(f"data/train-{n}.parquet", each) for n, each in enumerate(tables)))
    pages = [repo.ids(orderby='"unique_id"', offset=offset) for offset in (0, 100, 200)]
    assert [len(page) for page in pages] == [100, 100, 50]
    assert [name for page in pages for name in page] == sorted(names)
    assert Viewer(repo.viewer.url, repo.id).ids_of_day(DAY, revision) == sorted(names)


def test_without_an_order_rows_come_by_the_names_of_their_files(repo: Repo):
    names = {"data/train-2026-01-16.parquet": "c", "data/train-2026-00.parquet": "a", SHARD: "b"}
    repo.commit(*(repo.put(path, shard([f"{name}2", f"{name}1"])) for path, name in names.items()))
    assert repo.ids() == ["a2", "a1", "b2", "b1", "c2", "c1"]
    rows = repo.get(where="\"unique_id\"='c1'").json()["rows"]
    assert [row["row_idx"] for row in rows] == [5]


def test_a_file_under_two_names_counts_twice(repo: Repo):
    repo.commit(*(repo.put(f"data/train-{n}.parquet", shard(["a", "b"])) for n in range(2)))
    assert repo.ids() == ["a", "b", "a", "b"]
    assert [row["row_idx"] for row in repo.get().json()["rows"]] == [0, 1, 2, 3]


def test_files_of_castable_schemas_are_one_dataset(repo: Repo):
    first = shard(["a"]).drop_columns(["video_url"]).append_column("video_url", pa.nulls(1))
    second = shard(["b"]).select(NEWS.schema.names[::-1])
    at = second.schema.get_field_index("video_url")
    second = second.set_column(at, "video_url", pa.array(["https://x"], pa.large_string()))
    third = shard(["c"]).drop_columns(["video_url"])
    tables = {"data/train-1.parquet": first, "data/train-2.parquet": second, "data/train-3.parquet": third}
    repo.commit(*(repo.put(path, table) for path, table in tables.items()))
    assert [row["row"]["video_url"] for row in repo.get().json()["rows"]] == [None, "https://x", None]
    assert repo.ids(where="\"video_url\"='https://x'") == ["b"]
    at = f"\"published_at\">='{DAY.start.isoformat()}'"
    assert repo.ids(where=f"{at} and \"unique_id\"='c' or \"video_url\"='none'") == ["c"]


def test_a_column_without_any_value_can_be_asked_for(repo: Repo):
    repo.publish(SHARD, pa.table({"unique_id": ["a"], "video_url": pa.nulls(1)}))
    assert repo.ids(where="\"video_url\"='x'") == []
    assert repo.get().json()["rows"][0]["row"] == {"unique_id": "a", "video_url": None}


@pytest.mark.parametrize("other", [pa.table({"unique_id": [1]}), b"PAR1 no Parquet PAR1"], ids=["schema", "content"])
def test_files_that_are_no_dataset_are_an_error_of_the_viewer(repo: Repo, other: pa.Table | bytes):
    repo.commit(repo.put("data/train-1.parquet", pa.table({"unique_id": ["a"]})), repo.put(SHARD, other))
    assert code(repo.get()) == (500, "UnexpectedApiError")


def test_the_card_says_which_files_are_the_dataset(repo: Repo):
    paths = ["data/train-1.parquet", "data/other.parquet", "old/train-1.parquet"]
    repo.commit(*(repo.put(path, shard([path])) for path in paths))
    assert sorted(repo.ids()) == sorted([paths[0], paths[2]])  # whose names are of a train split
    repo.commit(repo.put("README.md", usual_card(None).encode()))
    assert repo.ids() == paths[:1]
    card = "---\nconfigs:\n- config_name: default\n  data_files: old/*.parquet\n---\n"
    repo.commit(repo.put("README.md", card.encode()))
    assert repo.ids() == paths[2:]


def test_a_pattern_does_not_reach_into_folders(repo: Repo):
    repo.commit(*(repo.put(path, shard([path])) for path in ("data/a.parquet", "data/old/b.parquet")))
    card = "---\nconfigs:\n- config_name: default\n  data_files: data/*.parquet\n---\n"
    repo.commit(repo.put("README.md", card.encode()))
    assert repo.ids() == ["data/a.parquet"]
    card = "---\nconfigs:\n- config_name: default\n  data_files: data/**/*.parquet\n---\n"
    repo.commit(repo.put("README.md", card.encode()))
    assert repo.ids() == ["data/a.parquet", "data/old/b.parquet"]


@pytest.mark.parametrize("card", [b"---\n- a list\n---\n", b"\xff\xfe", b"---\nconfigs: 3\n---\n"], ids=str)
def test_what_nobody_thought_of_is_an_error_with_a_code_too(repo: Repo, card: bytes):
    repo.commit(repo.put("data/a.parquet", shard(["a"])), repo.put("README.md", card))
    assert code(repo.get()) == (500, "UnexpectedApiError")


def test_a_viewer_that_runs_is_healthy(viewer: LocalViewer):
    assert requests.get(f"{viewer.url}/healthcheck", timeout=5).text == "ok"


def test_a_second_commit_does_not_hide_that_the_first_is_being_indexed(repo: Repo):
    repo.publish("data/a.parquet", shard(["a"]))
    time.sleep(0.1)
    repo.viewer.index.lag(repo.id, stale=0.05, building=30)
    repo.publish("data/b.parquet", shard(["b"]))
    time.sleep(0.1)
    repo.publish("data/c.parquet", shard(["c"]))
    assert code(repo.get()) == (500, "ResponseNotReady")


def test_a_new_commit_is_seen_by_the_next_request(repo: Repo):
    for number in range(3):
        revision = repo.publish(f"data/train-{number}.parquet", shard([str(number)]))
        response = repo.get()
        assert response.headers["X-Revision"] == revision
        assert response.json()["num_rows_total"] == number + 1
    revision = repo.commit(Delete("data/train-1.parquet"))
    assert repo.ids() == ["0", "2"]
    assert repo.get("/size").headers["X-Revision"] == revision


def test_without_data_there_is_no_answer(repo: Repo):
    assert code(repo.get()) == (404, "ResponseNotFound")
    assert code(repo.get("/size")) == (404, "ResponseNotFound")
    repo.commit(repo.put("README.md", b"# News\n"))
    assert code(repo.get()) == (404, "ResponseNotFound")


@pytest.mark.parametrize("query", [{"config": "other"}, {"split": "test"}], ids=str)
def test_another_configuration_or_split_is_not_there(odd: Repo, query: dict[str, str]):
    assert code(odd.get(**query)) == (404, "ResponseNotFound")


def test_an_index_that_is_held_answers_from_the_old_revision(repo: Repo):
    old = repo.publish(SHARD, shard(["a"]))
    repo.index.hold(repo.id)
    new = repo.publish("data/train-2.parquet", shard(["b"]))
    assert repo.get().headers["X-Revision"] == repo.get("/size").headers["X-Revision"] == old
    assert repo.ids() == ["a"]
    with pytest.raises(ViewerUncertainError, match=f"revision {old}.*{new}"):
        Viewer(repo.viewer.url, repo.id).ids_of_day(DAY, new)
    repo.index.follow(repo.id)
    assert Viewer(repo.viewer.url, repo.id).ids_of_day(DAY, new) == ["a", "b"]


def test_an_index_under_construction_says_so_and_names_no_revision(repo: Repo):
    revision = repo.publish(SHARD, shard(["a"]))
    repo.index.not_ready(repo.id)
    for path in ("/filter", "/size"):
        response = repo.get(path)
        assert code(response) == (500, "ResponseNotReady")
        assert "Retry-After" not in response.headers
    with pytest.raises(ViewerUncertainError, match="ResponseNotReady"):
        Viewer(repo.viewer.url, repo.id).ids_of_day(DAY, revision)
    repo.index.follow(repo.id)
    assert repo.ids() == ["a"]


def test_a_partial_index_lacks_the_newest_files_and_admits_it(repo: Repo):
    names = [f"data/train-{n}.parquet" for n in range(4)]
    revision = repo.commit(*(repo.put(name, shard([name])) for name in names))
    size = repo.get("/size").json()["size"]["dataset"]["num_bytes_memory"]
    repo.index.limit(repo.id, size // 2)
    page, sizes = repo.get().json(), repo.get("/size").json()
    assert [row["row"]["unique_id"] for row in page["rows"]] == names[:2]
    assert page["partial"] is sizes["partial"] is True
    assert sizes["size"]["dataset"]["num_rows"] == 2
    with pytest.raises(ViewerUncertainError, match="only a part"):
        Viewer(repo.viewer.url, repo.id).ids_of_day(DAY, revision)
    repo.index.limit(repo.id, size)
    assert repo.get().json()["partial"] is False
    assert repo.ids() == names


def test_an_index_that_lags_is_stale_then_not_ready_then_fresh(repo: Repo):
    old = repo.publish(SHARD, shard(["a"]))
    time.sleep(0.9)
    repo.index.lag(repo.id, stale=0.4, building=0.4)
    assert repo.get("/size").headers["X-Revision"] == old
    new = repo.publish("data/train-2.parquet", shard(["b"]))
    seen: list[tuple[int, str | None]] = []
    deadline = time.monotonic() + 10
    while (not seen or seen[-1] != (200, new)) and time.monotonic() < deadline:
        response = repo.get("/size")
        state = response.status_code, response.headers.get("X-Revision")
        seen += [state] if state not in seen[-1:] else []
        time.sleep(0.02)
    assert seen == [(200, old), (500, None), (200, new)]


def test_a_lag_concerns_one_repo(repo: Repo, odd: Repo):
    repo.publish(SHARD, shard(["a"]))
    repo.index.lag(repo.id, stale=0, building=3600)
    assert code(repo.get()) == (500, "ResponseNotReady")
    assert odd.get().status_code == 200


def test_a_private_dataset_needs_a_valid_token(repo: Repo, store: HubStore):
    private = Repo(repo.viewer, store, f"{repo.id}-private")
    store.create(private.id, "private")
    revision = private.publish(SHARD, shard(["a"]))
    for path in ("/filter", "/size"):
        assert code(private.get(path)) == (401, "ExternalUnauthenticatedError")
        assert code(private.get(path, token="hf_other")) == (401, "ExternalUnauthenticatedError")
        assert private.get(path, token=TOKENS.read).status_code == 200
        assert private.get(path, token=TOKENS.write).status_code == 200
    with pytest.raises(HubDeniedError):
        Viewer(repo.viewer.url, private.id).ids_of_day(DAY, revision)
    assert Viewer(repo.viewer.url, private.id, TOKENS.read).ids_of_day(DAY, revision) == ["a"]


@pytest.mark.parametrize("name", ["org/none", "none", "a/b/c", "../..", "org/.."])
def test_a_missing_dataset_looks_to_strangers_as_a_private_one(repo: Repo, name: str):
    assert code(repo.get(dataset=name)) == (401, "ExternalUnauthenticatedError")
    assert code(repo.get(dataset=name, token=TOKENS.read)) == (404, "ResponseNotFound")


def test_a_wrong_token_is_refused_even_for_a_public_dataset(odd: Repo):
    assert code(odd.get(token="hf_other")) == (401, "ExternalUnauthenticatedError")
    assert odd.get(token=TOKENS.read).status_code == 200


def test_the_size_counts_what_is_indexed(repo: Repo):
    revision = repo.commit(*(repo.put(f"data/train-{n}.parquet", shard(["a", "b", "c"])) for n in range(2)))
    response = repo.get("/size")
    size = response.json()["size"]
    file_bytes = sum(blob.size for path, blob in repo.store.tree(repo.id).items() if path.startswith("data/"))
    assert response.headers["X-Revision"] == revision
    assert {key: response.json()[key] for key in ("pending", "failed", "partial")} == {
        "pending": [], "failed": [], "partial": False
    }  # fmt: skip
    assert size["dataset"]["dataset"] == repo.id
    assert size["dataset"]["num_bytes_original_files"] == size["dataset"]["num_bytes_parquet_files"] == file_bytes
    (split,), (config,) = size["splits"], size["configs"]
    assert (split["config"], split["split"], split["num_rows"], split["num_columns"]) == ("default", "train", 6, 24)
    assert config["num_rows"] == size["dataset"]["num_rows"] == 6
    assert size["dataset"]["num_bytes_memory"] > 0


def test_faults_stand_before_the_viewer(repo: Repo):
    revision = repo.publish(SHARD, shard(["a"]))
    asking = Viewer(repo.viewer.url, repo.id)
    failure = answer(500, headers={"X-Error-Code": "UnexpectedApiError"})
    for action in (failure, cut(after_bytes=40)):
        repo.viewer.faults.add(Fault("GET", "^/filter$", action))
        with pytest.raises(ViewerUncertainError):
            asking.ids_of_day(DAY, revision)
    assert asking.ids_of_day(DAY, revision) == ["a"]
    assert repo.viewer.faults.seen("GET", "^/filter$")[-1].status == 200


def test_what_a_condition_rules_out_is_not_opened_again(repo: Repo):
    days = [DAY.start - timedelta(days=n) for n in range(1, 300)]
    repo.commit(*(repo.put(f"data/train-{n:04}.parquet", shard([f"{n}"], at=at)) for n, at in enumerate(days)))
    assert len(repo.ids()) == 100
    for path, blob in repo.store.tree(repo.id).items():
        if path.startswith("data/"):
            blob.path.unlink()
    revision = repo.publish(SHARD, shard([f"{n:03}" for n in range(160)]))
    assert len(Viewer(repo.viewer.url, repo.id).ids_of_day(DAY, revision)) == 160
    assert code(repo.get(where="\"title\"='x'")) == (500, "UnexpectedApiError")


def test_requests_at_the_same_time_do_not_mix(odd: Repo):
    numbers = [n % len(ODD) for n in range(60)]
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda n: odd.ids(where=f'"n"={n}'), numbers))
    assert found == [[ODD[n]] for n in numbers]


@given(
    hours=st.lists(st.integers(-60, 60), min_size=1, max_size=12),
    bounds=st.lists(st.tuples(st.sampled_from(["=", "<>", "<", "<=", ">", ">="]), st.integers(-60, 60)), max_size=3),
    joint=st.sampled_from([" and ", " or "]),
)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_files_that_are_left_out_hold_no_row_that_was_asked_for(
    viewer: LocalViewer, store: HubStore, hours: list[int], bounds: list[tuple[str, int]], joint: str
):
    repo = new_repo(viewer, store)
    at = [DAY.start + timedelta(hours=hour) for hour in hours]
    tables = [
        pa.concat_tables([shard([str(n)], at=at[n]) for n in range(k, len(at), 4)]) for k in range(min(4, len(at)))
    ]
    repo.commit(*(repo.put(f"data/train-{k}.parquet", table) for k, table in enumerate(tables)))
    limits = [(operator, DAY.start + timedelta(hours=hour)) for operator, hour in bounds]
    where = joint.join(f"\"published_at\"{operator}'{limit.isoformat()}'" for operator, limit in limits)
    judge = {
        "=": pc.equal,
        "<>": pc.not_equal,
        "<": pc.less,
        "<=": pc.less_equal,
        ">": pc.greater,
        ">=": pc.greater_equal,
    }
    table = pa.concat_tables(tables)
    masks = [judge[operator](table["published_at"], pa.scalar(limit)) for operator, limit in limits]
    mask = pa.chunked_array([pa.array([True] * len(table))]) if not masks else masks[0]
    for other in masks[1:]:
        mask = (pc.and_ if joint == " and " else pc.or_)(mask, other)
    assert repo.ids(where=where) == table.filter(mask)["unique_id"].to_pylist()
