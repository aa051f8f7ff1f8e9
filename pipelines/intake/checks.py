"""Judge every row against its contract, a column at a time, with every reason that fits (spec section 2)."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal
from functools import lru_cache
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from connectors.contract import Column, FileContract
from pipelines.identity.idnumber import (
    IdColumn,
    Mask,
    Matrix,
    binary_buffers,
    is_valid,
    normalise_ids,
    pack_blocks,
)
from pipelines.intake.batch import BIT, RowBatch
from pipelines.intake.evidence_tables import MICRO
from pipelines.intake.text_digests import Digests, TextNumbers

_DATE = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})|([0-9]{4})([0-9]{2})([0-9]{2})|([0-9]{4})/([0-9]{1,2})/([0-9]{1,2})"
)
_MONTH = re.compile(r"([0-9]{4})-?([0-9]{2})")
_MONEY = r"^-?(?:[0-9]+|[0-9]{1,3}(?:,[0-9]{3})+)(?:\.[0-9]+)?$"

# A trillion yuan: what exceeds it counts as that much, so that no sum of absurd amounts can overflow a night.
_MOST: Final = 10**12 * MICRO


@dataclass(frozen=True)
class Judging:
    """What rows are judged against besides their contract."""

    as_of: date
    currencies: frozenset[str]
    sources: frozenset[str]


@dataclass
class Checked:
    """A batch with its verdicts.

    mask: reason bits per row (0: accepted); ids and valid: of the id column (None if the file has none);
    """

    batch: RowBatch
    file: FileContract
    mask: NDArray[np.uint32]
    ids: IdColumn | None
    valid: Mask
    _canonical: dict[str, pa.Array]
    file_name: str = ""

    @property
    def lines(self) -> NDArray[np.int64]:
        return self.batch.lines

    @property
    def spoiled(self) -> list[tuple[int, str]]:
        return self.batch.spoiled

    @property
    def has_ids(self) -> bool:
        return self.ids is not None

    @property
    def upgraded(self) -> Mask:
        assert self.ids is not None
        return self.ids.upgraded

    def formed(self) -> Mask:
        assert self.ids is not None
        return ~(self.ids.missing | self.ids.malformed)

    def id_chars(self, rows: NDArray[np.int64]) -> Matrix:
        assert self.ids is not None
        return self.ids.chars[rows]

    def id_blocks(self, rows: NDArray[np.int64]) -> Matrix:
        return pack_blocks(self.id_chars(rows))

    def first_future(self, as_of: date) -> int:
        columns = [column for column in self.file.columns if column.not_future]
        return earliest_after(as_of, [self._canonical[column.name].dictionary for column in columns])

    def raw_fields(self, row: int) -> list[str]:
        values = self.batch.columns.values()
        return [column[row].as_py().decode(self.batch.encoding) for column in values]

    def amounts(self, name: str, rows: NDArray[np.int64]) -> pa.Array:
        """A column of money for accepted rows, in millionths; null where it may be empty and is."""
        return _millionths(self._canonical[name].take(pa.array(rows)))

    def coded(self, name: str, rows: NDArray[np.int64]) -> tuple[pa.Array, NDArray[np.int32]]:
        """The distinct values of a column of few values, parsed, and which of them each row has."""
        values = self._canonical[name]
        return values.dictionary, values.indices.to_numpy(zero_copy_only=False)[rows]

    def text(self, name: str, rows: NDArray[np.int64]) -> pa.Array:
        """Text of one column for the rows, in UTF-8, trimmed. Carried columns and names are not judged."""
        if name in self._canonical:
            return to_utf8(self._canonical[name].take(pa.array(rows)), self.batch.encoding)
        raw = to_utf8(self.batch.columns[name].take(pa.array(rows)), self.batch.encoding)
        return trim(raw.cast(pa.binary()), "utf-8").cast(pa.string())

    def digests(self, name: str, rows: NDArray[np.int64], numbers: TextNumbers) -> Digests:
        return numbers.of_texts(self.text(name, rows))


def check_batch(batch: RowBatch, file: FileContract, judging: Judging) -> Checked:
    """Judge all rows of a batch; nothing is changed or dropped."""
    rows = len(batch.lines)
    checked = Checked(batch, file, np.zeros(rows, np.uint32), None, np.zeros(rows, dtype=bool), {})
    for column in file.columns:
        if column.type in ("carried", "name"):
            continue
        if column.type == "id":
            _judge_ids(checked, column, judging)
        elif column.type == "money":
            _judge_money(checked, column)
        elif column.type in ("text", "identifier"):
            values = trim(batch.columns[column.name], batch.encoding)
            checked._canonical[column.name] = values
            _require(checked, column, np.asarray(pc.equal(pc.binary_length(values), 0)))
        else:
            _judge_listed(checked, column, judging)
    for column in file.columns:
        if column.empty_only_when:
            other, value = column.empty_only_when
            empty = np.asarray(pc.is_null(checked._canonical[column.name].dictionary_decode()))
            blank = empty & _is_blank(batch.columns[column.name], batch.encoding)
            same = np.asarray(
                pc.fill_null(pc.equal(checked._canonical[other].dictionary_decode(), value), False)
            )
            checked.mask[blank & ~same] |= BIT["required_missing"]
    return checked


def _require(checked: Checked, column: Column, empty: Mask) -> None:
    if not column.optional and column.empty_only_when is None:
        checked.mask[empty] |= BIT["required_missing"]


def _judge_ids(checked: Checked, column: Column, judging: Judging) -> None:
    ids = normalise_ids(checked.batch.columns[column.name], checked.batch.encoding)
    checked.ids = ids
    if not column.optional:
        checked.mask[ids.missing] |= BIT["id_missing"]
    checked.mask[ids.malformed] |= BIT["id_malformed"]
    formed = ~(ids.missing | ids.malformed)
    checked.valid = formed & is_valid(np.where(formed[:, None], ids.chars, np.uint8(48)), judging.as_of)


def _judge_listed(checked: Checked, column: Column, judging: Judging) -> None:
    """Columns of few values: each distinct value is judged once."""
    values = checked.batch.columns[column.name]
    # A dictionary may still hold values of rows that were taken out as undecodable.
    texts = [raw.decode(checked.batch.encoding, "replace").strip() for raw in values.dictionary.to_pylist()]
    judge = value_judge(column, judging)
    judged = [judge(text) for text in texts]
    bits = np.array([bits for _, bits, _ in judged] or [0], dtype=np.uint32)
    checked.mask |= bits[values.indices.to_numpy(zero_copy_only=False)]
    parsed = pa.array([value for value, _, _ in judged], parsed_type(column))
    checked._canonical[column.name] = pa.DictionaryArray.from_arrays(values.indices, parsed)


def earliest_after(as_of: date, columns: list[pa.Array]) -> int:
    """The earliest of some dates that is later than as_of, as yyyymmdd; 0 without one."""
    later = [pc.min(values.filter(pc.greater(values, pa.scalar(as_of)))).as_py() for values in columns]
    return min((day.year * 10000 + day.month * 100 + day.day for day in later if day), default=0)


def parsed_type(column: Column) -> pa.DataType:
    """What the values of a column of few values are kept as."""
    return pa.date32() if column.type in ("date", "month") else pa.string()


def value_judge(column: Column, judging: Judging) -> Callable[[str], tuple[Any, int, bool]]:
    """From the text of a column of few values to (what it means or None, its reason bits, whether it is blank)."""
    parse = _PARSERS[column.type](column, judging)
    required = not column.optional and column.empty_only_when is None

    def judge(text: str) -> tuple[Any, int, bool]:
        text = text.strip()
        if not text:
            return None, int(BIT["required_missing"]) if required else 0, True
        value, reason = parse(text)
        return value, int(BIT[reason]) if reason else 0, False

    return judge


Parser = Callable[[str], tuple[Any, str | None]]


def _date_parser(column: Column, judging: Judging) -> Parser:
    def parse(text: str) -> tuple[date | None, str | None]:
        found = parse_date(text) if column.type == "date" else parse_month(text)
        if found is None:
            return None, "date_unparseable"
        return found, "date_in_future" if column.not_future and found > judging.as_of else None

    return parse


def _member_parser(allowed: frozenset[str], reason: str) -> Parser:
    return lambda text: (text, None) if text in allowed else (None, reason)


def _digits_parser(length: int) -> Parser:
    return lambda text: (
        (text, None) if len(text) == length and text.isascii() and text.isdigit() else (None, "code_unknown")
    )


def _scope_parser(sources: frozenset[str]) -> Parser:
    def parse(text: str) -> tuple[str | None, str | None]:
        names = [name.strip() for name in text.split(";")]
        known = names == ["*"] or all(name in sources for name in names)
        return (";".join(sorted(set(names))), None) if known else (None, "code_unknown")

    return parse


_PARSERS: Final[dict[str, Callable[[Column, Judging], Parser]]] = {
    "code": lambda column, judging: _member_parser(frozenset(column.values), "code_unknown"),
    "digits": lambda column, judging: _digits_parser(column.length),
    "currency": lambda column, judging: _member_parser(judging.currencies, "currency_unknown"),
    "scope": lambda column, judging: _scope_parser(judging.sources),
    "date": _date_parser,
    "month": _date_parser,
}


@lru_cache(maxsize=1 << 16)  # every file tells of the same days
def parse_date(text: str) -> date | None:
    """2026-06-29, 20260629 or 2026/6/29 (only the last with one or two digits)."""
    match = _DATE.fullmatch(text)
    if not match:
        return None
    year, month, day = (int(part) for part in match.groups() if part is not None)
    try:
        return date(year, month, day)
    except ValueError:
        return None


def parse_month(text: str) -> date | None:
    """First day of 202605 or 2026-05."""
    match = _MONTH.fullmatch(text)
    try:
        return date(int(match[1]), int(match[2]), 1) if match else None
    except ValueError:
        return None


def _judge_money(checked: Checked, column: Column) -> None:
    values = trim(checked.batch.columns[column.name], checked.batch.encoding)
    checked._canonical[column.name] = values
    offsets, data = binary_buffers(values)
    lengths = np.diff(offsets)
    _require(checked, column, lengths == 0)
    (doubtful,) = np.nonzero(~_is_plain_amount(offsets, data, signed=not column.not_negative) & (lengths > 0))
    if not len(doubtful):
        return
    few = values.take(pa.array(doubtful))
    formed = np.asarray(pc.match_substring_regex(few, _MONEY))
    checked.mask[doubtful[~formed]] |= BIT["money_unparseable"]
    if column.not_negative:
        below = np.asarray(pc.match_substring_regex(few, "^-.*[1-9]"))
        checked.mask[doubtful[formed & below]] |= BIT["money_negative"]


def _is_plain_amount(offsets: NDArray[np.int64], data: NDArray[np.uint8], signed: bool) -> Mask:
    """Rows that are digits only, or digits with a point before the last one or two; `signed`: with a minus or not."""
    if len(offsets) == 1:
        return np.zeros(0, dtype=bool)
    lengths = np.diff(offsets)
    inside = data[offsets[0] : offsets[-1]]
    other = np.zeros(len(inside) + 1, dtype=np.int32)
    np.greater_equal(inside - np.uint8(48), 10, out=other[:-1], casting="unsafe")
    others = np.add.reduceat(other, offsets[:-1] - offsets[0])
    last = np.maximum(offsets[1:], 1)
    if signed and len(data):
        minus = (lengths > 1) & (data[np.minimum(offsets[:-1], len(data) - 1)] == ord("-"))
        lengths = lengths - minus
        others = others - minus
    has_point = np.zeros(len(lengths), dtype=bool)
    for back in (2, 3):
        has_point |= (lengths > back) & (data[np.maximum(last - back, 0)] == ord(".")) if len(data) else False
    plain: Mask = (lengths > 0) & ((others == 0) | ((others == 1) & has_point))
    return plain


def _millionths(values: pa.Array) -> pa.Array:
    """Amounts as int64 millionths, saturated at a trillion; empty ones are null."""
    offsets, data = binary_buffers(values)
    if (data[offsets[0] : offsets[-1]] == ord(",")).any():
        values = pc.replace_substring(values, ",", "")
        offsets, data = binary_buffers(values)
    plain = _is_plain_amount(offsets, data, signed=True)
    micros = np.zeros(len(values), np.int64)
    empty = np.zeros(len(values), dtype=bool)
    micros[plain] = _plain_millionths(values.filter(pa.array(plain)))
    for row in np.flatnonzero(~plain):
        amount = _one_millionths(bytes(data[offsets[row] : offsets[row + 1]]))
        empty[row] = amount is None
        micros[row] = amount or 0
    return pa.array(micros, mask=empty)


def _plain_millionths(values: pa.Array) -> NDArray[np.int64]:
    try:
        wide = pc.cast(pc.cast(values, pa.string()), pa.decimal128(38, 6))
    except pa.ArrowInvalid:  # more digits than a decimal holds
        return np.array([_one_millionths(raw) for raw in values.to_pylist()], np.int64)
    words = np.frombuffer(wide.buffers()[1], dtype="<i8").reshape(-1, 2)[
        wide.offset : wide.offset + len(wide)
    ]
    fits = (words[:, 1] == words[:, 0] >> 63) & (np.abs(words[:, 0]) <= _MOST)
    return np.where(fits, words[:, 0], np.where(words[:, 1] < 0, -_MOST, _MOST))


def _one_millionths(raw: bytes) -> int | None:
    if not raw:
        return None
    exact = Decimal(raw.decode("ascii"))
    if abs(exact) >= _MOST // MICRO:
        return _MOST if exact > 0 else -_MOST
    return int((exact * MICRO).to_integral_value(ROUND_HALF_EVEN))


def trim(values: pa.Array, encoding: str) -> pa.Array:
    """Surrounding white space off, as Python's str.strip sees it; untouched columns are returned as they are."""
    if isinstance(values, pa.DictionaryArray):
        values = values.dictionary_decode()
    offsets, data = binary_buffers(values)
    inside = data[offsets[0] : offsets[-1]]
    spaced = np.zeros(len(inside) + 1, dtype=bool)
    np.logical_or(inside <= 32, inside >= 0x7F, out=spaced[:-1])
    if not spaced.any():
        return values
    if encoding == "utf-8":
        return pc.utf8_trim_whitespace(values.cast(pa.string())).cast(pa.binary())
    rows = np.logical_or.reduceat(spaced, offsets[:-1] - offsets[0]) & (np.diff(offsets) > 0)
    few = values.filter(pa.array(rows)).dictionary_encode()
    texts = [raw.decode(encoding).strip().encode(encoding) for raw in few.dictionary.to_pylist()]
    return pc.replace_with_mask(values, pa.array(rows), pa.array(texts, pa.binary()).take(few.indices))


