"""docs/security.md names every module that can see an identity, and no other."""

from __future__ import annotations

import re

from tests.docs.pages import ROOT, text_of
from tests.docs.seers import OPENS_SEALS, READS_FEEDS, modules_that_name

SECTION = re.compile(r"^## Where an identity can be seen$(.*?)^## ", re.MULTILINE | re.DOTALL)


def named_in_the_table():
    section = SECTION.search(text_of(ROOT / "docs" / "security.md"))[1]
    rows = [row for row in section.splitlines() if row.startswith("| `")]
    return [name for row in rows for name in re.findall(r"`([\w/]+\.py)`", row.split("|")[1])]


def test_the_table_names_exactly_the_modules_that_can_see_an_identity():
    found = modules_that_name(READS_FEEDS | OPENS_SEALS)
    named = named_in_the_table()
    assert len(named) == len(set(named))
    assert set(named) - found == set(), "in the table, but cannot see an identity"
    assert found - set(named) == set(), "can see an identity, but not in the table"


def test_the_rules_and_the_gates_see_nobody():
    found = modules_that_name(READS_FEEDS | OPENS_SEALS)
    assert found
    assert not {path for path in found if path.startswith(("policy/", "expectations/"))}
    for blind in ("pipelines/assess.py", "pipelines/link.py", "pipelines/gates.py", "pipelines/retention.py"):
        assert (ROOT / blind).is_file()
        assert blind not in found


def test_a_module_that_opens_tokens_is_found(tmp_path):
    module = tmp_path / "pipelines" / "curious.py"
    module.parent.mkdir()
    module.write_text("def look(cipher, tokens):\n    return cipher.open_tokens(tokens)\n", encoding="utf-8")
    assert modules_that_name(OPENS_SEALS, tmp_path) == {"pipelines/curious.py"}


def test_sql_never_asks_for_a_name_or_number():
    files = sorted((ROOT / "sql").rglob("*.sql"))
    assert files
    for path in files:
        code = re.sub(r"--[^\n]*", "", path.read_text(encoding="utf-8"))
        assert not re.search(r"\b(id_number|name_sealed|holder_name)\b", code), path.name
