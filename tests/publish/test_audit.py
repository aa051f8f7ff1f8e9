"""Every change to the log is found and named; a crash is mended and told; many writers make one chain."""

import json
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import time

import pytest

from pipelines.audit import AuditBroken, AuditLog, Finding
from pipelines.errors import UsageError
from pipelines.identity.keyring import KeyRing, new_ring


@pytest.fixture
def ring(tmp_path):
    return new_ring(tmp_path / "keys" / "ring.json")


@pytest.fixture
def log(tmp_path, ring):
    return AuditLog(tmp_path / "home", ring)


def filled(log, count):
    for number in range(1, count + 1):
        log.append("export", f"经办人{number}", "年度复核", {"rows": number})
    return log.path.read_bytes().splitlines(keepends=True) if count else []


@pytest.fixture(scope="module")
def kept_log(tmp_path_factory):
    """A log of twenty entries, written once: every append waits for the disk."""
    folder = tmp_path_factory.mktemp("kept")
    log = AuditLog(folder / "home", new_ring(folder / "keys" / "ring.json"))
    filled(log, 20)
    return log


@pytest.fixture
def twenty(kept_log, tmp_path):
    """A copy of the log of twenty entries, and its lines."""
    shutil.copytree(kept_log.folder, tmp_path / "home" / "audit")
    log = AuditLog(tmp_path / "home", kept_log._ring)
    return log, log.path.read_bytes().splitlines(keepends=True)


def test_an_entry_tells_who_did_what_when_and_why(log):
    entry = log.append("export", "张三", "季度复核", {"rows": 12})
    assert (entry.seq, entry.prev) == (1, "0" * 64)
    assert entry.at.endswith("+00:00")
    second = log.append("verify", "李四")
    assert (second.seq, second.prev, second.reason, second.detail) == (2, entry.hash, None, {})
    assert list(log.entries()) == [entry, second]
    assert log.verify() is None
    assert log.path.stat().st_mode & 0o777 == 0o600


def test_a_log_that_was_never_written_is_whole(log):
    assert log.verify() is None
    assert list(log.entries()) == []


def test_every_flipped_bit_is_found_in_its_line(twenty):
    log, lines = twenty
    content = b"".join(lines)
    starts = [sum(map(len, lines[:n])) for n in range(len(lines) + 1)]
    for place in range(0, len(content), 11):
        changed = bytearray(content)
        changed[place] ^= 1 << (place % 8)
        log.path.write_bytes(changed)
        line = next(n for n in range(len(lines)) if starts[n] <= place < starts[n + 1]) + 1
        found = log.verify()
        assert found is not None and found.line == found.seq == line, place
    log.path.write_bytes(content)
    assert log.verify() is None


@pytest.mark.parametrize(
    "text",
    [b'"x":NaN', b'"x":"\\ud800"', b'"x":"\xed\xa0\x80"', b'"x":' + b"9" * 5000, b'"x":' + b"[" * 9999],
)
def test_a_line_that_only_a_lenient_reader_takes_for_json_is_found(twenty, text):
    log, lines = twenty
    lines[6] = lines[6].replace(b'"rows":7', text)
    log.path.write_bytes(b"".join(lines))
    assert log.verify().seq == 7


@pytest.mark.parametrize("gone", range(1, 21))
def test_a_removed_entry_is_named_by_its_number(twenty, gone):
    log, lines = twenty
    log.path.write_bytes(b"".join(lines[: gone - 1] + lines[gone:]))
    assert (log.verify().seq, log.verify().line) == (gone, gone)
    assert "缺失" in log.verify().problem
    with pytest.raises(AuditBroken, match="cut off"):
        log.append("export", "张三", "再次导出", {})


@pytest.mark.parametrize("first", range(1, 20))
def test_two_entries_that_changed_places_are_found_at_the_first(twenty, first):
    log, lines = twenty
    lines[first - 1], lines[first] = lines[first], lines[first - 1]
    log.path.write_bytes(b"".join(lines))
    assert (log.verify().seq, log.verify().line) == (first, first)


@pytest.mark.parametrize("kept", range(20))
def test_entries_cut_off_the_end_are_missed(twenty, kept):
    log, lines = twenty
    log.path.write_bytes(b"".join(lines[:kept]))
    assert log.verify() == Finding(kept + 1, kept + 1, f"缺失：应有 20 条，只有 {kept} 条（末尾被删除）")
    assert str(log.verify()).startswith(f"审计日志第 {kept + 1} 行（序号 {kept + 1}）")


