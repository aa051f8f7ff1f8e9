"""Read expectations/<stage>/<table>.toml: what a summary frame holds, and what must be true of it.

Strict: an unknown key, column, type or placeholder stops the night before anything is judged, because a
misspelt key would be a check that silently never runs.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal, NoReturn

FOLDER = Path(__file__).parent
STAGES = ("intake", "link", "assess", "publish")

# The reasons for which the specification, section 2, lets a source be held.
HOLD_REASONS = ("receipt_mismatch", "header_mismatch", "unreadable", "stale", "too_many_bad_rows")

# word: an English identifier; rule: a rule code; both are safe to repeat. text is never repeated anywhere.
TEXT_TYPES = ("word", "rule", "text")
NUMBER_TYPES = ("count", "whole", "share", "number")

# Expectations that judge row by row, so that a failing batch can be cut down to the rows that fail.
ROW_EXPECTATIONS = {
    "expect_column_values_to_be_between": ("column",),
    "expect_column_values_to_be_in_set": ("column",),
    "expect_column_pair_values_to_be_equal": ("column_A", "column_B"),
    "expect_column_pair_values_a_to_be_greater_than_b": ("column_A", "column_B"),
}

_TABLE_KEYS = {"grain", "columns", "derived", "grouped", "expectation"}
_NEEDED = {"id", "description", "protects", "severity", "type", "kwargs", "wanted"}
_OPTIONAL = {"holds_as", "where", "label", "show"}
_WORD = re.compile(r"[a-z][a-z0-9_]{0,60}")


class SuiteError(Exception):
    """A suite file that cannot be used: names file, place, what was found and what was wanted."""


@dataclass(frozen=True)
class Column:
    name: str
    type: str
    means: str
    nullable: bool = False


@dataclass(frozen=True)
class Derivation:
    """A column computed from others of the same row: the sum of all, the difference or ratio of two.

    plus: added to both sides of a ratio, so that three leads instead of one are no alarm.
    """

    column: Column
    how: Literal["sum", "difference", "ratio"]
    of: tuple[str, ...]
    plus: int = 0


@dataclass(frozen=True)
class Grouping:
    """One row per `by`: the total variation distance, half of Σ|a − b|, of two share columns."""

    by: tuple[str, ...]
    column: Column
    of: tuple[str, str]


@dataclass(frozen=True)
class Expectation:
    """One thing that must be true of every row.

    holds_as: the specification's reason for which a failing source is held. A critical expectation without it
    stops the night: its failure is a fault of ours, for which no department may be blamed.
    where: rows judged; label: the column that tells rows of one source apart; show: the figures told.
    """

    id: str
    description: str
    protects: str
    severity: Literal["critical", "warning"]
    type: str
    kwargs: Mapping[str, Any]
    wanted: str
    columns: tuple[str, ...]
    show: tuple[str, ...]
    holds_as: str = ""
    label: str = ""
    where: tuple[tuple[str, tuple[str, ...]], ...] = ()


@dataclass(frozen=True)
class Suite:
    stage: str
    table: str
    grain: tuple[str, ...]
    columns: Mapping[str, Column]
    derived: tuple[Derivation, ...]
    grouping: Grouping | None
    expectations: tuple[Expectation, ...]

    @property
    def judged_grain(self) -> tuple[str, ...]:
        return self.grouping.by if self.grouping else self.grain

    @property
    def all_columns(self) -> dict[str, Column]:
        """The columns of the frame and those computed from it, by name."""
        computed = [one.column for one in self.derived] + ([self.grouping.column] if self.grouping else [])
        return {**self.columns, **{one.name: one for one in computed}}


@cache
def stage_suites(stage: str) -> tuple[Suite, ...]:
    """The suites of a stage, ordered by table. Raises SuiteError."""
    if stage not in STAGES:
        raise SuiteError(f"no stage {stage!r}; the stages are {', '.join(STAGES)}")
    suites = tuple(read_suite(path, stage) for path in sorted((FOLDER / stage).glob("*.toml")))
    ids = [one.id for suite in suites for one in suite.expectations]
    repeated = sorted({one for one in ids if ids.count(one) > 1})
    if repeated or not ids:
        raise SuiteError(
            f"expectations/{stage}: found {repeated or 'no expectation'}; every id stands once per stage"
        )
    return suites


def find_expectation(stage: str, expectation_id: str) -> Expectation | None:
    """The declaration behind an outcome, or None for one of a version that is gone."""
    if stage not in STAGES:
        return None
    found = (one for suite in stage_suites(stage) for one in suite.expectations if one.id == expectation_id)
    return next(found, None)


def read_suite(path: Path, stage: str) -> Suite:
    """One suite file. Raises SuiteError."""
    return _SuiteReader(path, stage).read()


class _SuiteReader:
    def __init__(self, path: Path, stage: str) -> None:
        self.path, self.stage = path, stage

    def read(self) -> Suite:
        raw = self._load()
        self._only(raw, _TABLE_KEYS, needed={"grain", "columns", "expectation"}, place="the file")
        columns = {name: self._column(name, given) for name, given in raw["columns"].items()}
        grain = tuple(self._known(columns, name, "grain") for name in raw["grain"])
        derived = tuple(
            self._derivation(name, given, columns) for name, given in raw.get("derived", {}).items()
        )
        grouping = self._grouping(raw["grouped"], columns, grain) if "grouped" in raw else None
        known = self._judgeable(columns, derived, grouping)
        expectations = tuple(self._expectation(given, known) for given in raw["expectation"])
        return Suite(self.stage, self.path.stem, grain, columns, derived, grouping, expectations)

    def _load(self) -> dict[str, Any]:
        try:
            return tomllib.loads(self.path.read_text(encoding="utf-8"))
        except tomllib.TOMLDecodeError as error:
            self._refuse("the file", str(error), "TOML")

    def _column(self, name: str, given: dict[str, Any]) -> Column:
        place = f"column {name}"
        self._only(given, {"type", "means"}, needed={"type", "means"}, place=place)
        kind = given["type"].removesuffix("?")
        if kind not in TEXT_TYPES + NUMBER_TYPES:
            self._refuse(place, f"type {given['type']}", f"one of {', '.join(TEXT_TYPES + NUMBER_TYPES)}")
        return Column(name, kind, given["means"], nullable=given["type"].endswith("?"))

    def _derivation(self, name: str, given: dict[str, Any], columns: Mapping[str, Column]) -> Derivation:
        place = f"derived column {name}"
        ways = [way for way in ("sum", "difference", "ratio") if way in given]
        if len(ways) != 1 or name in columns:
            self._refuse(place, f"ways {ways}", "a new name and exactly one of sum, difference, ratio")
        way = ways[0]
        self._only(given, {way, "plus", "type", "means"}, needed={"type", "means"}, place=place)
        of = self._numbers(columns, given[way], place)
        if way != "sum" and len(of) != 2:
            self._refuse(place, f"{len(of)} columns", "two columns")
        column = Column(name, given["type"], given["means"], nullable=True)
        return Derivation(column, way, of, given.get("plus", 0))

    def _grouping(
        self, given: dict[str, Any], columns: Mapping[str, Column], grain: tuple[str, ...]
    ) -> Grouping:
        needed = {"by", "name", "half_total_difference", "type", "means"}
        self._only(given, needed, needed=needed, place="grouped")
        by = tuple(self._known(columns, name, "grouped") for name in given["by"])
        of = self._numbers(columns, given["half_total_difference"], "grouped")
        if len(of) != 2 or not set(by) < set(grain):
            self._refuse(
                "grouped", f"by {by}, {len(of)} columns", "fewer columns than the grain, and two shares"
            )
        return Grouping(
            by, Column(given["name"], given["type"], given["means"], nullable=True), (of[0], of[1])
        )

    def _judgeable(
        self, columns: Mapping[str, Column], derived: tuple[Derivation, ...], grouping: Grouping | None
    ) -> dict[str, Column]:
        if grouping:
            return {name: columns[name] for name in grouping.by} | {grouping.column.name: grouping.column}
        return dict(columns) | {one.column.name: one.column for one in derived}

    def _expectation(self, given: dict[str, Any], known: Mapping[str, Column]) -> Expectation:
        place = f"expectation {given.get('id', '(no id)')}"
        self._only(given, _NEEDED | _OPTIONAL, needed=_NEEDED, place=place)
        if not _WORD.fullmatch(given["id"]):
            self._refuse(place, "an id that is no word", "lower-case letters, digits and _")
        if given["severity"] not in ("critical", "warning"):
            self._refuse(place, f"severity {given['severity']}", "critical or warning")
        if given["type"] not in ROW_EXPECTATIONS:
            self._refuse(place, f"type {given['type']}", f"one of {', '.join(sorted(ROW_EXPECTATIONS))}")
        columns = tuple(self._target(given, key, known, place) for key in ROW_EXPECTATIONS[given["type"]])
        show = self._numbers(known, given.get("show", columns), place)
        if not show and not given.get("label"):
            self._refuse(place, "neither figures nor a label", "something an outcome can tell")
        return Expectation(
            id=given["id"],
            description=given["description"],
            protects=given["protects"],
            severity=given["severity"],
            type=given["type"],
            kwargs=given["kwargs"],
            wanted=self._wanted(given, place),
            columns=columns,
            show=show,
            holds_as=self._holds_as(given, place),
            label=self._label(given, known, place),
            where=self._where(given.get("where", {}), known, place),
        )

    def _target(self, given: dict[str, Any], key: str, known: Mapping[str, Column], place: str) -> str:
        if key not in given["kwargs"]:
            self._refuse(place, f"no {key}", f"kwargs with {key}")
        return self._known(known, given["kwargs"][key], place)

    def _wanted(self, given: dict[str, Any], place: str) -> str:
        try:
            return str(given["wanted"].format_map(given["kwargs"]))
        except (KeyError, ValueError, IndexError) as error:
            self._refuse(place, f"wanted that cannot be filled in ({error})", "placeholders named in kwargs")

    def _holds_as(self, given: dict[str, Any], place: str) -> str:
        reason: str = given.get("holds_as", "")
        if reason and (given["severity"] != "critical" or reason not in HOLD_REASONS):
            self._refuse(
                place, f"holds_as {reason}", f"a critical expectation and one of {', '.join(HOLD_REASONS)}"
            )
        return reason

    def _label(self, given: dict[str, Any], known: Mapping[str, Column], place: str) -> str:
        if "label" not in given:
            return ""
        label = self._known(known, given["label"], place)
        if known[label].type not in ("word", "rule"):
            self._refuse(place, f"label {label} of type {known[label].type}", "a column of type word or rule")
        return label

    def _where(
        self, given: dict[str, list[str]], known: Mapping[str, Column], place: str
    ) -> tuple[tuple[str, tuple[str, ...]], ...]:
        return tuple((self._known(known, name, place), tuple(values)) for name, values in given.items())

    def _numbers(self, known: Mapping[str, Column], names: Any, place: str) -> tuple[str, ...]:
        found = tuple(self._known(known, name, place) for name in names)
        texts = [name for name in found if known[name].type not in NUMBER_TYPES]
        if texts:
            self._refuse(place, f"text columns {texts}", "columns of figures")
        return found

    def _known(self, known: Mapping[str, Column], name: Any, place: str) -> str:
        if name not in known:
            self._refuse(place, f"column {name!r}", f"one of {', '.join(known)}")
        return str(name)

    def _only(self, given: Mapping[str, Any], allowed: set[str], *, needed: set[str], place: str) -> None:
        unknown, missing = sorted(set(given) - allowed), sorted(needed - set(given))
        if unknown or missing:
            self._refuse(
                place, f"unknown keys {unknown}, missing keys {missing}", f"only {', '.join(sorted(allowed))}"
            )

    def _refuse(self, place: str, found: str, wanted: str) -> NoReturn:
        where = f"expectations/{self.stage}/{self.path.name}"
        raise SuiteError(f"{where}, {place}: found {found}; wanted {wanted}; correct the file")
