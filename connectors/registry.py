"""Every source there is: each folder beside this file that holds a contract.toml."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from connectors.contract import Contract, read_contract

# The seven departments of the card and the roster come first, in the order people name them; others follow by name.
_ORDER = (
    "roster",
    "tax",
    "market_regulation",
    "banks",
    "securities",
    "insurance",
    "household_registration",
    "rural_revitalisation",
)


@cache
def all_contracts() -> dict[str, Contract]:
    """Contracts by source name, in display order. Raises ContractError for the first bad one."""
    found = {path.parent.name: path for path in Path(__file__).parent.glob("*/contract.toml")}
    order = [source for source in _ORDER if source in found] + sorted(set(found) - set(_ORDER))
    return {source: read_contract(found[source]) for source in order}


def people_sources() -> list[str]:
    """Who is asked about: the roster and the monitored households."""
    return [source for source, contract in all_contracts().items() if contract.role == "people"]


def evidence_sources() -> list[str]:
    return [source for source, contract in all_contracts().items() if contract.role == "evidence"]


def authorised_sources() -> list[str]:
    """Sources whose rows count only with a person's authorisation."""
    return [source for source, contract in all_contracts().items() if contract.authorisation]


def required_authorisations() -> list[str]:
    """Sources that every household is asked an authorisation for: those of them that the deployment expects."""
    contracts = all_contracts()
    return [source for source in authorised_sources() if contracts[source].expected]
