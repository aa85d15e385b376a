"""The recipes in deploy/recipes: each is read by a parser of its format, and says what the others and the code say."""

import ast
import re
import shutil
import subprocess
import sys
from configparser import ConfigParser
from pathlib import Path
from typing import Any

import hcl2
import pytest
import yaml

from govbr_assets_tests.documents.markdown import ROOT, documents
from govbr_assets_tests.documents.test_commands import settings

RECIPES = ROOT / "deploy" / "recipes"
WORKFLOWS = sorted((RECIPES / "github-actions").glob("*.yml"))
TERRAFORM = (RECIPES / "cloud-run" / "main.tf").read_text()
DAG = (RECIPES / "composer" / "govbr_mend.py").read_text()

# Source: apache-airflow-providers-google, airflow/providers/google/cloud/operators/cloud_run.py.
NEEDED = {"project_id", "region", "job_name"}
OPTIONAL = {
    "overrides",
    "polling_period_seconds",
    "timeout_seconds",
    "gcp_conn_id",
    "impersonation_chain",
    "deferrable",
}

# Source: systemd.unit(5), systemd.service(5), systemd.exec(5), systemd.resource-control(5), systemd.timer(5).
UNIT_KEYS = {
    "Unit": {"Description", "Wants", "After", "OnFailure"},
    "Service": {
        *("Type", "ExecStart", "TimeoutStartSec", "EnvironmentFile", "Environment", "DynamicUser", "StateDirectory"),
        *("WorkingDirectory", "MemoryMax", "NoNewPrivileges", "ProtectSystem", "ProtectHome"),
    },
    "Timer": {"OnCalendar", "Persistent", "RandomizedDelaySec"},
    "Install": {"WantedBy"},
}


