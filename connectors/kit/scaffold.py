"""The one file a new source needs: `contract.toml`, written from a few words and checked before it is kept."""

from __future__ import annotations

import keyword
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path

from connectors.contract import Contract, ContractError, read_contract

CONNECTORS = Path(__file__).parent.parent
_EXTENSIONS = {"csv": "csv", "pipe": "txt", "jsonl": "jsonl", "json": "json", "xlsx": "xlsx"}
_NAME = re.compile(r"[a-z][a-z0-9_]{1,39}")
# Columns the evidence of every source has beside the contract's own (who, under which name, how reached).
RESERVED = frozenset(
    """
    person name_digest name_readable is_upgraded is_repaired row_digest row record how household is_member hi lo
    """.split()  # noqa: SIM905  words read better than a list of quotes
)
# Words of SQL that cannot stand as a column's name without quotes.
SQL_WORDS = frozenset(
    """
    all and as asc between by case cast check column create cross default desc distinct else end except exists
    false fetch for foreign from full group having in inner intersect into is join left like limit not null offset
    on or order outer primary references right select table then to true union unique using values when where
    window with
    """.split()  # noqa: SIM905  words read better than a list of quotes
)
# Options that mean something for these types alone; for any other they would be written and never looked at.
_FITS = {"not_future": ("date", "month"), "not_negative": ("money",), "unit": ("money",)}
_SENSITIVITY = {"id": "identity", "name": "identity", "identifier": "identity", "money": "sensitive"}


@dataclass(frozen=True)
class NewSource:
    """What a person says about a new source.

    columns: `name:header:type`, then options after further colons: `optional`, `not_future`, `not_negative`,
    a unit of money as `unit=yuan`, what it means as `means=…`, and of a code its values as `在缴|封存`, of digits
    their length.
    """

    name: str
    title: str
    owner: str
    legal_basis: str
    cadence: str
    format: str
    encoding: str
    columns: tuple[str, ...]
    authorisation: bool = True
    retain_days: int = 90


def refuse_name(name: str) -> None:
    """Raises ContractError for a name that cannot be a source's."""
    if not _NAME.fullmatch(name) or keyword.iskeyword(name) or name in ("kit", "departments", "transports"):
        raise ContractError(
            f"source name of {len(name)} characters; wanted 2 to 40 lower-case letters, digits and _, beginning with "
            "a letter, and neither a word of Python nor kit, departments or transports"
        )


def contract_text(new: NewSource) -> str:
    """The text of contract.toml, one line a column. Raises ContractError for a column nobody can read."""
    refuse_name(new.name)
    if new.format not in _EXTENSIONS:
        raise ContractError(f"format {new.format!r}; wanted one of {', '.join(_EXTENSIONS)}")
    lines = [
        f"source = {_quoted(new.name)}",
        f"title = {_quoted(new.title)}",
        f"owner = {_quoted(new.owner)}",
        f"legal_basis = {_quoted(new.legal_basis)}",
        f"cadence = {_quoted(new.cadence)}",
        'role = "evidence"',
        f"authorisation = {str(new.authorisation).lower()}",
        "expected = false  # true once its absence is to be reported",
        f"retain_days = {new.retain_days}",
        "",
        "[[file]]",
        f"key = {_quoted(new.name)}",
        f'pattern = "{new.name}-*.{_EXTENSIONS[new.format]}"',
        f"format = {_quoted(new.format)}",
        f"encoding = {_quoted(new.encoding)}",
    ]
    if new.format == "json":
        lines.append('root = "rows"')
    if new.format == "xlsx":
        lines += ['sheet = "Sheet1"', "header_row = 1"]
    lines += ["column = [", *(f"    {_column_text(word)}," for word in new.columns), "]"]
    return "\n".join(lines) + "\n"


def _column_text(word: str) -> str:
    parts = word.split(":")
    if len(parts) < 3:
        raise ContractError(f"column {parts[0]!r} has {len(parts)} parts; wanted name:header:type")
    name, header, kind, *options = parts
    if name in RESERVED or name in SQL_WORDS:
        raise ContractError(
            f"column {name!r} is a name the tables need themselves; wanted another English name"
        )
    said: dict[str, str] = {
        "name": _quoted(name),
        "header": _quoted(header),
        "type": _quoted(kind),
        "means": _quoted(header),
    }
    for option in options:
        fits = _FITS.get(option.partition("=")[0])
        if fits and kind not in fits:
            raise ContractError(
                f"column {name!r}: option {option!r} is for {' and '.join(fits)}, not for {kind}"
            )
        if option in ("optional", "not_future", "not_negative"):
            said[option] = "true"
        elif option.startswith(("unit=", "means=")):
            key, _, text = option.partition("=")
            said[key] = _quoted(text)
        elif kind == "code":
            said["values"] = "[" + ", ".join(_quoted(value) for value in option.split("|")) + "]"
        elif kind == "digits" and option.isdigit():
            said["length"] = option
        else:
            raise ContractError(f"column {name!r}: option {option!r} is not known for type {kind}")
    said["sensitivity"] = _quoted(_SENSITIVITY.get(kind, "internal"))
    return "{ " + ", ".join(f"{key} = {text}" for key, text in said.items()) + " }"


def _quoted(text: str) -> str:
    kept = "".join(sign for sign in text if sign.isprintable())
    return '"' + kept.replace("\\", "\\\\").replace('"', '\\"') + '"'


def parse_text(name: str, text: str) -> Contract:
    """The contract a text stands for. Raises ContractError as `read_contract`."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name / "contract.toml"
        path.parent.mkdir()
        path.write_text(text, "utf-8")
        return read_contract(path)


def write_connector(new: NewSource, root: Path = CONNECTORS, dry_run: bool = False) -> tuple[Path, str]:
    """Write `root/NAME/contract.toml`. Returns its path and text; nothing is written when `dry_run`.

    Raises ContractError for a bad name, a folder that is there, or a contract that cannot be read back.
    """
    text = contract_text(new)
    parse_text(new.name, text)
    path = root / new.name / "contract.toml"
    if path.parent.exists():
        raise ContractError(
            f"connectors/{new.name} is there already; wanted a new name, or edit its contract.toml"
        )
    if not dry_run:
        path.parent.mkdir()
        path.write_text(text, "utf-8")
    return path, text
