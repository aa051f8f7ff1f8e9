"""Files of one record a line: whole columns a block at a time, no row lost and none repaired.

Plain lines take the fast road (scan.py). Of the others Arrow splits those that are beyond doubt. It never sees a
line with the wrong number of separators, an unclean quote or undecodable bytes: those are taken out first and
judged one by one by `split_record`, which is the specification's own words.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as arrow_csv
from numpy.typing import NDArray

from connectors.contract import Column, FileContract
from pipelines.errors import SourceHeld
from pipelines.identity.idnumber import binary_buffers
from pipelines.intake.batch import RowBatch
from pipelines.intake.checks import Judging, check_batch
from pipelines.intake.judged import Judged
from pipelines.intake.scan import PADDING, Scanner, padded

BLOCK_BYTES = 8 << 20
MOST_RECORD_BYTES = 512 << 20
# Lines with quotes are judged one by one while they are few; a file that quotes everything goes through Arrow.
_FEW_QUOTES = 0.05
_FEW_VALUES = frozenset({"code", "digits", "currency", "date", "month", "scope"})
_NEWLINE, _RETURN, _QUOTE, _COMMA = 10, 13, 34, 44
_TOGETHER_BYTES = 4096
_ODD_BYTES = 1 << 20
_BOM = b"\xef\xbb\xbf"


def split_record(text: str, separator: str, quoted: bool) -> list[str] | None:
    """The fields of one line, or None when a quoted field does not end cleanly on it (spec section 2)."""
    if not quoted or '"' not in text:
        return text.split(separator)
    fields: list[str] = []
    at = 0
    while True:
        if text.startswith('"', at):
            end = at + 1
            while True:
                end = text.find('"', end)
                if end < 0:
                    return None
                if text.startswith('"', end + 1):
                    end += 2
                    continue
                break
            fields.append(text[at + 1 : end].replace('""', '"'))
            at = end + 1
            if at == len(text):
                return fields
            if text[at] != separator:
                return None
            at += 1
        else:
            end = text.find(separator, at)
            if end < 0:
                fields.append(text[at:])
                return fields
            fields.append(text[at:end])
            at = end + 1


def read_lines(stream: BinaryIO, file: FileContract, file_name: str, judging: Judging) -> Iterator[Judged]:
    """Yield the file's records, judged, a block at a time. Raises SourceHeld (header_mismatch).

    Plain records take the fast road (scan.py); the odd lines of each block are split and judged here.
    """
    scanner = Scanner(file, judging, lambda raw: _raw_fields(raw, file))
    odd = OddRecords(lambda raws, lines: check_batch(read_block(b"".join(raws), lines, file), file, judging))
    line = 1
    header_seen = False
    for block in whole_lines(stream):
        if not header_seen:
            raw = block.tobytes()
            if line == 1 and file.encoding == "utf-8":
                raw = raw.removeprefix(_BOM)
            raw, skipped, header_seen = _take_header(raw, file, file_name)
            block = padded(raw)
            line += skipped
        if len(block):
            scanned, places, count = scanner.read_lines(block, line)
            if scanned is None:
                count = block.tobytes().count(b"\n")
                batch = read_block(block.tobytes(), np.arange(line, line + count), file)
                yield check_batch(batch, file, judging)
            else:
                yield scanned
                yield from odd.add(
                    [block[begin:end].tobytes() for _, begin, end in places], places[:, 0] + line
                )
            line += count
    yield from odd.judge()
    if not header_seen:
        raise SourceHeld(
            "header_mismatch",
            f"{file_name}: the file is empty; wanted a header of {len(file.columns)} columns",
        )


class OddRecords:
    """The odd records of a file, judged some thousands together: a few at a time cost as much as many."""

    def __init__(self, judge: Callable[[list[bytes], NDArray[np.int64]], Judged]) -> None:
        """judge: some records, of which each stands at the line (or place) given with it."""
        self._judge = judge
        self._raws: list[bytes] = []
        self._lines: list[NDArray[np.int64]] = []
        self._bytes = 0

    def add(self, raws: list[bytes], lines: NDArray[np.int64]) -> Iterator[Judged]:
        """Take some more records; yields all so far when they are enough."""
        self._raws += raws
        self._lines.append(lines)
        self._bytes += sum(map(len, raws))
        if self._bytes > _ODD_BYTES:
            yield from self.judge()

    def judge(self) -> Iterator[Judged]:
        """Yields what is left, judged."""
        if self._raws:
            yield self._judge(self._raws, np.concatenate(self._lines))
        self._raws, self._lines, self._bytes = [], [], 0


def _raw_fields(raw: bytes, file: FileContract) -> list[str]:
    return split_record(_line_text(raw, file.encoding), file.separator, file.quoted) or []


def whole_lines(stream: BinaryIO) -> Iterator[NDArray[np.uint8]]:
    """Blocks that end at a line's end; the last line gets a line end if it has none."""
    carried = np.zeros(0, np.uint8)
    ended = False
    while not ended:
        block, filled, ended = next_block(stream, carried)
        if ended and filled and block[filled - 1] != _NEWLINE:
            block[filled] = _NEWLINE
            filled += 1
        cut = filled if ended else _last_line_end(block, len(carried), filled)
        if cut:
            yield block[:cut]
        carried = block[cut:filled]


