"""Tokens open again, digests are the textbook CBC-MAC, seals hold, and no use shares a key with another."""

import os
import time

import numpy as np
import pyarrow as pa
import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from pipelines.identity.cipher import Tokeniser, UnsealError, _Sm4Gcm

MASTER = bytes(range(32))
ALGORITHMS = ["aes", "sm4"]


def derived_key(algorithm: str, use: str) -> algorithms.AES | algorithms.SM4:
    length = 32 if algorithm == "aes" else 16
    key = HKDF(SHA256(), length=length, salt=None, info=f"{algorithm}:{use}".encode()).derive(MASTER)
    return algorithms.AES(key) if algorithm == "aes" else algorithms.SM4(key)


def textbook_cbc_mac(algorithm: str, use: str, value: bytes | None) -> bytes:
    value = value or b""
    message = len(value).to_bytes(16, "big") + value + bytes(-len(value) % 16)
    return (
        Cipher(derived_key(algorithm, f"digest:{use}"), modes.CBC(bytes(16)))
        .encryptor()
        .update(message)[-16:]
    )


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_token_is_one_cipher_block_and_opens_again(algorithm):
    cipher = Tokeniser(MASTER, algorithm)
    blocks = np.random.default_rng(1).integers(0, 256, (1000, 16), dtype=np.uint8)
    tokens = cipher.tokens(blocks)
    plain_ecb = Cipher(derived_key(algorithm, "person"), modes.ECB()).encryptor()
    assert tokens.tobytes() == plain_ecb.update(blocks.tobytes())
    assert tokens.shape == (1000, 16) and tokens.dtype == np.uint8
    assert (cipher.open_tokens(tokens) == blocks).all()


def test_tokens_of_strided_read_only_and_empty_blocks():
    cipher = Tokeniser(MASTER)
    wide = np.random.default_rng(1).integers(0, 256, (50, 32), dtype=np.uint8)
    assert (cipher.tokens(wide[::2, :16]) == cipher.tokens(wide[::2, :16].copy())).all()
    read_only = np.frombuffer(bytes(32), np.uint8).reshape(2, 16)
    assert cipher.tokens(read_only).shape == (2, 16)
    assert cipher.tokens(np.empty((0, 16), np.uint8)).shape == (0, 16)


@pytest.mark.parametrize(
    "blocks", [np.zeros((3, 18), np.uint8), np.zeros(16, np.uint8), np.zeros((2, 16), np.int32)]
)
def test_tokens_refuse_what_is_no_column_of_blocks(blocks):
    with pytest.raises(ValueError, match="wanted blocks"):
        Tokeniser(MASTER).tokens(blocks)


VALUES = [
    b"",
    None,
    b"a",
    b"\x00",
    b"\x00" * 2,
    "欧阳·娜娜".encode(),
    b"x" * 15,
    b"x" * 16,
    b"x" * 17,
    b"x" * 32,
    b"x" * 33,
    b"6222020200112233445",
    b"y" * 1023,
    b"y" * 1024,
    b"y" * 1025,
    b"z" * 5000,
]


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("kind", [pa.binary(), pa.large_binary()])
def test_the_digest_is_the_textbook_cbc_mac(algorithm, kind):
    digests = Tokeniser(MASTER, algorithm).digest(pa.array(VALUES, kind), "name")
    assert [d.tobytes() for d in digests] == [textbook_cbc_mac(algorithm, "name", v) for v in VALUES]


def test_the_digest_of_many_rows_of_mixed_lengths_is_the_textbook_cbc_mac():
    rng = np.random.default_rng(5)
    values = [os.urandom(n) if rng.random() > 0.05 else None for n in rng.integers(0, 70, 20_000)]
    digests = Tokeniser(MASTER).digest(pa.array(values, pa.large_binary()), "account")
    assert [d.tobytes() for d in digests] == [textbook_cbc_mac("aes", "account", v) for v in values]


def test_slices_chunks_and_text_give_the_digests_of_their_values():
    cipher = Tokeniser(MASTER)
    texts = pa.array(["王", "李小明", None, "", "赵" * 30] * 7)
    whole = cipher.digest(texts.cast(pa.binary()), "name")
    assert (cipher.digest(texts, "name") == whole).all()
    assert (cipher.digest(texts.slice(3, 11), "name") == whole[3:14]).all()
    assert (cipher.digest(pa.chunked_array([texts.slice(0, 4), texts.slice(4)]), "name") == whole).all()
    assert cipher.digest(pa.array([], pa.binary()), "name").shape == (0, 16)
    assert cipher.digest(pa.chunked_array([], pa.string()), "name").shape == (0, 16)


def test_bytes_that_lie_under_a_null_do_not_count():
    hidden = pa.BinaryArray.from_buffers(
        pa.binary(),
        2,
        [pa.py_buffer(b"\x02"), pa.py_buffer(np.array([0, 3, 4], np.int32)), pa.py_buffer(b"abcd")],
    )
    assert hidden.to_pylist() == [None, b"d"]
    digests = Tokeniser(MASTER).digest(hidden, "name")
    assert digests[0].tobytes() == textbook_cbc_mac("aes", "name", b"")
    assert digests[1].tobytes() == textbook_cbc_mac("aes", "name", b"d")


