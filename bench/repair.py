"""Mending mistyped numbers: our rule and Splink on the same corrupted names and numbers, the truth planted.

Register: people with distinct valid numbers and names as common as in life (few surnames, many namesakes). Rows:
people of the register with one substituted digit or one swap of neighbours in the number, in one row of ten two such
mistakes, which the rule must not mend; and strangers with a mistyped number of their own, all of them namesakes of
people of the register, half of them also of the same place and day of birth. Names: a part misspelt, a part
unreadable. A pair is right when it joins a row to the person it was made of; recall counts rows made of a person of
the register, whatever was done to them.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from bench.feeds import AS_OF
from pipelines.identity.idnumber import (
    check_character,
    has_check_character,
    is_valid,
    pack_blocks,
    valid_neighbours,
)

PEOPLE, ROWS = 20_000, 4_000
_SURNAMES = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗"
_GIVEN = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超兰霞平刚桂英华玉建国志秀梅春红海文"
_UNREADABLE = ("", "?", "李?")
Chars = NDArray[np.uint8]


@dataclass(frozen=True)
class Trial:
    """people, rows: (n, 18) numbers; names beside them; truth: index of the person a row was made of, or -1."""

    people: Chars
    people_names: list[str]
    rows: Chars
    row_names: list[str]
    truth: NDArray[np.int64]


def draw_trial(people: int, rows: int, seed: int) -> Trial:
    rng = np.random.default_rng(seed)
    every = _draw_numbers(rng, people)
    names = _draw_names(rng, people)
    namesakes = rng.choice(people, rows // 4, replace=False)
    every = np.concatenate([every, _draw_strangers(rng, every, namesakes)])
    names += [names[person] for person in namesakes]
    own = np.arange(people)
    made_of = np.concatenate(
        [rng.choice(own, rows - rows // 4, replace=False), np.arange(people, people + rows // 4)]
    )
    numbers = every[made_of].copy()
    for row in range(rows):
        # One mistake in nine of ten, two in the rest.
        for _ in range(1 if rng.random() < 0.9 else 2):
            _mistype(rng, numbers[row])
    row_names = []
    for person in made_of:
        chance = rng.random()
        if chance < 0.05:
            row_names.append(str(rng.choice(_UNREADABLE)))
        elif chance < 0.10:
            row_names.append(names[person][:-1] + str(rng.choice(list(_GIVEN))))
        else:
            row_names.append(names[person])
    suspect = ~is_valid(numbers, date.fromisoformat(AS_OF))
    truth = np.where(made_of < people, made_of, -1)
    kept = np.flatnonzero(suspect)  # a mistyped number that happens to be valid is nobody's to mend
    return Trial(every[:people], names[:people], numbers[kept], [row_names[at] for at in kept], truth[kept])


def mend_by_rule(trial: Trial) -> set[tuple[int, int]]:
    """Spec section 3: name readable and equal, exactly one such person one edit away. Returns (row, person)."""
    packed = _packed(trial.people)
    order = np.argsort(packed)
    names = pa.array([*trial.people_names, *trial.row_names]).dictionary_encode()
    codes = names.indices.to_numpy()
    texts = names.dictionary.to_pylist()
    readable = np.array([bool(text) and not set(text) & set("?*□■〓�") for text in texts])
    people_codes, row_codes = codes[: len(trial.people)], codes[len(trial.people) :]
    suspects = np.flatnonzero(readable[row_codes])
    index, candidates = valid_neighbours(trial.rows[suspects], date.fromisoformat(AS_OF))
    wanted = _packed(candidates)
    at = np.searchsorted(packed[order], wanted).clip(max=len(order) - 1)
    person = order[at]
    hit = (packed[person] == wanted) & (people_codes[person] == row_codes[suspects[index]])
    index, person = index[hit], person[hit]
    alone = np.bincount(index, minlength=len(suspects))[index] == 1
    return set(zip(suspects[index[alone]].tolist(), person[alone].tolist(), strict=True))


def mend_by_splink(trial: Trial) -> tuple[dict[int, tuple[float, int]], dict[str, float]]:
    """Splink as one would set it up for this: blocked on halves of the number and on name with birth year, trained
    by EM. Returns each row's best (probability, person) and the seconds of training and predicting."""
    import splink.comparison_library as cl
    from splink import Linker, SettingsCreator, block_on
    from splink.backends.duckdb import DuckDBAPI

    logging.getLogger("splink").setLevel(logging.ERROR)
    api = DuckDBAPI()
    frames = [
        api.register(_frame(trial.people, trial.people_names), dataset_display_name="person"),
        api.register(_frame(trial.rows, trial.row_names), dataset_display_name="row"),
    ]
    blocking = [block_on("front"), block_on("back"), block_on("name", "born"), block_on("name", "place")]
    settings = SettingsCreator(
        link_type="link_only",
        comparisons=[
            cl.DamerauLevenshteinAtThresholds("number", [1, 2]),
            cl.ExactMatch("name").configure(term_frequency_adjustments=True),
        ],
        blocking_rules_to_generate_predictions=blocking,
    )
    began = time.perf_counter()
    linker = Linker(frames, settings)
    linker.training.estimate_probability_two_random_records_match(
        [block_on("front", "name"), block_on("back", "name")], recall=0.8
    )
    linker.training.estimate_u_using_random_sampling(max_pairs=1e6, seed=1)
    linker.training.estimate_parameters_using_expectation_maximisation(block_on("name", "place"))
    linker.training.estimate_parameters_using_expectation_maximisation(block_on("back"))
    trained = time.perf_counter()
    pairs = linker.inference.predict(threshold_match_probability=0.5).as_duckdbpyrelation().to_arrow_table()
    predicted = time.perf_counter()
    best: dict[int, tuple[float, int]] = {}
    columns = ("source_dataset_l", "unique_id_l", "unique_id_r", "match_probability")
    for left, first, second, probability in zip(
        *(pairs.column(name).to_pylist() for name in columns), strict=True
    ):
        person, row = (first, second) if left == "person" else (second, first)
        if row not in best or probability > best[row][0]:
            best[row] = (probability, person)
    seconds = {"training": round(trained - began, 2), "predicting": round(predicted - trained, 2)}
    return best, seconds


