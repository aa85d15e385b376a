"""The documents say what the code does: links, settings, alerts, checks, tests and files that they name are there."""

import ast
import re
from functools import cache
from types import SimpleNamespace

import pytest

from govbr_assets import publications
from govbr_assets.core.columns import Column, Join
from govbr_assets.core.projection import RowFilter
from govbr_assets.definitions import defs
from govbr_assets.local.hub.faults import Faults
from govbr_assets_tests.documents.markdown import ROOT, Document, benchmarks, documents

PACKAGE = ROOT / "govbr_assets"
TESTS = ROOT / "govbr_assets_tests"
PRODUCT = sorted(path for path in PACKAGE.rglob("*.py") if "local" not in path.relative_to(PACKAGE).parts)
NAMES = sorted(documents())


@cache
def sources() -> str:
    """The code of the product."""
    return "\n".join(path.read_text() for path in PRODUCT)


@cache
def named_tests() -> set[str]:
    """The names of all tests, and of the files that they are in."""
    paths = sorted(TESTS.rglob("*.py"))
    found = {name for path in paths for name in re.findall(r"def (test_\w+)", path.read_text())}
    return found | {path.name for path in paths}


@pytest.mark.parametrize("name", NAMES)
def test_every_link_leads_somewhere(name: str):
    document = documents()[name]
    for link in document.links:
        if re.match(r"https?://", link):
            continue
        path, _, anchor = link.partition("#")
        target = (document.path.parent / path).resolve() if path else document.path
        assert target.exists(), link
        assert not anchor or anchor in Document(target).anchors, link


@pytest.mark.parametrize("name", ["README.md", "README.pt-BR.md"])
def test_the_readme_is_read_in_five_minutes(name: str):
    assert len((ROOT / name).read_text("utf-8").splitlines()) <= 150


@pytest.mark.parametrize("name", ["README", "docs/moving-a-dataset"])
def test_both_languages_have_the_same_commands_links_and_tables(name: str):
    english, portuguese = documents()[f"{name}.md"], documents()[f"{name}.pt-BR.md"]
    assert [*english.commands, *english.mentions] == [*portuguese.commands, *portuguese.mentions]
    assert [block.language for block in english.blocks] == [block.language for block in portuguese.blocks]
    assert len(english.anchors) == len(portuguese.anchors)
    local, here = (
        {link.replace(".pt-BR", "") for link in each.links if not link.startswith("README")}
        for each in (english, portuguese)
    )
    assert here == local


def settings_read() -> set[str]:
    """Names of our settings that the product reads."""
    nodes = (node for path in PRODUCT for node in ast.walk(ast.parse(path.read_text())))
    texts = {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    return {text for text in texts if re.fullmatch(r"GOVBR_[A-Z_]*[A-Z]", text)}


def defaults() -> dict[str, str]:
    """Defaults of settings that are literals where they are read: `setting(name, default)`, or `... or default`."""
    found = dict[str, str]()
    for node in ast.walk(ast.parse((PACKAGE / "definitions.py").read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "setting":
            values = [each.value for each in node.args if isinstance(each, ast.Constant)]
            found |= {f"{values[0]}": f"{values[1]}"} if len(values) == 2 else {}
        if isinstance(node, ast.BoolOp) and isinstance(node.values[-1], ast.Constant) and node.values[-1].value:
            names = re.findall(r"EnvVar\('(GOVBR_\w+)'\)", ast.unparse(node.values[0]))
            found |= dict.fromkeys(names, f"{node.values[-1].value}")
    return found


def test_every_setting_that_is_read_is_documented_with_its_default_and_an_example():
    rows = {row[0].strip("`"): row[1:] for row in documents()["docs/settings.md"].rows("setting", "default")}
    ours = {name: row for name, row in rows.items() if name.startswith("GOVBR_")}
    assert settings_read() == set(ours)
    assert len(defaults()) > 5
    for name, (default, example, text) in ours.items():
        literal = defaults().get(name)
        assert literal is None or default == f"`{literal}`", name
        assert example.startswith("`")
        assert text, name


def test_what_can_be_seen_in_the_ui_is_explained():
    text = (ROOT / "docs/operating.md").read_text()
    checks = {key.name for each in defs.asset_checks or [] for key in each.check_keys}
    names = {
        *checks,
        *(each.name for each in defs.schedules or []),
        *(each.name for each in defs.sensors or []),
        *(each.name for each in defs.jobs or []),
    }
    assert not {name for name in names if f"`{name}`" not in text}
    told = {name for row in documents()["docs/operating.md"].rows("check") for name in re.findall(r"`(\w+)`", row[0])}
    assert checks <= told


def test_alerts_are_quoted_as_they_are_sent():
    quoted = [
        text for row in documents()["docs/operating.md"].rows("alert") for text in re.findall(r"`([^`]+)`", row[0])
    ]
    assert len(quoted) > 5
    code = re.sub(r'"\s+f?"', "", sources())  # sentences over several lines
    for text in quoted:
        parts = [part.strip() for part in text.split("...") if part.strip()]
        assert all(part.replace("this sensor", "this {kind}") in code for part in parts), text
    assert code.count(" Alert(") <= len(quoted) + 1  # one function makes all that are late


@pytest.mark.parametrize("name", NAMES)
def test_tests_and_files_that_are_named_are_there(name: str):
    for text in documents()[name].inline_code:
        if found := re.fullmatch(r"(?:\w+/)*(test_\w+(?:\.py)?)(\*|_?\.\.\.)?", text):
            test = found[1]
            assert any(each.startswith(test) if found[2] else each == test for each in named_tests()), text
        elif re.fullmatch(r"[\w./-]+/[\w.-]+\.(py|sql|yaml|toml)", text):
            assert any((root / text).exists() for root in (ROOT, PACKAGE, PACKAGE / "local")), text


def test_every_benchmark_is_documented():
    text = (ROOT / "docs/benchmarks.md").read_text()
    assert not {name for name in benchmarks() if f"BENCH={name}" not in text}


def test_code_in_the_documents_runs():
    blocks = [block.text for each in documents().values() for block in each.blocks if block.language == "python"]
    known = {"Column": Column, "Join": Join, "RowFilter": RowFilter, "local_hub": SimpleNamespace(faults=Faults())}
    ran = [exec(text, vars(publications) | known) for text in blocks if "load_dataset" not in text]
    assert len(ran) > 3
    assert len(blocks) - len(ran) <= 1  # `test_release.py` loads a dataset by its tags