def next_block(stream: BinaryIO, carried: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], int, bool]:
    """What was carried and what follows it. Returns (block with room behind, bytes filled, the stream has ended).

    As much again as was carried: a record longer than a block is copied a few times and not once a block.
    Raises SourceHeld (unreadable) for a record so long that places in it would not fit 31 bits.
    """
    filled = len(carried)
    if filled > MOST_RECORD_BYTES:
        raise SourceHeld(
            "unreadable",
            f"a record of more than {MOST_RECORD_BYTES >> 20} MB, or a file without line ends; "
            "ask the department to send it again",
        )
    stop = filled + max(BLOCK_BYTES, filled)
    block = np.empty(stop + PADDING, np.uint8)
    block[:filled] = carried
    while filled < stop:
        got: int = stream.readinto(block.data[filled:stop])  # type: ignore[attr-defined]
        if not got:
            return block, filled, True
        filled += got
    return block, filled, False


def _last_line_end(block: NDArray[np.uint8], start: int, stop: int) -> int:
    """Behind the last line end between start and stop; 0 without one."""
    while start < stop:
        step = max(start, stop - _TOGETHER_BYTES)
        found = block[step:stop].tobytes().rfind(b"\n")
        if found >= 0:
            return step + found + 1
        stop = step
    return 0


def _take_header(block: bytes, file: FileContract, file_name: str) -> tuple[bytes, int, bool]:
    """Cut the header line off. Returns (rest, lines taken, header found)."""
    taken = 0
    while block:
        end = block.index(b"\n") + 1
        raw, block, taken = block[:end], block[end:], taken + 1
        try:
            text = _line_text(raw, file.encoding)
        except UnicodeDecodeError:
            text = "\ufffd"
        if not text.strip():
            continue
        found = [field.strip() for field in split_record(text, file.separator, file.quoted) or []]
        wanted = [column.header for column in file.columns]
        if found != wanted:
            same = sum(a == b for a, b in zip(found, wanted, strict=False))
            raise SourceHeld(
                "header_mismatch",
                f"{file_name} line {taken}: the header has {len(found)} columns of which {same} are as agreed; "
                f"wanted {len(wanted)}: {', '.join(wanted)}. Ask the department which contract it follows.",
            )
        return block, taken, True
    return block, taken, False


def _line_text(raw: bytes, encoding: str) -> str:
    return raw.removesuffix(b"\n").removesuffix(b"\r").decode(encoding)


def read_block(block: bytes, lines: NDArray[np.int64], file: FileContract) -> RowBatch:
    """The batch of some whole lines, which stand at `lines` in the file."""
    encoding: str = file.encoding
    if b"\r" in block and block.count(b"\r") != block.count(b"\r\n"):
        block = _blank_lone_returns(block)
    undecodable: list[int] = []
    if file.format == "pipe" and encoding == "gb18030":
        # 0x7C, the separator, also ends two-byte characters: decode before splitting.
        block, undecodable = _recode(block)
        encoding = "utf-8"
    quoted = (
        _lines_with_quotes(block) if file.quoted and 0 < block.count(b'"') < _FEW_QUOTES * len(lines) else []
    )
    if quoted:
        taken = np.array([index for index, _, _ in quoted])
        kept = _without(block, np.array([s for _, s, _ in quoted]), np.array([e for _, _, e in quoted]))
        raws = [block[start:end] for _, start, end in quoted]
        batch = _read_lines(kept, np.delete(lines, taken), file, encoding)
        _add_judged(batch, lines[taken].tolist(), raws, file)
    else:
        batch = _read_lines(block, lines, file, encoding)
    batch.spoiled.extend((int(lines[index]), "undecodable_text") for index in undecodable)
    if encoding == "gb18030":
        _drop_undecodable(batch)
    return batch


