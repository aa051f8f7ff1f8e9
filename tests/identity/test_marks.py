"""A mark is of these bytes under this label with this key, and of nothing else."""

import pytest

from pipelines import marks
from pipelines.identity.cipher import Tokeniser
from pipelines.marks import is_marked, mark_file


@pytest.fixture(params=["aes", "sm4"])
def cipher(request):
    return Tokeniser(bytes(range(32)), request.param)


@pytest.mark.parametrize("size", [0, 1, 9, 10, 25])
def test_any_other_byte_length_label_or_key_is_found(tmp_path, cipher, monkeypatch, size):
    monkeypatch.setattr(marks, "_PIECE", 10)
    file = tmp_path / "part"
    content = bytes(range(size))
    file.write_bytes(content)
    mark = mark_file(file, "night/part", cipher)
    assert is_marked(file, "night/part", mark, cipher)
    assert not is_marked(file, "night/other", mark, cipher)
    assert not is_marked(file, "night/part", mark, Tokeniser(bytes(32), cipher.algorithm))
    assert not is_marked(tmp_path / "gone", "night/part", mark, cipher)
    for broken in (None, "", "zz", mark[:-2], mark + "." + mark):
        assert not is_marked(file, "night/part", broken, cipher)
    others = [content + b"\0", content[:-1], content[10:] + content[:10]]
    others += [content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :] for at in range(size)]
    for other in others:
        if other != content:
            file.write_bytes(other)
            assert not is_marked(file, "night/part", mark, cipher), other
