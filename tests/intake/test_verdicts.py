"""Verdicts that only show across rows (specification, section 2)."""

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.intake.batch import BIT
from pipelines.intake.persons import number_persons
from pipelines.intake.verdicts import (
    NO_HOUSEHOLD,
    find_households,
    mark_headless,
    mark_repeated_households,
    mark_repeated_members,
    mark_unknown_households,
    number_ids,
)

IDS = st.lists(st.sampled_from(["", "H1", "H2", "H3", "H4"]), max_size=12)


def texts(values):
    return pa.array(values, pa.string())


@given(IDS)
def test_households_told_twice_are_all_quarantined_but_those_without_a_number(ids):
    mask = np.zeros(len(ids), np.uint32)
    mark_repeated_households(texts(ids), mask)
    wanted = [BIT["household_repeated"] if one and ids.count(one) > 1 else 0 for one in ids]
    assert mask.tolist() == wanted


@given(IDS, st.sets(st.sampled_from(["H1", "H2", "H3"])), st.sets(st.sampled_from(["H1", "H2", "H3"])))
def test_a_member_belongs_to_the_accepted_household_of_the_number_or_to_none(ids, known, accepted):
    rows = sorted(known)
    good = np.array([row for row, one in enumerate(rows) if one in accepted], np.int64)
    found = find_households(texts(ids), texts(rows), good)
    assert [NO_HOUSEHOLD if row < 0 else rows[row] for row in found] == [
        one if one in known & accepted else NO_HOUSEHOLD for one in ids
    ]
    mask = np.zeros(len(ids), np.uint32)
    mark_unknown_households(texts(ids), found, mask)
    wanted = [BIT["household_unknown"] if one and one not in known & accepted else 0 for one in ids]
    assert mask.tolist() == wanted


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
