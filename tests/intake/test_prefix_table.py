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