def to_utf8(values: pa.Array, encoding: str) -> pa.Array:
    """The column as UTF-8 strings; decoded in one go, with line ends between the values."""
    if isinstance(values, pa.DictionaryArray):
        values = values.dictionary_decode()
    offsets, data = binary_buffers(values)
    if encoding == "utf-8" or not (data[offsets[0] : offsets[-1]] >= 0x80).any():
        return values.cast(pa.string())
    ended = pc.binary_join_element_wise(values, pa.scalar(b"", pa.binary()), pa.scalar(b"\n", pa.binary()))
    ended_offsets, ended_data = binary_buffers(ended)
    text = ended_data[ended_offsets[0] : ended_offsets[-1]].tobytes().decode(encoding).encode("utf-8")
    recoded = np.frombuffer(text, dtype=np.uint8)
    line_ends = recoded == ord("\n")
    starts = np.zeros(len(values) + 1, dtype=np.int32)
    starts[1:] = np.flatnonzero(line_ends) - np.arange(len(values))
    kept = pa.py_buffer(recoded[~line_ends].tobytes())
    return pa.StringArray.from_buffers(len(values), pa.py_buffer(starts), kept)


def _is_blank(values: pa.Array, encoding: str) -> Mask:
    blank = np.array(
        [not raw.decode(encoding, "replace").strip() for raw in values.dictionary.to_pylist()] or [True],
        dtype=bool,
    )
    return blank[values.indices.to_numpy(zero_copy_only=False)] if len(values) else np.zeros(0, dtype=bool)
