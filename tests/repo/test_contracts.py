"""The table "Rooms" of docs/architecture.md holds, and breaking any line of it is found."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LINT = Path(sys.executable).parent / "lint-imports"
CONFIGURATION = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]

# For every contract, a file and the import that breaks it.
BREAKAGE = {
    "connectors, policy and expectations import nothing of ours": (
        "policy/codes.py",
        "import connectors.errors",
    ),
    "connectors, policy and expectations know nothing of those who use them": (
        "expectations/suites.py",
        "import pipelines.settings",
    ),
    "pipelines do not know who runs them": ("pipelines/settings.py", "import airflow"),
    "dags wire pipelines and nothing else": ("dags/nightly_check.py", "import policy.model"),
    "the synthetic province knows the contracts, and none of the code it is to test": (
        "sample_data/dice.py",
        "import pipelines.settings",
    ),
    "the desk does not run nights": ("portal/scope.py", "import pipelines.night"),
}


def lint(folder):
    run = subprocess.run(
        [LINT, "--no-cache"], cwd=folder, capture_output=True, text=True, env={"PYTHONPATH": "."}
    )
    return run.returncode, run.stdout + run.stderr


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tree")
    for package in CONFIGURATION["root_packages"]:
        ignored = shutil.ignore_patterns("__pycache__", "static", "templates")
        shutil.copytree(ROOT / package, folder / package, ignore=ignored)
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


def test_every_contract_has_its_breakage():
    assert {contract["name"] for contract in CONFIGURATION["contracts"]} == set(BREAKAGE)


def test_the_contracts_hold(copy):
    status, told = lint(copy)
    assert status == 0, told


def test_an_import_against_each_contract_is_found(copy):
    for file, line in BREAKAGE.values():
        path = copy / file
        path.write_text(f"{path.read_text('utf-8')}\n{line}\n", "utf-8")
    status, told = lint(copy)
    assert status == 1
    for name in BREAKAGE:
        assert f"{name} BROKEN" in told, told
