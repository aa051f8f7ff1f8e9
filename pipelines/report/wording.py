"""Every name and sentence of the report, looked up once."""

from __future__ import annotations

import tomllib
from collections.abc import Container, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from connectors.registry import all_contracts
from policy.codes import Codes, load_codes
from policy.rules import Rule, load_rules

_FILE = Path(__file__).parent / "wording.toml"


@dataclass(frozen=True)
class Wording:
    """owners: the department by source; authorised: the sources that need a person's authorisation."""

    codes: Codes
    rules: Mapping[str, Rule]
    owners: Mapping[str, str]
    titles: Mapping[str, str]
    authorised: frozenset[str]
    texts: Mapping[str, Any]

    def source(self, source: str) -> str:
        """The name of a source; of one that is on no list, what its contract says."""
        return self.codes.sources.names.get(source, self.titles.get(source, source))

    def owner(self, source: str) -> str:
        return self.owners.get(source, "报送部门")

    def rule(self, code: str) -> str:
        return self.rules[code].name if code in self.rules else code

    def place(self, code: str) -> str:
        return self.codes.place_name(code)

    def text(self, table: str, key: str) -> str:
        """A text of wording.toml; the key itself when nobody has written one."""
        return str(self.texts[table].get(key, key))

    def not_used(self, source: str, state: str, reason: str | None) -> str:
        """What to do about a source that is held or missing."""
        template = self.text("not_used", reason or state)
        return template.format(owner=self.owner(source), source=source)

    def rules_needing(self, source: str, connected: Container[str]) -> list[str]:
        """Of the rules whose departments are connected."""
        return [
            code
            for code, rule in self._rules(connected).items()
            if source in rule.needs or source in rule.connected
        ]

    def rules_of(self, which: str, connected: Container[str]) -> list[str]:
        """Of the rules whose departments are connected."""
        return [code for code, rule in self._rules(connected).items() if rule.list == which]

    def _rules(self, connected: Container[str]) -> dict[str, Rule]:
        return {
            code: rule for code, rule in self.rules.items() if all(one in connected for one in rule.needs)
        }


@cache
def shipped_wording() -> Wording:
    """Raises PolicyError or ContractError for a file that cannot be read."""
    contracts = all_contracts()
    return Wording(
        codes=load_codes(),
        rules=load_rules(),
        owners={name: contract.owner for name, contract in contracts.items()},
        titles={name: contract.title for name, contract in contracts.items()},
        authorised=frozenset(name for name, contract in contracts.items() if contract.authorisation),
        texts=tomllib.loads(_FILE.read_text(encoding="utf-8")),
    )
