"""Reading the fields of a submitted form. Every refusal says which field and what was wanted."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from starlette.datastructures import FormData, UploadFile

from portal.errors import Refused

TEXT_LIMIT = 4000
# Everything of C0 but tab and line feed: neither a page nor a workbook can show them.
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


class Fields:
    """The fields of one form."""

    def __init__(self, form: FormData) -> None:
        self._form = form

    def raw(self, name: str) -> str:
        """The field as typed. Raises Refused for a NUL, which PostgreSQL keeps in no text (its manual, 8.3)."""
        value = self._typed(name)
        if "\x00" in value:
            raise Refused("输入中含有不可见的控制字符（NUL），请删除后重新填写。")
        return value

    def text(self, name: str, label: str, *, required: bool = True, limit: int = TEXT_LIMIT) -> str:
        """Free text as typed, line ends as LF, without control characters."""
        value = _CONTROLS.sub("", self._typed(name).replace("\r\n", "\n")).strip()
        if required and not value:
            raise Refused(f"请填写“{label}”。")
        if len(value) > limit:
            raise Refused(f"“{label}”最多 {limit} 个字，现有 {len(value)} 个字。")
        return value

    def texts(self, shortest: int) -> list[str]:
        """Free text of at least so many characters, as typed; tokens and codes are none."""
        values = (value for name, value in self._form.multi_items() if name != "csrf")
        return [
            text for text in values if isinstance(text, str) and len(text) >= shortest and not text.isascii()
        ]

    def choice(self, name: str, label: str, choices: Mapping[str, Any]) -> str:
        value = self.raw(name)
        if value not in choices:
            raise Refused(f"请选择“{label}”。")
        return value

    def day(self, name: str, label: str) -> date:
        try:
            return date.fromisoformat(self.raw(name).strip())
        except ValueError:
            raise Refused(f"“{label}”须是日期，例如 2026-07-01。") from None

    def optional_day(self, name: str, label: str) -> date | None:
        return self.day(name, label) if self.raw(name).strip() else None

    def whole(self, name: str, label: str) -> int:
        value = self.raw(name).strip()
        if not re.fullmatch(r"[0-9]{1,18}", value):
            raise Refused(f"“{label}”须是整数。")
        return int(value)

    def optional_money_fen(self, name: str, label: str) -> int | None:
        """Yuan with at most two decimals, as fen; empty is None."""
        value = self.raw(name).strip().replace(",", "")
        if not value:
            return None
        try:
            fen = Decimal(value) * 100
        except InvalidOperation:
            raise Refused(f"“{label}”须是金额（元）。") from None
        if not fen.is_finite() or fen != fen.to_integral_value() or abs(fen) >= 10**14:
            raise Refused(f"“{label}”须是金额（元），最多两位小数。")
        return int(fen)

    def _typed(self, name: str) -> str:
        value = self._form.get(name)
        return value if isinstance(value, str) else ""

    def file(self, name: str, label: str) -> UploadFile:
        value = self._form.get(name)
        if not isinstance(value, UploadFile) or not value.filename:
            raise Refused(f"请选择“{label}”。")
        return value
