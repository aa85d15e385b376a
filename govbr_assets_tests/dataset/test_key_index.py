"""The index of keys answers as plain dictionaries of the same files do, from snapshot to snapshot."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from govbr_assets.core.identity import hashes
from govbr_assets.dataset.key_index import KeyIndex

Content = tuple[str | None, ...]
File = tuple[str, Content]  # a path and what it holds: the same path with other rows is another file

IDS = [f"id{number}" for number in range(6)]
contents = st.lists(st.none() | st.sampled_from(IDS), max_size=6).map(tuple)
snapshots = st.lists(st.dictionaries(st.sampled_from("abcd"), contents, max_size=4), min_size=1, max_size=6)
asked = st.lists(st.sampled_from([*IDS, "nowhere"]), unique=True)


class Files:
    """Streams the keys of files, and counts how often."""

    def __init__(self) -> None:
        self.read = Counter[File]()

    def keys(self, file: File) -> Iterator[pa.Table]:
        self.read[file] += 1
        _, content = file
        if "broken" in content:
            raise ValueError(file)
        for start in range(0, len(content), 2):
            yield pa.table(
                {"published_at": [0] * len(content[start : start + 2]), "unique_id": content[start : start + 2]}
            )


def held(files: Sequence[File]) -> dict[str | None, list[File]]:
    """List by id the files that hold it, each as often as it does."""
    found: dict[str | None, list[File]] = {}
    for file in files:
        for each in file[1]:
            found.setdefault(each, []).append(file)
    return found


def in_order(found: Mapping[str | None, list[File]]) -> dict[str | None, list[File]]:
    return {each: sorted(files, key=repr) for each, files in found.items()}


@pytest.fixture(params=["hashes differ", "all ids have one hash"], scope="module")
def patched(request: pytest.FixtureRequest) -> Iterator[None]:
    """Everything goes to the disk, a few rows at a time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("govbr_assets.dataset.key_index._IN_MEMORY", 0)
        patch.setattr("govbr_assets.io.partitioned._TOGETHER", 3)
        if request.param != "hashes differ":
            one = pa.scalar(7, pa.int64())
            patch.setattr("govbr_assets.dataset.key_index.hashes", lambda ids: pa.repeat(one, len(ids)))
        yield


@settings(max_examples=60, deadline=None)
@given(snapshots=snapshots, ids=asked, data=st.data())
def test_from_snapshot_to_snapshot_it_answers_as_a_dictionary_and_reads_only_the_files_that_differ(
    patched: None, snapshots: list[dict[str, Content]], ids: list[str], data: st.DataObject
):
    files = Files()
    index, before = KeyIndex(files.keys), set[File]()
    for snapshot in snapshots:
        now, read = list(snapshot.items()), files.read.copy()
        index.keep_only(now)
        index.add(now)
        assert files.read - read == Counter(set(now) - before)
        some = data.draw(st.lists(st.sampled_from(now), unique=True)) if now else []
        located = index.locate(pa.array(ids, pa.string()), some)
        assert in_order({**located}) == in_order({each: found for each, found in held(some).items() if each in ids})
        twice = {each: found for each, found in held(now).items() if len(found) > 1}
        assert in_order(dict(index.duplicates())) == in_order(twice)
        others = [file for file in now if file not in some]
        assert index.missing(some, others) == len(held(some).keys() - held(others).keys())
        assert index.rows(some) == sum(len(content) for _, content in some)
        before = set(now)


def test_files_that_are_only_asked_about_are_read_once_and_a_failure_leaves_the_index_as_it_was():
    files, ids = Files(), pa.array(["x", "y"])
    index = KeyIndex(files.keys)
    one, two, broken = ("one", ("x", "x")), ("two", ("y",)), ("three", ("x", "broken"))
    assert index.locate(ids, [one]) == {"x": [one, one]}
    with pytest.raises(ValueError, match="three"):
        index.locate(ids, [two, broken])
    assert index.locate(ids, [one, two]) == {"x": [one, one], "y": [two]}
    assert files.read == {one: 1, two: 2, broken: 1}


def test_hashes_of_ids_are_the_same_in_every_process_and_null_is_no_empty_text():
    found = hashes(pa.chunked_array([["a", None], ["", "a"]])).to_pylist()
    assert found[0] == found[3] == -1817709641818812897
    assert len(set(found)) == 3
