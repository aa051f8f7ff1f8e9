"""A tree of our own to put new sources into, and the command line run in it as a person would."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
WRITTEN = ("connectors", "policy", "sql")  # by who follows the pages on new sources and rules
READ = ("pipelines", "expectations", "sample_data")


def copy_tree(folder: Path) -> Path:
    """The packages. Those only read are links, so that the intake's loops, compiled beside them, are not compiled anew."""
    for part in WRITTEN:
        shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
    for part in READ:
        (folder / part).symlink_to(ROOT / part)
    return folder


def environment_of(tree: Path) -> dict[str, str]:
    """This environment, its settings of Hedui left out, with the tree's own packages."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("HEDUI_")}
    return {**environ, "PYTHONPATH": str(tree)}


def python_in(tree: Path, *words: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *map(str, words)],
        cwd=tree,
        env=environment_of(tree),
        capture_output=True,
        text=True,
        timeout=100,
    )


def typed(tree: Path, *words: object) -> subprocess.CompletedProcess[str]:
    """`hedui WORDS` in the tree, whatever its exit status."""
    return python_in(tree, "-m", "pipelines.cli", *words)


def run_in(tree: Path, script: str, *words: object) -> str:
    """What a script prints that runs on the tree's own packages."""
    run = python_in(tree, "-c", script, *words)
    assert run.returncode == 0, run.stderr
    return run.stdout
