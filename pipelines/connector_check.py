"""Does a source's contract keep what it promises? Every check is made on the real intake and says how to cure it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any

from connectors.contract import Contract, Encoding
from connectors.kit.damage import damages
from connectors.kit.department_file import load_department_check
from connectors.kit.mock import Row, mock_name, mock_rows, render_file
from pipelines.connector_contract import Check, contract_checks, line_of
from pipelines.connector_figures import figures_of
from pipelines.connector_trial import PEOPLE, Trial, Verdict, open_trial
from pipelines.errors import UsageError

_CANARY = "CANARY9900001950010199"


def check_connector(contract: Contract, feed: Path | None = None) -> Iterator[Check]:
    """All checks of one evidence source, in order. feed: a delivery of its own to judge besides.

    Raises UsageError for a source of people: those are part of every night's own tests.
    """
    if contract.role != "evidence":
        raise UsageError(f"{contract.source} says who is asked about; wanted an evidence source")
    yield from contract_checks(contract)
    with open_trial(contract) as trial:
        yield from _delivery_checks(trial)
        yield from _damage_checks(trial)
        yield from _people_checks(trial)
        yield from _repetition_checks(trial)
    if feed is not None:
        yield from _feed_checks(contract, feed)


def _intakes(trial: Trial, name: str, found: str) -> Check:
    """A promise of the intake, which no contract can break by itself."""
    cure = "the intake is at fault and not this contract: report it together with the contract"
    return Check(name, found, line_of(trial.contract, "source"), cure)


def _held(trial: Trial, name: str, verdict: Verdict, *reasons: str) -> Check:
    state = f"{verdict.result['state']} {verdict.result['reason'] or ''}".strip()
    held = verdict.result["state"] == "held" and verdict.result["reason"] in reasons
    return Check(
        f"held: {name}",
        "" if held else state,
        line_of(trial.contract, "format"),
        f"wanted held: {' or '.join(reasons)}",
    )


def _rows(trial: Trial, count: int = PEOPLE, fixed: Mapping[str, str] = MappingProxyType({})) -> list[Row]:
    rows = mock_rows(trial.contract.files[0], count, trial.as_of)
    return [row | {key: value for key, value in fixed.items() if key in row} for row in rows]


def _files(trial: Trial, rows: list[Row]) -> list[tuple[str, bytes, int]]:
    file = trial.contract.files[0]
    return [(mock_name(file.pattern), render_file(file, rows), len(rows))]


def _accepted(trial: Trial, name: str, verdict: Verdict, rows: int) -> Check:
    result = verdict.result
    told = f"{result['state']} {result['reason'] or ''} {result['message']}".strip()
    lines = "; ".join(f"line {line}: {reasons}" for line, reasons in verdict.quarantined[:3])
    good = result["state"] == "accepted" and result["accepted"] == rows == result["received"]
    return Check(
        name, "" if good else f"{told} {lines}", line_of(trial.contract, "format"), "mend the column's type"
    )


def _delivery_checks(trial: Trial) -> Iterator[Check]:
    file = trial.contract.files[0]
    (name, content, rows), *_ = files = _files(trial, _rows(trial))
    yield _accepted(trial, "mock feed: every row is accepted", trial.deliver(files), rows)
    if file.format in ("csv", "pipe", "jsonl"):
        other = content.replace(b"\r\n", b"\n") if b"\r\n" in content else content.replace(b"\n", b"\r\n")
        yield _accepted(
            trial, "mock feed: either line end will do", trial.deliver([(name, other, rows)]), rows
        )
    if file.encoding == "utf-8" and file.format != "xlsx":
        marked = trial.deliver([(name, b"\xef\xbb\xbf" + content, rows)])
        yield _accepted(trial, "mock feed: a byte order mark is no data", marked, rows)
    yield _accepted(trial, "mock feed: a delivery of no rows is one", trial.deliver(_files(trial, [])), 0)

    trial.deliver(files)
    path = trial.feed / name
    path.write_bytes(content + b"\n")
    yield _held(trial, "a file that is not the receipt's", trial.read(), "receipt_mismatch")
    path.unlink()
    yield _held(trial, "a file that is not there", trial.read(), "unreadable")
    wrong = trial.deliver([(name, content, rows + 1)])
    yield _held(trial, "a number of rows that is not the receipt's", wrong, "receipt_mismatch")
    age = trial.policy.max_age_days(trial.contract.source)
    old = trial.deliver(files, trial.as_of - timedelta(days=age + 1))
    yield _held(trial, f"a snapshot older than {age} days", old, "stale")
    yield _held(
        trial, "a snapshot of tomorrow", trial.deliver(files, trial.as_of + timedelta(days=1)), "stale"
    )
    yield from _drift_checks(trial)
    trial.deliver(files)
    receipt = trial.feed / "receipt.json"
    receipt.write_text(receipt.read_text("utf-8").replace(trial.contract.source, "another", 1), "utf-8")
    yield _held(trial, "a receipt for another source", trial.read(), "unreadable")
    strange = trial.deliver([("strange.bin", content, rows)])
    yield _held(trial, "a file of no contract", strange, "unreadable")
    trial.deliver(files)
    (trial.feed / "unlisted.txt").write_bytes(b"x")
    verdict = trial.read()
    unlisted = verdict.result["unlisted"] == ["unlisted.txt"] and verdict.result["accepted"] == rows
    yield _intakes(trial, "receipt: an unlisted file is told and not read", "" if unlisted else "not told")


def _drift_checks(trial: Trial) -> Iterator[Check]:
    """Files of another shape than the contract's, with a receipt that fits them."""
    file, rows = trial.contract.files[0], _rows(trial)
    name, count = mock_name(file.pattern), len(rows)

    def held(what: str, content: bytes, *reasons: str) -> Check:
        return _held(trial, what, trial.deliver([(name, content, count)]), *reasons)

    renamed = [replace(c, header=c.header + "Z") if c.type == "id" else c for c in file.columns]
    content = render_file(replace(file, columns=tuple(renamed)), rows)
    yield held("a column under another name", content, "header_mismatch", "too_many_bad_rows")
    if file.format in ("csv", "pipe", "xlsx"):
        content = render_file(replace(file, columns=file.columns[::-1]), rows)
        yield held("columns in another order", content, "header_mismatch")
        yield held(
            "a column less", render_file(replace(file, columns=file.columns[1:]), rows), "header_mismatch"
        )
    if file.format == "xlsx":
        content = render_file(replace(file, sheet=file.sheet[:-1] + "Z"), rows)
        yield held("a sheet under another name", content, "header_mismatch")
    else:
        other: Encoding = "utf-8" if file.encoding == "gb18030" else "gb18030"
        content = render_file(file, rows)
        recoded = content.decode(file.encoding).encode(other)
        if recoded != content:
            yield held("the other encoding", recoded, "header_mismatch", "too_many_bad_rows", "unreadable")
    if file.format in ("json", "xlsx"):
        yield held("a file that is torn", render_file(file, rows)[:-20], "unreadable")


