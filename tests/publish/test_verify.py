"""Whatever is changed under the home after publication is named; whatever a crash leaves is not."""

import json
from datetime import date

import pyarrow.parquet as pq
import pytest

import pipelines.manifest as manifest_module
from pipelines.audit import AuditLog
from pipelines.manifest import (
    ANNOUNCED,
    ManifestError,
    NightNotPublished,
    latest,
    latest_before,
    manifest_path,
    manifest_sha256,
    night_folder,
    publish_manifest,
    publish_night,
    published_nights,
    read_manifest,
)
from pipelines.verify import verify_home
from tests.publish.night_builder import AS_OF, publish, write_night

NEXT = date(2026, 7, 1)


@pytest.fixture
def nights(home, ring):
    """Two published nights and an export's entry in between."""
    first = publish(home, ring, discrepancies=[{}, {"id": None}], newly=[{}], quarantine=[{}])
    AuditLog(home, ring).append("export", "王科长", "复核", {"rows": 2})
    return [first, publish(home, ring, discrepancies=[{"state": "continuing"}], as_of=NEXT)]


def test_an_empty_home_and_published_nights_are_whole(home, ring, nights, tmp_path):
    assert verify_home(home, ring) == []
    assert verify_home(tmp_path / "nothing", ring) == []


def test_nights_of_several_key_versions_are_whole(home, ring, nights):
    ring.rotate()
    publish(home, ring, discrepancies=[{}], as_of=date(2026, 7, 2))
    assert verify_home(home, ring) == []


@pytest.mark.parametrize(
    "name", ["discrepancies.parquet", "newly_eligible.parquet", "quarantine.parquet", "report.html"]
)
@pytest.mark.parametrize("night", [0, 1])
def test_a_changed_or_missing_file_of_any_night_is_named(home, ring, nights, name, night):
    path = night_folder(home, nights[night]) / name
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    [problem] = verify_home(home, ring)
    assert nights[night]["as_of"] in problem and name in problem and "改动" in problem
    path.unlink()
    [problem] = verify_home(home, ring)
    assert name in problem and "缺失" in problem


def test_a_manifest_changed_together_with_its_file_is_still_found(home, ring, nights):
    path = night_folder(home, nights[0]) / "discrepancies.parquet"
    pq.write_table(pq.read_table(path)[:1], path)
    manifest = json.loads(manifest_path(home, AS_OF).read_text())
    manifest["files"]["discrepancies.parquet"] = __import__("hashlib").sha256(path.read_bytes()).hexdigest()
    publish_manifest(home, manifest)
    assert verify_home(home, ring) == ["2026-06-30：2026-06-30.json 不是审计日志所记发布的那一份"]


def test_a_night_the_log_never_heard_of_is_found(home, ring, nights):
    publish_manifest(home, write_night(home, ring, as_of=date(2026, 7, 2)))
    assert verify_home(home, ring) == ["2026-07-02：审计日志中没有这一夜的发布记录"]


def test_a_manifest_that_is_gone_or_damaged_is_found(home, ring, nights):
    path = manifest_path(home, AS_OF)
    content = path.read_bytes()
    path.write_bytes(content[:-20])
    assert "无法读取或格式不符" in verify_home(home, ring)[0]
    path.unlink()
    assert verify_home(home, ring) == ["2026-06-30：审计日志记有这一夜的发布，其清单文件已不在"]
    AuditLog(home, ring).append("retire", "system", None, {"as_of": "2026-06-30"})
    assert verify_home(home, ring) == []


def test_a_broken_log_is_named_first_and_files_are_still_checked(home, ring, nights):
    log = AuditLog(home, ring)
    lines = log.path.read_bytes().splitlines(keepends=True)
    log.path.write_bytes(b"".join(lines[:2] + lines[3:]))
    (night_folder(home, nights[0]) / "report.html").unlink()
    broken = verify_home(home, ring)
    assert (
        broken[0].startswith("审计日志第 3 行（序号 3）") and "report.html" in broken[1] and len(broken) == 2
    )


def test_a_seal_that_does_not_follow_from_the_rows_is_found(home, ring):
    manifest = write_night(home, ring, discrepancies=[{}])
    manifest["seal"] = manifest["status"]["seal"] = "0" * 64
    publish_night(home, ring, manifest)
    assert verify_home(home, ring) == ["2026-06-30：封印与输入、政策和清单内容不符"]


