"""Can sql/ and the tokens move to Spark? Every file is translated by sqlglot, then read by Spark's own parser."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from bench.tree import ROOT

_MACROS = {"round_half_up", "yuan"}  # sql/assess/macros.sql
_PARAMETER = re.compile(r"\$([a-z][a-z0-9_]*)")


def sql_files() -> list[Path]:
    return sorted((ROOT / "sql").rglob("*.sql"))


# DuckDB's whole numbers that Spark has no type for; the sums stay below 38 digits, the bit sets below 63 sources.
_TYPES = {"INT128": "DECIMAL(38, 0)", "UBIGINT": "BIGINT", "UINT": "BIGINT"}


def translate(path: Path, own_types: bool = False) -> tuple[list[str], str | None]:
    """(Spark statements, reason when it does not translate): sqlglot, unsupported things raise.

    own_types: DuckDB's wide and unsigned whole numbers exchanged for types that Spark has.
    """
    import sqlglot
    from sqlglot import exp
    from sqlglot.errors import SqlglotError

    try:
        statements = sqlglot.parse(path.read_text(encoding="utf-8"), read="duckdb")
        for kind in [kind for statement in statements for kind in statement.find_all(exp.DataType)]:
            if own_types and kind.this.name in _TYPES:
                kind.replace(exp.DataType.build(_TYPES[kind.this.name], dialect="spark"))
        raising = sqlglot.ErrorLevel.RAISE
        return [one.sql(dialect="spark", unsupported_level=raising) for one in statements], None
    except SqlglotError as error:
        return [], str(error).splitlines()[0]


def names_left(statement: str) -> list[str]:
    """Functions in a translated statement that sqlglot handed through because it does not know them."""
    import sqlglot
    from sqlglot import exp

    calls = sqlglot.parse_one(statement, read="spark").find_all(exp.Anonymous)
    return sorted({call.name.lower() for call in calls})


def translate_all() -> dict[str, Any]:
    """Per file: does sqlglot translate it, does Spark's parser take the outcome as it stands, does it with Spark's
    types in it (and if not, why), and which functions does Spark lack. And whether the tokens agree."""
    from bench.peers.spark_local import session

    spark = session()
    spark.sparkContext.setLogLevel("OFF")
    found: dict[str, dict[str, Any]] = {}
    for path in sql_files():
        statements, reason = translate(path)
        refused = [why for statement in statements if (why := _refusal(spark, statement))]
        typed = [
            why for statement in translate(path, own_types=True)[0] if (why := _refusal(spark, statement))
        ]
        found[str(path.relative_to(ROOT / "sql"))] = {
            "sqlglot": reason is None,
            "spark_as_it_stands": reason is None and not refused,
            "spark_with_its_types": reason is None and not typed,
            "why_not": reason or next(iter([*typed, *refused]), None),
            "functions_spark_lacks": sorted({name for text in statements for name in _lacking(spark, text)}),
        }
    tokens = tokens_agree(spark)
    spark.stop()
    return {"files": found, "tokens_agree": tokens}


def _refusal(spark: Any, statement: str) -> str | None:
    """What Spark's own parser has against a statement."""
    try:
        spark._jsparkSession.sessionState().sqlParser().parsePlan(_PARAMETER.sub(r":\1", statement))
    except Exception as error:
        return " ".join(str(error).split("== SQL")[0].split())[:120]
    return None


def _lacking(spark: Any, statement: str) -> list[str]:
    from sqlglot.errors import SqlglotError

    try:
        return [
            name
            for name in names_left(statement)
            if name not in _MACROS and not spark.catalog.functionExists(name)
        ]
    except SqlglotError:
        return []


def tokens_agree(spark: Any, count: int = 1000) -> dict[str, Any]:
    """Spark's aes_encrypt in ECB against our tokens: ours are the first 16 bytes, the rest is its padding."""
    import numpy as np

    from pipelines.identity.cipher import Tokeniser
    from pipelines.identity.idnumber import check_character, pack_blocks

    numbers = [f"999001{1950 + n % 60}0101{n % 1000:03d}" for n in range(count)]
    chars = np.frombuffer("".join(n + check_character(n) for n in numbers).encode(), np.uint8).reshape(-1, 18)
    blocks = pack_blocks(chars)
    cipher = Tokeniser(bytes(range(32)))
    ours = [bytes(token).hex() for token in cipher.tokens(blocks)]
    rows = [(place, bytearray(block.tobytes())) for place, block in enumerate(blocks)]
    spark.createDataFrame(rows, "place int, block binary").createOrReplaceTempView("person_block")
    key = cipher._key("person", 32).hex()
    token = f"substr(aes_encrypt(block, unhex('{key}'), 'ECB'), 1, 16)"
    query = f"select place, lower(hex({token})) from person_block order by place"
    theirs = [row[1] for row in spark.sql(query).collect()]
    return {"compared": count, "equal": sum(a == b for a, b in zip(ours, theirs, strict=True))}