@pytest.mark.parametrize("cut", [1, 2, 40, 200])
def test_a_last_entry_cut_in_the_middle_is_named(log, cut):
    filled(log, 5)
    content = log.path.read_bytes()
    log.path.write_bytes(content[:-cut])
    assert log.verify().seq == 5
    with pytest.raises(AuditBroken):
        log.append("export", "张三", "再次导出", {})


def test_a_repeated_entry_is_found(log):
    lines = filled(log, 4)
    log.path.write_bytes(b"".join([*lines[:2], lines[1], *lines[2:]]))
    assert log.verify().seq == 3 and "重复" in log.verify().problem


def test_a_chain_computed_anew_without_the_key_is_found(log):
    from pipelines.audit_entry import Entry, parse_entry

    lines = filled(log, 5)
    forged, prev = [], "0" * 64
    for line in lines:
        fields = vars(parse_entry(line)) | {"prev": prev}
        if fields["seq"] == 3:
            fields["detail"] = {"rows": 0}
        fields["hash"] = prev = Entry(**fields).digest()
        forged.append(Entry(**fields).line())
    log.path.write_bytes(b"".join(forged))
    assert log.verify().seq == 3 and "签名不符" in log.verify().problem


@pytest.mark.parametrize("place", [1, 3, 5])
def test_an_entry_of_another_home_with_the_same_key_does_not_fit(log, ring, tmp_path, place):
    lines = filled(log, 5)
    lines[place - 1] = filled(AuditLog(tmp_path / "other", ring), 5)[place - 1]
    log.path.write_bytes(b"".join(lines))
    # A first entry fits anywhere; then it is the second that does not follow from it.
    assert log.verify().seq == max(place, 2)


def test_a_log_of_another_ring_is_not_taken_for_this_one(log, tmp_path):
    filled(log, 2)
    other = AuditLog(tmp_path / "home", new_ring(tmp_path / "other.json"))
    assert "head.json" in other.verify().problem
    with pytest.raises(AuditBroken, match="not signed by a key of this ring"):
        other.append("export", "张三", "x", {})


@pytest.mark.parametrize(
    "damage",
    [
        lambda h: b"",
        lambda h: b"[]",
        lambda h: h.replace(b'"seq":3', b'"seq":2'),
        lambda h: h.replace(b'"key":1', b'"key":9'),
        lambda h: h[:-9],
    ],
)
def test_a_changed_head_is_found(log, damage):
    filled(log, 3)
    head = log.folder / "head.json"
    head.write_bytes(damage(head.read_bytes()))
    assert log.verify() is not None
    with pytest.raises(AuditBroken):
        log.append("export", "张三", "x", {})


def test_a_missing_head_or_log_is_found(log):
    filled(log, 3)
    head = (log.folder / "head.json").read_bytes()
    (log.folder / "head.json").unlink()
    assert log.verify().seq == 2
    with pytest.raises(AuditBroken):
        log.append("export", "张三", "x", {})
    (log.folder / "head.json").write_bytes(head)
    log.path.unlink()
    assert log.verify().seq == 1


@pytest.mark.parametrize("before", [0, 1, 6])
def test_an_entry_written_before_its_head_is_taken_over_and_told(log, before):
    filled(log, before)
    head = log.folder / "head.json"
    old_head = head.read_bytes() if before else None
    log.append("export", "张三", "x", {})
    head.write_bytes(old_head) if before else head.unlink()
    assert log.verify() is None
    log.append("export", "李四", "y", {})
    assert [(e.action, e.actor) for e in log.entries()][before:] == [
        ("export", "张三"),
        ("mend", "system"),
        ("export", "李四"),
    ]
    assert list(log.entries())[before + 1].detail["taken_over"] == before + 1
    assert log.verify() is None


def test_two_entries_behind_the_head_are_never_taken_over(log):
    filled(log, 3)
    old_head = (log.folder / "head.json").read_bytes()
    filled(log, 2)
    (log.folder / "head.json").write_bytes(old_head)
    assert log.verify().seq == 5
    with pytest.raises(AuditBroken, match="goes on after entry 3"):
        log.append("export", "张三", "x", {})


def test_a_forged_entry_behind_the_head_is_never_taken_over(log):
    from dataclasses import replace

    filled(log, 2)
    last = list(log.entries())[-1]
    forged = replace(last, seq=3, prev=last.hash, actor="无名")
    with log.path.open("ab") as lines:
        lines.write(replace(forged, hash=forged.digest()).line())
    assert log.verify().seq == 3 and "签名不符" in log.verify().problem
    with pytest.raises(AuditBroken):
        log.append("export", "张三", "x", {})


