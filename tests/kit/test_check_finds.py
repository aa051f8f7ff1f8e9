"""Each check of `hedui connector check` fails when what it is about is broken: an intake that lies, a contract that drifts."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import random
from collections.abc import Callable

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import pipelines.connector_check as checks
import pipelines.connector_trial as trials
from connectors.registry import all_contracts, evidence_sources
from pipelines.connector_check import check_connector
from pipelines.connector_contract import contract_checks
from pipelines.identity.cipher import Tokeniser
from pipelines.intake.batch import BIT

REAL = trials.intake_source


class Sabotage:
    """The intake with one fault.

    `before` is given the feed's folder and contract, `after` the result and the work folder; `evidence` changes the
    rows that were kept.
    """

    def __init__(
        self,
        before: Callable = lambda feed, contract: None,
        after: Callable = lambda result, work: None,
        evidence: Callable | None = None,
    ):
        self.before, self.after, self.evidence = before, after, evidence

    def __call__(self, settings, source, policy, cipher: Tokeniser, judging):
        feed = settings.feeds / source
        if (feed / "receipt.json").is_file():
            self.before(feed, all_contracts()[source])
        result = REAL(settings, source, policy, cipher, judging)
        self.after(result, settings.work)
        return result


def receipt_of(feed):
    return json.loads((feed / "receipt.json").read_text("utf-8"))


def rewrite(feed, change):
    receipt = receipt_of(feed)
    change(receipt)
    (feed / "receipt.json").write_text(json.dumps(receipt), "utf-8")


def believe_hashes(feed, contract):
    def change(receipt):
        for file in receipt["files"]:
            if (feed / file["name"]).is_file():
                file["sha256"] = hashlib.sha256((feed / file["name"]).read_bytes()).hexdigest()

    rewrite(feed, change)


def believe_row_counts(feed, contract):
    def change(receipt):
        for file in receipt["files"]:
            if (feed / file["name"]).is_file() and file["name"].endswith("csv"):
                lines = (feed / file["name"]).read_bytes().split(b"\n")[1:]
                file["rows"] = sum(bool(line.strip()) for line in lines)

    rewrite(feed, change)


def forget_missing_files(feed, contract):
    rewrite(
        feed,
        lambda receipt: receipt.update(files=[f for f in receipt["files"] if (feed / f["name"]).is_file()]),
    )


def forget_the_snapshot(feed, contract):
    rewrite(feed, lambda receipt: receipt.update(snapshot_date="2026-06-29"))


def take_any_receipt(feed, contract):
    rewrite(feed, lambda receipt: receipt.update(source=contract.source))


def take_any_file(feed, contract):
    def change(receipt):
        for file in receipt["files"]:
            if file["name"] == "strange.bin":
                (feed / "strange.bin").rename(feed / "income-strange.csv")
                file["name"] = "income-strange.csv"

    rewrite(feed, change)


def mend_the_header(feed, contract):
    """An intake that takes columns by their place: a header line is put over whatever stands there."""
    file = contract.files[0]

    def change(receipt):
        for listed in receipt["files"]:
            path = feed / listed["name"]
            if not path.is_file() or not path.name.endswith("csv"):
                continue
            _, _, rest = path.read_bytes().partition(b"\n")
            head = file.separator.join(column.header for column in file.columns).encode(file.encoding)
            untouched = hashlib.sha256(path.read_bytes()).hexdigest() == listed["sha256"]
            path.write_bytes(head + b"\n" + rest)
            if untouched:
                listed["sha256"] = hashlib.sha256(path.read_bytes()).hexdigest()

    rewrite(feed, change)


def read_any_encoding(feed, contract):
    def change(receipt):
        for listed in receipt["files"]:
            path = feed / listed["name"]
            raw = path.read_bytes() if path.is_file() else b""
            try:
                raw.decode("utf-8")
            except UnicodeDecodeError:
                raw = raw.decode("gb18030", "replace").encode("utf-8")
                path.write_bytes(raw)
                listed["sha256"] = hashlib.sha256(raw).hexdigest()

    rewrite(feed, change)


def hide_unlisted(result, work):
    result["unlisted"] = []


def lose_a_row(result, work):
    result["accepted"] = max(0, result["accepted"] - 1)


def trust_everybody(result, work):
    result["kept"], result["unauthorised"] = result["kept"] + result["unauthorised"], 0


def keep_strangers(result, work):
    result["kept"] += 1


def write_a_name(result, work):
    (work / "evidence" / result["source"] / "debris.txt").write_text(trials.mock_person(1)[0], "utf-8")


def quarantine_of(change):
    def after(result, work):
        path = work / "quarantine" / f"{result['source']}.parquet"
        table = pq.read_table(path)
        pq.write_table(change(table), path)

    return after


def one_line_up(table):
    lines = [line - 1 for line in table.column("line").to_pylist()]
    return table.set_column(2, table.schema.field("line"), [lines])


def another_reason(table):
    masks = pa.array([int(BIT["code_unknown"])] * len(table), pa.uint32())
    return table.set_column(3, table.schema.field("mask"), masks)


def random_digests(table):
    if table is None or not len(table):
        return table
    at = table.schema.get_field_index("row_digest")
    digests = [random.getrandbits(60) for _ in range(len(table))]
    return table.set_column(at, table.schema.field("row_digest"), [digests])


class KeepFirst:
    """An intake that never looks again at a delivery of the same day: a healed feed stays unread."""

    def __init__(self) -> None:
        self.stale = None

    def __call__(self, result, work):
        if result["state"] == "held" and result["reason"] == "receipt_mismatch":
            self.stale = dict(result)
        elif self.stale:
            result.update(self.stale)


SABOTAGES = {
    "held: a file that is not the receipt's": ("_delivery_checks", Sabotage(believe_hashes)),
    "held: a number of rows that is not the receipt's": ("_delivery_checks", Sabotage(believe_row_counts)),
    "held: a file that is not there": ("_delivery_checks", Sabotage(forget_missing_files)),
    "held: a snapshot older than 45 days": ("_delivery_checks", Sabotage(forget_the_snapshot)),
    "held: a snapshot of tomorrow": ("_delivery_checks", Sabotage(forget_the_snapshot)),
    "held: a receipt for another source": ("_delivery_checks", Sabotage(take_any_receipt)),
    "held: a file of no contract": ("_delivery_checks", Sabotage(take_any_file)),
    "held: a column under another name": ("_delivery_checks", Sabotage(mend_the_header)),
    "held: columns in another order": ("_delivery_checks", Sabotage(mend_the_header)),
    "held: a column less": ("_delivery_checks", Sabotage(mend_the_header)),
    "held: the other encoding": ("_delivery_checks", Sabotage(read_any_encoding)),
    "mock feed: every row is accepted": ("_delivery_checks", Sabotage(after=lose_a_row)),
    "mock feed: either line end will do": ("_delivery_checks", Sabotage(after=lose_a_row)),
    "mock feed: a byte order mark is no data": ("_delivery_checks", Sabotage(after=lose_a_row)),
    "mock feed: a delivery of no rows is one": (
        "_delivery_checks",
        Sabotage(after=lambda result, work: result.update(state="held", reason="unreadable")),
    ),
    "receipt: an unlisted file is told and not read": ("_delivery_checks", Sabotage(after=hide_unlisted)),
    "quarantine: identity number empty": ("_damage_checks", Sabotage(after=quarantine_of(one_line_up))),
    "quarantine: column amount with an exponent": (
        "_damage_checks",
        Sabotage(after=quarantine_of(another_reason)),
    ),
    "quarantine: a quote that does not close": (
        "_damage_checks",
        Sabotage(after=quarantine_of(another_reason)),
    ),
    "quarantine: bytes of no character": ("_damage_checks", Sabotage(after=quarantine_of(another_reason))),
    "quarantine: sums close on every delivery": ("_damage_checks", Sabotage(after=lose_a_row)),
    "department's own check: it finds what the intake finds": (
        "_damage_checks",
        Sabotage(after=quarantine_of(one_line_up)),
    ),
    "held: a delivery of bad rows only": (
        "_damage_checks",
        Sabotage(after=lambda result, work: result.update(state="accepted", reason=None)),
    ),
    "authorisation: a row of a person who signed nothing is dropped": (
        "_people_checks",
        Sabotage(after=trust_everybody),
    ),
    "strangers: rows of nobody asked about are not kept": ("_people_checks", Sabotage(after=keep_strangers)),
    "canary: no number, name or account in what is written": ("_people_checks", Sabotage(after=write_a_name)),
    "determinism: the same delivery twice comes to the same": (
        "_repetition_checks",
        Sabotage(after=lambda result, work: result.update(seen=random.getrandbits(60))),
    ),
    "determinism: the order of rows does not count": (
        "_repetition_checks",
        Sabotage(evidence=random_digests),
    ),
    "replay: rows sent twice are one piece of evidence": (
        "_repetition_checks",
        Sabotage(evidence=random_digests),
    ),
    "replay: a healed feed is as if right at first": ("_repetition_checks", Sabotage(after=KeepFirst())),
}


@pytest.fixture(scope="module")
def trial():
    with trials.open_trial(all_contracts()["tax"]) as one:
        yield one


@pytest.mark.parametrize("name", SABOTAGES)
def test_an_intake_with_a_fault_is_found_by_the_check_about_it(trial, monkeypatch, name):
    section, sabotage = SABOTAGES[name]
    monkeypatch.setattr(trials, "intake_source", sabotage)
    if sabotage.evidence:
        real = trials.Verdict
        monkeypatch.setattr(
            trials,
            "Verdict",
            lambda result, bad, kept, written: real(result, bad, sabotage.evidence(kept), written),
        )
    found = next(one for one in getattr(checks, section)(trial) if one.name == name)
    assert not found.holds
    assert found.cure and ":" in found.where


def test_every_check_on_an_intake_is_known_to_fail(trial):
    """A new check comes with what breaks it: here, or in the tables of test_check.py."""
    sections = (
        checks._delivery_checks,
        checks._damage_checks,
        checks._people_checks,
        checks._repetition_checks,
    )
    made = [one for section in sections for one in section(trial)]
    assert [str(one) for one in made if not one.holds] == []
    asked = [one.name for one in made]
    quarantine = {name for name in asked if name.startswith("quarantine: ") and "sums" not in name}
    assert set(asked) - quarantine == {name for name in SABOTAGES if name not in quarantine}
    assert len(quarantine) > 8


WIDER = {
    "money": ("money_unparseable", {"type": "text"}),
    "date": ("date_unparseable", {"type": "text"}),
    "code": ("code_unknown", {"type": "text", "values": ()}),
}


@pytest.mark.parametrize("kind", WIDER)
def test_a_damage_an_intake_overlooks_is_found(trial, monkeypatch, kind):
    """The intake judges by a contract that lets a column hold anything; the check asks by the true one."""
    from pipelines.intake import evidence

    source = "banks"
    contract = all_contracts()[source]
    reason, change = WIDER[kind]
    file = contract.files[0]
    columns = tuple(
        dataclasses.replace(c, not_future=False, **change) if c.type == kind else c for c in file.columns
    )
    loose = dataclasses.replace(contract, files=(dataclasses.replace(file, columns=columns),))
    with trials.open_trial(contract) as banks:
        monkeypatch.setattr(evidence, "all_contracts", lambda: {**all_contracts(), source: loose})
        failed = [one for one in checks._damage_checks(banks) if not one.holds]
    assert any(reason in one.cure for one in failed)


@pytest.mark.parametrize("source", evidence_sources())
def test_every_shipped_contract_is_complete(source):
    asked = list(contract_checks(all_contracts()[source]))
    assert [str(one) for one in asked if not one.holds] == []


FORMATS = [(one, "utf-8") for one in ("csv", "pipe", "jsonl", "json", "xlsx")] + [
    ("csv", "gb18030"),
    ("pipe", "gb18030"),
]


@pytest.mark.parametrize(("format", "encoding"), FORMATS)
def test_every_format_is_three_files_and_sixty_lines_at_most_and_passes(
    tmp_path, monkeypatch, format, encoding
):
    """What a human owns of a source of any format: one contract, no Python; with its mock it passes all checks."""
    from connectors.contract import read_contract
    from connectors.kit.scaffold import NewSource, write_connector

    columns = (
        "id_number:公民身份号码:id", "name:姓名:name:optional", "account_no:账号:identifier", "kind:类型:code:甲|乙",
        "place:地区:digits:6", "currency:币种:currency", "balance:余额:money:unit=yuan:not_negative",
        "balance_date:余额日期:date:not_future", "period:所属期:month", "note:说明:text", "remark:备注:carried",
    )  # fmt: skip
    new = NewSource(
        "payment_accounts", "支付账户", "支付机构", "办法第十七条", "每月", format, encoding, columns
    )
    path, _ = write_connector(new, tmp_path)
    owned = list(path.parent.rglob("*"))
    assert len(owned) <= 3 and not [file for file in owned if file.suffix == ".py"]
    assert sum(len(file.read_text("utf-8").splitlines()) for file in owned) <= 60
    contract = read_contract(path)
    known = {**all_contracts(), contract.source: contract}
    for module in (
        "connectors.registry",
        "pipelines.connector_trial",
        "pipelines.intake.evidence",
        "pipelines.connector_figures",
    ):
        monkeypatch.setattr(f"{module}.all_contracts", lambda: known)
    asked = list(check_connector(contract))
    assert [str(one) for one in asked if not one.holds] == []
    assert len(asked) >= 45


def test_the_shipped_contracts_of_the_kit_are_as_short():
    for source, contract in all_contracts().items():
        if source in evidence_sources() and not contract.expected:
            owned = [file for file in contract.path.parent.rglob("*") if file.is_file()]
            assert len(owned) <= 3, source
            assert sum(len(file.read_text("utf-8").splitlines()) for file in owned) <= 60, source
