"""What tests/conftest.py says of files and folders is true of them: a name that is gone would deal nothing out."""

from __future__ import annotations

from pathlib import Path

from tests.conftest import GROUP_OF, LONGEST

ROOT = Path(__file__).parents[2]


def test_the_files_and_folders_it_names_are_there():
    assert GROUP_OF
    assert [file for file in GROUP_OF if not (ROOT / file).is_file()] == []
    assert [folder for folder in LONGEST if not (ROOT / "tests" / folder).is_dir()] == []