def compare_repair(people: int = PEOPLE, rows: int = ROWS, seed: int = 1) -> dict[str, Any]:
    """Precision, recall and seconds of both; Splink at three thresholds."""
    warm = draw_trial(2_000, 400, seed)
    mend_by_rule(warm)  # imports and tables that are made once
    mend_by_splink(warm)
    trial = draw_trial(people, rows, seed)
    wall, cpu = time.perf_counter(), time.process_time()
    ours = mend_by_rule(trial)
    figures = [
        {"who": "our rule", "wall_seconds": round(time.perf_counter() - wall, 3),
         "cpu_seconds": round(time.process_time() - cpu, 3), **score(trial, ours)},
    ]  # fmt: skip
    wall, cpu = time.perf_counter(), time.process_time()
    best, parts = mend_by_splink(trial)
    spent = {
        "wall_seconds": round(time.perf_counter() - wall, 3),
        "cpu_seconds": round(time.process_time() - cpu, 3),
    }
    for threshold in (0.9, 0.99, 0.999):
        theirs = {(row, person) for row, (probability, person) in best.items() if probability >= threshold}
        figures.append(
            {"who": f"splink, probability ≥ {threshold}", **spent, **score(trial, theirs), "parts": parts}
        )
    strangers = int((trial.truth < 0).sum())
    return {
        "people": people,
        "rows": len(trial.rows),
        "rows_of_strangers": strangers,
        "seed": seed,
        "found": figures,
    }


def score(trial: Trial, pairs: set[tuple[int, int]]) -> dict[str, float | int]:
    right = sum(trial.truth[row] == person for row, person in pairs)
    there = int((trial.truth >= 0).sum())
    return {
        "pairs": len(pairs),
        "wrong": len(pairs) - int(right),
        "precision": round(float(right) / len(pairs), 5) if pairs else 1.0,
        "recall": round(float(right) / there, 4),
    }


def _draw_numbers(rng: np.random.Generator, count: int) -> Chars:
    """Distinct valid numbers; place codes 999001 to 999099, which no place has."""
    drawn: dict[str, None] = {}
    days = np.arange(np.datetime64("1935-01-01"), np.datetime64("2020-01-01"))
    while len(drawn) < count:
        born = str(rng.choice(days)).replace("-", "")
        seventeen = f"9990{rng.integers(1, 100):02d}{born}{rng.integers(1000):03d}"
        drawn[seventeen + check_character(seventeen)] = None
    chars = np.frombuffer("".join(drawn).encode(), np.uint8).reshape(-1, 18).copy()
    assert has_check_character(chars).all()
    return chars


def _draw_strangers(rng: np.random.Generator, people: Chars, namesakes: NDArray[np.int64]) -> Chars:
    """A number for each namesake that nobody of the register has: every second one of the same place and birth."""
    taken = {bytes(number) for number in people}
    drawn: list[bytes] = []
    for turn, person in enumerate(namesakes):
        while True:
            place_and_birth = (
                bytes(people[person][:14]) if turn % 2 else bytes(people[rng.integers(len(people))][:14])
            )
            seventeen = place_and_birth.decode() + f"{rng.integers(1000):03d}"
            number = (seventeen + check_character(seventeen)).encode()
            if number not in taken:
                break
        taken.add(number)
        drawn.append(number)
    return np.frombuffer(b"".join(drawn), np.uint8).reshape(-1, 18).copy()


def _draw_names(rng: np.random.Generator, count: int) -> list[str]:
    weights = 1 / np.arange(1, len(_SURNAMES) + 1)
    surnames = rng.choice(list(_SURNAMES), count, p=weights / weights.sum())
    first, second = rng.choice(list(_GIVEN), count), rng.choice([*_GIVEN, ""], count)
    return [a + b + c for a, b, c in zip(surnames, first, second, strict=True)]


def _mistype(rng: np.random.Generator, number: Chars) -> None:
    """One substituted digit or one swap of two unlike neighbours, in place."""
    position = int(rng.integers(17))
    if rng.random() < 0.7 or position == 16 or number[position] == number[position + 1]:
        number[position] = 48 + (number[position] - 48 + int(rng.integers(1, 10))) % 10
    else:
        number[position], number[position + 1] = number[position + 1], number[position]


def _packed(chars: Chars) -> NDArray[np.uint64]:
    return np.ascontiguousarray(pack_blocks(chars)[:, :8]).view(">u8").ravel().astype(np.uint64)


def _frame(chars: Chars, names: list[str]) -> pa.Table:
    numbers = pa.array(np.ascontiguousarray(chars).view("S18").ravel().astype(str))
    texts = pa.array([name if name and "?" not in name else None for name in names], pa.string())
    return pa.table({
        "unique_id": np.arange(len(names)),
        "number": numbers,
        "name": texts,
        "front": pc.utf8_slice_codeunits(numbers, 0, 9),
        "back": pc.utf8_slice_codeunits(numbers, 9, 18),
        "place": pc.utf8_slice_codeunits(numbers, 0, 6),
        "born": pc.utf8_slice_codeunits(numbers, 6, 14),
    })  # fmt: skip
