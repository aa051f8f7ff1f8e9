"""Identity numbers by GB 11643: normal form, check character, birth date, neighbours and packing."""

from __future__ import annotations

import random
from datetime import date

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.identity.idnumber import (
    birth_dates,
    check_character,
    is_valid,
    normalise_ids,
    pack_blocks,
    unpack_blocks,
    unpack_chars,
    valid_neighbours,
)
from tests.flow.long_runs import examples

AS_OF = date(2026, 6, 30)
WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
CHARACTERS = "0123456789X"


def plain_check(first: str) -> str:
    return "10X98765432"[sum(int(digit) * weight for digit, weight in zip(first, WEIGHTS, strict=True)) % 11]


def plain_valid(number: str, as_of: date = AS_OF) -> bool:
    try:
        born = date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return False
    return number[17] == plain_check(number[:17]) and date(1900, 1, 1) <= born <= as_of


def matrix(*numbers: str) -> np.ndarray:
    return np.frombuffer("".join(numbers).encode(), np.uint8).reshape(-1, 18).copy()


def normal(*cells: str, encoding: str = "utf-8") -> list[str]:
    found = normalise_ids(pa.array([cell.encode(encoding) for cell in cells], pa.binary()), encoding)
    texts = []
    for row in range(len(cells)):
        state = "missing" if found.missing[row] else "malformed" if found.malformed[row] else ""
        texts.append(state or found.chars[row].tobytes().decode() + ("^" if found.upgraded[row] else ""))
    return texts


NUMBERS = {
    # published examples: GB 11643 annexes and the test vectors every implementation quotes
    "11010519491231002X": "11010519491231002X",
    "440524188001010014": "440524188001010014",
    "11010519491231002x": "11010519491231002X",
    "１１０１０５１９４９１２３１００２Ｘ": "11010519491231002X",
    "110105 19491231 002X": "11010519491231002X",
    "110105\u300019491231\u00a0002X": "11010519491231002X",
    "\t11010519491231002X ": "11010519491231002X",
    "①1010519491231002X": "11010519491231002X",  # NFKC makes a digit of it
    "110105491231002": "11010519491231002X^",
    "110105 491231 002": "11010519491231002X^",
    "１１０１０５４９１２３１００２": "11010519491231002X^",
    "": "missing",
    " \u3000\t": "missing",
    "1101051949123100": "malformed",
    "1101051949123100234": "malformed",
    "11010519491231002-": "malformed",
    "11010549123100X": "malformed",
    "X1010519491231002X": "malformed",
    "11010519491231002Χ": "malformed",  # a Greek letter
    "١1010519491231002X": "malformed",  # an Arabic digit stays what it is
    "11010519491231002X\u200b": "malformed",
    "\ufeff11010519491231002X": "malformed",
    "11010519491231002X\x00": "malformed",
    "护照E12345678": "malformed",
    "000000000000000000": "000000000000000000",
}


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
def test_the_normal_form_of_numbers(encoding: str) -> None:
    assert normal(*NUMBERS, encoding=encoding) == list(NUMBERS.values())
    for cell, wanted in NUMBERS.items():
        assert normal(cell, encoding=encoding) == [wanted]


VALIDITY = """
11010519491231002X  valid    the standard's own example
440524188001010014  suspect  born before 1900
110105194912310021  suspect  wrong check character
99910020260630011?  valid    born on the as-of day
99910020260701011?  suspect  born the day after
99910019000101011?  valid    the first day that counts
99910018991231011?  suspect  the day before it
99910020000229011?  valid    a leap day
99910019000229011?  suspect  1900 was no leap year
99910020250229011?  suspect  no such day
99910019801301011?  suspect  no such month
99910019800001011?  suspect  month zero
99910019800100011?  suspect  day zero
00000019800101011?  valid    the place code is never judged
99999919800101011?  valid    nor that nobody has it
99910030000101011?  suspect  a thousand years ahead
99910000000101011?  suspect  the year zero
"""


@pytest.mark.parametrize("row", VALIDITY.strip().splitlines())
def test_a_number_is_valid_by_check_character_and_birth_date(row: str) -> None:
    number, wanted, _ = row.split(maxsplit=2)
    if number.endswith("?"):
        number = number[:17] + plain_check(number[:17])
    assert is_valid(matrix(number), AS_OF).tolist() == [wanted == "valid"]
    assert plain_valid(number) == (wanted == "valid")


@settings(max_examples=examples(150), deadline=None)
@given(
    st.lists(
        st.tuples(st.text("0123456789", min_size=17, max_size=17), st.sampled_from(CHARACTERS)), min_size=1
    )
)
def test_validity_check_and_packing_of_any_numbers(drawn: list[tuple[str, str]]) -> None:
    numbers = [first + last for first, last in drawn]
    chars = matrix(*numbers)
    assert is_valid(chars, AS_OF).tolist() == [plain_valid(number) for number in numbers]
    assert [check_character(first) for first, _ in drawn] == [plain_check(first) for first, _ in drawn]
    assert birth_dates(chars).tolist() == [int(number[6:14]) for number in numbers]
    blocks = pack_blocks(chars)
    assert unpack_blocks(blocks).to_pylist() == numbers
    assert (unpack_chars(blocks) == chars).all()
    assert len({block.tobytes() for block in blocks}) == len(set(numbers)), "two numbers share a block"


def test_packing_reaches_both_ends_and_refuses_what_it_cannot_have_made() -> None:
    ends = ["0" * 18, "9" * 17 + "X", "0" * 17 + "X"]
    assert unpack_blocks(pack_blocks(matrix(*ends))).to_pylist() == ends
    foreign = pack_blocks(matrix(*ends))
    foreign[1, 15] = 1
    with pytest.raises(ValueError, match="another key"):
        unpack_blocks(foreign)


def brute_neighbours(number: str) -> set[str]:
    found = set()
    for at in range(18):
        for character in CHARACTERS if at == 17 else CHARACTERS[:10]:
            found.add(number[:at] + character + number[at + 1 :])
    for at in range(17):
        swapped = number[:at] + number[at + 1] + number[at] + number[at + 2 :]
        if "X" not in swapped[:17]:
            found.add(swapped)
    return {one for one in found if one != number and plain_valid(one)}


def mistyped(rng: random.Random) -> str:
    first = f"{rng.randrange(10**6):06d}{rng.randint(1899, 2027)}{rng.randint(0, 13):02d}{rng.randint(0, 32):02d}{rng.randrange(1000):03d}"
    number = first + plain_check(first)
    way, at = rng.randrange(4), rng.randrange(16)
    if way == 0:
        return number[:17] + rng.choice(CHARACTERS)
    if way == 1:
        return number[:at] + rng.choice("0123456789") + number[at + 1 :]
    return number[:at] + number[at + 1] + number[at] + number[at + 2 :] if way == 2 else number


def test_neighbours_are_those_found_by_trying_every_edit() -> None:
    rng = random.Random(11643)
    numbers = [mistyped(rng) for _ in range(examples(300))]
    index, candidates = valid_neighbours(matrix(*numbers), AS_OF)
    found: dict[int, list[str]] = {}
    for at, chars in zip(index.tolist(), candidates, strict=True):
        found.setdefault(at, []).append(chars.tobytes().decode())
    for at, number in enumerate(numbers):
        own = found.get(at, [])
        assert len(own) == len(set(own)), "a neighbour is told twice"
        assert set(own) - {number} == brute_neighbours(number)


def test_no_numbers_have_no_neighbours() -> None:
    index, candidates = valid_neighbours(np.zeros((0, 18), np.uint8), AS_OF)
    assert len(index) == len(candidates) == 0
