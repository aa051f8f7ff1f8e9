"""Whoever is known is found at his place, and strangers are nobody, however few are known."""

import numpy as np
import pytest

from pipelines.intake.prefix_table import PrefixTable


@pytest.mark.parametrize("known", [0, 1, 2, 3, 1000])
def test_the_known_are_found_and_strangers_are_not(known):
    dice = np.random.default_rng(known)
    everybody = dice.integers(0, 2**64, (known + 50_000, 2), dtype=np.uint64)
    own = everybody[:known][np.argsort(everybody[:known, 0])]
    hi, lo = np.ascontiguousarray(own[:, 0]), np.ascontiguousarray(own[:, 1])
    table = PrefixTable(hi, lo)
    assert table.find(hi, lo).tolist() == list(range(known))
    strangers = everybody[known:]
    assert (table.find(strangers[:, 0].copy(), strangers[:, 1].copy()) == -1).all()
    assert (table.find(hi, lo ^ np.uint64(1)) == -1).all()


def test_numbers_that_begin_alike_are_told_apart_up_to_the_last():
    top = 2**64 - 1
    own = [(0, 0), (5, 1), (5, 3), (5, 4), (top, 0), (top, top)]
    table = PrefixTable(*np.array(own, np.uint64).T)
    asked = np.array([*own, (5, 0), (5, 2), (5, 5), (top, 1), (0, 1)], np.uint64)
    assert table.find(*asked.T).tolist() == [0, 1, 2, 3, 4, 5, -1, -1, -1, -1, -1]
    places, positions = table.find_tokens(asked[::-1].astype(">u8").view(np.uint8))
    assert (places.tolist(), positions.tolist()) == ([5, 6, 7, 8, 9, 10], [5, 4, 3, 2, 1, 0])
    assert PrefixTable(*np.zeros((2, 0), np.uint64)).find(*asked.T).tolist() == [-1] * len(asked)
