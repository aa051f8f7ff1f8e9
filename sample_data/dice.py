"""Chance that depends on nothing but the seed, the question and who is asked.

Every draw is a hash of (seed, question, key), so a household is the same household whatever else is drawn, in
whatever order, and however many households are drawn at a time.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from hashlib import blake2b

import numpy as np

from sample_data.cells import Bools, Floats, Ints, Keys

_GAMMA = np.uint64(0x9E3779B97F4A7C15)
_FIRST = np.uint64(0xBF58476D1CE4E5B9)
_SECOND = np.uint64(0x94D049BB133111EB)


class Dice:
    """Draws for whole columns of keys; a key is any number that names a household, a person or a row."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._salt = cache(self._salt_of)

    def _salt_of(self, question: str) -> np.uint64:
        digest = blake2b(f"{self._seed}:{question}".encode(), digest_size=8).digest()
        return np.uint64(int.from_bytes(digest, "little"))

    def bits(self, question: str, keys: Keys) -> Keys:
        """64 random bits for each key (SplitMix64's finaliser over key and question)."""
        mixed = keys * _GAMMA + self._salt(question)
        mixed = (mixed ^ (mixed >> np.uint64(30))) * _FIRST
        mixed = (mixed ^ (mixed >> np.uint64(27))) * _SECOND
        result: Keys = mixed ^ (mixed >> np.uint64(31))
        return result

    def below(self, question: str, keys: Keys, limit: int | Ints) -> Ints:
        """Whole numbers from 0 to limit − 1; a limit below 1 gives 0."""
        high = (self.bits(question, keys) >> np.uint64(32)).astype(np.int64)
        return (high * np.maximum(limit, 0)) >> 32

    def share(self, question: str, keys: Keys) -> Floats:
        """Numbers from 0 up to, not including, 1."""
        result: Floats = (self.bits(question, keys) >> np.uint64(11)).astype(np.float64) * 2.0**-53
        return result

    def chance(self, question: str, keys: Keys, probability: float | Floats) -> Bools:
        result: Bools = self.share(question, keys) < probability
        return result

    def pick(self, question: str, keys: Keys, weights: Sequence[float]) -> Ints:
        """Indices into `weights`, each as often as its weight says."""
        steps = np.cumsum(np.asarray(weights, np.float64))
        found: Ints = np.searchsorted(steps / steps[-1], self.share(question, keys), side="right")
        return np.minimum(found, len(steps) - 1)
