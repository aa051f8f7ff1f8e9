"""The names of a night are sealed as one and open under the same key alone, with either cipher."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from pipelines.identity.cipher import Algorithm, Tokeniser, UnsealError
from pipelines.intake.sealed_names import open_names, seal_names

NAMES = ["张三", None, "Aйша·李", ""]


@pytest.mark.parametrize("algorithm", ["aes", "sm4"])
def test_names_open_as_they_were_sealed(tmp_path: Path, algorithm: Algorithm) -> None:
    cipher = Tokeniser(bytes(range(32)), algorithm)
    seal_names(tmp_path / "names.sealed", pa.array(NAMES), cipher)
    assert "张三".encode() not in (tmp_path / "names.sealed").read_bytes()
    assert open_names(tmp_path / "names.sealed", cipher).to_pylist() == NAMES
    with pytest.raises(UnsealError):
        open_names(tmp_path / "names.sealed", Tokeniser(bytes(32), algorithm))


@pytest.mark.parametrize("left", [0, 1, 27, 60])
def test_a_cut_file_is_told(tmp_path: Path, left: int) -> None:
    cipher = Tokeniser(bytes(range(32)))
    path = tmp_path / "names.sealed"
    seal_names(path, pa.array(NAMES), cipher)
    path.write_bytes(path.read_bytes()[:left])
    with pytest.raises(UnsealError):
        open_names(path, cipher)
