"""Numbers that cannot belong to anybody.

People: the first six digits are 999001 to 999999, places GB/T 2260 has never assigned; all the rest of a
number is right (GB 11643-1999: date of birth, sequence with odd for men, check character). Entities: unified
social credit codes (GB 32100-2015) whose division is 999xxx. Accounts, cards and policies: they begin with
0000, an issuer number that ISO/IEC 7812 keeps for itself. Registers: they begin with 999.
"""

from __future__ import annotations

import numpy as np

from sample_data.cells import Bools, Cells, Ints, digits_of, texts_of

_WEIGHTS = np.array([7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2])
_CHECKS = np.frombuffer(b"10X98765432", np.uint8)
_CREDIT_ALPHABET = np.frombuffer(b"0123456789ABCDEFGHJKLMNPQRTUWXY", np.uint8)
_CREDIT_WEIGHTS = np.array([1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28])

_SEQUENCES = 1000
_COMMON = 949 * _SEQUENCES  # places 999001-999949
_EXACT = 40 * _SEQUENCES  # places 999950-999989, for people whose birthday matters to the day
_NOBODY = 10 * _SEQUENCES  # places 999990-999999, for numbers in rows about nobody
_CLASSES = 128
MOST_PEOPLE = _COMMON * _CLASSES
MOST_EXACT = _EXACT


def sequences_of(indices: Ints, exact: Bools) -> Ints:
    """Place and sequence, as one number from 999001000 on, of the people counted by `indices`.

    The ordinary and the exact people are counted each by their own running index.
    """
    if len(indices) and (
        indices[~exact].max(initial=0) >= MOST_PEOPLE or indices[exact].max(initial=0) >= MOST_EXACT
    ):
        raise ValueError("more people than numbers that belong to nobody; want fewer households or strangers")
    common = indices * 382_729 % _COMMON
    return np.where(exact, _COMMON + indices * 7_919 % _EXACT, common) + 999_001_000


def births_apart(births: Ints, indices: Ints, exact: Bools) -> Ints:
    """Dates of birth, moved back by up to 127 days so that no two people share place, date and sequence."""
    return np.where(exact, births, births - (births - indices // _COMMON) % _CLASSES)


def numbers_of(sequences: Ints, births: Ints, dates: Cells) -> Cells:
    """18-character numbers; sequences from `sequences_of`, dates as eight digits in `births` order."""
    cells = np.empty((len(births), 18), np.uint8)
    cells[:, :6] = digits_of(sequences // _SEQUENCES, 6)
    cells[:, 6:14] = dates
    cells[:, 14:17] = digits_of(sequences % _SEQUENCES, 3)
    total = (cells[:, :17].astype(np.int64) - 48) @ _WEIGHTS
    cells[:, 17] = _CHECKS[total % 11]
    return cells


def number_of_nobody(index: int, born: str = "19700101") -> str:
    """A right number that no sample person has, for rows about nobody; `born` as eight digits."""
    sequence = np.array([_COMMON + _EXACT + 999_001_000 + index % _NOBODY])
    date = np.frombuffer(born.encode("ascii"), np.uint8)[None, :]
    return texts_of(numbers_of(sequence, sequence, date))[0]


def shortened(numbers: Cells, where: Bools) -> Cells:
    """15-digit numbers in the rows where it holds; only for people born from 1900 to 1999."""
    cells = numbers.copy()
    rows = np.flatnonzero(where)
    for column in (6, 7, 17):
        cells[rows, column] = 0
    return cells


def mistyped(number: str, place: int) -> str:
    """The number with one digit of the sequence wrong; the check character then never fits (ISO 7064 MOD
    11-2).
    """
    at = 14 + place % 3
    return number[:at] + str((int(number[at]) + 1 + place % 9) % 10) + number[at + 1 :]


def swapped(number: str) -> str:
    """The number with two neighbouring digits, the last pair that differs, in each other's place."""
    at = next(at for at in range(15, 5, -1) if number[at] != number[at + 1])
    return number[:at] + number[at + 1] + number[at] + number[at + 2 :]


def credit_codes_of(indices: Ints, kind: bytes) -> Cells:
    """Unified social credit codes; kind: the two characters of issuer and class, such as b"91"."""
    cells = np.empty((len(indices), 18), np.uint8)
    cells[:, :2] = np.frombuffer(kind, np.uint8)
    cells[:, 2:8] = digits_of(999_001 + indices % 999, 6)
    cells[:, 8:17] = digits_of(indices, 9)
    value = np.zeros(256, np.int64)
    value[_CREDIT_ALPHABET] = np.arange(31)
    cells[:, 17] = _CREDIT_ALPHABET[(31 - value[cells[:, :17]] @ _CREDIT_WEIGHTS % 31) % 31]
    return cells
