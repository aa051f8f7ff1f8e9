"""The published lists as people read them: tokens opened, names unsealed, codes in Chinese, in list order.

The columns are those of the specification, section 5.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipelines.audit_entry import canonical_json
from pipelines.errors import HeduiError
from pipelines.identity.cipher import Tokeniser
from pipelines.identity.idnumber import unpack_blocks
from pipelines.identity.keyring import KeyRing
from pipelines.manifest import Manifest, night_folder, read_manifest
from policy.rules import load_rules

# The stubs of pyarrow know too little of what a column can do.
Column = Any
ListName = Literal["discrepancies", "newly-eligible", "quarantine", "explained"]

FILES: Final[dict[ListName, str]] = {
    "discrepancies": "discrepancies.parquet",
    "newly-eligible": "newly_eligible.parquet",
    "quarantine": "quarantine.parquet",
    "explained": "explained.parquet",  # only in nights that found the desk's explanations in the home
}
ROSTER_FILE: Final = "roster.parquet"
# Column on the list, column of the Parquet file. `rule_name`, `name` and `id_number` are worked out here.
COLUMNS: Final[dict[ListName, dict[str, str]]] = {
    "discrepancies": {
        "线索编号": "lead_no",
        "状态": "state",
        "规则代码": "rule",
        "规则名称": "rule_name",
        "县区代码": "county_code",
        "乡镇代码": "township_code",
        "家庭编号": "household_id",
        "救助类别": "programme",
        "姓名": "name",
        "公民身份号码": "id_number",
        "核对值": "value",
        "标准值": "line",
        "数据来源": "sources",
        "数据日期": "source_dates",
        "证据说明": "evidence",
        "政策依据": "basis",
        "消除条件": "clears",
    },
    "newly-eligible": {
        "线索编号": "lead_no",
        "状态": "state",
        "规则代码": "rule",
        "规则名称": "rule_name",
        "县区代码": "county_code",
        "乡镇代码": "township_code",
        "户编号": "household_id",
        "姓名": "name",
        "公民身份号码": "id_number",
        "家庭人口": "members",
        "人均月收入": "income",
        "收入标准": "income_line",
        "人均金融资产": "assets",
        "资产标准": "asset_line",
        "证据说明": "evidence",
        "政策依据": "basis",
        "下一步": "next_step",
    },
    "quarantine": {"数据来源": "source", "文件": "file", "行号": "line", "原因": "reasons"},
}
COLUMNS["explained"] = COLUMNS["discrepancies"] | {
    "核查反馈": "answer",
    "说明人": "explained_by",
    "说明日期": "explained_on",
    "有效期至": "explained_until",
}
MONEY: Final = ("核对值", "标准值", "人均月收入", "收入标准", "人均金融资产", "资产标准")
COUNTS: Final = ("家庭人口", "行号")
# These words are part of every seal, so they are kept apart from those that pages show (policy/codes.toml): a better
# wording there must not break the seals of earlier nights.
STATES: Final = {
    "new": "新增",
    "continuing": "持续",
    "changed": "变化",
    "cleared": "已消除",
    "unverified": "待复核",
}
PROGRAMMES: Final = {
    "dibao": "低保",
    "tekun": "特困",
    "dibao_margin": "低保边缘",
    "rigid_expenditure": "刚性支出",
}
_WORKED_OUT = {"rule_name": "rule", "name": "name_sealed", "id_number": "person"}
_CENTS = pa.decimal128(38, 2)


class ListBroken(HeduiError):
    """A published list that is not the one its manifest names, or that does not open."""


def read_list(
    home: Path,
    as_of: date,
    which: ListName,
    ring: KeyRing,
    county: str | None = None,
    source: str | None = None,
) -> pa.Table:
    """A published list, readable, in list order; opened are only rows of the county (or prefix) or source.

    Text columns are strings, an absent value is empty; money has two decimals; counts are int64.
    Raises NightNotPublished, ManifestError, ListBroken, KeyRingError.
    """
    manifest = read_manifest(home, as_of)
    table = read_published(home, manifest, which)
    if county is not None:
        table = table.filter(pc.starts_with(table["county_code"].cast(pa.string()), county))
    if source is not None:
        table = table.filter(pc.equal(table["source"].cast(pa.string()), pa.scalar(source)))
    return to_readable(table, ring.cipher(manifest["key_version"]))


def read_published(
    home: Path, manifest: Manifest, which: ListName, columns: list[str] | None = None
) -> pa.Table:
    """The Parquet file of a list as published, tokens and seals closed. Raises ListBroken: changed since."""
    return read_night_file(home, manifest, FILES[which], columns)


def read_night_file(home: Path, manifest: Manifest, name: str, columns: list[str] | None = None) -> pa.Table:
    """A Parquet file of a night by its name, or some of its columns. Raises ListBroken: not there, or changed since."""
    path = night_folder(home, manifest) / name
    try:
        content = path.read_bytes()
    except OSError as failure:
        raise ListBroken(f"{path} cannot be read ({failure.strerror}); the manifest names it") from None
    if hashlib.sha256(content).hexdigest() != manifest["files"].get(name):
        raise ListBroken(f"{path} is not the file that was published: its sha256 differs from the manifest's")
    return pq.read_table(pa.BufferReader(content), columns=columns)


def to_readable(
    table: pa.Table, cipher: Tokeniser, opened: Mapping[str, Column] = MappingProxyType({})
) -> pa.Table:
    """Rows with the columns of docs/architecture.md as rows of the list they belong to, in the same order.

    cipher: of the key version the rows were made with; opened: columns name and id_number of rows that are about to
    be sealed. Raises ListBroken for other columns, an unknown code or a token that does not open, UnsealError for a
    name.
    """
    columns = COLUMNS[_list_of({*table.column_names, *(_WORKED_OUT[name] for name in opened)})]
    return pa.table(
        [
            opened[column] if column in opened else _readable(table, head, column, cipher)
            for head, column in columns.items()
        ],
        names=list(columns),
    )


def count_leads(table: pa.Table) -> list[dict[str, Any]]:
    """How many rows a list has of each county_code, rule and state, in this order."""
    keys = ["county_code", "rule", "state"]
    groups = table.group_by(keys).aggregate([([], "count_all")])
    plain = pa.table({name: groups.column(name).cast(pa.string()) for name in keys})
    plain = plain.append_column("count", groups.column("count_all"))
    counts: list[dict[str, Any]] = plain.sort_by([(name, "ascending") for name in keys]).to_pylist()
    return counts


def seal_inputs(
    sources: Mapping[str, Mapping[str, Any]], inputs: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    """What a seal says of each source, from `status.sources` and `inputs` of a manifest."""
    nothing: dict[str, Any] = {"snapshot_date": None, "covers": None, "files": []}
    return {
        source: {
            "state": status["state"],
            "reason": status["reason"],
            **{key: inputs.get(source, nothing)[key] for key in nothing},
        }
        for source, status in sources.items()
    }


def seal_of(
    inputs: Mapping[str, Mapping[str, Any]],
    policy_sha256: str,
    discrepancies: pa.Table,
    newly_eligible: pa.Table,
    quarantine: pa.Table,
    explained: pa.Table | None = None,
) -> str:
    """SHA-256 over inputs (`seal_inputs`), policy and the readable lists (`to_readable`) in list order.

    It depends on no key, folder, file order or time. The rule's name is left out: it follows from the code,
    and a better wording must not break the seals of earlier nights.
    """
    digest = hashlib.sha256()
    for source in sorted(inputs):
        entry = inputs[source]
        files = sorted(entry["files"], key=lambda file: str(file["name"]))
        kept = [{key: file[key] for key in ("name", "sha256", "rows")} for file in files]
        digest.update(canonical_json({"source": source, **entry, "files": kept}) + b"\n")
    digest.update(canonical_json({"policy": policy_sha256}) + b"\n")
    lists: dict[ListName, pa.Table] = {
        "discrepancies": discrepancies,
        "newly-eligible": newly_eligible,
        "quarantine": quarantine,
    }
    if explained is not None and explained.num_rows:  # explanations that hold nothing back change nothing
        lists["explained"] = explained
    for which, table in lists.items():
        columns = [head for head in COLUMNS[which] if head != "规则名称"]
        digest.update(canonical_json({"list": which, "rows": table.num_rows, "columns": columns}) + b"\n")
        for head in columns:
            _digest_column(digest, table[head])
    return digest.hexdigest()


def _list_of(found: set[str]) -> ListName:
    # The list of explained leads has every column of the discrepancies and more.
    for which, columns in reversed(COLUMNS.items()):
        if {_WORKED_OUT.get(column, column) for column in columns.values()} <= found:
            return which
    raise ListBroken(f"columns {', '.join(sorted(found))} belong to no list of docs/architecture.md")


def _readable(table: pa.Table, head: str, column: str, cipher: Tokeniser) -> Column:
    if column == "name":
        return _open_names(table, cipher)
    if column == "id_number":
        return _open_persons(table, cipher)
    values: Column = table[_WORKED_OUT.get(column, column)]
    if column == "rule_name":
        return _translate(values, head, {code: rule.name for code, rule in load_rules().items()})
    if column == "state":
        return _translate(values, head, STATES)
    if column == "programme":
        return _translate(values, head, PROGRAMMES)
    if head in COUNTS:
        return values.cast(pa.int64())
    if head in MONEY:
        values = values.cast(_CENTS)
    return values.cast(pa.string()).fill_null("")


def _translate(values: Column, head: str, words: Mapping[str, str]) -> Column:
    codes = pa.array(list(words), pa.string())
    places: Column = pc.index_in(values.cast(pa.string()), value_set=codes)
    if places.null_count:
        unknown = values.filter(pc.is_null(places)).unique().to_pylist()
        raise ListBroken(f"{head} has {unknown}; wanted one of {', '.join(words)}")
    return pa.chunked_array([pa.array(list(words.values()), pa.string())]).take(places)


def _open_persons(table: pa.Table, cipher: Tokeniser) -> Column:
    persons: Column = table["person"].combine_chunks()
    is_named = persons.is_valid().to_numpy(zero_copy_only=False)
    tokens = np.frombuffer(b"".join(persons.drop_null().to_pylist()), np.uint8)
    try:
        numbers = unpack_blocks(cipher.open_tokens(tokens.reshape(-1, 16)))
    except ValueError:
        raise ListBroken(
            "the persons of a list do not open with this key: wrong version, or changed"
        ) from None
    return _spread(numbers, is_named)


def _open_names(table: pa.Table, cipher: Tokeniser) -> Column:
    sealed = table["name_sealed"].to_pylist()
    contexts = [person or b"" for person in table["person"].to_pylist()]
    names = cipher.unseal_column(sealed, contexts)
    column: Column = pa.array(names, pa.binary()).cast(pa.string())
    return pa.chunked_array([column.fill_null("")])


def _spread(values: Column, is_named: npt.NDArray[np.bool_]) -> Column:
    """Values at the places that have one, empty text elsewhere."""
    places: Column = pa.array(np.cumsum(is_named) - 1, mask=~is_named)
    return pa.chunked_array([pc.take(values, places).fill_null("")])


def _digest_column(digest: Any, column: Column) -> None:
    """Lengths, then bytes: no two columns write the same."""
    values: Column = column.cast(pa.large_string()).fill_null("").combine_chunks()
    for chunk in values.chunks if isinstance(values, pa.ChunkedArray) else [values]:
        _, places, data = chunk.buffers()
        if len(chunk) == 0 or places is None:
            continue
        offsets = np.frombuffer(memoryview(places), np.int64)[chunk.offset : chunk.offset + len(chunk) + 1]
        digest.update(np.diff(offsets).astype("<i8").tobytes())
        if data is not None:
            digest.update(memoryview(data)[offsets[0] : offsets[-1]])
