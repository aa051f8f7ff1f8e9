"""What is kept between two reads: encrypted, whole, and gone when closed."""

import io
import os
import random

import pytest
from cryptography.exceptions import InvalidTag

from connectors.transports.spool import CHUNK, SpooledCipherFile


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK + 17])
def test_what_is_written_in_pieces_is_read_back_from_anywhere(size):
    content = random.Random(size).randbytes(size)
    spool, dice = SpooledCipherFile(), random.Random(1)
    at = 0
    while at < size:
        step = dice.randint(1, 2 * CHUNK)
        spool.write(content[at : at + step])
        at += step
        assert spool.size == min(at, size)
    spool.finish()
    with spool.reader() as reader, io.BytesIO(content) as truth:
        assert reader.read() == content
        for _ in range(50):
            place, many = dice.randint(0, size + 5), dice.randint(0, 2 * CHUNK)
            assert (reader.seek(place), reader.read(many)) == (truth.seek(place), truth.read(many))
        assert reader.seek(0, os.SEEK_END) == size
    spool.close()


def test_half_a_file_is_not_readable():
    spool = SpooledCipherFile()
    spool.write(b"half")
    with pytest.raises(ValueError, match="never handed out"):
        spool.reader()


def test_a_restart_forgets_everything():
    spool = SpooledCipherFile()
    spool.write(b"x" * (CHUNK + 5))
    spool.restart()
    spool.write(b"new")
    spool.finish()
    assert spool.reader().read() == b"new"


def test_a_changed_disk_is_noticed():
    spool = SpooledCipherFile()
    spool.write(b"x" * 100)
    spool.finish()
    os.pwrite(spool._file.fileno(), b"y", 50)
    with pytest.raises(InvalidTag):
        spool.reader().read()


def test_the_file_has_no_name_from_the_beginning(tmp_path, monkeypatch):
    import tempfile

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    spool = SpooledCipherFile()
    spool.write(b"x" * (2 * CHUNK))
    assert list(tmp_path.iterdir()) == []
