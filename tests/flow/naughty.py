"""Names that readers, tables, sheets and terminals have tripped over."""

from __future__ import annotations

NAMES = [
    "=1+1", "+1", "-1", "@SUM(A1)", "=cmd|' /C calc'!A0", '=HYPERLINK("x")', "\t=1", "'=1", "%s%s%n", "{0}", "${x}", "$(id)", "`id`",
    "'; drop table record; --", "' or '1'='1", '"', "'", '""', "\\", "\\n", "\\u0000", "a,b", "a|b", "a;b", "<b>甲</b>",
    "<script>alert(1)</script>", "&lt;", "]]>", "<!--", "NULL", "null", "None", "nan", "NaN", "inf", "true", "0", "-0", "1e5", "0x1F",
    "1,234", "2026-06-30", "\u202e甲乙", "\u200b甲", "\u2060乙", "\ufeff甲", "甲\u0301", "é", "e\u0301", "😀", "👨‍👩‍👧", "🇨🇳", "𠮷野", "㐀", "粅攟衸",
    "مرحبا", "שלום", "Zoë", "ｶﾀｶﾅ", "阿依古丽·买买提", "龘" * 40, "a" * 200, "#REF!", "/etc/passwd", "../../x", "CON", "＝1＋1",
]  # fmt: skip
