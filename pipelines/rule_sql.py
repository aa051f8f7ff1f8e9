"""The file of a rule: refused with words for whoever wrote it, before its result is taken for leads."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import duckdb

from connectors.registry import all_contracts
from pipelines.errors import NightFailed
from pipelines.warehouse import SQL_FOLDER, build_table, named_values, sql_text
from policy.rules import Rule, load_rules

# What the list takes from a rule's table; whole numbers, because a fraction of a cent would be rounded unseen.
_WHOLE = ("household", "record", "value_cents", "line_cents")
_COLUMNS = {
    "discrepancies": {*_WHOLE, "evidence"},
    "newly_eligible": {*_WHOLE, "evidence", "members", "assets_cents", "asset_line_cents"},
}
_INTEGERS = (
    "TINYINT",
    "SMALLINT",
    "INTEGER",
    "BIGINT",
    "HUGEINT",
    "UTINYINT",
    "USMALLINT",
    "UINTEGER",
    "UBIGINT",
)
# Told before a row is read, so the message quotes the file and nobody's data.
_BEFORE_READING = (duckdb.ParserException, duckdb.BinderException, duckdb.CatalogException)
_CREATED = re.compile(r"\bcreate\s+(?:or\s+replace\s+)?(?:temp(?:orary)?\s+)?table\s+\"?(\w+)", re.IGNORECASE)


def known_rules() -> dict[str, Rule]:
    """All rules by code. Raises NightFailed for one that names a source nobody knows or has no SQL; PolicyError.

    Without this a misspelt source would silently switch its rule off: it would be taken for one not connected.
    """
    rules = load_rules()
    sources = all_contracts()
    for rule in rules.values():
        for key, names in (("needs", rule.needs), ("connected", rule.connected)):
            unknown = [name for name in names if name not in sources and (key, name) != ("connected", "*")]
            if unknown:
                raise NightFailed(
                    f"policy/rules.toml, [[rule]] {rule.code}: {key} names {', '.join(unknown)}, which is no source; "
                    f"wanted one that has a folder in connectors/: {', '.join(sources)}"
                )
        if own_file(rule) is None and not _is_of_newly_eligible(rule):
            raise NightFailed(
                f"policy/rules.toml, [[rule]] {rule.code}: {_path(rule)} is not there; wanted the file that creates "
                f"the table {rule.code.lower()}"
            )
    return rules


def own_file(rule: Rule) -> str | None:
    """The name under sql/ of the file that judges a rule alone; None for those of newly_eligible.sql."""
    name = f"assess/rules/{rule.code.lower()}"
    return name if (SQL_FOLDER / f"{name}.sql").exists() else None


def _is_of_newly_eligible(rule: Rule) -> bool:
    return rule.list == "newly_eligible" and f"'{rule.code}'" in sql_text("assess/newly_eligible")


def build_rule(con: duckdb.DuckDBPyConnection, rule: Rule, values: Mapping[str, Any]) -> None:
    """Run the rule's file, which creates the table of the rule's code. Raises NightFailed naming file and fault.

    values: what the file may name as $values. A full disk is no fault of the file and is raised as it is.
    """
    table = rule.code.lower()
    name = f"assess/rules/{table}"
    text = sql_text(name)
    unknown = sorted(named_values(text) - set(values))
    if unknown:
        raise _refusal(
            rule,
            f"${', $'.join(unknown)} is no value a rule is given",
            f"one of ${', $'.join(sorted(values))}",
        )
    created = _CREATED.findall(re.sub(r"--[^\n]*", "", text))
    if [one.lower() for one in created] != [table]:
        found = f"it creates {', '.join(created) or 'no table'}"
        raise _refusal(
            rule, found, f"create or replace table {table} as …, the file's own name, and no other table"
        )
    try:
        build_table(con, name, **values)
    except (duckdb.IOException, duckdb.OutOfMemoryException, duckdb.InterruptException):
        raise
    except duckdb.Error as error:
        raise _refusal(
            rule, _told(error), "SQL of DuckDB over the tables and $values of docs/rules.md"
        ) from None
    _check_columns(con, rule, table)


def _check_columns(con: duckdb.DuckDBPyConnection, rule: Rule, table: str) -> None:
    wanted = _COLUMNS[rule.list]
    types = {name: str(kind) for name, kind, *_ in con.execute(f"describe {table}").fetchall()}
    missing = sorted(wanted - set(types))
    if rule.list == "newly_eligible":  # its rows are taken whole, by name
        missing += [f"{name} (not known)" for name in sorted(set(types) - wanted)]
    missing += [
        f"{name} as {types[name]}"
        for name in sorted(wanted & set(types))
        if types[name] not in (("VARCHAR",) if name == "evidence" else _INTEGERS)
    ]
    if missing:
        raise _refusal(
            rule,
            f"wrong or missing in its table: {', '.join(missing)}",
            f"columns {', '.join(sorted(wanted))}: evidence text, all others whole numbers (round_half_up)",
        )


def _told(error: duckdb.Error) -> str:
    """DuckDB's first line. Of an error while rows are read, what stands before the first value it quotes."""
    line = str(error).splitlines()[0]
    if isinstance(error, _BEFORE_READING):
        return line
    kind, _, rest = line.partition(": ")
    return f"{kind}: {re.split(r'[^A-Za-z ,]', rest)[0].strip()} …"


def _path(rule: Rule) -> str:
    return f"sql/assess/rules/{rule.code.lower()}.sql"


def _refusal(rule: Rule, found: str, wanted: str) -> NightFailed:
    return NightFailed(f"{_path(rule)}: {found}; wanted {wanted}; correct the file. Nothing was published")