def _damage_checks(trial: Trial) -> Iterator[Check]:
    file = trial.contract.files[0]
    closes = agrees = True
    own = load_department_check(trial.contract, figures_of(trial.contract, trial.as_of))
    for damage in damages(file, trial.as_of):
        verdict = trial.deliver([(mock_name(file.pattern), damage.content, damage.rows)])
        result = verdict.result
        closes &= result["received"] == result["accepted"] + result["quarantined"] == damage.rows
        agrees &= _department_verdict(own, trial) == (result["state"], result["reason"], verdict.quarantined)
        good = verdict.quarantined == [(damage.line, damage.reason)]
        told = (
            "; ".join(f"line {line}: {reasons}" for line, reasons in verdict.quarantined)
            or "nothing quarantined"
        )
        cure = f"wanted line {damage.line}: {damage.reason}; look at the column's type and values"
        yield Check(
            f"quarantine: {damage.what}", "" if good else told, line_of(trial.contract, "format"), cure
        )
    yield _intakes(trial, "quarantine: sums close on every delivery", "" if closes else "sums that do not")
    yield _intakes(
        trial, "department's own check: it finds what the intake finds", "" if agrees else "another verdict"
    )
    column = file.id_column
    assert column is not None
    many = trial.deliver(_files(trial, _rows(trial, fixed={column.name: "?"})))
    yield _held(trial, "a delivery of bad rows only", many, "too_many_bad_rows")


def _department_verdict(own: Any, trial: Trial) -> tuple[str, str | None, list[tuple[int, str]]]:
    verdict = own.check_drop(trial.feed, trial.as_of)
    return verdict.state, verdict.reason, [row for file in verdict.files for row in file.bad()]


