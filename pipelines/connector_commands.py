"""`hedui connector …`: from a few words to a source that runs every night, and what a department is handed."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from connectors.contract import ContractError
from pipelines.errors import UsageError
from pipelines.settings import home_from

# The parser is made for every command of `hedui`; what a command works with is imported when it is that one.
if TYPE_CHECKING:
    from connectors.contract import Contract

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

    mock = _action(actions, "mock", _mock, "write a made-up delivery of a source")
    mock.add_argument("name")
    mock.add_argument("--output", type=Path, required=True, help="the folder of feeds; NAME is made in it")
    mock.add_argument("--as-of", type=date.fromisoformat, required=True)
    mock.add_argument("--rows", type=int, default=40)
    mock.add_argument(
        "--members",
        type=Path,
        help="members.csv of a synthetic roster: its people instead of people of no place",
    )

    document = _action(
        actions, "document", _document, "write data dictionary and catalogue entries in Chinese"
    )
    document.add_argument("name")
    document.add_argument("--output", type=Path, required=True)

    validator = _action(
        actions, "validator", _validator, "write the one file a department checks its own drop with"
    )
    validator.add_argument("name")
    validator.add_argument("--output", type=Path, required=True)
    validator.add_argument("--policy", type=Path, help="policy file or folder; default the shipped one")
    validator.add_argument(
        "--as-of",
        type=date.fromisoformat,
        default=None,
        help="the day whose currencies, ages and shares it goes by; default today",
    )

    diff = _action(
        actions, "diff", _diff, "what a new version of a contract breaks; exit 1 when something does"
    )
    diff.add_argument("old", type=Path)
    diff.add_argument("new", type=Path)

    letter = _action(actions, "letter", _letter, "draft a letter in Chinese about a held or missing source")
    letter.add_argument("name")
    letter.add_argument("--as-of", type=date.fromisoformat, required=True)
    letter.add_argument(
        "--feed",
        type=Path,
        help="the held delivery, the folder called NAME: adds the masked shapes of its faults",
    )
    letter.add_argument("--home")


def _action(
    actions: Any, name: str, function: Callable[[argparse.Namespace], int], text: str
) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = actions.add_parser(name, help=text, description=text)
    parser.set_defaults(command=function)
    return parser


def _known(name: str) -> Contract:
    from connectors.registry import all_contracts

    try:
        return all_contracts()[name]
    except KeyError:
        raise UsageError(
            f"no connectors/{name}/contract.toml; make it with: hedui connector new {name}"
        ) from None
    except ContractError as error:
        raise UsageError(str(error)) from None


def _new(arguments: argparse.Namespace) -> int:
    from connectors.kit.scaffold import NewSource, write_connector

    said: dict[str, Any] = {}
    for word, text in _ASKED.items():
        if word == "encoding" and said["format"] == "xlsx" and not arguments.encoding:
            said[word] = "utf-8"  # a workbook tells its own
            continue
        said[word] = getattr(arguments, word) or _ask(f"--{word.replace('_', '-')}, {text}")
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


def _mock(arguments: argparse.Namespace) -> int:
    from connectors.kit.mock import read_members, write_mock_feed

    folder = arguments.output / arguments.name
    contract = _known(arguments.name)
    if folder.exists():
        raise UsageError(f"{folder} is there already; wanted a folder of feeds without {arguments.name}")
    try:
        people = read_members(arguments.members) if arguments.members else []
    except (OSError, ValueError) as error:
        told = error if isinstance(error, ValueError) else type(error).__name__
        raise UsageError(f"--members {arguments.members}: {told}") from None
    write_mock_feed(contract, folder, arguments.as_of, arguments.rows, people=people)
    print(f"{folder}: a delivery of {arguments.rows} made-up rows and its receipt")
    return 0


def _document(arguments: argparse.Namespace) -> int:
    from connectors.kit.documents import write_documents

    for path in write_documents(_known(arguments.name), arguments.output):
        print(path)
    return 0


def _validator(arguments: argparse.Namespace) -> int:
    from connectors.kit.department_file import department_file, department_file_name
    from pipelines.connector_figures import figures_of

    contract = _known(arguments.name)
    figures = figures_of(contract, arguments.as_of or date.today(), arguments.policy)
    arguments.output.mkdir(parents=True, exist_ok=True)
    path = arguments.output / department_file_name(contract)
    path.write_text(department_file(contract, figures), "utf-8")
    print(f"{path}: goes by what holds on {figures.as_of}\nfor the department: python {path.name} FOLDER")
    return 0


def _diff(arguments: argparse.Namespace) -> int:
    from connectors.kit.compare import BREAKS, TIGHTENS, compare, read_version

    try:
        changes = compare(read_version(arguments.old), read_version(arguments.new))
    except ContractError as error:
        raise UsageError(str(error)) from None
    for change in changes:
        print(change)
    if not changes:
        print("两个版本没有影响交付的差别")
    return 1 if any(change.severity in (BREAKS, TIGHTENS) for change in changes) else 0


def _letter(arguments: argparse.Namespace) -> int:
    from pipelines.drift_letter import draft_letter

    contract = _known(arguments.name)
    print(draft_letter(home_from(arguments.home), contract, arguments.as_of, arguments.feed), end="")
    return 0
