"""Which modules can see an identity: found by what they name, not by what they say of themselves."""

from __future__ import annotations

import ast
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROOMS = ("connectors", "pipelines", "policy", "expectations", "dags", "portal")

# Reading a delivery or its bytes, or the checked rows of one, shows people as the department wrote them.
READS_FEEDS = frozenset(
    {
        "open_feed",
        "Feed",
        "DirectoryFeed",
        "SpooledFeed",
        "RowBatch",
        "Checked",
        "Judged",
        "Scanned",
        "byte_at",
        "sip_hashed",
        "IdColumn",
        "PersonQuery",
    }
)
# Opening a token or a seal shows people again.
OPENS_SEALS = frozenset(
    {"open_tokens", "unseal", "unseal_column", "unpack_blocks", "unpack_chars", "open_names", "open_numbers"}
    | {"to_readable", "read_list", "open_check", "check_household", "check_household_sealed", "open_text"}
    | {"open_bytes", "open_names_of", "numbers", "unseal_query"}
)


def modules_that_name(words: frozenset[str], root: Path = ROOT) -> set[str]:
    """Paths of modules below `root` that import, call, define or annotate with one of the words."""
    found = set()
    for room in ROOMS:
        for path in sorted((root / room).rglob("*.py")):
            if words & _names(ast.parse(path.read_text(encoding="utf-8"))):
                found.add(path.relative_to(root).as_posix())
    return found


def _names(tree: ast.AST) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            names.add(node.id)
        elif isinstance(node, ast.Attribute):
            names.add(node.attr)
        elif isinstance(node, ast.alias):
            names.add(node.name.rpartition(".")[2])
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
    return names
