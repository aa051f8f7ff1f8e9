"""Who is one person among the records, and under which names (specification, section 3)."""

from functools import reduce
from operator import or_

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.intake.persons import AskedRecords, add_up_scopes, asked_tables, number_persons
from pipelines.intake.token_order import in_token_order

# Few tokens, so that people repeat and some share the first half of theirs.
TOKEN = st.tuples(st.sampled_from([0, 1, 2**63, 2**64 - 1]), st.sampled_from([0, 5]))
RECORD = st.tuples(TOKEN, st.booleans(), st.integers(1, 4), st.booleans(), st.booleans())


def halves(tokens):
    return (np.array([token[half] for token in tokens], np.uint64) for half in range(2))


def tables_of(rows):
    """The tables of those rows that are asked about: (token, is member, name digest, readable, is asked)."""
    tokens, is_member, name, readable, is_asked = zip(*rows, strict=True) if rows else ([],) * 5
    persons = number_persons(*halves(tokens))
    asked = np.array(is_asked, bool)[persons.order]
    chosen = persons.order[asked]
    records = AskedRecords(
        record=(chosen + 1).astype(np.int32),
        household=np.ones(len(chosen), np.int32),
        is_member=np.array(is_member, bool)[chosen],
        name_digest=np.array(name, np.int64)[chosen],
        name_readable=np.array(readable, bool)[chosen],
    )
    return asked_tables(records, persons, persons.of_ordered()[asked], persons.hi + persons.lo)


@settings(deadline=None)
@given(st.lists(RECORD, max_size=12))
def test_records_of_one_number_are_one_person(rows):
    persons, names, asked = (one.to_pylist() for one in tables_of(rows))
    by_token = {}
    for record, (token, *_, is_asked) in enumerate(rows, start=1):
        if is_asked:
            by_token.setdefault(token, []).append(record)
    assert [(one["hi"], one["lo"]) for one in persons] == sorted(by_token)
    assert [one["person"] for one in persons] == list(range(len(by_token)))
    for one in persons:
        own = [rows[record - 1] for record in by_token[one["hi"], one["lo"]]]
        assert one["is_member"] == any(is_member for _, is_member, *_ in own)
        assert one["scopes"] == (one["hi"] + one["lo"]) % 2**64
        assert one["has_readable_name"] == any(readable for *_, readable, _ in own)
        assert one["has_unreadable_name"] == any(not readable for *_, readable, _ in own)
        assert one["has_readable_member_name"] == any(m and r for _, m, _, r, _ in own)
        assert one["has_unreadable_member_name"] == any(m and not r for _, m, _, r, _ in own)
        records = [row for row in asked if row["person"] == one["person"]]
        assert sorted(row["record"] for row in records) == by_token[one["hi"], one["lo"]]
        assert {row["is_alone"] for row in records} == {len(own) == 1}
        assert {row["scopes"] for row in records} == {one["scopes"]}
        borne = sorted(row["name_digest"] for row in names if row["person"] == one["person"])
        assert borne == sorted(name for _, _, name, readable, _ in own if readable)
    assert [row["person"] for row in names] == sorted(row["person"] for row in names)


@settings(deadline=None)
@given(st.lists(TOKEN, max_size=20))
def test_every_row_has_its_person_and_knows_of_others(tokens):
    persons = number_persons(*halves(tokens))
    assert [(persons.hi[one], persons.lo[one]) for one in persons.of_rows()] == tokens
    rows, whose = persons.shared_rows()
    assert sorted(rows) == [row for row, token in enumerate(tokens) if tokens.count(token) > 1]
    assert [tokens[row] for row in rows] == [(persons.hi[one], persons.lo[one]) for one in whose]


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 2**64 - 1) | st.sampled_from([3, 4]), st.sampled_from([0, 7])), max_size=40
    )
)
def test_tokens_stand_in_order_and_equal_ones_as_they_came(tokens):
    order, hi, lo = in_token_order(*halves(tokens))
    assert order.tolist() == sorted(range(len(tokens)), key=lambda row: (tokens[row], row))
    assert list(zip(hi.tolist(), lo.tolist(), strict=True)) == sorted(tokens)


def test_a_person_has_authorised_what_any_of_the_authorisations_says():
    authorised = add_up_scopes(*halves([(9, 1), (2, 2), (9, 1), (9, 3)]), np.array([1, 2, 4, 8], np.uint64))
    asked = number_persons(*halves([(9, 1), (1, 1), (2, 2), (9, 4)]))
    assert authorised.of(asked.hi, asked.lo)[asked.of_rows()].tolist() == [5, 0, 2, 0]


def test_nobody_has_authorised_anything():
    asked = number_persons(*halves([(9, 1)]))
    authorised = add_up_scopes(*halves([]), np.zeros(0, np.uint64))
    assert authorised.of(asked.hi, asked.lo).tolist() == [0]
    assert authorised.of_persons(asked).tolist() == [0]


@settings(deadline=None)
@given(st.lists(st.tuples(TOKEN, st.integers(0, 7)), max_size=8), st.lists(TOKEN, max_size=8))
def test_what_persons_have_authorised_is_found_in_their_order_and_in_any(signed, asked):
    tokens, scopes = zip(*signed, strict=True) if signed else ([],) * 2
    authorised = add_up_scopes(*halves(tokens), np.array(scopes, np.uint64))
    persons = number_persons(*halves(asked))
    wanted = [reduce(or_, (bits for one, bits in signed if one == token), 0) for token in sorted(set(asked))]
    assert authorised.of_persons(persons).tolist() == wanted
    assert authorised.of(persons.hi, persons.lo).tolist() == wanted
