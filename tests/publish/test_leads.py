"""Both lists put together in whole columns: order, numbers, and what is told of other open leads."""

from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.identity.idnumber import normalise_ids, pack_blocks
from pipelines.identity.tokens import token_halves
from pipelines.lead_people import number_order, open_numbers, person_tokens
from pipelines.lead_rules import name_open_leads
from pipelines.leads import _number_new, _together
from pipelines.publish import _write_file

NUMBERS = ["44010319900101001X", "440103199001010036", "110101200001010015", "44010319900101001X"]


def people(ring, numbers):
    """Columns hi and lo; None where nobody is named."""
    known = np.array([number is not None for number in numbers])
    blocks = pack_blocks(normalise_ids(pa.array([n for n in numbers if n], pa.binary()), "utf-8").chars)
    halves = np.zeros((2, len(numbers)), np.uint64)
    halves[:, known] = token_halves(ring.cipher().tokens(blocks))
    return pa.table(
        {name: pa.array(half, mask=~known) for name, half in zip(("hi", "lo"), halves, strict=True)}
    )


def test_people_stand_in_the_order_of_their_readable_numbers_and_leads_of_nobody_first(ring):
    numbers = [*NUMBERS, None, "440103199001010019"]
    table = people(ring, numbers)
    order = np.argsort(number_order(table, ring.cipher()), kind="stable")
    assert [numbers[place] or "" for place in order] == sorted(number or "" for number in numbers)
    assert open_numbers(table, ring.cipher()).to_pylist() == [number or "" for number in numbers]


def test_a_published_person_is_the_token_and_nobody_is_null(ring):
    tokens = person_tokens(people(ring, [NUMBERS[0], None, NUMBERS[0]]))
    assert tokens.type == pa.binary(16)
    assert tokens.null_count == 1 and tokens[0] == tokens[2] and len(tokens[0].as_py()) == 16


def test_new_leads_are_numbered_through_each_county_and_known_ones_keep_their_number():
    table = pa.table(
        {
            "county_code": ["440103"] * 3 + ["440104"] * 2,
            "lead_no": ["440103-20260101-D-00007", None, None, None, None],
        }
    )
    assert _number_new(table, "20260630-D").to_pylist() == [
        "440103-20260101-D-00007",
        "440103-20260630-D-00001",
        "440103-20260630-D-00002",
        "440104-20260630-D-00001",
        "440104-20260630-D-00002",
    ]
    many = pa.table({"county_code": ["440103"] * 100_000, "lead_no": pa.nulls(100_000, pa.string())})
    assert _number_new(many, "20260630-N")[-1].as_py() == "440103-20260630-N-100000"


def test_a_lead_that_is_gone_keeps_the_words_it_had():
    tonight = pa.array(["今", None, "今"]).dictionary_encode()
    both = _together(tonight, pa.chunked_array([["昨", None], ["今"]]))
    assert both.to_pylist() == ["今", None, "今", "昨", None, "今"]
    assert both.dictionary.to_pylist() == ["今", "昨"]


def test_open_leads_are_told_of_roster_households_alone_and_told_anew_every_night():
    eligible = pa.table(
        {
            "household_id": ["H1", "H2", "H1", "H3"],
            "rule": pa.array(["U01", "U02", "N01", "U01"]).dictionary_encode(),
            "evidence": ["甲", "乙该家庭另有未结线索：X01旧。", "丙", "丁"],
        }
    )
    discrepancies = pa.table(
        {
            "household_id": ["H1", "H1", "H1", "H3"],
            "rule": pa.array(["X02", "D01", "I01", "D01"]).dictionary_encode(),
            "state": pa.array(["new", "unverified", "new", "cleared"]).dictionary_encode(),
        }
    )
    told = name_open_leads(eligible, discrepancies, {"X02": "二", "D01": "一"})
    assert told.column("evidence").to_pylist() == ["甲该家庭另有未结线索：D01一、X02二。", "乙", "丙", "丁"]


def test_a_list_is_read_back_as_plain_columns(tmp_path):
    table = pa.table(
        {
            "state": pa.array(["new", "new"]).dictionary_encode(),
            "person": pa.array([b"0" * 16, None], pa.binary(16)),
            "value": pa.array([None, 1], pa.decimal128(38, 2)),
            "first_night": pa.array([date(2026, 6, 30)] * 2),
        }
    )
    _write_file(table, tmp_path / "list.parquet")
    read = pq.read_table(tmp_path / "list.parquet")
    assert read.schema.types == [pa.string(), pa.binary(16), pa.decimal128(38, 2), pa.date32()]
    assert read.to_pylist() == table.to_pylist()
