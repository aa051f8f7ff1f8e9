"""Small worlds full of edge cases, each the same for the same seed, and what becomes of them on later nights."""

from __future__ import annotations

import random
from datetime import date, timedelta
from pathlib import Path

from .breakage import break_cells, break_rows
from .builder import GAP_COUNTY, Builder, Record
from .cases_discrepancy import CASES, strangers
from .cases_eligible import n02, n04, n04_without_income, u02
from .writing import faults_for, write_feeds

FIRST_NIGHTS = (date(2026, 6, 30), date(2026, 6, 15), date(2026, 3, 1), date(2026, 1, 31))
HOLDABLE = (  # twice: what the asset, N03 and U02 rules wait for
    "household_registration", "banks",
    "tax", "market_regulation", "banks", "securities", "insurance", "household_registration", "rural_revitalisation",
)  # fmt: skip


def as_of(seed: int, night: int = 0) -> date:
    return FIRST_NIGHTS[seed % len(FIRST_NIGHTS)] + timedelta(days=night)


def build(seed: int, night: int = 0) -> Builder:
    """The world of `seed` as it is on its `night`; most cases are in most worlds, at a random side."""
    b = Builder(seed, as_of(seed))
    for case in CASES:
        if b.rng.random() < (0.85 if case.__module__.endswith("eligible") else 0.6):
            case(b, b.rng.choice([-1, 0, 1]))
    for case in (n02, u02, n04, n04_without_income):  # rarely the first that fits
        case(b, b.rng.choice([-1, -1, 0, 1]))
    for _ in range(8):
        strangers(b, 0)
    b.household("低保", GAP_COUNTY, "城镇")  # keeps the gap county on the active roster
    break_rows(b, 0.08)
    # a carried column may be anything: doubled quotes, commas, half a quote
    for record in b.records:
        if record.table == "market_regulation" and record.raw is None and b.rng.random() < 0.2:
            record.cells["企业名称"] = b.rng.choice(['"甲",乙', '丙"丁', "<b>&", "=1+1", "粅|粅"])
    for step in range(1, night + 1):
        if step == night or b.rng.random() < 0.7:
            change(b, random.Random(f"change {seed} {step}"), step)
    return b


def change(b: Builder, rng: random.Random, step: int) -> None:
    """What happens between two nights."""
    b.rng = rng
    good = [r for r in b.records if r.raw is None and not r.broken]
    by_source: dict[str, list[Record]] = {}
    for record in good:
        by_source.setdefault(record.table, []).append(record)
    gone: set[int] = set()
    for table in ("tax", "banks", "market_regulation", "household_registration", "insurance", "securities"):
        records = by_source.get(table, [])
        for record in rng.sample(records, len(records) // 6):
            gone.add(id(record))  # leads vanish or fall
    for record in rng.sample(by_source["banks"], len(by_source["banks"]) // 6):
        record.cells["余额"] = str(rng.randint(0, 200000))  # values change
    for record in rng.sample(by_source["tax"], len(by_source["tax"]) // 6):
        record.cells["收入额"] = str(rng.randint(-500, 20000))
    for record in rng.sample(by_source["authorisations"], 4):
        if rng.random() < 0.5:
            gone.add(id(record))  # an authorisation withdrawn …
        else:
            record.cells["有效期至"] = (
                b.as_of + timedelta(days=step - 1)
            ).isoformat()  # … or expired last night
    for record in rng.sample(by_source["members"], 3):
        if rng.random() < 0.7:
            break_cells(b, record)  # a household incomplete
        else:
            gone.add(id(record))  # a member left
    for record in rng.sample(by_source["households"], 2):
        record.cells["状态"] = "停保"
    for record in rng.sample(
        by_source["rural_revitalisation"], min(4, len(by_source["rural_revitalisation"]))
    ):
        way = rng.randrange(4)
        if way == 0:
            record.cells["风险是否消除"] = "是"
        elif way == 1:
            break_cells(b, record)
        elif way == 2:
            record.cells["家庭年人均纯收入"] = str(rng.randint(0, 30000))
        else:
            record.cells["年刚性支出"] = str(rng.randint(0, 90000))
    b.records = [r for r in b.records if id(r) not in gone]


def faults(seed: int, night: int) -> dict[str, str]:
    """What is wrong with which source: half of the nights nothing, and once in a while the roster itself."""
    rng = random.Random(f"faults {seed} {night}")
    if seed % 23 == 22 and night == 1:
        return {"roster": rng.choice(["bad_hash", "too_old", "no_receipt"])}
    if rng.random() < 0.6:
        return {}
    return {s: rng.choice(faults_for(s)) for s in rng.sample(HOLDABLE, rng.choice([1, 1, 1, 2]))}


def covers(b: Builder, seed: int, night: int) -> list[str] | None:
    """Tax covers the window exactly, more than it, or leaves out its first or last month."""
    rng = random.Random(f"covers {seed} {night}")
    day = as_of(seed, night)
    at = day.year * 12 + day.month - 1
    first, last = at - b.law.months, at - 1
    way = rng.randrange(14)
    if way == 0:
        first += 1
    elif way == 1:
        last -= 1
    elif way == 2:
        return None
    elif way < 6:
        first, last = first - 2, last + 1
    return [f"{m // 12:04d}-{m % 12 + 1:02d}" for m in (first, last)]


def fill_to_share(b: Builder, seed: int, night: int) -> None:
    """max_quarantined_share: a source with exactly that share of bad rows, or one row more."""
    rng = random.Random(f"share {seed} {night}")
    if rng.random() > 0.2:
        return
    b.rng = rng
    table = rng.choice(["banks", "securities", "insurance", "tax", "market_regulation"])
    records = [r for r in b.records if r.table == table]
    good = [r for r in records if r.raw is None and not r.broken]
    missing = len(records) - 2 * (len(records) - len(good)) + rng.choice([0, 1])
    for _ in range(max(0, missing)):
        model = rng.choice(good)
        copy = Record(table, model.file, dict(model.cells))
        break_cells(b, copy)
        b.records.append(copy)


def write_world(folder: Path, seed: int, night: int = 0) -> None:
    """feeds/ of all sources and policy.toml; the night's as-of is `as_of(seed, night)`."""
    b = build(seed, night)
    law = b.law.toml()
    fill_to_share(b, seed, night)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "policy.toml").write_text(law, "utf-8")
    rng = random.Random(f"files {seed} {night}")
    write_feeds(b, folder / "feeds", as_of(seed, night), faults(seed, night), rng, covers(b, seed, night))


__all__ = ["as_of", "build", "write_world"]