def test_workflows_are_what_github_takes():
    words = ["check_jsonschema", "--builtin-schema", "vendor.github-workflows", *map(str, WORKFLOWS)]
    words += map(str, sorted((ROOT / ".github" / "workflows").glob("*.yml")))
    done = subprocess.run([sys.executable, "-m", *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_a_workflow_has_one_way_to_a_token_and_settings_that_there_are(path: Path):
    workflow: dict[Any, Any] = yaml.safe_load(path.read_text())
    job = workflow["jobs"]["mend"]
    variables = job["env"]
    assert set(variables) <= settings()
    trusted = "HF_OIDC_RESOURCE" in variables
    assert trusted == (workflow["permissions"].get("id-token") == "write") == ("HF_TOKEN" not in variables)
    assert not trusted or variables["HF_OIDC_RESOURCE"] == f"datasets/{variables['GOVBR_REPO_ID']}"
    assert job["timeout-minutes"] < (60 if trusted else 360)
    assert workflow[True]["schedule"] == [{"cron": "15 6 * * *"}]  # YAML 1.1 reads `on` as true


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
@pytest.mark.parametrize("approved", ["", "3700", "1; exit 3"])
def test_a_workflow_calls_mend_with_the_removals_that_whoever_starts_it_approves(
    path: Path, approved: str, tmp_path: Path
):
    steps = yaml.safe_load(path.read_text())["jobs"]["mend"]["steps"]
    assert not any("${{" in step.get("run", "") for step in steps)
    (step,) = [step for step in steps if "govbr-assets" in step.get("run", "")]
    (variable,) = step["env"]
    program = tmp_path / "govbr-assets"
    program.write_text("#!/bin/sh\nprintf '%s\\n' \"$@\"\n")
    program.chmod(0o755)
    environment = {"PATH": f"{tmp_path}:/usr/bin:/bin", variable: approved}
    done = subprocess.run(
        ["bash", "-e", "-c", step["run"]], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines() == (["mend", "--allow-removals", approved] if approved else ["mend"])


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_a_workflow_stores_its_records_under_the_same_key_whatever_mend_says(path: Path):
    steps = yaml.safe_load(path.read_text())["jobs"]["mend"]["steps"]
    (restore,) = [step for step in steps if step.get("uses", "").startswith("actions/cache/restore@")]
    save = steps[-1]
    assert save["uses"].startswith("actions/cache/save@")
    assert save["if"] == "always()"
    assert save["with"] == {name: restore["with"][name] for name in ("path", "key")}


def test_terraform_is_terraform_and_names_only_what_it_declares():
    parsed = hcl2.loads(TERRAFORM)
    plain = re.sub(r'"', "", str(parsed))
    declared = set(re.findall(r'^resource "(\w+)" "(\w+)"', TERRAFORM, re.MULTILINE))
    variables = set(re.findall(r'^variable "(\w+)"', TERRAFORM, re.MULTILINE))
    assert {"google_cloud_run_v2_job", "google_cloud_scheduler_job"} <= {kind for kind, _ in declared}
    assert set(re.findall(r"\bvar\.(\w+)", plain)) == variables
    assert set(re.findall(r"\b(google_\w+)\.(\w+)", plain)) <= declared
    named = set(re.findall(r'"?((?:GOVBR|HF)_[A-Z_]+)"?', TERRAFORM))
    optional = {"GOVBR_REDUCED_REPO_ID", "GOVBR_ALLOW_REMOVALS"}
    assert {"GOVBR_POSTGRES_URL", "GOVBR_REPO_ID", "GOVBR_STORAGE_URL", "HF_TOKEN", *optional} == named <= settings()
    if terraform := shutil.which("terraform"):
        command = [terraform, "fmt", "-check", "-", "-no-color"]
        done = subprocess.run(command, input=TERRAFORM, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout


# The service that has to be enabled for resources whose names begin so.
SERVICES = {
    "google_artifact": "artifactregistry",
    "google_cloud_run": "run",
    "google_cloud_scheduler": "cloudscheduler",
    "google_project": "sqladmin",  # the role of the client of Cloud SQL
    "google_secret": "secretmanager",
    "google_service": "iam",
    "google_storage": "storage",
}


def test_the_commands_for_cloud_run_name_what_terraform_declares():
    document = documents()["docs/deploying.md"]
    commands = [each for each in document.commands if re.match("gcloud|docker|terraform", each)]
    text, kinds = "\n".join(commands), re.findall(r'^resource "(\w+)"', TERRAFORM, re.MULTILINE)
    needed = {next(service for prefix, service in SERVICES.items() if kind.startswith(prefix)) for kind in kinds}
    enabled = {*re.findall(r"(\w+)\.googleapis\.com", text)}
    assert enabled == needed | {"artifactregistry", "compute"}  # where the image is, and the subnetwork
    (folder,) = {*re.findall(r"-chdir=(\S+)", text)}
    assert (ROOT / folder / "main.tf").read_text() == TERRAFORM
    (secrets,) = re.findall(r"-target=google_secret_manager_secret\.(\w+)", text)
    assert f'resource "google_secret_manager_secret" "{secrets}"' in TERRAFORM
    (values,) = re.findall(r"secrets = \{(.*)\}", TERRAFORM)
    assert re.findall(r"secrets versions add (\S+)", text) == re.findall(r'"([\w-]+)"', values)
    (job,) = re.findall(r"jobs execute (\S+)", text)
    assert f'name     = "{job}"' in TERRAFORM
    given = hcl2.loads(next(block.text for block in document.blocks if block.language == "hcl"))
    given = {name: f"{value}".strip('"') for name, value in given.items()}
    declared = dict(re.findall(r'^variable "(\w+)" \{\n(.*?)^\}', TERRAFORM, re.MULTILINE | re.DOTALL))
    assert {name for name, body in declared.items() if "default" not in body} <= set(given) <= set(declared)
    assert {*re.findall(r"(?:--tag|docker push) (\S+)", text)} == {given["image"]}
    (region,) = re.findall(r'default = "(.*)"', declared["region"])
    assert {*re.findall(r"--(?:location|region)=(\S+)", text)} == {region}
    assert given["image"].startswith(f"{region}-docker.pkg.dev/{given['project']}/")


def test_the_commands_for_systemd_name_what_the_units_name():
    commands = documents()["docs/deploying.md"].commands
    service = (RECIPES / "systemd" / "govbr-mend.service").read_text()
    (environment,) = [each.removeprefix("python3 -m venv ") for each in commands if each.startswith("python3 -m venv ")]
    assert f"ExecStart={environment}/bin/govbr-assets mend\n" in service
    assert f"{environment}/bin/pip install -c constraints.txt ." in commands
    (settings_of_it,) = [each.split()[-1] for each in commands if each.startswith("install -m 600 /dev/null ")]
    assert f"EnvironmentFile={settings_of_it}\n" in service
    (copied,) = [each.split()[1:-1] for each in commands if each.startswith("cp deploy/recipes/systemd/")]
    assert {ROOT / each for each in copied} == {*(RECIPES / "systemd").iterdir()}
    (enabled,) = [each.split()[-1] for each in commands if each.startswith("systemctl enable --now ")]
    assert "WantedBy=" in (RECIPES / "systemd" / enabled).read_text()


def test_the_dag_calls_its_operator_as_the_provider_declares_it_and_starts_the_job_of_terraform():
    tree = ast.parse(DAG)
    imported = {
        alias.name: node.module for node in tree.body if isinstance(node, ast.ImportFrom) for alias in node.names
    }
    assert imported["CloudRunExecuteJobOperator"] == "airflow.providers.google.cloud.operators.cloud_run"
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)]
    (called,) = [node for node in calls if ast.unparse(node.func) == "CloudRunExecuteJobOperator"]
    given = {f"{each.arg}": ast.literal_eval(each.value) for each in called.keywords}
    assert NEEDED | {"task_id"} <= set(given) <= NEEDED | OPTIONAL | {"task_id"}
    assert not called.args
    assert f'name     = "{given["job_name"]}"' in TERRAFORM
    assert len([line for line in DAG.splitlines() if line and not line.startswith('"""')]) <= 15


@pytest.mark.parametrize("kind", ["service", "timer"])
def test_units_are_what_systemd_takes(kind: str, tmp_path: Path):
    path = RECIPES / "systemd" / f"govbr-mend.{kind}"
    unit = ConfigParser(interpolation=None, delimiters=("=",), comment_prefixes=("#",))
    unit.optionxform = str  # pyright: ignore[reportAttributeAccessIssue] - keys keep their letters
    unit.read_string(path.read_text())
    assert all(set(unit[section]) <= UNIT_KEYS[section] for section in unit.sections())
    assert kind == "timer" or unit["Service"]["ExecStart"].endswith("/govbr-assets mend")
    if analyze := shutil.which("systemd-analyze"):
        program = tmp_path / "govbr-assets"  # a path of Python may have blanks, of which systemd makes words
        program.symlink_to(sys.executable)
        for each in path.parent.iterdir():
            there = each.read_text().replace("/opt/govbr/bin/govbr-assets", str(program))
            (tmp_path / each.name).write_text(there)
        words = [analyze, "verify", "--man=no", str(tmp_path / path.name)]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")
