"""Every command in every document is run by a test that is named here, or read by one. Another one is a failure."""

import re
import shlex
import subprocess
import sys

import click
import pytest

from govbr_assets.cli.main import commands
from govbr_assets_tests.documents.markdown import ROOT, SHELL, benchmarks, documents

LANGUAGES = {*SHELL, "dockerfile", "hcl", "html", "ini", "json", "markdown", "python", "sql", "text", "toml", "yaml"}
"""What a block may be in. One in no language could be a command that is not seen here."""

RUN_IN_ORDER = re.compile(
    r"(?:echo '[^']+' \| )?"
    r"(?:dagster (?:asset materialize|job execute) .+|dg launch .+|hf repos tag .+|govbr-assets (?!\w+ --help).+)"
)
"""What `test_run_in_order` runs, one after another as they stand in the documents."""

TESTS = re.compile(r"(?:\w+=\d+ )?\.venv/bin/python -m pytest((?: -x| -q| -k \w+| govbr_assets_tests\S*)+)")
"""Parts of the suite, which runs all of them."""

RUN_BY = {
    "cp deploy/.env.example deploy/.env": "test_compose.py::test_the_example_has_a_line_for_each_setting",
    "dagster dev -w workspace.yaml": "test_cli.py::test_a_backfill_launched_in_the_ui_publishes_its_days_in_one_run",
    "docker build --file deploy/Dockerfile --tag govbr-assets .": "image/build.py::build",  # by buildah
    "docker compose --file deploy/compose.yaml up --build --detach": (
        "image/test_compose.py::test_a_day_is_published_by_the_services"
    ),
    "docker run --rm --read-only --env-file deploy/.env --memory 2g govbr-assets mend": (
        "image/test_image.py::test_mend_publishes_all_of_postgres_within_two_gigabytes"
    ),
    "make check": ".ci/run",
    "make demo": ".ci/run",
    "make dev": "local/test_local_dev.py::test_it_serves_stops_with_everything_and_keeps_its_data",
    "make image": "image/test_image.py::test_it_has_no_compiler_and_no_pip_and_its_user_is_not_root",
    "make test": ".ci/run",
    "make test-slow": ".ci/run",
}
"""Commands that are run elsewhere: in the suite by a test, or by `.ci/run`, on a clean checkout."""

_CLOUD_RUN = "documents/test_recipes.py::test_the_commands_for_cloud_run_name_what_terraform_declares"
_SYSTEMD = "documents/test_recipes.py::test_the_commands_for_systemd_name_what_the_units_name"

READ_BY = {
    **dict.fromkeys(("docker build --platform ", "docker push ", "gcloud ", "terraform -chdir="), _CLOUD_RUN),
    **dict.fromkeys(("/opt/govbr/bin/pip ", "cp deploy/recipes/systemd/", "install -m 600 "), _SYSTEMD),
    **dict.fromkeys(("python3 -m venv /opt/", "systemctl "), _SYSTEMD),
}
"""How commands begin that nobody runs, for they need an account or change the machine: a test compares them."""

COMMANDS = sorted({(command, name) for name, each in documents().items() for command in each.commands})
MENTIONS = sorted({(command, name) for name, each in documents().items() for command in each.mentions})


def settings() -> set[str]:
    """The settings that are documented, ours and others'."""
    rows = documents()["docs/settings.md"].rows("setting", "default")
    return {name for row in rows for name in re.findall(r"`(\w+)`", row[0])}


def problem(command: str) -> str:
    """Say what is wrong with a command; nothing, if it is run or what it names is there."""
    if command.startswith("govbr-assets "):
        return _called_wrongly(shlex.split(command, comments=True)[1:])
    if RUN_IN_ORDER.fullmatch(command) or command in RUN_BY:
        return ""
    if command.startswith(tuple(READ_BY)):
        return ""
    if exported := re.fullmatch(r"export ((?:\w+=\S+ ?)+)", command):
        unknown = set(re.findall(r"(\w+)=", exported[1])) - settings()
        return f"there is no {unknown} in docs/settings.md" if unknown else ""
    if benched := re.fullmatch(r"make bench(?: BENCH=(\w+|\.\.\.))?(?: AGAINST=\S+)?", command):
        return "" if benched[1] in {None, "...", *benchmarks()} else "there is no such benchmark"
    if tested := TESTS.fullmatch(command):
        paths = re.findall(r"govbr_assets_tests\S*", tested[1])
        return "".join(f"there is no {path}; " for path in paths if not any(ROOT.glob(path)))
    if re.fullmatch(r"pip install -c constraints\.txt (?:\.|'\.\[[a-z0-9,]+\]')", command):
        return ""  # `test_what_is_to_be_installed_can_be` runs them
    return "nobody runs it"


def _called_wrongly(words: list[str]) -> str:
    """Say why our own command cannot be called so; what it does, `test_run_in_order` and the tests of `cli` run."""
    words = words[: words.index(">")] if ">" in words else words
    try:
        with commands.make_context("govbr-assets", words) as context:
            name, command, rest = commands.resolve_command(context, [*context._protected_args, *context.args])
            assert command
            command.make_context(name, rest).close()
    except click.exceptions.Exit:  # --help
        return ""
    except click.UsageError as error:
        return error.format_message()
    return ""


def test_every_command_of_every_document_is_run_or_names_what_is_there():
    known = [command for command, _ in COMMANDS]
    begun = [each for each in MENTIONS if not any(command.startswith(f"{each[0]} ") for command in known)]
    wrong = [f"{name}: `{command}`: {why}" for command, name in [*COMMANDS, *begun] if (why := problem(command))]
    assert not wrong, "\n".join(wrong)
    assert min(len(COMMANDS), len(MENTIONS)) > 20


def test_what_is_to_be_installed_can_be():
    wanted = {command.removeprefix("pip ") for command, _ in (*COMMANDS, *MENTIONS) if command.startswith("pip ")}
    assert wanted
    for words in sorted(wanted):
        options = ["--dry-run", "--no-deps", "--no-build-isolation", "--no-index", "--disable-pip-version-check"]
        command = [sys.executable, "-m", "pip", *shlex.split(words), *options]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert "does not provide" not in done.stderr
        assert "Would install govbr_assets" in done.stdout


def test_every_block_says_its_language():
    blocks = [(name, block) for name, each in documents().items() for block in each.blocks]
    wrong = [(name, block.text) for name, block in blocks if block.language not in LANGUAGES]
    assert not wrong


@pytest.mark.parametrize("place", sorted({*RUN_BY.values(), *READ_BY.values()}))
def test_what_runs_them_is_there(place: str):
    path, _, name = place.partition("::")
    if not name:
        words = set((ROOT / path).read_text().split())
        assert {command.split()[1] for command, by in RUN_BY.items() if by == path} <= words
    else:
        assert f"def {name}(" in (ROOT / "govbr_assets_tests" / path).read_text()
