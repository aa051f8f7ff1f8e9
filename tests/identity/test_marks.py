"""A mark is of these bytes in this place under this name, label and key, and of nothing else."""

import os

import pyarrow as pa
import pytest

from pipelines import marks
from pipelines.identity.cipher import Tokeniser
from pipelines.marks import Marker, NotAsMarked

NAME = "people/record.parquet"


@pytest.fixture(params=["aes", "sm4"])
def cipher(request, monkeypatch):
    monkeypatch.setattr(marks, "_BLOCK", 10)
    return Tokeniser(bytes(range(32)), request.param)


def others_than(content):
    """Cut, lengthened, in another order, the beginning again in the middle, and with any one byte changed."""
    found = [content + b"\0", content[:-1], content[10:] + content[:10], content[:10] * 2 + content[20:], b""]
    found += [content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :] for at in range(len(content))]
    return [other for other in found if other != content]


@pytest.mark.parametrize("size", [0, 1, 9, 10, 25])
def test_any_other_byte_length_name_label_or_key_is_found(tmp_path, cipher, size):
    file, content = tmp_path / "part", bytes(range(size))
    file.write_bytes(content)
    marker = Marker(cipher, "night:1")
    mark = marker.mark(file, NAME)
    assert marker.is_marked(file, NAME, mark)
    assert not marker.is_marked(tmp_path / "gone", NAME, mark)
    if size:
        assert not marker.is_marked(file, "people/other", mark)
        assert not Marker(cipher, "night:2").is_marked(file, NAME, mark)
        assert not Marker(Tokeniser(bytes(32), cipher.algorithm), "night:1").is_marked(file, NAME, mark)
        assert not marker.is_marked(file, NAME, mark[:-1])
    assert not marker.is_marked(file, NAME, mark + mark[:16] + b"?")
    for other in others_than(content):
        file.write_bytes(other)
        assert not marker.is_marked(file, NAME, mark), other


def opened(path, cipher, mark, name=NAME):
    return Marker(cipher, "night:1").open(path, name, mark)


@pytest.mark.parametrize("size", [0, 1, 9, 10, 20, 25])
def test_any_part_is_read_as_it_stands_in_the_file(tmp_path, cipher, size):
    path, content = tmp_path / "part", bytes(range(size))
    path.write_bytes(content)
    with opened(path, cipher, Marker(cipher, "night:1").mark(path, NAME)) as file:
        for start in range(size + 2):
            for length in range(size + 3):
                file.seek(start)
                assert bytes(file.read(length)) == content[start : start + length]
        assert file.seek(-size, os.SEEK_END) == file.tell() == 0 and bytes(file.read()) == content


def test_what_is_not_as_it_was_marked_is_never_given_out(tmp_path, cipher):
    """Whatever else may be read of the file, no byte that differs is."""
    path, content = tmp_path / "part", bytes(range(25))
    path.write_bytes(content)
    mark = Marker(cipher, "night:1").mark(path, NAME)
    for other in others_than(content):
        path.write_bytes(other)
        for start in range(25):
            blocks = slice(start // 10 * 10, (start + 2) // 10 * 10 + 10)
            try:
                with opened(path, cipher, mark) as file:
                    file.seek(start)
                    assert bytes(file.read(3)) == content[start : start + 3]
            except NotAsMarked:
                assert other[20:] != content[20:] or other[blocks] != content[blocks]


def test_a_file_under_another_name_or_that_is_gone_or_cut_while_it_is_read_is_refused(tmp_path, cipher):
    path = tmp_path / "part"
    path.write_bytes(bytes(range(25)))
    mark = Marker(cipher, "night:1").mark(path, NAME)
    with pytest.raises(NotAsMarked), opened(path, cipher, mark, "people/other") as file:
        file.read(1)
    with pytest.raises(NotAsMarked), opened(tmp_path / "gone", cipher, mark):
        pass
    with pytest.raises(NotAsMarked), opened(path, cipher, mark) as file:
        path.write_bytes(b"")
        file.seek(12)
        file.read(1)


def test_arrow_reads_it_and_a_refusal_is_told_whatever_arrow_makes_of_it(tmp_path, cipher):
    path = tmp_path / "part"
    table = pa.table({"person": list(range(40))})
    with pa.ipc.new_file(str(path), table.schema) as writer:
        writer.write_table(table)
    mark = Marker(cipher, "night:1").mark(path, NAME)

    def read():
        with opened(path, cipher, mark) as file:
            return pa.ipc.open_file(pa.PythonFile(file, mode="r")).read_all()

    assert read() == table
    content = bytearray(path.read_bytes())
    content[content.index(bytes([7, 0, 0, 0, 0, 0, 0, 0, 8]))] = 9
    path.write_bytes(content)
    with pytest.raises(NotAsMarked):
        read()


def test_a_refusal_that_a_reader_swallowed_is_told_in_the_end(tmp_path, cipher):
    path = tmp_path / "part"
    path.write_bytes(bytes(25))
    mark = Marker(cipher, "night:1").mark(path, NAME)
    path.write_bytes(b"\1" + bytes(24))
    with pytest.raises(NotAsMarked), opened(path, cipher, mark) as file, pytest.raises(NotAsMarked):
        file.read()
