"""Where keys come from, what refuses them, and that old nights still open after a rotation."""

import base64
import json
import subprocess
import sys

import numpy as np
import pytest

from pipelines.identity import ringfile
from pipelines.identity.keyring import KeyRing, KeyRingError, new_ring, read_passphrase

PASSPHRASE = "HEDUI_KEYRING_PASSPHRASE"


@pytest.fixture
def home(tmp_path):
    (tmp_path / "home").mkdir()
    return tmp_path / "home"


@pytest.fixture
def quick_wrapping(monkeypatch):
    """A passphrase that is cheap to try. What it costs stands in the ring, and is that of the program elsewhere here."""
    monkeypatch.setattr(ringfile, "_SCRYPT", ringfile._SCRYPT | {"n": 2**10})


def fingerprint(ring, version=None):
    return ring.cipher(version).mac(b"", "test")


def test_a_new_home_gets_a_development_ring_loudly_and_once(home, capsys):
    first = KeyRing.open(home, {})
    warning = capsys.readouterr().err
    assert "DEVELOPMENT KEY RING" in warning and str(home / "keyring.json") in warning
    assert (home / "keyring.json").stat().st_mode & 0o777 == 0o600
    again = KeyRing.open(home, {})
    assert capsys.readouterr().err == ""
    assert fingerprint(first) == fingerprint(again)


