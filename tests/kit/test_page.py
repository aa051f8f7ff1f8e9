"""What docs/adding-a-source.md tells to type works when it is typed: the contract, and the rule with both its edges."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys

import pytest

from .trees import ROOT, copy_tree, environment_of

PAGE = ROOT / "docs" / "adding-a-source.md"


def blocks():
    """The indented blocks of the page, as somebody copies them."""
    found = re.findall(r"(?:^    .*\n|^\n(?=(?:\n)*    ))+", PAGE.read_text("utf-8"), re.MULTILINE)
    return ["\n".join(line[4:] for line in block.splitlines()).strip() for block in found if block.strip()]


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """A tree in which the page was followed up to the rule's test; commands are this environment's."""
    folder = copy_tree(tmp_path_factory.mktemp("page"))
    for part in ("tests/__init__.py", "tests/assess/__init__.py", "tests/assess/worlds.py", "pyproject.toml"):
        (folder / part).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / part, folder / part)
    return folder


def typed(tree, block):
    block = block.replace(".venv/bin/python", sys.executable)
    block = re.sub(r"^hedui ", f"{sys.executable} -m pipelines.cli ", block, flags=re.MULTILINE)
    return subprocess.run(
        ["bash", "-e", "-c", block],
        cwd=tree,
        env=environment_of(tree),
        capture_output=True,
        text=True,
        timeout=200,
    )


def test_the_contract_and_the_rule_of_the_page_work_as_typed(tree):
    chosen = [
        one
        for one in blocks()
        if one.startswith(("hedui connector new", "hedui connector document", "cat >"))
    ]
    assert len(chosen) == 6
    for block in chosen:
        done = typed(tree, block)
        assert done.returncode == 0, done.stdout + done.stderr
    assert "8 passed" in done.stdout
    assert len((tree / "connectors/payment_accounts/contract.toml").read_text("utf-8").splitlines()) == 23
    assert (tree / "var/documents/check_payment_accounts_drop.py").is_file()
    rule = tree / "sql/assess/rules/w01.sql"
    rule.write_text(rule.read_text("utf-8").replace("> any_value(", ">= any_value("), "utf-8")
    broken = typed(tree, ".venv/bin/python -m pytest -q tests/assess/test_payment_accounts.py || true")
    assert "1 failed, 7 passed" in broken.stdout and "at the line" in broken.stdout


def test_every_command_of_the_page_is_about_the_same_source():
    told = "\n".join(blocks())
    assert set(re.findall(r"hedui connector (?:check|mock|document|validator|new) (\S+)", told)) == {
        "payment_accounts"
    }
    assert told.count("hedui nightly") == 3 and "hedui connector letter banks" in told
