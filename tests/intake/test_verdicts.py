"""Verdicts that only show across rows (specification, section 2)."""

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.identity.cipher import MASTER_BYTES, Tokeniser
from pipelines.intake.batch import BIT
from pipelines.intake.persons import number_persons
from pipelines.intake.verdicts import (
    NO_HOUSEHOLD,
    judge_households,
    mark_headless,
    mark_repeated_members,
    mark_unknown_households,
    number_ids,
)

from .roster_blocks import read_roster as read

CIPHER = Tokeniser(bytes(MASTER_BYTES))
IDS = st.lists(st.sampled_from(["", "H1", "H2", "H3", "H4"]), max_size=12)


def texts(values):
    return pa.array(values, pa.string())


@given(IDS)
def test_households_told_twice_are_all_quarantined_but_those_without_a_number(ids):
    mask = np.zeros(len(ids), np.uint32)
    households = judge_households(texts(ids), mask, CIPHER)
    wanted = [BIT["household_repeated"] if one and ids.count(one) > 1 else 0 for one in ids]
    assert mask.tolist() == wanted
    assert households.are_accepted.tolist() == [not bits for bits in wanted]


# As ids stand in members.csv: some are quoted or have white space around, one has quotes in itself.
SPELLED = {"": "", "H1": "H1", "H2": " H2\u3000", "H3": '"H3"', '"4"': '"""4"""', "H12345678": "H12345678"}


@settings(deadline=None, max_examples=30)
@given(
    st.lists(st.sampled_from(sorted(SPELLED)), max_size=12),
    st.sets(st.sampled_from(sorted(SPELLED))),
    st.sets(st.sampled_from(sorted(SPELLED))),
)
def test_a_member_belongs_to_the_accepted_household_of_the_id_or_to_none(ids, known, bad):
    known = sorted(known)
    mask = np.array([one in bad or not one for one in known], np.uint32)
    households = judge_households(texts(known), mask, CIPHER)
    lines = [f"{SPELLED[one]},99010320150307241{place % 10}," for place, one in enumerate(ids)]
    found = []
    for block in read("members", *(line + "甲某,成员,20,,,否," for line in lines)):
        rows, unplaced = households.of(block), block.mask.copy()
        (lost,) = np.nonzero(rows == NO_HOUSEHOLD)
        mark_unknown_households(block.text("household_id", lost), lost, unplaced)
        found += zip(block.lines.tolist(), rows.tolist(), (unplaced - block.mask).tolist(), strict=True)
    for (_, row, reason), one in zip(sorted(found), ids, strict=True):
        is_placed = one in known and one and one not in bad
        assert row == (known.index(one) if is_placed else NO_HOUSEHOLD)
        assert reason == (BIT["household_unknown"] if one and not is_placed else 0)


@given(IDS)
def test_equal_ids_have_one_number(ids):
    numbers, distinct = number_ids(texts(ids), 100)
    assert ["" if one < 0 else distinct[one - 100].as_py() for one in numbers] == ids


ROW = st.tuples(
    st.integers(0, 2), st.integers(0, 2), st.booleans(), st.booleans(), st.sampled_from(["a", "b"])
)


@settings(deadline=None)
@given(st.lists(ROW, max_size=12))
def test_of_a_person_told_twice_the_member_counts_then_the_first_by_the_raw_fields(rows):
    household, number, is_member, is_bad, raw = zip(*rows, strict=True) if rows else ([],) * 5
    mask = np.array(is_bad, np.uint32)
    tokens = np.array(number, np.uint64)
    mark_repeated_members(
        np.array(household, np.int32),
        number_persons(tokens, tokens),
        np.array(is_member, bool),
        mask,
        lambda row: [raw[row]],
    )
    for row, verdict in enumerate(mask.tolist()):
        rivals = [
            other
            for other in range(len(rows))
            if not is_bad[other] and (household[other], number[other]) == (household[row], number[row])
        ]
        first = min(rivals, key=lambda one: (not is_member[one], raw[one], one), default=row)
        wanted = is_bad[row] or (BIT["member_repeated"] if first != row else 0)
        assert verdict == wanted


def test_a_monitored_household_needs_exactly_one_accepted_head():
    household = np.array([7, 7, 8, 8, 9, 9, NO_HOUSEHOLD], np.int32)
    is_head = np.array([True, False, True, True, True, False, True])
    mask = np.array([0, 0, 0, 0, 4, 0, 1], np.uint32)
    mark_headless(household, is_head, mask)
    headless = int(BIT["household_head_missing"])
    assert mask.tolist() == [0, 0, headless, headless, headless | 4, headless, 1]
