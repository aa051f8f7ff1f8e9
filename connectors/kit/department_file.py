"""The one file a department checks its own drop with: `department_check.py` with a contract put in as data."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from types import ModuleType
from typing import Any

from connectors.contract import Column, Contract, FileContract

TEMPLATE = Path(__file__).parent / "department_check.py"
_PLACE = "AGREED: dict[str, Any] = {}\n"


@dataclass(frozen=True)
class Figures:
    """What a drop is judged by besides its contract, as it holds on `as_of`.

    max_quarantined_share: a number in words of digits; sources: what an authorisation may name;
    held_words, reason_words: the Chinese of every reason, by code, in the order of the intake.
    """

    as_of: date
    max_age_days: int
    max_quarantined_share: str
    currencies: Sequence[str]
    sources: Sequence[str]
    held_words: Mapping[str, str]
    reason_words: Mapping[str, str]


def department_file_name(contract: Contract) -> str:
    return f"check_{contract.source}_drop.py"


def department_file(contract: Contract, figures: Figures) -> str:
    """The text of the file. No JSON text holds three quotes in a row, so nothing in a contract can end the literal."""
    agreed = json.dumps(_agreed(contract, figures), ensure_ascii=False, indent=1)
    agreed = "".join(sign if sign.isprintable() or sign == "\n" else _escaped(sign) for sign in agreed)
    before, found, after = TEMPLATE.read_text("utf-8").partition(_PLACE)
    assert found
    return f'{before}AGREED: dict[str, Any] = json.loads(\n    r"""\n{agreed}\n"""\n)\n{after}'


def load_department_check(contract: Contract, figures: Figures) -> Any:
    """The module that the file is, for judging and reading here as a department does."""
    module = ModuleType(department_file_name(contract).removesuffix(".py"))
    code = compile(department_file(contract, figures), str(TEMPLATE), "exec")
    exec(code, module.__dict__)  # noqa: S102  our own template; what a contract says is data in it
    return module


def _escaped(sign: str) -> str:
    return json.dumps(sign)[1:-1]


def _agreed(contract: Contract, figures: Figures) -> dict[str, Any]:
    kinds = {column.type for file in contract.files for column in file.columns}
    return {
        "source": contract.source,
        "title": contract.title,
        "owner": contract.owner,
        "role": contract.role,
        "figures_of": figures.as_of.isoformat(),
        "max_age_days": figures.max_age_days,
        "max_quarantined_share": figures.max_quarantined_share,
        "currencies": list(figures.currencies) if "currency" in kinds else [],
        "sources": list(figures.sources) if "scope" in kinds else [],
        "held_words": dict(figures.held_words),
        "reason_words": dict(figures.reason_words),
        "files": [_file(file) for file in contract.files],
    }


def _file(file: FileContract) -> dict[str, Any]:
    return {**asdict(file), "columns": [_column(column) for column in file.columns]}


def _column(column: Column) -> dict[str, Any]:
    """What the file needs of a column; what is not said is not written."""
    kept = ("name", "header", "type", "optional", "not_negative", "not_future", "length", "values")
    said = {key: getattr(column, key) for key in kept}
    if column.empty_only_when:
        said["empty_only_when"] = column.empty_only_when
    return {key: value for key, value in said.items() if value or key in ("name", "header", "type")}