def test_lists_made_with_another_key_than_the_manifest_says_are_found(home, ring):
    manifest = write_night(home, ring, discrepancies=[{}])
    ring.rotate()
    publish_night(home, ring, manifest | {"key_version": 2})
    assert "不能核对封印" in verify_home(home, ring)[0]


def announce(home, ring, manifest):
    detail = {"as_of": manifest["as_of"], "manifest_sha256": manifest_sha256(manifest)}
    AuditLog(home, ring).append(ANNOUNCED, "system", None, detail)


def test_killed_after_the_announcement_the_night_before_stands(home, ring, nights):
    later = write_night(home, ring, as_of=date(2026, 7, 2))
    announce(home, ring, later)
    assert verify_home(home, ring) == []
    again = write_night(home, ring, discrepancies=[{}], as_of=NEXT, run="2")
    announce(home, ring, again)
    assert verify_home(home, ring) == []
    publish_manifest(home, again)  # and killed before the confirmation
    assert verify_home(home, ring) == []
    assert read_manifest(home, NEXT)["run"] == "2"


def test_a_night_put_back_to_an_earlier_run_is_found(home, ring, nights):
    earlier = manifest_path(home, NEXT).read_bytes()
    publish(home, ring, discrepancies=[{}], as_of=NEXT, run="2")
    assert verify_home(home, ring) == []
    manifest_path(home, NEXT).write_bytes(earlier)
    assert verify_home(home, ring) == ["2026-07-01：2026-07-01.json 不是审计日志所记发布的那一份"]


def test_published_nights_come_in_order_and_strangers_do_not_count(home, ring, nights):
    (home / "nights" / "notes.json").write_text("{}")
    for name in ("2026-06-29.json.bak", "2026-13-45.json", "20260629.json", ".2026-06-28.json.7.new"):
        (home / "nights" / name).write_text("{}")
    assert published_nights(home) == [AS_OF, NEXT]
    assert published_nights(home / "none") == []
    assert latest(home) == nights[1] and latest_before(home, NEXT) == nights[0]
    assert latest_before(home, AS_OF) is None and latest(home / "none") is None


def test_a_night_that_is_not_published_says_which_is(home, ring, nights):
    with pytest.raises(
        NightNotPublished, match=r"2026-07-05 is not published.*latest published night is 2026-07-01"
    ):
        read_manifest(home, date(2026, 7, 5))
    with pytest.raises(NightNotPublished, match="no night is published yet"):
        read_manifest(home / "none", AS_OF)


WRONG_SHAPES = [
    lambda m: m.pop("seal"),
    lambda m: m.update(extra=1),
    lambda m: m.update(key_version="1"),
    lambda m: m.update(key_version=True),
    lambda m: m.update(as_of="2026-6-30"),
    lambda m: m.update(previous="yesterday"),
    lambda m: m.update(folder="../2026-06-30-1"),
    lambda m: m.update(run="../x", folder="2026-06-30-../x"),
    lambda m: m["files"].update({"../keyring.json": "a" * 64}),
    lambda m: m["files"].update({"x.parquet": "short"}),
    lambda m: m["files"].update({"absent.parquet": "a" * 64}),
    lambda m: m["status"].pop("complete"),
    lambda m: m["status"].update(seal="f" * 64),
    lambda m: m["inputs"]["banks"].pop("files"),
    lambda m: m["inputs"].update(tax=[]),
]


@pytest.mark.parametrize("change", WRONG_SHAPES)
def test_a_manifest_of_another_shape_is_never_published(home, ring, change):
    manifest = write_night(home, ring)
    change(manifest)
    with pytest.raises(ManifestError):
        publish_manifest(home, manifest)
    assert published_nights(home) == []


def test_a_manifest_in_the_wrong_place_is_refused(home, ring, nights):
    manifest_path(home, date(2026, 7, 9)).write_bytes(manifest_path(home, NEXT).read_bytes())
    with pytest.raises(ManifestError, match="wanted 2026-07-09"):
        read_manifest(home, date(2026, 7, 9))


def test_publication_that_fails_leaves_the_former_manifest(home, ring, nights, monkeypatch):
    def fail(path, content):
        raise OSError("no space left on device")

    again = write_night(home, ring, discrepancies=[{}], as_of=NEXT, run="2")
    monkeypatch.setattr(manifest_module, "replace_file", fail)
    with pytest.raises(OSError, match="no space"):
        publish_night(home, ring, again)
    assert read_manifest(home, NEXT) == nights[1]
    assert verify_home(home, ring) == []
