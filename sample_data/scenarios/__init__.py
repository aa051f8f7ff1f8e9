"""Everything that happens on purpose in the sample province.

The order matters: a small province plays the first scenarios of each kind only, so one for every rule comes
first.
"""

from sample_data.scenario import Scenario
from sample_data.scenarios import (
    cases,
    edges,
    money,
    monitored,
    monitored_quiet,
    near_misses,
    near_misses_money,
    registers,
)


def all_scenarios() -> dict[str, Scenario]:
    """Scenarios by name, in the order they are cast."""
    parts = (cases, money, edges, registers, monitored, near_misses_money, near_misses, monitored_quiet)
    return {name: one for part in parts for name, one in part.catalogue.scenarios.items()}
