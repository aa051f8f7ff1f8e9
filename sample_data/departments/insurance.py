"""保险: policies people hold; one file an insurer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np

from connectors.registry import all_contracts
from sample_data.cells import Ints, days_of, digits_of, joined, kept, money_of, table_of
from sample_data.drops import OddLines, TextDrop, TextFile
from sample_data.figures import Figures
from sample_data.finances import insurance_part
from sample_data.papers import Papers, json_line
from sample_data.people import MEMBER, STRANGER
from sample_data.world import World

SOURCE = "insurance"
INSURERS = ("P11", "P23", "P37")
_CONTRACT = all_contracts()[SOURCE].file("policies")
_STATUSES = ("有效", "失效", "退保")
_IN_FORCE, _LAPSED, _SURRENDERED = range(3)


def file_of(insurer: int) -> str:
    return f"policies-{INSURERS[insurer]}.json"


@dataclass
class _Policies:
    """Rows before they are written: cents, day numbers, expires 0 for none; product: index into the
    contract's list.
    """

    person: Ints
    serial: Ints
    product: Ints
    premium: Ints
    cash: Ints
    status: Ints
    expires: Ints


class Insurance:
    def __init__(self, folder: Path, figures: Figures) -> None:
        self._figures = figures
        self._products = _CONTRACT.column("product_type").values
        self._counted = np.array([self._products.index(one) for one in figures.asset_products])
        others = [at for at, one in enumerate(self._products) if one not in figures.asset_products]
        self._others = np.array(others)
        self.drop = TextDrop(folder / SOURCE, SOURCE)
        for insurer in range(len(INSURERS)):
            self.drop.open(file_of(insurer), _CONTRACT)

    def write(self, world: World, lines: OddLines) -> None:
        kinds = [self._savings(world), self._protection(world), self._over(world), self._strangers(world)]
        rows = _Policies(
            *(np.concatenate([getattr(one, column.name) for one in kinds]) for column in fields(_Policies))
        )
        order = np.lexsort((rows.serial, rows.person))
        rows = _Policies(*(getattr(rows, column.name)[order] for column in fields(_Policies)))
        insurers = world.dice.below("insurer", world.people.keys[rows.person], len(INSURERS))
        for insurer in range(len(INSURERS)):
            chosen = np.flatnonzero(insurers == insurer)
            self._write(
                world,
                lines,
                insurer,
                _Policies(*(getattr(rows, one.name)[chosen] for one in fields(_Policies))),
            )

    def _savings(self, world: World) -> _Policies:
        """The one policy that carries the household's premium and cash value, and now and then its older
        state.
        """
        cash, premium = insurance_part(world), world.households.premium
        homes = np.flatnonzero((cash > 0) | (premium > 0))
        again = homes[world.dice.chance("policy.again", world.households.keys[homes], 0.15)]
        both = np.r_[homes, again]
        keys = world.households.keys[both]
        older = np.arange(len(both)) >= len(homes)
        product = np.zeros(len(both), np.int64)
        if len(self._counted):
            product = self._counted[world.dice.below("product", keys, len(self._counted))]
        expires = np.where(
            world.dice.chance("policy.ends", keys, 0.5),
            self._figures.as_of.toordinal() + world.dice.below("policy.end", keys, 9000),
            0,
        )
        return _Policies(
            world.member(both),
            both * 0,
            product,
            np.where(older, premium[both] // 2, premium[both]),
            np.where(older, cash[both] // 3, cash[both]),
            np.full(len(both), _IN_FORCE),
            expires,
        )

    def _protection(self, world: World) -> _Policies:
        """Health and accident policies: no asset, whatever they cost."""
        dice, people = world.dice, world.people
        rows = (people.role == MEMBER) & ~people.bare & dice.chance("protection", people.keys, 0.05)
        holders = np.flatnonzero(rows) if len(self._others) else np.zeros(0, np.int64)
        keys, none = people.keys[holders], np.zeros(len(holders), np.int64)
        product = (
            self._others[dice.below("protection.kind", keys, len(self._others))] if len(holders) else none
        )
        premium = 100_00 + dice.below("protection.premium", keys, 30_000_00)
        return _Policies(holders, none + 1, product, premium, none, none + _IN_FORCE, none)

    def _over(self, world: World) -> _Policies:
        """Savings policies that ended: lapsed, surrendered, or in force on paper with an end in the past."""
        dice, people = world.dice, world.people
        rows = (people.role == MEMBER) & ~people.bare & dice.chance("policy.over", people.keys, 0.02)
        holders = np.flatnonzero(rows)
        keys, none = people.keys[holders], np.zeros(len(holders), np.int64)
        status = dice.below("policy.over.how", keys, len(_STATUSES))
        ended = np.where(
            status == _IN_FORCE,
            self._figures.as_of.toordinal() - 1 - dice.below("policy.ended", keys, 900),
            0,
        )
        product = self._counted[0] if len(self._counted) else 0
        return _Policies(
            holders, none + 2, none + product, none + 60_000_00, none + 500_000_00, status, ended
        )

    def _strangers(self, world: World) -> _Policies:
        dice, people = world.dice, world.people
        holders = np.flatnonzero((people.role == STRANGER) & dice.chance("policy.stranger", people.keys, 0.2))
        keys, none = people.keys[holders], np.zeros(len(holders), np.int64)
        product = dice.below("policy.stranger.kind", keys, len(self._products))
        worth = dice.below("policy.stranger.value", keys, 200_000_00)
        return _Policies(holders, none + 3, product, worth // 10, worth, none, none)

    def _write(self, world: World, lines: OddLines, insurer: int, rows: _Policies) -> None:
        people = world.people.keys[rows.person]
        keys = people * np.uint64(8) + rows.serial.astype(np.uint64)
        names, styles = world.name_cells(rows.person, keys, "utf-8")
        begun = self._figures.as_of.toordinal() - 1000 - world.dice.below("policy.begun", people, 3000)
        far = np.where(rows.expires > 0, rows.expires, self._figures.as_of.toordinal())
        # One insurer sends amounts as numbers, the others as text.
        quote = b'"' if insurer else b""
        cells = joined(
            [
                b',\n{"policy_no": "0000',
                digits_of(keys.astype(np.int64), 14),
                f'", "insurer_code": "{INSURERS[insurer]}", "holder_id_number": "'.encode(),
                world.number_cells(rows.person, keys, styles),
                b'", "holder_name": "',
                *names,
                b'", "product_type": "',
                np.take(table_of(self._products, "utf-8"), rows.product, axis=0),
                b'", "annual_premium": ' + quote,
                money_of(rows.premium),
                quote + b', "cash_value": ' + quote,
                money_of(rows.cash),
                quote + b', "effective_on": "',
                days_of(begun),
                b'", "expires_on": "',
                kept(days_of(far), rows.expires > 0),
                b'", "status": "',
                np.take(table_of(_STATUSES, "utf-8"), rows.status, axis=0),
                b'"}',
            ],
            len(rows.person),
        )
        name = file_of(insurer)
        self.drop.write(name, cells, world.at(rows.person), lines.take(SOURCE, name))

    def close(self) -> list[TextFile]:
        return self.drop.close()


def add_policy(
    papers: Papers,
    person: int,
    product: str,
    premium: object,
    cash: object,
    insurer: int = 0,
    /,
    *,
    copy: int = 0,
    reasons: Sequence[str] = (),
    **values: object,
) -> None:
    """One more policy of a person, in force."""
    household, row = papers.about(person)
    row = {
        "policy_no": f"0000{papers.serial(household, copy):014d}",
        "insurer_code": INSURERS[insurer],
        **row,
        "product_type": product,
        "annual_premium": premium,
        "cash_value": cash,
        "effective_on": "2020-05-01",
        "expires_on": "",
        "status": "有效",
    } | values
    papers.add(SOURCE, file_of(insurer), household, b",\n" + json_line(_CONTRACT, row), *reasons)
