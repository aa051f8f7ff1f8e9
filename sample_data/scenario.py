"""A scenario: what happens in some households on purpose, and which leads must follow.

The catalogue in sample_data/scenarios/ is written with these words. A scenario changes the world (`stage`),
and may add single lines to departments' files (`papers`); whatever it leaves alone stays quiet.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from sample_data.papers import Papers
    from sample_data.stage import Cast

Group = Literal["roster", "monitored"]
ListName = Literal["discrepancies", "newly_eligible"]
Who = Literal["household", "member", "obligor"]


@dataclass(frozen=True)
class Lead:
    """An expected lead. position: which member or obligor of the household, from 0."""

    list_name: ListName
    rule: str
    who: Who = "household"
    position: int = 0


def household(rule: str) -> Lead:
    return Lead(_list_of(rule), rule)


def member(position: int, rule: str) -> Lead:
    return Lead(_list_of(rule), rule, "member", position)


def obligor(position: int, rule: str) -> Lead:
    return Lead(_list_of(rule), rule, "obligor", position)


def _list_of(rule: str) -> ListName:
    return "newly_eligible" if rule[0] in "NU" else "discrepancies"


@dataclass(frozen=True)
class Scenario:
    """What kind of household it happens in, what happens, what must come of it.

    programme, members, obligors, kin: what the household must be; None where it does not matter, (least,
    most) otherwise. needs: keys of figures.lines without which it cannot be told, or names of other figures.
    partner: the scenario played by the next household. withheld: the household must be counted as withheld.
    weight: how often it is played, against the others.
    """

    name: str
    text: str
    group: Group
    leads: tuple[Lead, ...]
    stage: Callable[[Cast], None]
    papers: Callable[[Cast, Papers], None] | None = None
    programme: int | None = None
    members: tuple[int, int] | None = None
    obligors: tuple[int, int] | None = None
    kin: tuple[int, int] | None = None
    active: bool = True
    withheld: bool = False
    needs: tuple[str, ...] = ()
    partner: str | None = None
    is_partner: bool = False
    weight: float = 1.0

    @property
    def planted(self) -> bool:
        """Whether something must come of it; otherwise it is a near miss."""
        return bool(self.leads) or self.withheld


@dataclass
class Catalogue:
    """Scenarios in the order they are cast: the first ones are played in the smallest province."""

    scenarios: dict[str, Scenario] = field(default_factory=dict)

    def scenario(
        self,
        name: str,
        text: str,
        group: Group,
        *leads: Lead,
        programme: int | None = None,
        members: int | tuple[int, int] | None = None,
        obligors: int | tuple[int, int] | None = None,
        kin: int | None = None,
        active: bool = True,
        withheld: bool = False,
        needs: tuple[str, ...] = (),
        partner: str | None = None,
        is_partner: bool = False,
        weight: float = 1.0,
    ) -> Callable[[Callable[[Cast], None]], Callable[[Cast], None]]:
        """Add the decorated function as the stage of a scenario."""
        if name in self.scenarios:
            raise ValueError(f"scenario {name!r} stands twice; want another name")

        def add(stage: Callable[[Cast], None]) -> Callable[[Cast], None]:
            self.scenarios[name] = Scenario(
                name,
                text,
                group,
                leads,
                stage,
                None,
                programme,
                _range(members),
                _range(obligors),
                _range(kin),
                active,
                withheld,
                needs,
                partner,
                is_partner,
                weight,
            )
            return stage

        return add

    def papers(self, name: str) -> Callable[[Callable[[Cast, Papers], None]], Callable[[Cast, Papers], None]]:
        """Add the decorated function as the papers of a scenario that stands already."""

        def add(papers: Callable[[Cast, Papers], None]) -> Callable[[Cast, Papers], None]:
            self.scenarios[name] = replace(self.scenarios[name], papers=papers)
            return papers

        return add


def _range(wanted: int | tuple[int, int] | None) -> tuple[int, int] | None:
    return (wanted, wanted) if isinstance(wanted, int) else wanted


def nothing(cast: Cast) -> None:
    """The stage of a scenario that happens on paper only."""
