"""The names of the night's records, sealed some thousands together: how they are written and opened."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipelines.identity.cipher import Tokeniser, UnsealError

# Records whose names are sealed together: whoever wants a few opens no more.
_TOGETHER = 1 << 14
_SCHEMA = pa.schema([("sealed", pa.large_binary())])


def seal_names(path: Path, names: pa.Array, cipher: Tokeniser) -> None:
    """names: of record n at n - 1, null where there is no such record."""
    plain = names.cast(pa.large_string())
    count = -(-len(plain) // _TOGETHER)
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, _SCHEMA) as writer:
        for number in range(count):
            sealed = cipher.seal(_packed(plain.slice(number * _TOGETHER, _TOGETHER)), _context(number, count))
            writer.write_batch(pa.record_batch([pa.array([sealed], pa.large_binary())], schema=_SCHEMA))


def open_names(path: Path, cipher: Tokeniser) -> pa.Array:
    """The names of the records, in record order (record n is at n - 1); only ever in memory.

    Raises UnsealError for a file that is empty, cut or not sealed under this key.
    """
    with pa.OSFile(str(path)) as source:
        pieces = _SealedPieces(source, cipher)
        every = [pieces.open(number) for number in range(pieces.count)]
    return pa.concat_arrays([pa.array([], pa.large_string()), *every])


def open_names_of(source: pa.NativeFile, records: NDArray[np.int64], cipher: Tokeniser) -> list[str | None]:
    """The names of some records, each piece opened once. Raises UnsealError as `open_names`."""
    pieces = _SealedPieces(source, cipher)
    wanted, place = np.divmod(records - 1, _TOGETHER)
    opened = {number: pieces.open(number) for number in np.unique(wanted).tolist()}
    return [opened[number][at].as_py() for number, at in zip(wanted.tolist(), place.tolist(), strict=True)]


class _SealedPieces:
    def __init__(self, source: pa.NativeFile, cipher: Tokeniser) -> None:
        try:
            self._reader = pa.ipc.open_file(source)
        except pa.ArrowInvalid:
            raise UnsealError("the sealed names were cut or never written") from None
        self._cipher = cipher
        self.count: int = self._reader.num_record_batches

    def open(self, number: int) -> pa.Array:
        sealed: Any = memoryview(self._reader.get_batch(number).column(0)[0].as_buffer()).cast("B")
        plain = self._cipher.unseal(sealed, _context(number, self.count))
        return pa.ipc.open_stream(pa.BufferReader(plain)).read_all().column(0).combine_chunks()


def _context(number: int, count: int) -> bytes:
    return f"names {number} of {count}".encode()


def _packed(names: pa.Array) -> bytes:
    sink = pa.BufferOutputStream()
    batch = pa.record_batch([names], names=["name"])
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    packed: bytes = sink.getvalue().to_pybytes()
    return packed
