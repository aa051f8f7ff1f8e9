"""Numbers are right in every respect but one: nobody can have them."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from stdnum.cn import uscc

from sample_data.cells import days_of, digits_of, money_of, shares_of, texts_of
from sample_data.numbers import (
    MOST_EXACT,
    births_apart,
    credit_codes_of,
    mistyped,
    number_of_nobody,
    numbers_of,
    sequences_of,
    swapped,
)

WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


def is_right(number: str) -> bool:
    total = sum(weight * int(digit) for weight, digit in zip(WEIGHTS, number, strict=False))
    return number[17] == "10X98765432"[total % 11]


def people(indices: np.ndarray, born: date, exact: bool = False) -> list[str]:
    flags = np.full(len(indices), exact)
    births = births_apart(np.full(len(indices), born.toordinal()), indices, flags)
    return texts_of(numbers_of(sequences_of(indices, flags), births, days_of(births, "20260609")))


def test_every_number_in_every_text_file_is_of_a_place_that_does_not_exist(province: Path) -> None:
    found = set()
    for source in (
        "roster",
        "tax",
        "market_regulation",
        "banks",
        "securities",
        "insurance",
        "household_registration",
    ):
        for file in (province / source).iterdir():
            if file.name != "receipt.json":
                found |= set(
                    re.findall(rb"(?<![0-9A-Za-z])[1-9][0-9]{16}[0-9Xx](?![0-9A-Za-z])", file.read_bytes())
                )
    assert len(found) > 2000
    # Credit codes of digits alone look the same; their division, from the third digit on, does not exist either.
    places = {number[2:8] if number.startswith(b"91") else number[:6] for number in found}
    assert {place[:3] for place in places} == {b"999"}
    assert b"999000" not in places


def test_numbers_check_and_no_two_people_share_one_however_many_there_are() -> None:
    # Two people so far apart that place and sequence come round again, born on the same day.
    indices = np.concatenate([np.arange(5_000), np.arange(949_000, 954_000), np.arange(9_490_000, 9_495_000)])
    numbers = people(indices, date(1980, 5, 17))
    assert all(map(is_right, numbers))
    assert len(set(numbers)) == len(numbers)
    assert {number[:3] for number in numbers} == {"999"}


def test_people_whose_birthday_matters_keep_it() -> None:
    numbers = people(np.arange(2_000), date(2010, 2, 28), exact=True)
    assert {number[6:14] for number in numbers} == {"20100228"}
    assert len(set(numbers)) == len(numbers)


def test_too_many_people_are_refused_rather_than_repeated() -> None:
    with pytest.raises(ValueError, match="more people than numbers"):
        sequences_of(np.array([MOST_EXACT]), np.array([True]))


def test_numbers_of_nobody_are_nobodys() -> None:
    assert is_right(number_of_nobody(17))
    assert not set(people(np.arange(20_000), date(1970, 1, 1))) & {
        number_of_nobody(one) for one in range(500)
    }


def test_mistyped_numbers_fail_their_check() -> None:
    for number in people(np.arange(300), date(1961, 11, 3)):
        assert not is_right(swapped(number))
        assert all(not is_right(mistyped(number, place)) for place in range(12))


def test_credit_codes_pass_their_check_in_divisions_that_do_not_exist() -> None:
    codes = texts_of(credit_codes_of(np.arange(0, 900_000, 7_777), b"91"))
    assert all(map(uscc.is_valid, codes))
    assert {code[2:5] for code in codes} == {"999"}


def test_amounts_and_numbers_are_written_in_full() -> None:
    assert texts_of(money_of(np.array([0, -5, 123456789, -100000]), thousands=True)) == [
        "0.00", "-0.05", "1,234,567.89", "-1,000.00",
    ]  # fmt: skip
    assert texts_of(money_of(np.array([1, 25_000_000]), 6)) == ["0.000001", "25.000000"]
    assert texts_of(digits_of(np.array([7, 12345]), 6)) == ["000007", "012345"]
    assert texts_of(days_of(np.array([date(2024, 2, 9).toordinal()]), "2026/6/9")) == ["2024/2/9"]


def test_shares_add_up_to_the_last_cent() -> None:
    totals = np.array([100, 7, 0, 5])
    group = np.array([0, 0, 0, 1, 1, 3])
    shares = shares_of(totals, np.array([1, 1, 1, 0, 0, 2]), group)
    assert np.bincount(group, shares, 4).astype(int).tolist() == [100, 7, 0, 5]
    assert shares.tolist() == [33, 33, 34, 0, 7, 5]
