"""People of the households: members, obligors, kin in the same register, and strangers the departments also
know.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sample_data.cells import Bools, Cells, Floats, Ints, Keys
from sample_data.dice import Dice
from sample_data.figures import TEKUN, Figures
from sample_data.households import Households
from sample_data.names import Names

MEMBER, OBLIGOR, KIN, STRANGER = range(4)
NORMAL, DEAD, MOVED, CANCELLED, UNREGISTERED = range(5)
# What a person has signed; see departments/roster.py for the papers this becomes.
(
    UNSIGNED,
    SIGNED,
    SIGNED_EACH,
    SIGNED_TWICE,
    LAST_DAY,
    FIRST_DAY,
    EXPIRED,
    NOT_YET,
    TAX_ONLY,
    NOT_SECURITIES,
) = range(10)
ANY_STYLE = -1
AS_IS, FIFTEEN, LOWER_CASE, SUSPECT = range(4)
CATEGORIES = ("", "视力", "听力", "言语", "肢体", "智力", "精神", "多重")
_PHYSICAL, _INTELLECTUAL, _MENTAL = 4, 5, 6
SPOUSE, CHILD, PARENT = 10, 20, 50
_KEYS_A_HOUSEHOLD = 10
_YEAR = 365.2425


@dataclass
class People:
    """Columns by person, in the order of households; within one members, obligors, kin, strangers.

    home: row of the household. position: which member (obligor, …) of it, from 0. relation: to the head;
    SPOUSE, CHILD and PARENT become the codes for men and women later. register, register_relation, status,
    status_date: the household registration; the register is a number within the household. copy_of: the
    person's row, or that of the person this entry repeats. bare: no department but the registration knows
    the person. style: how departments write the name, ANY_STYLE for as chance has it. income: true countable
    income over the window, cents.
    """

    home: Ints
    role: Ints
    position: Ints
    keys: Keys
    born: Ints
    exact: Bools
    relation: Ints
    grade: Ints
    category: Ints
    ill: Bools
    signed: Ints
    income: Ints
    bare: Bools
    register: Ints
    register_relation: Ints
    status: Ints
    status_date: Ints
    copy_of: Ints
    style: Ints
    roster_style: Ints
    roster_number: Ints
    male: Bools
    numbers: Cells
    names: Names

    def __len__(self) -> int:
        return len(self.home)


def draw_people(dice: Dice, households: Households, figures: Figures) -> People:
    """Everybody, before any scenario has changed anything; numbers and names come after that."""
    counts = [households.members, households.obligors, households.kin, households.strangers]
    total = np.sum(counts, axis=0)
    home = np.repeat(np.arange(len(households)), total)
    within = np.arange(len(home)) - np.repeat(np.cumsum(total) - total, total)
    ends = np.cumsum(counts, axis=0)[:, home]
    role = (within >= ends[0]).astype(np.int64) + (within >= ends[1]) + (within >= ends[2])
    starts = np.concatenate([np.zeros((1, len(home)), np.int64), ends[:3]])
    position = within - np.take_along_axis(starts, role[None, :], axis=0)[0]
    keys = (households.keys[home] << np.uint64(_KEYS_A_HOUSEHOLD)) | within.astype(np.uint64)
    relation, age = _families(dice, households, home, role, position, keys)
    days = dice.below("birthday", keys, 365)
    born = figures.as_of.toordinal() - np.floor(age * _YEAR).astype(np.int64) - days
    grade, category, ill = _hardship(dice, keys)
    rows = np.arange(len(home))
    return People(
        home=home,
        role=role,
        position=position,
        keys=keys,
        born=born,
        exact=np.zeros(len(home), np.bool_),
        relation=relation,
        grade=grade,
        category=category,
        ill=ill,
        signed=_signatures(dice, households, home, role, keys),
        income=np.zeros(len(home), np.int64),
        bare=np.zeros(len(home), np.bool_),
        register=np.where(role == OBLIGOR, 10 + position, np.where(role == STRANGER, 100 + position // 3, 0)),
        register_relation=_register_relations(role, position, relation),
        status=np.where(dice.chance("unregistered", keys, 0.03), UNREGISTERED, NORMAL),
        status_date=np.zeros(len(home), np.int64),
        copy_of=rows,
        style=np.full(len(home), ANY_STYLE),
        roster_style=np.zeros(len(home), np.int64),
        roster_number=np.zeros(len(home), np.int64),
        male=np.zeros(len(home), np.bool_),
        numbers=np.zeros((0, 18), np.uint8),
        names=Names(rows, rows),
    )


def _families(
    dice: Dice, households: Households, home: Ints, role: Ints, position: Ints, keys: Keys
) -> tuple[Ints, Ints]:
    """Relation to the head and age in whole years: a head, often a spouse, children, at times a parent."""
    tekun = households.programme == TEKUN
    single = households.keys
    head_age = np.where(
        tekun & dice.chance("head.old", single, 0.85),
        62 + dice.below("head.age.old", single, 30),
        27 + dice.below("head.age", single, 50),
    )[home]
    first = position == 0
    spouse = (position == 1) & dice.chance("spouse", keys, 0.6)
    parent = (position > 0) & ~spouse & (head_age < 62) & dice.chance("parent", keys, 0.12)
    child = (position > 0) & ~spouse & ~parent
    child_age = head_age - 19 - dice.below("child.age", keys, 20)
    child_age = np.where(child_age < 0, dice.below("child.young", keys, 17), child_age)
    parent_age = np.minimum(head_age + 20 + dice.below("parent.age", keys, 12), 98)
    age = np.select(
        [role == STRANGER, role == KIN, role == OBLIGOR, first, spouse, parent, child],
        [
            18 + dice.below("stranger.age", keys, 70),
            np.minimum(head_age + 18 + dice.below("kin.age", keys, 12), 98),
            20 + dice.below("obligor.age", keys, 45),
            head_age,
            np.maximum(head_age - 6 + dice.below("spouse.age", keys, 12), 20),
            parent_age,
            child_age,
        ],
    )
    relation = np.select(
        [role == KIN, role == OBLIGOR, first, spouse, parent], [PARENT, CHILD, 1, SPOUSE, PARENT], CHILD
    )
    return relation, age


def _hardship(dice: Dice, keys: Keys) -> tuple[Ints, Ints, Bools]:
    disabled = dice.chance("disabled", keys, 0.14)
    grade = np.where(disabled, 1 + dice.pick("grade", keys, (15, 30, 30, 25)), 0)
    category = np.where(disabled, 1 + dice.pick("category", keys, (12, 9, 3, 45, 10, 13, 8)), 0)
    return grade, category, dice.chance("ill", keys, 0.06)


def _signatures(dice: Dice, households: Households, home: Ints, role: Ints, keys: Keys) -> Ints:
    """Members have signed; obligors where the programme looks at them, and half of the others; monitored
    people rarely.
    """
    full = np.array([SIGNED, SIGNED_EACH, SIGNED_TWICE, LAST_DAY, FIRST_DAY])
    member = full[dice.pick("signed", keys, (70, 15, 9, 3, 3))]
    obligor = np.where(dice.chance("signed.obligor", keys, 0.5), SIGNED, TAX_ONLY)
    elsewhere = households.programme[home] > TEKUN
    obligor = np.where(elsewhere & dice.chance("unsigned", keys, 0.5), UNSIGNED, obligor)
    asked = dice.chance("asked", households.keys, 0.4)[home]
    member = np.where(households.monitored[home] & ~asked, UNSIGNED, member)
    return np.select([role == MEMBER, role == OBLIGOR], [member, obligor], UNSIGNED)


def _register_relations(role: Ints, position: Ints, relation: Ints) -> Ints:
    """To the head of the register: 02 heads it; strangers live in registers of three."""
    stranger = np.array([2, SPOUSE, CHILD])[position % 3]
    own = np.where(relation == 1, 2, relation)
    return np.select([role == STRANGER, role == OBLIGOR], [stranger, np.full(len(role), 2)], own)


def ages_of(people: People, figures: Figures) -> Floats:
    """Years as of the day, by person: near enough to choose people by, not to meet an edge to the day."""
    return (figures.as_of.toordinal() - people.born) / _YEAR


def is_severe(people: People, figures: Figures) -> Bools:
    """Section 4 of the specification, on the sample's own columns."""
    mind = (people.category == _INTELLECTUAL) | (people.category == _MENTAL)
    severe: Bools = (
        people.ill
        | np.isin(people.grade, sorted(figures.severe_grades))
        | mind & np.isin(people.grade, sorted(figures.severe_grades_mind))
    )
    return severe


def make_mild(people: People, where: Bools) -> None:
    """No disability and no illness for these people."""
    people.grade[where] = people.category[where] = 0
    people.ill[where] = False
