"""The names of the night's records, sealed some thousands together: how they are written and opened.

    count of pieces (8 bytes), length of each (8 bytes; all big-endian), the sealed pieces

Nothing of it is taken for anything before its seal is open.
"""

from __future__ import annotations

from itertools import accumulate
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipelines.identity.cipher import Tokeniser, UnsealError

# Records whose names are sealed together: whoever wants a few opens no more.
_TOGETHER = 1 << 14
_LENGTH = np.dtype(">u8")


def seal_names(path: Path, names: pa.Array | pa.ChunkedArray, cipher: Tokeniser) -> None:
    """names: of record n at n - 1, null where there is no such record."""
    plain = names if isinstance(names, pa.ChunkedArray) else pa.chunked_array([names])
    count = -(-len(plain) // _TOGETHER)
    lengths = np.zeros(1 + count, _LENGTH)
    lengths[0] = count
    with path.open("wb") as file:
        file.write(lengths.tobytes())
        for number in range(count):
            packed = _packed(plain.slice(number * _TOGETHER, _TOGETHER))
            lengths[1 + number] = file.write(cipher.seal(packed, _context(number, count)))
        file.seek(0)
        file.write(lengths.tobytes())


def open_names(path: Path, cipher: Tokeniser) -> pa.Array:
    """The names of the records, in record order (record n is at n - 1); only ever in memory.

    Raises UnsealError for a file that is empty, cut or not sealed under this key.
    """
    with path.open("rb") as source:
        pieces = _SealedPieces(source, cipher)
        every = [pieces.open(number) for number in range(pieces.count)]
    return pa.concat_arrays([pa.array([], pa.large_string()), *every])


def open_names_of(
    source: BinaryIO | pa.NativeFile, records: NDArray[np.int64], cipher: Tokeniser
) -> list[str | None]:
    """The names of some records, each piece opened once. Raises UnsealError as `open_names`."""
    pieces = _SealedPieces(source, cipher)
    wanted, place = np.divmod(records - 1, _TOGETHER)
    opened = {number: pieces.open(number) for number in np.unique(wanted).tolist()}
    return [opened[number][at].as_py() for number, at in zip(wanted.tolist(), place.tolist(), strict=True)]


class _SealedPieces:
    def __init__(self, source: BinaryIO | pa.NativeFile, cipher: Tokeniser) -> None:
        """Raises UnsealError when the lengths are not those of the file."""
        self._source, self._cipher = source, cipher
        size = source.seek(0, 2)
        source.seek(0)
        self.count = int.from_bytes(source.read(8), "big")
        begin = 8 * (1 + self.count)
        lengths = np.frombuffer(source.read(begin - 8), _LENGTH).tolist() if begin <= size else [size]
        self._ends = list(accumulate(lengths, initial=begin))
        if self._ends[-1] != size:
            raise UnsealError("the sealed names were cut or never written")

    def open(self, number: int) -> pa.Array:
        begin, end = self._ends[number : number + 2]
        self._source.seek(begin)
        plain = self._cipher.unseal(self._source.read(end - begin), _context(number, self.count))
        return pa.ipc.open_stream(pa.BufferReader(plain)).read_all().column(0).combine_chunks()


def _context(number: int, count: int) -> bytes:
    return f"names {number} of {count}".encode()


def _packed(names: pa.ChunkedArray) -> bytes:
    sink = pa.BufferOutputStream()
    batch = pa.record_batch([names.cast(pa.large_string()).combine_chunks()], names=["name"])
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    packed: bytes = sink.getvalue().to_pybytes()
    return packed
