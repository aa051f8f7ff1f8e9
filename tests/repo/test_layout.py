"""What every file of the tree keeps to: names, SQL, no value in a statement, no address in the lock file."""

from __future__ import annotations

import ast
import re
import subprocess
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from connectors.registry import all_contracts
from pipelines.identity.keyring import KeyRing
from pipelines.night import run_night
from pipelines.settings import Settings
from pipelines.suppressions import write_suppressions
from pipelines.warehouse import SQL_FOLDER
from sample_data.build import write_province
from tests.assess.worlds import assessed, sources_of

ROOT = Path(__file__).parents[2]
PACKAGES = ("connectors", "policy", "pipelines", "expectations", "dags", "sample_data", "portal")
FORBIDDEN = re.compile(r"(utils?|helpers?|common|misc|manager|core|stuff|tools?)$")
SQL_FILES = sorted(SQL_FOLDER.rglob("*.sql"))
CREATED = re.compile(r"^create or replace (?:temp )?(table|view|macro) ([a-z0-9_]+)", re.MULTILINE)


def python_files():
    return [file for package in PACKAGES for file in sorted((ROOT / package).rglob("*.py"))]


def sql_names():
    return [str(file.relative_to(SQL_FOLDER)) for file in SQL_FILES]


def test_no_file_has_a_name_that_says_nothing():
    names = [path.relative_to(ROOT) for path in python_files()]
    names += [
        path.relative_to(ROOT)
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.is_dir()
    ]
    assert [str(path) for path in names if FORBIDDEN.fullmatch(path.stem)] == []


@pytest.mark.parametrize("file", SQL_FILES, ids=sql_names())
def test_an_sql_file_says_what_it_makes_and_makes_that(file):
    text = file.read_text("utf-8")
    assert text.startswith("-- "), "no header"
    made = CREATED.findall(text)
    if file.stem == "macros":
        assert {kind for kind, _ in made} == {"macro"}
        return
    assert [name for _, name in made] == [file.stem]
    assert re.match(rf"-- {file.stem}\b", text), f"the header should begin with {file.stem}"


def test_every_parameter_of_every_sql_file_is_given_a_value(tmp_path, monkeypatch):
    """On a night that runs every file: a file nobody runs, or a name nobody binds, would be missed otherwise."""
    import pipelines.warehouse as warehouse

    read = set()
    text_of = warehouse.sql_text

    def noted(name):
        read.add(f"{name}.sql")
        return text_of(name)

    monkeypatch.setattr(warehouse, "sql_text", noted)
    monkeypatch.setattr("pipelines.assess.sql_text", noted)
    monkeypatch.setattr("pipelines.link.sql_text", noted)
    write_province(tmp_path / "feeds", households=12, seed=1)
    settings = Settings(home=tmp_path / "home", as_of=date(2026, 6, 30), feeds=tmp_path / "feeds")
    settings.home.mkdir()
    write_suppressions(settings.home, KeyRing.open(settings.home, {}), [], datetime.now(UTC))
    run_night(settings)
    assessed({}, sources_of(*all_contracts()))  # the rules over departments that this night has no feed of
    assert read == set(sql_names())


def test_no_value_is_put_into_a_statement():
    """`execute(f"…")` may put table and column names together, written out in the code; values are bound."""
    found = []
    for file in python_files():
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
                continue
            if node.func.attr not in {"execute", "executemany", "sql", "query"} or not node.args:
                continue
            if isinstance(node.args[0], ast.JoinedStr):
                found += [
                    f"{file.relative_to(ROOT)}:{node.lineno}: {word}" for word in quoted_places(node.args[0])
                ]
    # A file name cannot be bound in COPY or in a view; warehouse.py quotes it in one place.
    assert found == []


def quoted_places(text):
    """Places of an f-string that stand between quotes or after a comparison: there stand values, not names."""
    before = ""
    for part in text.values:
        if isinstance(part, ast.Constant):
            before = str(part.value)
        elif re.search(r"('|=\s*|<\s*|>\s*|\blike\s+|\bbetween\s+|\bvalues\s*\(\s*)$", before, re.IGNORECASE):
            yield ast.unparse(part.value)


def test_the_readme_names_both_commands():
    readme = (ROOT / "README.md").read_text("utf-8")
    assert "make nightly" in readme and "make test" in readme


def test_ci_runs_the_same_commands_as_the_readme():
    run = (ROOT / ".ci" / "run").read_text("utf-8")
    assert "make check" in run and "make test" in run and "set -euo pipefail" in run
    assert (ROOT / ".ci" / "run").stat().st_mode & 0o111


def test_the_lock_file_names_no_machine_and_no_address():
    lock = (ROOT / "requirements.lock").read_text("utf-8")
    assert not re.search(
        r"https?://|file:|--index-url|--find-links|^-e |/(home|root|opt|work|tmp)/", lock, re.MULTILINE
    )
    pinned = [line for line in lock.splitlines() if re.match(r"[a-z0-9]", line)]
    assert pinned and all("==" in line for line in pinned)
    assert lock.count("--hash=sha256:") > len(pinned)


def test_nothing_that_is_made_here_is_kept_in_version_control():
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True)
    if tracked.returncode != 0:
        pytest.skip("not a git checkout")
    assert not re.search(
        r"^(var|build|\.venv)/|\.pyc$|\.egg-info|\.sqlite$|keyring\.json$", tracked.stdout, re.MULTILINE
    )
