"""The names of a night are sealed and open under the same key alone, with either cipher."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from pipelines.identity.cipher import Algorithm, Tokeniser, UnsealError
from pipelines.intake import sealed_names
from pipelines.intake.sealed_names import open_names, open_names_of, seal_names

NAMES = ["张三", None, "Aйша·李", ""]


@pytest.mark.parametrize("algorithm", ["aes", "sm4"])
def test_names_open_as_they_were_sealed(tmp_path: Path, algorithm: Algorithm) -> None:
    cipher = Tokeniser(bytes(range(32)), algorithm)
    seal_names(tmp_path / "names.sealed", pa.array(NAMES), cipher)
    assert "张三".encode() not in (tmp_path / "names.sealed").read_bytes()
    assert open_names(tmp_path / "names.sealed", cipher).to_pylist() == NAMES
    with pytest.raises(UnsealError):
        open_names(tmp_path / "names.sealed", Tokeniser(bytes(32), algorithm))


@pytest.mark.parametrize("algorithm", ["aes", "sm4"])
def test_a_few_are_opened_without_the_others(
    tmp_path: Path, algorithm: Algorithm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sealed_names, "_TOGETHER", 3)
    cipher = Tokeniser(bytes(range(32)), algorithm)
    path, names = tmp_path / "names.sealed", [f"人{number}" for number in range(10)]
    seal_names(path, pa.array(names), cipher)
    assert open_names(path, cipher).to_pylist() == names
    records = np.array([10, 1, 4, 3, 1])
    with pa.OSFile(str(path)) as source:
        assert open_names_of(source, records, cipher) == ["人9", "人0", "人3", "人2", "人0"]


def test_names_that_stand_in_another_place_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pieces exchanged or left out would give people each other's names."""
    monkeypatch.setattr(sealed_names, "_TOGETHER", 2)
    cipher = Tokeniser(bytes(range(32)))
    path = tmp_path / "names.sealed"
    seal_names(path, pa.array(NAMES), cipher)
    content = path.read_bytes()
    lengths = np.frombuffer(content[:24], ">u8")[1:].tolist()
    pieces = [content[24 : 24 + lengths[0]], content[24 + lengths[0] :]]
    assert [len(piece) for piece in pieces] == lengths
    for other in (pieces[::-1], pieces[:1], pieces[1:]):
        head = np.array([len(other), *map(len, other)], ">u8")
        path.write_bytes(head.tobytes() + b"".join(other))
        with pytest.raises(UnsealError):
            open_names(path, cipher)


def test_no_bit_can_be_another(tmp_path: Path) -> None:
    cipher = Tokeniser(bytes(range(32)))
    path = tmp_path / "names.sealed"
    seal_names(path, pa.array(NAMES), cipher)
    content = path.read_bytes()
    for bit in range(0, 8 * len(content), 3):
        damaged = bytearray(content)
        damaged[bit // 8] ^= 1 << bit % 8
        path.write_bytes(damaged)
        with pytest.raises(UnsealError):
            open_names(path, cipher)


@pytest.mark.parametrize("left", [0, 1, 7, 8, 15, 27, 60])
def test_a_cut_file_is_told(tmp_path: Path, left: int) -> None:
    cipher = Tokeniser(bytes(range(32)))
    path = tmp_path / "names.sealed"
    seal_names(path, pa.array(NAMES), cipher)
    path.write_bytes(path.read_bytes()[:left])
    with pytest.raises(UnsealError):
        open_names(path, cipher)
