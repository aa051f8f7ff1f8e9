"""Great Expectations behind four functions, so that nothing else has to know how it wants to be held.

Importing it as it comes costs 2.7 seconds of a core, while the feeds are read. Here it costs 1.3:
* two libraries that only its distribution tests and charts use (altair and scipy.stats) are put off with the standard
  library's LazyLoader: the real modules, loaded if ever touched;
* two that it can do without (for databases and clusters; the gates judge small frames) are told not to be there;
* its some four hundred models inherit each other's fields by deep copies, half a million of them: here one level deep;
* nothing that is imported becomes garbage, so it is not looked for.
"""

from __future__ import annotations

import copy
import gc
import importlib.abc
import importlib.machinery
import importlib.util
import os
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

_PUT_OFF = frozenset({"altair", "scipy.stats"})
_DONE_WITHOUT = frozenset({"sqlalchemy", "pyspark"})
# Yes or no: other settings repeat unexpected values in the result, and take twice as long.
_YES_OR_NO = {"result_format": "BOOLEAN_ONLY"}
# Asked only once the answer was no. Places are all that is read of it.
_WHERE = {"result_format": "COMPLETE", "return_unexpected_index_query": False}
_LOADING = threading.Lock()


class EngineError(Exception):
    """Great Expectations could not judge. Its own message is left out: it may quote cells."""


@dataclass(frozen=True)
class Check:
    """One expectation as Great Expectations wants it: its type in snake case and its arguments."""

    id: str
    type: str
    kwargs: Mapping[str, Any]
    severity: str


class _LateFinder(importlib.abc.MetaPathFinder):
    """Only for the thread that made it: what others import meanwhile is theirs."""

    def __init__(self) -> None:
        self._thread = threading.get_ident()

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if threading.get_ident() != self._thread:
            return None
        if fullname in _DONE_WITHOUT:
            raise ModuleNotFoundError(f"No module named {fullname!r}", name=fullname)
        if fullname not in _PUT_OFF:
            return None
        spec = importlib.machinery.PathFinder.find_spec(fullname, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = importlib.util.LazyLoader(spec.loader)
        return spec


@contextmanager
def _importing_lightly() -> Iterator[None]:
    from pydantic.v1.fields import ModelField

    finder, had_garbage_collected = _LateFinder(), gc.isenabled()
    sys.meta_path.insert(0, finder)
    gc.disable()
    ModelField.__deepcopy__ = _copy_field  # type: ignore[attr-defined]
    try:
        yield
    finally:
        del ModelField.__deepcopy__  # type: ignore[attr-defined]
        if had_garbage_collected:
            gc.enable()
        sys.meta_path.remove(finder)


def _copy_field(field: Any, memo: dict[int, Any]) -> Any:
    """A model's field for a model that inherits it: of its own is what the heir may set."""
    heir = copy.copy(field)
    heir.field_info = copy.copy(field.field_info)
    heir.class_validators = dict(field.class_validators)
    return heir


def load() -> None:
    """Import Great Expectations and open the context; later calls cost nothing."""
    with _LOADING:
        _batch_definition()


@cache
def _batch_definition() -> Any:
    os.environ["GX_ANALYTICS_ENABLED"] = "False"  # read once, at import: nothing may be reported to anybody
    try:
        with _importing_lightly():
            import great_expectations as gx
    except SystemExit:
        # An optional library it finds may end the process on import (pyspark without its connect packages does, with
        # status 0): the night would stop without a word and look done.
        raise EngineError(
            "a library that Great Expectations imports ended the process; repair the environment"
        ) from None
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}  # type: ignore[assignment]  # a mapping at run time
    asset = context.data_sources.add_pandas("summaries").add_dataframe_asset("summary")
    return asset.add_batch_definition_whole_dataframe("whole")


def validate(frame: pd.DataFrame, checks: Sequence[Check]) -> dict[str, bool]:
    """Whether each check holds for every row of the frame. Raises EngineError."""
    return {
        check_id: bool(result.success) for check_id, result in _results(frame, checks, _YES_OR_NO).items()
    }


def places_failing(frame: pd.DataFrame, check: Check) -> list[int]:
    """Places, from 0, of the rows for which the check does not hold. Raises EngineError."""
    result = _results(frame.reset_index(drop=True), [check], _WHERE)[check.id]
    places = [int(place) for place in result.result["unexpected_index_list"] or []]
    if bool(places) == bool(result.success):
        raise EngineError(f"expectation {check.id} is {result.success} and names {len(places)} rows")
    return places


def _results(frame: pd.DataFrame, checks: Sequence[Check], answer: Mapping[str, Any]) -> dict[str, Any]:
    """What Great Expectations answers about each check, by its id."""
    load()
    import great_expectations as gx
    import great_expectations.expectations as gxe

    expectations = [
        getattr(gxe, _class_name(one.type))(**one.kwargs, severity=one.severity, meta={"id": one.id})
        for one in checks
    ]
    suite = gx.ExpectationSuite(name="suite", expectations=expectations)
    batch = _batch_definition().get_batch(batch_parameters={"dataframe": frame})
    found = {}
    for result in batch.validate(suite, result_format=dict(answer)).results:
        check_id = result.expectation_config.meta["id"]
        if result.exception_info.get("raised_exception", False):
            raise EngineError(f"expectation {check_id} could not be judged on {len(frame)} rows")
        found[check_id] = result
    if set(found) != {one.id for one in checks}:
        raise EngineError(f"{len(checks)} expectations were asked, {len(found)} were answered")
    return found


def _class_name(kind: str) -> str:
    return "".join(part.capitalize() for part in kind.split("_"))
