"""`hedui connector …`: from a few words to a source that runs every night, and what a department is handed."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from connectors.contract import Contract, ContractError
from connectors.kit.scaffold import NewSource, write_connector
from connectors.registry import all_contracts
from pipelines.errors import UsageError

_ASKED = {
    "title": "title in Chinese (名称)",
    "owner": "owning department (数据提供部门)",
    "legal_basis": "legal basis (依据)",
    "format": "format: csv, pipe, jsonl, json or xlsx",
    "encoding": "encoding: utf-8 or gb18030",
}


def add_connector_commands(commands: Any) -> None:
    """Add `connector` and its own commands to the parser of `hedui`."""
    parser = commands.add_parser("connector", help="make, check and document a source")
    actions = parser.add_subparsers(required=True, metavar="action")

    new = _action(actions, "new", _new, "write the contract of a new source")
    new.add_argument("name")
    for word, text in _ASKED.items():
        new.add_argument(f"--{word.replace('_', '-')}", help=text)
    new.add_argument("--cadence", default="每月", help="how often it is delivered (每月)")
    new.add_argument(
        "--column", action="append", help="name:header:type[:option…]; once per column, in order"
    )
    new.add_argument(
        "--no-authorisation", action="store_true", help="rows count without a person's authorisation"
    )
    new.add_argument("--dry-run", action="store_true", help="only show the file")

    check = _action(actions, "check", _check, "does a source keep what its contract promises")
    check.add_argument("name")
    check.add_argument("--feed", type=Path, help="a delivery to judge besides: the folder called NAME")


def _action(
    actions: Any, name: str, function: Callable[[argparse.Namespace], int], text: str
) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = actions.add_parser(name, help=text, description=text)
    parser.set_defaults(command=function)
    return parser


def _known(name: str) -> Contract:
    try:
        return all_contracts()[name]
    except KeyError:
        raise UsageError(
            f"no connectors/{name}/contract.toml; make it with: hedui connector new {name}"
        ) from None
    except ContractError as error:
        raise UsageError(str(error)) from None


def _new(arguments: argparse.Namespace) -> int:
    said: dict[str, Any] = {word: getattr(arguments, word) or _ask(text) for word, text in _ASKED.items()}
    columns = arguments.column or _ask_columns()
    new = NewSource(
        name=arguments.name,
        cadence=arguments.cadence,
        columns=tuple(columns),
        authorisation=not arguments.no_authorisation,
        **said,
    )
    try:
        path, text = write_connector(new, dry_run=arguments.dry_run)
    except ContractError as error:
        raise UsageError(str(error)) from None
    if arguments.dry_run:
        print(text, end="")
    else:
        print(f"{path}: {len(text.splitlines())} lines\nnext: hedui connector check {arguments.name}")
    return 0


def _ask(text: str) -> str:
    print(f"{text}: ", end="", file=sys.stderr, flush=True)
    answer = sys.stdin.readline().strip()
    if not answer:
        raise UsageError(f"no answer to: {text}")
    return answer


def _ask_columns() -> list[str]:
    print("columns as name:header:type, one a line, an empty line to end:", file=sys.stderr)
    found: list[str] = []
    while line := sys.stdin.readline().strip():
        found.append(line)
    return found


def _check(arguments: argparse.Namespace) -> int:
    from pipelines.connector_check import check_connector

    checks = 0
    failed = 0
    for one in check_connector(_known(arguments.name), arguments.feed):
        print(one, flush=True)
        checks += 1
        failed += not one.holds
    print(f"{arguments.name}: {checks} checks, {failed} failed")
    return 1 if failed else 0