def test_an_unfinished_line_is_cut_off_and_told(log):
    lines = filled(log, 2)
    with log.path.open("ab") as file:
        file.write(lines[0][:50])
    assert log.verify().seq == 3
    log.append("export", "张三", "x", {})
    assert [e.action for e in log.entries()] == ["export", "export", "mend", "export"]
    assert list(log.entries())[2].detail["cut_bytes"] == 50
    assert log.verify() is None


def test_after_a_rotation_old_entries_still_verify_and_new_ones_are_signed_by_the_new_key(
    log, ring, tmp_path
):
    filled(log, 2)
    ring.rotate()
    reopened = AuditLog(tmp_path / "home", KeyRing.open(tmp_path / "home", {"HEDUI_KEYRING": str(ring.path)}))
    reopened.append("export", "张三", "x", {})
    assert [entry.key for entry in reopened.entries()] == [1, 1, 2]
    assert reopened.verify() is None


@pytest.mark.parametrize("place", ["actor", "reason", "key", "value", "deep", "wide"])
def test_what_looks_like_an_id_number_is_refused(log, place):
    number = "44010319900101001X" if place != "wide" else "４４０１０３１９９００１０１００１Ｘ"
    detail = {
        "key": {number: 1},
        "value": {"who": f"核查{number}的户"},
        "deep": {"a": [{"b": number}]},
        "wide": {"who": number},
    }.get(place, {})
    with pytest.raises(UsageError, match="ID number") as failure:
        log.append(
            "reveal", number if place == "actor" else "张三", number if place == "reason" else "x", detail
        )
    assert number not in str(failure.value)
    assert not log.path.exists()


def test_hashes_lead_numbers_and_long_digits_are_no_id_numbers(log):
    detail = {
        "sha256": "1234567890" * 6 + "abcd",
        "lead": "440103-20260630-D-00042",
        "count": 12345678901234567890,
    }
    log.append("export", "张三", "x", detail)
    assert log.verify() is None


@pytest.mark.parametrize("detail", [{"x": b"bytes"}, {"x": float("nan")}, {"x": {1, 2}}, {"x": "\ud800"}])
def test_what_is_no_json_is_refused(log, detail):
    with pytest.raises(UsageError):
        log.append("export", "张三", "x", detail)


def test_details_with_odd_keys_and_texts_survive(log):
    log.append("a", "b", "c\n换行\u2028", {10: "x", 9: "y", "空": "\x00\t", "f": 0.1, "n": None})
    log.append("a", "b", "c", {})
    assert log.verify() is None
    assert next(log.entries()).detail == {"10": "x", "9": "y", "空": "\x00\t", "f": 0.1, "n": None}


def test_a_cipher_in_place_of_the_ring_is_refused_at_once(tmp_path, ring):
    with pytest.raises(TypeError, match="key ring"):
        AuditLog(tmp_path, ring.cipher())


def append_many(home, ring_path, name, start):
    ring = KeyRing.open(home, {"HEDUI_KEYRING": str(ring_path)})
    start.wait(120)
    for number in range(25):
        AuditLog(home, ring).append("export", name, "并发", {"n": number})


def test_several_processes_make_one_chain(log, ring, tmp_path):
    context = multiprocessing.get_context("spawn")
    names = ["甲", "乙", "丙"]
    start = context.Barrier(len(names))
    workers = [
        context.Process(target=append_many, args=(tmp_path / "home", ring.path, name, start))
        for name in names
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(120)
    assert log.verify() is None
    written = [(entry.actor, entry.detail["n"]) for entry in log.entries()]
    assert sorted(written) == sorted((name, n) for name in names for n in range(25))


def test_a_writer_killed_at_any_moment_leaves_a_log_that_goes_on(log, ring, tmp_path):
    program = (
        "import sys; from pathlib import Path; from pipelines.audit import AuditLog;"
        "from pipelines.identity.keyring import KeyRing;"
        "log = AuditLog(Path(sys.argv[1]), KeyRing.open(Path(sys.argv[1]), {'HEDUI_KEYRING': sys.argv[2]}));"
        "print('ready', flush=True)\n"
        "while True: log.append('export', 'x', 'y', {'detail': 'z' * 3000})"
    )
    acknowledged = 0
    for delay in (0.0, 0.003, 0.011, 0.02):
        arguments = [sys.executable, "-c", program, str(tmp_path / "home"), str(ring.path)]
        with subprocess.Popen(arguments, stdout=subprocess.PIPE) as writer:
            writer.stdout.readline()
            time.sleep(delay)
            os.kill(writer.pid, signal.SIGKILL)
        assert log.verify() is None
        log.append("export", "after", "kill", {})
        entries = list(log.entries())
        assert log.verify() is None and len(entries) > acknowledged
        acknowledged = len(entries)
    assert json.loads((log.folder / "head.json").read_bytes())["seq"] == acknowledged