def _read_lines(block: bytes, lines: NDArray[np.int64], file: FileContract, encoding: str) -> RowBatch:
    """The batch of whole lines with their line numbers."""
    table = None if _looks_doubtful(block, file, encoding) else _parse(block, file)
    if table is None:
        return _read_doubtful(block, lines, file, encoding)
    return RowBatch(lines, _columns(table), encoding)


def _lines_with_quotes(block: bytes) -> list[tuple[int, int, int]]:
    """(index, start, end) of the lines that hold a quote."""
    found: list[tuple[int, int, int]] = []
    index = end = 0
    at = block.find(b'"')
    while at >= 0:
        start = block.rfind(b"\n", end, at) + 1 or end
        index += block.count(b"\n", end, start)
        end = block.index(b"\n", at) + 1
        found.append((index, start, end))
        index += 1
        at = block.find(b'"', end)
    return found


def _recode(block: bytes) -> tuple[bytes, list[int]]:
    """The block in UTF-8, with its undecodable lines emptied, and their places."""
    try:
        return block.decode("gb18030").encode("utf-8"), []
    except UnicodeDecodeError:
        undecodable = list(_undecodable_lines(block, "gb18030"))
        lines = block.split(b"\n")
        for index in undecodable:
            lines[index] = b""
        return b"\n".join(lines).decode("gb18030").encode("utf-8"), undecodable


def _blank_lone_returns(block: bytes) -> bytes:
    """A carriage return inside a line is white space; Arrow would end the line there."""
    array = np.frombuffer(block, dtype=np.uint8).copy()
    lone = array == _RETURN
    lone[:-1] &= array[1:] != _NEWLINE
    array[lone] = 32
    return array.tobytes()


def _looks_doubtful(block: bytes, file: FileContract, encoding: str) -> bool:
    """Cheap signs that some line of the block must be judged on its own."""
    if block[:1] in (b"\n", b"\r") or b"\n\n" in block or b"\n\r\n" in block:
        return True
    if file.quoted and b'"' in block:
        return True
    return encoding == "utf-8" and not _is_utf8(block)


def _is_utf8(block: bytes) -> bool:
    offsets = np.array([0, len(block)], dtype=np.int64)
    whole = pa.LargeStringArray.from_buffers(1, pa.py_buffer(offsets), pa.py_buffer(block))
    try:
        whole.validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True


def _undecodable_lines(block: bytes, encoding: str) -> Iterator[int]:
    """Lines that do not decode."""
    ends = np.flatnonzero(np.frombuffer(block, dtype=np.uint8) == _NEWLINE) + 1
    yield from _undecodable_pieces(block, ends, encoding)


def _undecodable_pieces(data: bytes, ends: NDArray[np.int64], encoding: str) -> list[int]:
    """Pieces, each ending with a line end, that do not decode; the others are decoded together, up to each fault.

    A few kilobytes at a time: reading on from every fault to the end would make a file in another encoding, bad in
    every line, take time with the square of its size.
    """
    bad: list[int] = []
    start = 0
    while start < len(data):
        stop = int(ends[np.searchsorted(ends, min(start + _TOGETHER_BYTES, len(data)))])
        try:
            data[start:stop].decode(encoding)
            start = stop
        except UnicodeDecodeError as error:
            piece = int(np.searchsorted(ends, start + error.start, side="right"))
            bad.append(piece)
            start = int(ends[piece])
    return bad