def _people_checks(trial: Trial) -> Iterator[Check]:
    contract, file = trial.contract, trial.contract.files[0]
    verdict = trial.deliver(_files(trial, _rows(trial)))
    wanted = 1 if contract.authorisation else 0
    found = verdict.result["unauthorised"]
    yield Check(
        "authorisation: a row of a person who signed nothing is dropped"
        if wanted
        else "authorisation: none is asked",
        "" if found == wanted and verdict.result["kept"] == PEOPLE - wanted else f"{found} rows dropped",
        line_of(contract, "authorisation"),
        f"wanted {wanted}",
    )
    strangers = _rows(trial, PEOPLE + 10)[PEOPLE:]
    kept = trial.deliver(_files(trial, strangers)).result["kept"]
    yield _intakes(
        trial, "strangers: rows of nobody asked about are not kept", f"{kept} kept" if kept else ""
    )
    secret = [c.name for c in file.columns if c.type in ("identifier", "carried")]
    rows = _rows(trial, fixed=dict.fromkeys(secret, _CANARY))
    verdict = trial.deliver(_files(trial, rows))
    plain = [_CANARY, *(row[c.name] for row in rows for c in file.columns if c.type in ("id", "name"))]
    cells = str(verdict.evidence.to_pydict() if verdict.evidence is not None else "")
    seen = sum(text in cells or text.encode() in verdict.written for text in plain)
    yield Check(
        "canary: no number, name or account in what is written",
        f"{seen} values" if seen else "",
        line_of(contract, "format"),
        "give account numbers the type identifier",
    )


def _repetition_checks(trial: Trial) -> Iterator[Check]:
    file = trial.contract.files[0]
    rows = _rows(trial)
    files = _files(trial, rows)
    first = trial.deliver(files)
    same = trial.deliver(files).fingerprint == first.fingerprint
    yield _intakes(trial, "determinism: the same delivery twice comes to the same", "" if same else "another")
    turned = trial.deliver(_files(trial, rows[::-1]))
    same = _digests(turned) == _digests(first)
    yield _intakes(trial, "determinism: the order of rows does not count", "" if same else "another")
    name = file.pattern.replace("*", "again").replace("?", "2")
    if name != files[0][0]:
        twice = _digests(trial.deliver([*files, (name, files[0][1], files[0][2])]))
        good = len(twice) == 2 * len(_digests(first)) and set(twice) == set(_digests(first))
        yield _intakes(trial, "replay: rows sent twice are one piece of evidence", "" if good else "more")
    trial.deliver([(files[0][0], files[0][1] + b"?", files[0][2])])
    healed = trial.deliver(files).fingerprint == first.fingerprint
    yield _intakes(trial, "replay: a healed feed is as if right at first", "" if healed else "another")


def _digests(verdict: Verdict) -> list[int]:
    return sorted(verdict.evidence.column("row_digest").to_pylist()) if verdict.evidence is not None else []


def _feed_checks(contract: Contract, feed: Path) -> Iterator[Check]:
    """A delivery of the department, judged on its own snapshot day; it is read where it lies."""
    if feed.name != contract.source:
        raise UsageError(f"--feed wants the delivery's folder, which is called {contract.source}")
    try:
        day = date.fromisoformat(json.loads((feed / "receipt.json").read_bytes())["snapshot_date"])
    except (OSError, ValueError, KeyError, TypeError):
        where, cure = (
            f"{feed.name}/receipt.json:1",
            "wanted a receipt with a snapshot_date; ask the department",
        )
        yield Check("feed: its receipt can be read", "no usable receipt", where, cure)
        return
    yield Check("feed: its receipt can be read")
    with open_trial(contract, day) as trial:
        verdict = trial.read(feed.resolve().parent)
    result = verdict.result
    told = "" if result["state"] == "accepted" else f"{result['reason']}: {result['message']}"
    yield Check("feed: it is accepted", told, f"{feed.name}/receipt.json:1", "send the delivery back")
    reasons = ", ".join(f"{reason} {count}" for reason, count in sorted(result["reasons"].items()))
    line = verdict.quarantined[0][0] if verdict.quarantined else 1
    where = f"{result['files'][0]['name'] if result['files'] else feed.name}:{line}"
    yield Check(
        "feed: no row is quarantined", reasons, where, "send the list of lines back to the department"
    )
