"""The hash is SipHash-1-3, keyed by the ring and by what it is used for."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import numpy as np
import pyarrow as pa

from pipelines.identity import text_hash
from pipelines.identity.cipher import Tokeniser
from pipelines.identity.text_hash import hash_key, hash_texts
from tests.identity.digests import digest_of

MASTER = bytes(range(32))
TEXTS = [bytes(range(1, 1 + length)) for length in range(1, 80)] + [b"\xff" * 8, b"\0", b"\0\0", bytes(300)]


def test_it_is_the_hash_that_the_interpreter_has_for_bytes(monkeypatch) -> None:
    assert sys.hash_info.algorithm == "siphash13"
    monkeypatch.setattr(text_hash, "hash_key", lambda use, cipher: (np.uint64(0), np.uint64(0)))
    found = hash_texts(pa.array(TEXTS, pa.binary()), "name", Tokeniser(MASTER)).view(np.int64)
    asked = f"import json; print(json.dumps([hash(bytes(text)) for text in {list(map(list, TEXTS))}]))"
    unkeyed = {**os.environ, "PYTHONHASHSEED": "0"}
    told = subprocess.run([sys.executable, "-c", asked], env=unkeyed, capture_output=True, check=True)
    assert found.tolist() == json.loads(told.stdout)


def test_every_ring_and_every_use_has_its_own_key() -> None:
    keys = {
        hash_key(use, Tokeniser(master, algorithm))
        for use in ("name", "text")
        for master in (MASTER, bytes(32))
        for algorithm in ("aes", "sm4")
    }
    assert len(keys) == 8


def test_a_part_of_a_column_is_hashed_as_the_whole() -> None:
    texts = pa.array(["", "张三", "", "x" * 20, "李四"])
    whole = hash_texts(texts, "name", Tokeniser(MASTER)).tolist()
    assert hash_texts(texts.slice(1, 3), "name", Tokeniser(MASTER)).tolist() == whole[1:4]
    assert hash_texts(texts.slice(0, 0), "name", Tokeniser(MASTER)).tolist() == []


def test_a_digest_is_the_hash_encrypted_under_the_rings_cipher() -> None:
    for algorithm in ("aes", "sm4"):
        cipher = Tokeniser(MASTER, algorithm)
        texts = pa.array(["张三", "李四"])
        block = cipher._ecb("digest:name").encryptor()
        hashes = hash_texts(texts, "name", cipher).tolist()
        wanted = [block.update(one.to_bytes(8, "little") + bytes(8))[:8] for one in hashes]
        assert digest_of(texts, "name", cipher).tolist() == [
            int.from_bytes(one, "little", signed=True) for one in wanted
        ]
