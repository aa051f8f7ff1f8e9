"""The names of the night's records, sealed as one: how they are written and opened."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from pipelines.identity.cipher import Tokeniser, UnsealError


def seal_names(path: Path, names: pa.Array, cipher: Tokeniser) -> None:
    """names: of record n at n - 1, null where there is no such record."""
    sink = pa.BufferOutputStream()
    table = pa.table({"name": names.cast(pa.large_string())})
    with pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    path.write_bytes(cipher.seal(sink.getvalue().to_pybytes(), b"names"))


def open_names(path: Path, cipher: Tokeniser) -> pa.Array:
    """The names of the records, in record order (record n is at n - 1); only ever in memory.

    Raises UnsealError for a file that is empty, cut or not sealed under this key.
    """
    if not path.stat().st_size:
        raise UnsealError(f"{path.name} is empty: it was cut or never written")
    sealed: Any = np.memmap(path, np.uint8, mode="r")  # a copy less of what is large
    plain = cipher.unseal(sealed.data, b"names")
    return pa.ipc.open_file(pa.BufferReader(plain)).read_all().column(0).combine_chunks()
