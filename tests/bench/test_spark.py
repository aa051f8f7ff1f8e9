"""docs/spark.md says which statements translate; this holds it to that."""

import re

import pytest

from bench.tree import ROOT

pytest.importorskip("sqlglot", reason="sqlglot is not installed: make bench installs what this compares with")

from bench.spark import sql_files, translate

# What Spark's parser refused in translated statements, and the table function it does not have.
_LEFT = r"\b(INT128|UBIGINT|UINT|MACRO|QUERY_TABLE|TO_MONTHS)\b|UNION ALL BY NAME|FIRST\([^()]* ORDER BY"


def documented():
    """File names of the table in docs/spark.md, each with whether it says that Spark takes it as it stands."""
    text = (ROOT / "docs" / "spark.md").read_text(encoding="utf-8")
    return dict(re.findall(r"^\| `([a-z0-9_/]+\.sql)` \| (yes|no) \|", text, flags=re.MULTILINE))


def test_every_statement_file_stands_in_the_table():
    assert set(documented()) == {str(path.relative_to(ROOT / "sql")) for path in sql_files()}


@pytest.mark.parametrize("path", sql_files(), ids=lambda path: path.stem)
def test_sqlglot_leaves_a_word_of_duckdb_where_the_table_says_so(path):
    statements, reason = translate(path)
    assert reason is None
    left = re.search(_LEFT, " ".join(statements), re.IGNORECASE)
    says = documented()[str(path.relative_to(ROOT / "sql"))]
    assert (left is None) == (says == "yes"), left