def _parse(block: bytes, file: FileContract) -> pa.Table | None:
    """Arrow's columns of the block; None when a line has another number of fields than the contract."""
    few = pa.dictionary(pa.int32(), pa.binary())
    names = [column.name for column in file.columns]
    if block.startswith(
        _BOM
    ):  # Arrow takes one off at the start of every block; only the file's own is none of a field
        block = _BOM + block
    try:
        return arrow_csv.read_csv(
            pa.BufferReader(block),
            read_options=arrow_csv.ReadOptions(
                use_threads=False, column_names=names, block_size=len(block) + 16
            ),
            parse_options=arrow_csv.ParseOptions(
                delimiter=file.separator,
                quote_char='"' if file.quoted else False,
                newlines_in_values=False,
                ignore_empty_lines=False,
            ),
            convert_options=arrow_csv.ConvertOptions(
                check_utf8=False,
                strings_can_be_null=False,
                null_values=[],
                column_types={c.name: few if c.type in _FEW_VALUES else pa.binary() for c in file.columns},
            ),
        )
    except pa.ArrowInvalid:
        return None


def _columns(table: pa.Table) -> dict[str, pa.Array]:
    return {name: whole_array(table.column(name)) for name in table.column_names}


def whole_array(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    if isinstance(column, pa.Array):
        return column
    if column.num_chunks == 1:
        return column.chunk(0)
    joined = column.combine_chunks()
    return joined.chunk(0) if isinstance(joined, pa.ChunkedArray) else joined


def _read_doubtful(block: bytes, lines: NDArray[np.int64], file: FileContract, encoding: str) -> RowBatch:
    """Take the odd lines out, let Arrow read the others, judge the odd ones one by one."""
    array = np.frombuffer(block, dtype=np.uint8)
    ends = np.flatnonzero(array == _NEWLINE)
    starts = np.concatenate([[0], ends[:-1] + 1])
    is_odd = ends - starts <= 1
    if encoding == "utf-8" and not _is_utf8(block):
        is_odd[list(_undecodable_lines(block, encoding))] = True
    quotes = _Quotes(array, starts, ends) if file.quoted and b'"' in block else None
    if quotes is not None:
        is_odd |= quotes.unclean
    table = _parse_but(block, starts, ends, is_odd, file)
    if table is None and not is_odd.all():
        # Some line has another number of fields: count them.
        separators = np.flatnonzero(array == ord(file.separator))
        counts = np.diff(np.searchsorted(separators, np.append(starts, len(array))))
        if quotes is not None:
            counts -= quotes.count_inside(separators)
        is_odd |= counts != len(file.columns) - 1
        table = _parse_but(block, starts, ends, is_odd, file)
        if table is None:  # Arrow still refuses: judge every line
            is_odd[:] = True
    odd_lines = np.flatnonzero(is_odd)
    batch = RowBatch(lines[~is_odd], _join(table, [], file.columns, encoding), encoding)
    raws = [block[starts[index] : ends[index] + 1] for index in odd_lines]
    _add_judged(batch, lines[odd_lines].tolist(), raws, file)
    return batch


def _parse_but(
    block: bytes,
    starts: NDArray[np.int64],
    ends: NDArray[np.int64],
    is_odd: NDArray[np.bool_],
    file: FileContract,
) -> pa.Table | None:
    """Arrow's columns of the lines that are not odd; None when it refuses one, or none is left."""
    if is_odd.all():
        return None
    odd = np.flatnonzero(is_odd)
    return _parse(_without(block, starts[odd], ends[odd] + 1) if len(odd) else block, file)


def _add_judged(batch: RowBatch, lines: list[int], raws: list[bytes], file: FileContract) -> None:
    """Judge single lines by the specification's own words and add what they are to the batch."""
    judged_lines: list[int] = []
    judged: list[list[str]] = []
    for line, raw in zip(lines, raws, strict=True):
        try:
            text = _line_text(raw, batch.encoding)
        except UnicodeDecodeError:
            batch.spoiled.append((line, "undecodable_text"))
            continue
        if not text.strip():
            continue
        fields = split_record(text, file.separator, file.quoted)
        if fields is None or len(fields) != len(file.columns):
            batch.spoiled.append((line, "wrong_column_count"))
        else:
            judged_lines.append(line)
            judged.append(fields)
    if judged:
        batch.lines = np.concatenate([batch.lines, np.array(judged_lines, dtype=np.int64)])
        batch.columns = _join(batch.columns, judged, file.columns, batch.encoding)


class _Quotes:
    """The quotes of a block. In a clean line they alternate between opening (after a separator or at the line's
    start) and closing (before a separator or at the line's end); two in a row are one escaped quote.

    unclean: lines with a quote that a reader could see two ways.
    """

    def __init__(self, array: NDArray[np.uint8], starts: NDArray[np.int64], ends: NDArray[np.int64]) -> None:
        self._at = np.flatnonzero(array == _QUOTE)
        per_line = np.diff(np.searchsorted(self._at, np.append(starts, len(array))))
        self._line = np.repeat(np.arange(len(ends)), per_line)
        first = np.cumsum(per_line) - per_line
        self._nth = np.arange(len(self._at)) - first[self._line]
        before = np.where(self._at > 0, array[self._at - 1], _NEWLINE)
        after = array[np.minimum(self._at + 1, len(array) - 1)]
        opens = (before == _COMMA) | (before == _NEWLINE) | (before == _QUOTE)
        closes = (after == _COMMA) | (after == _NEWLINE) | (after == _RETURN) | (after == _QUOTE)
        self.unclean = per_line % 2 == 1
        self.unclean[self._line[np.where(self._nth % 2 == 0, ~opens, ~closes)]] = True

    def count_inside(self, separators: NDArray[np.int64]) -> NDArray[np.int64]:
        """Separators between quotes, per line; right for clean lines."""
        opening = np.flatnonzero((self._nth % 2 == 0) & ~self.unclean[self._line])
        inside = np.searchsorted(separators, self._at[opening + 1]) - np.searchsorted(
            separators, self._at[opening]
        )
        counts = np.bincount(self._line[opening], weights=inside, minlength=len(self.unclean))
        return counts.astype(np.int64)


def _without(block: bytes, starts: NDArray[np.int64], ends: NDArray[np.int64]) -> bytes:
    view = memoryview(block)
    edges = [0, *np.column_stack([starts, ends]).ravel().tolist(), len(block)]
    return b"".join(view[a:b] for a, b in zip(edges[::2], edges[1::2], strict=True))


def _join(
    table: pa.Table | dict[str, pa.Array] | None,
    judged: list[list[str]],
    wanted: tuple[Column, ...],
    encoding: str,
) -> dict[str, pa.Array]:
    """The columns of a table (if any) and of single judged lines below it."""
    columns: dict[str, pa.Array] = {}
    for position, column in enumerate(wanted):
        few = column.type in _FEW_VALUES
        type_ = pa.dictionary(pa.int32(), pa.binary()) if few else pa.binary()
        parts = [] if table is None else [whole_array(table[column.name])]
        if judged or not parts:
            values = pa.array([fields[position].encode(encoding) for fields in judged], pa.binary())
            parts.append(values.dictionary_encode() if few else values)
        columns[column.name] = whole_array(pa.chunked_array(parts, type=type_).unify_dictionaries())
    return columns


def _drop_undecodable(batch: RowBatch) -> None:
    """Move rows with bytes that are not GB18030 to the spoiled records.

    In GB18030 a comma, quote or line end never stands inside a character, so a line decodes when its fields do;
    only columns with bytes above 0x7F are decoded, a column at a time.
    """
    bad = np.zeros(len(batch.lines), dtype=bool)
    for column in batch.columns.values():
        if isinstance(column, pa.DictionaryArray):
            hopeless = np.array([not _decodes(value) for value in column.dictionary.to_pylist()], dtype=bool)
            if hopeless.any():
                bad |= hopeless[column.indices.to_numpy(zero_copy_only=False)]
            continue
        offsets, data = binary_buffers(column)
        if len(column) == 0 or not (data[offsets[0] : offsets[-1]] >= 0x80).any():
            continue
        bad[_undecodable_rows(column)] = True
    if bad.any():
        batch.spoiled.extend((int(line), "undecodable_text") for line in batch.lines[bad])
        keep = pa.array(np.flatnonzero(~bad))
        batch.lines = batch.lines[~bad]
        batch.columns = {name: column.take(keep) for name, column in batch.columns.items()}


def _undecodable_rows(column: pa.Array) -> list[int]:
    """Rows of a column that are not GB18030: decoded together, with line ends between, up to each fault."""
    ended = pc.binary_join_element_wise(column, pa.scalar(b"", pa.binary()), pa.scalar(b"\n", pa.binary()))
    offsets, data = binary_buffers(ended)
    return _undecodable_pieces(data[offsets[0] : offsets[-1]].tobytes(), offsets[1:] - offsets[0], "gb18030")


def _decodes(raw: bytes) -> bool:
    try:
        raw.decode("gb18030")
    except UnicodeDecodeError:
        return False
    return True
