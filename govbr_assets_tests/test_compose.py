"""What `deploy/compose.yaml` and its `.env.example` say is what the package reads."""

import ast
import re
from pathlib import Path

import govbr_assets

PACKAGE = Path(govbr_assets.__file__).parent
DEPLOY = Path(__file__).parents[1] / "deploy"


def settings_read() -> set[str]:
    """Find the settings that the package reads, for each is named by a literal of its own."""
    files = [path for path in PACKAGE.rglob("*.py") if "local" not in path.relative_to(PACKAGE).parts]
    literals = {
        node.value
        for path in files
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    return {each for each in literals if re.fullmatch(r"GOVBR_[A-Z_]+|HF_TOKEN|HF_ENDPOINT", each)}


def settings_of_the_example() -> list[str]:
    return re.findall(r"^#?([A-Z_]+)=", (DEPLOY / ".env.example").read_text(), re.MULTILINE)


def test_the_example_has_a_line_for_each_setting():
    of_compose = set(re.findall(r"\$\{([A-Z_]+)", (DEPLOY / "compose.yaml").read_text()))
    named = settings_of_the_example()
    assert sorted(named) == sorted(settings_read() | of_compose)
