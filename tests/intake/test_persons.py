"""Who is one person among the records, and under which names (specification, section 3)."""

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.intake.persons import number_persons

# Few tokens, so that people repeat and some share the first half of theirs.
RECORD = st.tuples(
    st.sampled_from([1, 2**63, 2**64 - 1]),
    st.sampled_from([0, 5]),
    st.booleans(),
    st.integers(1, 4),
    st.booleans(),
)


def table(records):
    hi, lo, is_member, name, readable = zip(*records, strict=True) if records else ([],) * 5
    count = len(records)
    return pa.table(
        {
            "record": pa.array(range(1, count + 1), pa.int32()),
            "household": pa.array([1] * count, pa.int32()),
            "hi": pa.array(hi, pa.uint64()),
            "lo": pa.array(lo, pa.uint64()),
            "is_member": pa.array(is_member, pa.bool_()),
            # What a person allows hangs on the number alone.
            "scopes": pa.array([(h + low) % 7 for h, low in zip(hi, lo, strict=True)], pa.uint64()),
            "name_digest": pa.array(name, pa.int64()),
            "name_readable": pa.array(readable, pa.bool_()),
        }
    )


@settings(deadline=None)
@given(st.lists(RECORD, max_size=12))
def test_records_of_one_number_are_one_person(records):
    persons, names, asked = (one.to_pylist() for one in number_persons(table(records)))
    by_token = {}
    for place, (hi, lo, *_) in enumerate(records, start=1):
        by_token.setdefault((hi, lo), []).append(place)
    assert [(one["hi"], one["lo"]) for one in persons] == sorted(by_token)
    assert [one["person"] for one in persons] == list(range(len(by_token)))
    for one in persons:
        own = [records[place - 1] for place in by_token[one["hi"], one["lo"]]]
        assert one["is_member"] == any(is_member for _, _, is_member, _, _ in own)
        assert one["scopes"] == (one["hi"] + one["lo"]) % 7
        assert one["has_readable_name"] == any(readable for *_, readable in own)
        assert one["has_unreadable_name"] == any(not readable for *_, readable in own)
        assert one["has_readable_member_name"] == any(m and r for _, _, m, _, r in own)
        assert one["has_unreadable_member_name"] == any(m and not r for _, _, m, _, r in own)
        rows = [row for row in asked if row["person"] == one["person"]]
        assert sorted(row["record"] for row in rows) == by_token[one["hi"], one["lo"]]
        assert {row["is_alone"] for row in rows} == {len(own) == 1}
        borne = sorted(row["name_digest"] for row in names if row["person"] == one["person"])
        assert borne == sorted(name for _, _, _, name, readable in own if readable)
    assert [row["person"] for row in names] == sorted(row["person"] for row in names)


def test_tokens_that_differ_in_their_second_half_alone_are_two_persons_in_order():
    persons, _, _ = number_persons(
        table([(7, 9, True, 1, True), (7, 2, True, 1, True), (7, 5, True, 1, True)])
    )
    assert np.array(persons.column("lo")).tolist() == [2, 5, 9]