def test_processes_that_start_together_agree_on_one_development_ring(home):
    program = (
        "import sys; from pathlib import Path; from pipelines.identity.keyring import KeyRing;"
        "print(KeyRing.open(Path(sys.argv[1]), {}).cipher().mac(b'', 'test').hex())"
    )
    started = [
        subprocess.Popen(
            [sys.executable, "-c", program, str(home)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    spoken = [process.communicate(timeout=60) for process in started]
    assert len({out for out, _ in spoken}) == 1 and spoken[0][0]
    assert sum("DEVELOPMENT KEY RING" in err for _, err in spoken) == 1


@pytest.mark.parametrize("left", ["nights/2026-06-30.json", "audit/log.jsonl"])
def test_a_home_with_nights_never_gets_a_second_ring(home, left):
    (home / left).parent.mkdir()
    (home / left).write_text("{}")
    with pytest.raises(KeyRingError, match="put it back"):
        KeyRing.open(home, {})
    assert not (home / "keyring.json").exists()


def test_the_ring_of_a_file_goes_before_the_home(home, tmp_path, capsys):
    outside = new_ring(tmp_path / "keys" / "ring.json")
    opened = KeyRing.open(home, {"HEDUI_KEYRING": str(tmp_path / "keys" / "ring.json")})
    assert fingerprint(opened) == fingerprint(outside)
    assert not (home / "keyring.json").exists() and capsys.readouterr().err == ""


def test_a_ring_file_that_is_not_there_is_never_made_by_itself(home, tmp_path):
    with pytest.raises(KeyRingError, match="hedui keys new"):
        KeyRing.open(home, {"HEDUI_KEYRING": str(tmp_path / "none.json")})


def test_a_ring_file_inside_the_home_is_refused(home):
    new_ring(home / "secret.json")
    with pytest.raises(KeyRingError, match="beside what they open"):
        KeyRing.open(home, {"HEDUI_KEYRING": str(home / "secret.json")})


@pytest.mark.parametrize("mode", [0o604, 0o644, 0o602, 0o601])
def test_a_ring_that_others_can_reach_is_refused(home, tmp_path, mode):
    path = tmp_path / "ring.json"
    new_ring(path)
    path.chmod(mode)
    with pytest.raises(KeyRingError, match="chmod 600"):
        KeyRing.open(home, {"HEDUI_KEYRING": str(path)})


@pytest.mark.parametrize(
    "encode",
    [lambda b: b.decode(), lambda b: base64.b64encode(b).decode(), lambda b: base64.encodebytes(b).decode()],
)
def test_the_ring_itself_can_come_from_the_environment(home, tmp_path, encode):
    ring = new_ring(tmp_path / "ring.json", "sm4")
    opened = KeyRing.open(home, {"HEDUI_KEYS": encode((tmp_path / "ring.json").read_bytes())})
    assert fingerprint(opened) == fingerprint(ring)
    assert opened.cipher().algorithm == "sm4"
    with pytest.raises(KeyRingError, match="where it is kept"):
        opened.rotate()


def test_two_places_at_once_are_refused_and_empty_ones_do_not_count(home, tmp_path):
    with pytest.raises(KeyRingError, match="keep one"):
        KeyRing.open(home, {"HEDUI_KEYS": "{}", "HEDUI_KEYRING": "/x"})
    with pytest.raises(KeyRingError, match="keep one"):
        read_passphrase({PASSPHRASE: "a", PASSPHRASE + "_FILE": "/x"})
    assert KeyRing.open(home, {"HEDUI_KEYS": "", "HEDUI_KEYRING": "", PASSPHRASE: ""}).current == 1


def test_rotation_adds_a_version_and_the_old_one_still_opens(home):
    ring = KeyRing.open(home, {})
    block = np.arange(16, dtype=np.uint8).reshape(1, 16)
    old_token, old_seal = ring.cipher().tokens(block), ring.cipher().seal(b"name", b"")
    assert ring.rotate() == 2 and ring.current == 2
    reopened = KeyRing.open(home, {})
    assert reopened.current == 2
    assert (reopened.cipher(1).open_tokens(old_token) == block).all()
    assert reopened.cipher(1).unseal(old_seal, b"") == b"name"
    assert (reopened.cipher().tokens(block) != old_token).any()
    assert reopened.rotate("sm4") == 3
    assert [row["algorithm"] for row in reopened.describe()] == ["aes", "aes", "sm4"]
    assert [row["is_current"] for row in reopened.describe()] == [False, False, True]
    assert (home / "keyring.json").stat().st_mode & 0o777 == 0o600


def test_a_version_the_ring_does_not_hold_is_named(home):
    with pytest.raises(KeyRingError, match=r"version 7 is wanted.* holds 1"):
        KeyRing.open(home, {}).cipher(7)


def test_a_rotation_never_overwrites_what_another_process_wrote(home):
    first, second = KeyRing.open(home, {}), KeyRing.open(home, {})
    first.rotate()
    with pytest.raises(KeyRingError, match="changed since it was read"):
        second.rotate()
    assert fingerprint(KeyRing.open(home, {}), 2) == fingerprint(first, 2)


def test_a_wrapped_ring_opens_with_its_passphrase_alone(home, tmp_path):
    ring = KeyRing.open(home, {})
    ring.wrap("correct horse 电池")
    stored = json.loads((home / "keyring.json").read_text())
    assert "master" not in stored["keys"][0]
    opened = KeyRing.open(home, {PASSPHRASE: "correct horse 电池"})
    assert fingerprint(opened) == fingerprint(ring) and opened.is_wrapped
    with pytest.raises(KeyRingError, match="wrapped"):
        KeyRing.open(home, {})
    with pytest.raises(KeyRingError, match="wrong passphrase") as failure:
        KeyRing.open(home, {PASSPHRASE: "wrong"})
    assert "wrong passphrase, or it was changed" in str(failure.value) and failure.value.__cause__ is None
    (tmp_path / "pass").write_text("correct horse 电池\n", "utf-8")
    assert KeyRing.open(home, {PASSPHRASE + "_FILE": str(tmp_path / "pass")}).current == 1


def test_a_wrapped_ring_rotates_wrapped_and_takes_a_new_passphrase(home, quick_wrapping):
    ring = new_ring(home / "keyring.json", passphrase="one")
    ring.rotate()
    assert "master" not in (home / "keyring.json").read_text()
    KeyRing.open(home, {PASSPHRASE: "one"}).wrap("two")
    assert fingerprint(KeyRing.open(home, {PASSPHRASE: "two"}), 2) == fingerprint(ring, 2)
    with pytest.raises(KeyRingError, match="wrong passphrase"):
        KeyRing.open(home, {PASSPHRASE: "one"})
    with pytest.raises(KeyRingError, match="empty passphrase"):
        ring.wrap("")


@pytest.mark.parametrize("field", ["version", "created", "algorithm"])
def test_what_stands_beside_a_wrapped_key_cannot_be_changed(home, field, quick_wrapping):
    new_ring(home / "keyring.json", passphrase="one")
    stored = json.loads((home / "keyring.json").read_text())
    stored["keys"][0][field] = {"version": 2, "created": "2020-01-01", "algorithm": "sm4"}[field]
    (home / "keyring.json").write_text(json.dumps(stored))
    with pytest.raises(KeyRingError, match="it was changed"):
        KeyRing.open(home, {PASSPHRASE: "one"})


MASTER = base64.b64encode(bytes(32)).decode()
KEY = {"version": 1, "created": "2026-06-30", "algorithm": "aes", "master": MASTER}
WRAPPING = {"kdf": "scrypt", "n": 2**40, "r": 8, "p": 1, "salt": "AAAA"}


@pytest.mark.parametrize(
    "document",
    [
        "not json",
        "[]",
        "{}",
        {"hedui_keyring": 2, "keys": [KEY]},
        {"hedui_keyring": 1, "keys": []},
        {"hedui_keyring": 1, "keys": [KEY], "extra": 1},
        {"hedui_keyring": 1, "keys": [KEY, KEY]},
        {"hedui_keyring": 1, "keys": [{**KEY, "version": 0}]},
        {"hedui_keyring": 1, "keys": [{**KEY, "note": ""}]},
        {"hedui_keyring": 1, "keys": [{**KEY, "algorithm": "des"}]},
        {"hedui_keyring": 1, "keys": ["x"]},
        {"hedui_keyring": 1, "keys": [{**KEY, "master": "AAAA"}]},
        {"hedui_keyring": 1, "keys": [{**KEY, "created": "x"}]},
        {"hedui_keyring": 1, "keys": [{**KEY, "master": "§"}]},
        {"hedui_keyring": 1, "keys": [KEY], "wrapping": WRAPPING},
    ],
)
def test_a_damaged_ring_is_refused_without_a_traceback_or_its_keys(home, document):
    text = document if isinstance(document, str) else json.dumps(document)
    (home / "keyring.json").write_text(text)
    (home / "keyring.json").chmod(0o600)
    with pytest.raises(KeyRingError) as failure:
        KeyRing.open(home, {PASSPHRASE: "one"})
    assert MASTER not in str(failure.value) and "keyring.json" in str(failure.value)


def test_nothing_prints_key_bytes(home):
    ring = KeyRing.open(home, {})
    shown = f"{ring!r} {ring.keys!r} {ring.describe()} {ring.cipher()!r}"
    secret = json.loads((home / "keyring.json").read_text())["keys"][0]["master"]
    assert secret not in shown and repr(base64.b64decode(secret)) not in shown


def test_a_ring_is_never_overwritten(home):
    new_ring(home / "ring.json")
    with pytest.raises(KeyRingError, match="never overwritten"):
        new_ring(home / "ring.json")
