"""Jinja for the pages: everything is escaped, an unknown name is an error."""

from __future__ import annotations

from datetime import date, datetime
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from pipelines.beijing import BEIJING, beijing_time
from policy.codes import load_codes
from portal import permissions
from portal.codes import clocks, desk_codes, rule_figures
from portal.drawing import draw_choice, draw_csrf, draw_leads, draw_link
from portal.listing import ALL_VIEWS, DUES, STATES, TITLES
from portal.sheet import figure, place_name, rule_title, yuan
from portal.workdays import calendar_note, coming_calendar_note

# What was done, told once on the page that follows.
DONE = {
    "assigned": "已分派。",
    "visited": "入户记录已保存。",
    "replied": "核查反馈已保存。",
    "sent_back": "已退回补充核查。",
    "noted": "备注已保存。",
    "attached": "附件已保存。",
    "outreach": "联系情况已登记。",
    "proposed": "决定已提交，等待第二人复核。",
    "decided": "决定已生效，本案已办结。",
    "second_agreed": "复核同意，决定生效。",
    "second_returned": "已退回。",
    "served": "送达已登记，异议期开始计算。",
    "objected": "异议已受理。",
    "upheld": "异议成立，原决定已撤销。",
    "rejected": "异议不成立，请再次书面告知。",
    "closed": "已办结。",
    "reopened": "已重新办理。",
    "explained": "说明已保存。",
    "lifted": "说明已撤销，线索恢复待办。",
    "referred": "已转办。",
    "referral_answered": "部门答复已登记。",
    "password": "密码已修改。",
    "user": "账号已保存。",
    "signed_out": "您已退出。",
}


@cache
def make_templates() -> Environment:
    """One for the whole process: it holds nothing of a desk, and each template is compiled once."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    names = load_codes()
    environment.globals.update(
        codes=desk_codes(),
        clocks=clocks(),
        views=ALL_VIEWS,
        states=STATES,
        dues=DUES,
        list_titles=TITLES,
        done_texts=DONE,
        roles=permissions.ROLES,
        rule_title=rule_title,
        figures=rule_figures(),
        place_name=place_name,
        figure=figure,
        programme_name=names.programmes.name,
        calendar_note=calendar_note,
        coming_calendar_note=coming_calendar_note,
        area_name=names.areas.name,
        csrf=draw_csrf,
        choice=draw_choice,
        column_link=draw_link,
        lead_rows=draw_leads,
    )
    environment.filters.update(
        yuan=yuan,
        declared=_declared,
        local=_local_time,
        day=_day,
        moment=beijing_time,
    )
    return environment


def _declared(fen: int | None) -> str:
    """A declared amount. Nothing declared is 0 on the roster; a night that did not tell it is another thing."""
    return "未载明" if fen is None else f"{yuan(fen)}元"


def _local_time(at: datetime | None) -> str:
    return at.astimezone(BEIJING).strftime("%Y-%m-%d %H:%M") if at else ""


def _day(day: date | None) -> str:
    return day.isoformat() if day else ""
