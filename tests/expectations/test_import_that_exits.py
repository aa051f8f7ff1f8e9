"""A library that ends the process while it is imported must not make an unpublished night look done."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_a_gate_that_cannot_be_imported_fails_the_night(tmp_path):
    library = tmp_path / "library" / "great_expectations"
    library.mkdir(parents=True)
    (library / "__init__.py").write_text("import sys\nsys.exit(0)\n")
    environ = {**os.environ, "PYTHONPATH": f"{library.parent}{os.pathsep}{ROOT}"}
    home = tmp_path / "home"
    feeds = ROOT / "sample_data" / "feeds"
    command = [sys.executable, "-m", "pipelines.cli", "nightly", "--as-of", "2026-06-30"]
    ran = subprocess.run(
        [*command, "--feeds", str(feeds), "--home", str(home)],
        env=environ,
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 1, ran.stderr
    assert "nothing was published" in ran.stderr
    assert not list((home / "nights").glob("*.json"))
