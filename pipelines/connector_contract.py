"""Is a contract complete and closed? What can be asked of it without reading a row."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from connectors.contract import Contract
from connectors.kit.scaffold import RESERVED, SQL_WORDS

_EXTENSIONS = {"csv": "csv", "pipe": "txt", "jsonl": "jsonl", "json": "json", "xlsx": "xlsx"}
_SENSITIVITIES = ("public", "internal", "sensitive", "identity")


@dataclass(frozen=True)
class Check:
    """One answered question. found: empty when it holds; where: file:line; cure: what to do."""

    name: str
    found: str = ""
    where: str = ""
    cure: str = ""

    @property
    def holds(self) -> bool:
        return not self.found

    def __str__(self) -> str:
        if self.holds:
            return f"✓ {self.name}"
        return f"✗ {self.name}\n    {self.where}: found {self.found}; {self.cure}"


def line_of(contract: Contract, key: str, name: str | None = None) -> str:
    """path:line of a key, of the column `name` when given; line 1 when the contract does not have it."""
    lines = contract.path.read_text("utf-8").splitlines()
    wanted = f'name = "{name}"' if name else f"{key} ="
    number = next((number for number, line in enumerate(lines, 1) if wanted in line), 1)
    return f"connectors/{contract.source}/{contract.path.name}:{number}"


def contract_checks(contract: Contract) -> Iterator[Check]:
    for key in ("title", "owner", "legal_basis", "cadence"):
        text = getattr(contract, key).strip()
        found = "" if text and "待填" not in text else "nothing"
        yield Check(
            f"contract: {key} is said", found, line_of(contract, key), f"write the department's {key}"
        )
    days = contract.retain_days
    yield Check(
        "contract: retention is 1 to 1095 days",
        "" if 1 <= days <= 1095 else f"{days} days",
        line_of(contract, "retain_days"),
        "set retain_days to what was agreed with the department",
    )
    yield Check(
        "contract: one kind of file",
        "" if len(contract.files) == 1 else f"{len(contract.files)} [[file]]",
        line_of(contract, "key"),
        "make a source of each kind of file",
    )
    file = contract.files[0]
    yield Check(
        "contract: file names fit the format",
        "" if file.pattern.endswith("." + _EXTENSIONS[file.format]) else f"{file.pattern} for {file.format}",
        line_of(contract, "pattern"),
        f"end the pattern with .{_EXTENSIONS[file.format]}",
    )
    yield from (_column_check(contract, *question) for question in _column_questions(contract))


def _column_questions(contract: Contract) -> Iterator[tuple[str, list[str], str]]:
    columns = contract.files[0].columns
    identity = [
        c.name for c in columns if c.type in ("id", "name", "identifier") and c.sensitivity != "identity"
    ]
    yield "numbers, names and accounts are marked identity", identity, 'say sensitivity = "identity"'
    odd = [c.name for c in columns if c.sensitivity not in _SENSITIVITIES]
    yield "sensitivity is one of the agreed words", odd, f"wanted one of {', '.join(_SENSITIVITIES)}"
    yield (
        "money has a unit",
        [c.name for c in columns if c.type == "money" and not c.unit],
        'say unit = "yuan"',
    )
    silent = [c.name for c in columns if not c.means and c.header.isascii()]
    yield "every column says what it means", silent, "say means in Chinese, or use a Chinese header"
    open_lists = [c.name for c in columns if c.type == "code" and _is_open(c.values)]
    yield "code lists are closed", open_lists, "list each value once, not empty and without space around it"
    taken = [c.name for c in columns if c.name in RESERVED | SQL_WORDS]
    yield "no name the tables need themselves", taken, "choose another English name"
    unnormal = [c.name for c in columns if unicodedata.normalize("NFC", c.header).strip() != c.header]
    yield (
        "headers have no space around them",
        unnormal,
        "write the header as in the file, without outer space",
    )
    wrong = []
    for column in columns:
        try:
            column.header.encode(contract.files[0].encoding)
        except UnicodeEncodeError:
            wrong.append(column.name)
    yield "headers can be written in the encoding", wrong, "choose another encoding"


def _is_open(values: tuple[str, ...]) -> bool:
    return len(set(values)) != len(values) or any(not value or value != value.strip() for value in values)


def _column_check(contract: Contract, question: str, columns: list[str], cure: str) -> Check:
    where = line_of(contract, "name", columns[0]) if columns else ""
    return Check(f"columns: {question}", ", ".join(columns), where, cure)
