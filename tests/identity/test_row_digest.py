"""A row's number is that of every equal row, and of no other, whatever kind of column makes the difference."""

from datetime import date

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.identity.cipher import Tokeniser
from pipelines.identity.row_digest import digest_rows, row_numbers

CIPHER = Tokeniser(bytes(range(32)))
ROW = st.tuples(
    st.sampled_from(["工资薪金", "劳务报酬", "", "1"]),
    st.one_of(st.none(), st.sampled_from([0, 1, -1, 2**62])),
    st.one_of(st.none(), st.sampled_from([date(1970, 1, 1), date(1970, 1, 2), date(2026, 6, 30)])),
)


def digests(rows, cipher=CIPHER):
    kinds = (pa.string(), pa.int64(), pa.date32())
    columns = [pa.array([row[place] for row in rows], kind) for place, kind in enumerate(kinds)]
    return digest_rows([row_numbers(column, cipher) for column in columns], len(rows), cipher)


@settings(deadline=None)
@given(st.lists(ROW, max_size=60))
def test_two_rows_have_one_number_when_and_only_when_they_are_equal(rows):
    found = digests(rows).tolist()
    assert len(set(zip(rows, found, strict=True))) == len(set(rows)) == len(set(found))


def test_a_text_that_is_null_counts_as_empty():
    assert digests([(None, 1, None)]).tolist() == digests([("", 1, None)]).tolist()


def test_values_that_change_places_make_another_number():
    numbers = np.array([[1, 2], [2, 1]], np.int64)
    one, other = digest_rows([numbers[:, 0].copy(), numbers[:, 1].copy()], 2, CIPHER)
    assert one != other


def test_another_key_gives_other_numbers():
    rows = [("工资薪金", 1, date(2026, 6, 30))]
    assert digests(rows).tolist() != digests(rows, Tokeniser(bytes(32))).tolist()
