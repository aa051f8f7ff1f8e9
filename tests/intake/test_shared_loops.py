"""Compiled loops are compiled anew when what they share changes, and evidence read by the older ones is not taken over."""

import ast
from pathlib import Path

import pytest

from pipelines import compiled
from pipelines.intake import known_ids, reuse

PACKAGE = Path(compiled.__file__).parent


def decorated_with(tree, name):
    return {
        node.name
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef)
        and any(isinstance(one, ast.Name) and one.id == name for one in node.decorator_list)
    }


@pytest.mark.parametrize(
    "path", [path for path in PACKAGE.rglob("*.py") if "inlined" in path.read_text("utf-8")]
)
def test_what_is_put_into_loops_of_other_files_stands_in_the_shared_ones(path):
    inlined = decorated_with(ast.parse(path.read_text("utf-8")), "inlined")
    module = ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)
    for other in PACKAGE.rglob("*.py"):
        taken = {
            name.name
            for node in ast.walk(ast.parse(other.read_text("utf-8")))
            if isinstance(node, ast.ImportFrom) and node.module == module
            for name in node.names
        }
        assert path in compiled.SHARED or not taken & inlined, other


def test_a_change_of_what_is_shared_is_another_program(tmp_path, monkeypatch):
    before = reuse._program.__wrapped__()
    changed = tmp_path / "compiled.py"
    changed.write_text(Path(compiled.__file__).read_text("utf-8") + "\n# mended\n", "utf-8")
    monkeypatch.setattr(reuse, "SHARED", (changed, *compiled.SHARED[1:]))
    assert reuse._program.__wrapped__() != before


def test_the_compilers_cache_is_stamped_with_what_is_shared():
    assert known_ids._find._cache._cache_file._source_stamp[1] == compiled._SHARED_TEXT
