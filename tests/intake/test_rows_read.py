"""Rows of many blocks as one, and what is read off a number."""

from datetime import date

import numpy as np
import pyarrow as pa
import pytest

from pipelines.identity.cipher import MASTER_BYTES, Tokeniser
from pipelines.identity.idnumber import pack_blocks
from pipelines.identity.tokens import token_halves
from pipelines.intake.rows_read import NO_AGE, Authorisations, Few, PersonRows, completed_years, scope_bits

from .plain_reading import JUDGING
from .roster_blocks import read_roster as read

CIPHER = Tokeniser(bytes(MASTER_BYTES))
ADULT, CHILD, MISTYPED = "11010519491231002X", "990103201503072415", "990103201503072410"


def token(number):
    chars = np.frombuffer(number.encode(), np.uint8).reshape(1, 18)
    hi, lo = token_halves(CIPHER.tokens(pack_blocks(chars)))
    return int(hi[0]), int(lo[0])


@pytest.mark.parametrize(
    ("born", "years"), [("20080630", 18), ("20080701", 17), ("19000101", 126), ("20260630", 0)]
)
def test_a_year_of_age_is_attained_on_the_birthday(born, years):
    number = np.frombuffer(f"440103{born}0010".encode(), np.uint8).reshape(1, 18)
    assert completed_years(pack_blocks(number), date(2026, 6, 30)).tolist() == [years]


def test_an_authorisation_counts_from_its_day_to_its_last_day_in_its_scope():
    days = [
        ("2026-06-30", "", "tax"),
        ("2026-07-01", "", "banks"),  # not yet
        ("2020-01-01", "2026-06-30", "securities"),
        ("2020-01-01", "2026-06-29", "insurance"),  # no more
        ("2020-01-01", "", "nobody"),  # not accepted
    ]
    authorisations = Authorisations(JUDGING.as_of, CIPHER)
    for block in read(
        "authorisations", *(f"A,{ADULT},{','.join(one)}" for one in days), f"B,{CHILD},20200101,,*"
    ):
        authorisations.add(block)
    found = authorisations.by_person()
    scopes = dict(
        zip(zip(found.hi.tolist(), found.lo.tolist(), strict=True), found.scopes.tolist(), strict=True)
    )
    assert scopes == {token(ADULT): scope_bits("securities;tax"), token(CHILD): scope_bits("*")}


def test_persons_are_tokens_with_an_age_only_where_the_number_is_valid():
    rows = PersonRows(JUDGING.as_of, CIPHER)
    # The quoted line is read by another road than the plain ones, and stands behind them.
    for block in read(
        "members",
        f'"H2",{CHILD},,成员,20,,,否,',
        f"H1,{ADULT},甲某,成员,01,2,肢体,否,",
        f"H1,{MISTYPED},乙某,法定义务人,20,,,是,",
        "H1,12345,丙某,成员,20,,,否,",
    ):
        rows.add(block)
    names = pa.chunked_array(rows.names).to_pylist()
    by_name = {names[row]: row for row in range(len(names))}
    assert sorted(by_name) == ["", "丙某", "乙某", "甲某"]
    for name, number in (("甲某", ADULT), ("乙某", MISTYPED), ("", CHILD)):
        row = by_name[name]
        assert (rows.column("hi")[row], rows.column("lo")[row]) == token(number)
    assert rows.column("hi")[by_name["丙某"]] == 0 and rows.mask[by_name["丙某"]] != 0
    ages = {name: rows.column("age")[row] for name, row in by_name.items()}
    assert ages == {"甲某": 76, "": 11, "乙某": NO_AGE, "丙某": NO_AGE}
    assert rows.few["role"].are("成员")[by_name["甲某"]] and not rows.few["role"].are("成员")[by_name["乙某"]]
    assert rows.few["disability_grade"].take(np.array([by_name["甲某"], by_name["乙某"]])).to_pylist() == [
        "2",
        None,
    ]


def test_blocks_that_number_their_values_in_their_own_way_are_one_column():
    few = Few()
    few.add(["a", None, "b", "a"], np.array([0, 1, 2, 3], np.int32))
    few.add(["b"], np.array([0, 0], np.int32))
    few.add([], np.array([], np.int32))
    assert few.take(np.arange(6)).to_pylist() == ["a", None, "b", "a", "b", "b"]
    assert few.are("b").tolist() == [False, False, True, False, True, True]
    assert few.are(None).tolist() == [False, True, False, False, False, False]
    assert not few.are("c").any()


def test_a_column_of_few_values_may_come_to_hold_many():
    few, values = Few(), [str(value) for value in range(70_000)]
    for begin, end in ((0, 2), (2, 255), (255, 257), (257, 70_000)):
        few.add(values[begin:end], np.arange(end - begin, dtype=np.int32))
    assert few.take(np.arange(70_000)).to_pylist() == values
    assert np.flatnonzero(few.are("0")).tolist() == [0]
    assert np.flatnonzero(few.are("69999")).tolist() == [69_999]