def test_the_digest_refuses_a_column_of_numbers():
    with pytest.raises(TypeError, match="int64"):
        Tokeniser(MASTER).digest(pa.array([1, 2]), "name")


def test_every_use_algorithm_and_master_has_a_key_of_its_own():
    value, block = pa.array([b"same"]), np.zeros((1, 16), np.uint8)
    seen = [
        out
        for master in (MASTER, bytes(32))
        for algorithm in ALGORITHMS
        for cipher in [Tokeniser(master, algorithm)]
        for out in (
            cipher.digest(value, "name").tobytes(),
            cipher.digest(value, "account").tobytes(),
            cipher.tokens(block).tobytes(),
            cipher.mac(b"same", "audit"),
            cipher.mac(b"same", "seal"),
        )
    ]
    assert len(set(seen)) == len(seen)


def test_sm4_seals_as_the_published_example_of_rfc_8998():
    key = bytes.fromhex("0123456789ABCDEFFEDCBA9876543210")
    nonce = bytes.fromhex("00001234567800000000ABCD")
    context = bytes.fromhex("FEEDFACEDEADBEEFFEEDFACEDEADBEEFABADDAD2")
    plain = b"".join(bytes([b]) * 8 for b in (0xAA, 0xBB, 0xCC, 0xDD, 0xEE, 0xFF, 0xEE, 0xAA))
    sealed = bytes.fromhex(
        "17F399F08C67D5EE19D0DC9969C4BB7D5FD46FD3756489069157B282BB200735"
        "D82710CA5C22F0CCFA7CBF93D496AC15A56834CBCF98C397B4024A2691233B8D"
        "83DE3541E4C2B58177E065A9BF7B62EC"
    )
    assert _Sm4Gcm(key).encrypt(nonce, plain, context) == sealed
    assert _Sm4Gcm(key).decrypt(nonce, sealed, context) == plain


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("plain", [b"", "张三".encode(), b"\x00" * 5000])
def test_a_sealed_value_opens_only_whole_in_its_place_and_with_its_key(algorithm, plain):
    cipher = Tokeniser(MASTER, algorithm)
    sealed = cipher.seal(plain, b"person-1")
    assert cipher.unseal(sealed, b"person-1") == plain
    assert cipher.seal(plain, b"person-1") != sealed
    step = max(1, len(sealed) // 40)
    flipped = [sealed[:i] + bytes([sealed[i] ^ 1]) + sealed[i + 1 :] for i in range(0, len(sealed), step)]
    for broken in [*flipped, sealed[:-1], sealed[:10], b""]:
        with pytest.raises(UnsealError):
            cipher.unseal(broken, b"person-1")
    with pytest.raises(UnsealError):
        cipher.unseal(sealed, b"person-2")
    with pytest.raises(UnsealError):
        Tokeniser(bytes(32), algorithm).unseal(sealed, b"person-1")


def test_columns_are_sealed_value_by_value_and_nothing_stays_nothing():
    cipher = Tokeniser(MASTER)
    plain, contexts = ["王".encode(), None, b""], [b"1", b"2", b"3"]
    sealed = cipher.seal_column(plain, contexts)
    assert sealed[1] is None
    assert cipher.unseal_column(sealed, contexts) == plain
    with pytest.raises(UnsealError):
        cipher.unseal_column(sealed[::-1], contexts)
    with pytest.raises(ValueError):
        cipher.seal_column(plain, contexts[:2])


@pytest.mark.parametrize(("master", "algorithm"), [(b"short", "aes"), (bytes(33), "sm4"), (MASTER, "des")])
def test_a_master_of_the_wrong_length_or_an_unknown_algorithm_is_refused(master, algorithm):
    with pytest.raises(ValueError, match=r"master key|unknown algorithm"):
        Tokeniser(master, algorithm)


def test_a_tokeniser_never_prints_its_key():
    assert repr(Tokeniser(b"k" * 32)) == "Tokeniser(aes)"
    assert "kkkk" not in str(vars(Tokeniser(b"k" * 32)))


def test_an_unsealing_error_tells_nothing_of_the_value():
    cipher = Tokeniser(MASTER)
    with pytest.raises(UnsealError) as failure:
        cipher.unseal(cipher.seal("李四".encode(), b"a"), b"b")
    assert failure.value.__cause__ is None and "李四" not in str(failure.value)


def test_a_column_of_short_values_is_digested_without_python_per_row():
    # Not a benchmark: Python per row would need some seconds for this column, whole columns need a tenth.
    values = pa.array([b"123456789"] * 1000, pa.large_binary())
    million = pa.concat_arrays([values] * 500)
    start = time.process_time()
    Tokeniser(MASTER).digest(million, "name")
    assert time.process_time() - start < 0.5
