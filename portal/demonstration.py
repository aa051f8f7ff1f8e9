"""Accounts for trying the desk on the sample province. Never for real records: they have no second factor."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, or_, select

from portal.accounts import create_user, new_password
from portal.auth.passwords import hash_password
from portal.desk import Office
from portal.schema import Lead, Setting, User
from portal.scope import open_machine_session
from portal.sheet import place_name

_MARK = "demonstration"


@dataclass(frozen=True)
class Account:
    login: str
    display_name: str
    role: str
    region: str


class NoDemonstration(ValueError):
    """The database was not begun by a demonstration: the accounts in it are somebody's."""


def make_accounts(office: Office) -> tuple[list[Account], str]:
    """Accounts of every role for the county with most leads on both lists; one new password for all, at every start.

    Raises NoDemonstration where there are other accounts: these open every record and ask for no second factor.
    """
    password = new_password()
    accounts = _accounts(office)
    _mark_as_demonstration(office, {account.login for account in accounts})
    for account in accounts:
        _make_or_renew(office, account, password)
    return accounts, password


def _mark_as_demonstration(office: Office, own: set[str]) -> None:
    """Accounts that were made while trying are no hindrance the next time."""
    with open_machine_session(office.engine, writes=True) as db:
        if db.get(Setting, _MARK) is not None:
            return
        others = select(func.count(User.id)).where(or_(User.login.not_in(own), User.totp_needed))
        found = db.scalars(others).one()
        if found:
            raise NoDemonstration(
                f"the database holds {found} accounts that no demonstration made; wanted a database of its own. "
                "Choose another HEDUI_HOME, and leave HEDUI_PORTAL_DATABASE unset"
            )
        db.add(Setting(key=_MARK, value="yes"))
        db.commit()


def _accounts(office: Office) -> list[Account]:
    with open_machine_session(office.engine) as db:
        both_lists, leads = func.count(func.distinct(Lead.list)), func.count(Lead.id)
        counties = list(
            db.scalars(
                select(Lead.county_code)
                .group_by(Lead.county_code)
                .order_by(both_lists.desc(), leads.desc(), Lead.county_code)
            )
        )
        county, other = ([*counties, "440103", "440104"])[:2]
        townships = select(Lead.township_code).where(Lead.county_code == county).group_by(Lead.township_code)
        township = db.scalars(townships.order_by(leads.desc(), Lead.township_code)).first() or f"{county}001"
    return [
        Account("xian1", f"{place_name(county)}甲", "county", county),
        Account("xian2", f"{place_name(county)}乙", "county", county),
        # An objection is judged by a third: neither who proposed the decision nor who signed it.
        Account("xian3", f"{place_name(county)}丙", "county", county),
        Account("lin", f"{place_name(other)}甲", "county", other),
        Account("zhen", f"{township} 甲", "township", township),
        Account("shi", f"{place_name(county[:4])}甲", "city", county[:4]),
        Account("sheng", f"{place_name(county[:2])}甲", "province", county[:2]),
        Account("shenji", "审计员甲", "auditor", county[:2]),
        Account("guanli", "管理员甲", "admin", county[:2]),
    ]


def _make_or_renew(office: Office, account: Account, password: str) -> None:
    with open_machine_session(office.engine, writes=True) as db:
        user = db.scalars(select(User).where(User.login == account.login)).one_or_none()
        if user is not None:
            user.password_hash = hash_password(password, office.settings.argon2)
            user.role, user.region, user.display_name = account.role, account.region, account.display_name
            user.failures, user.locked_until = 0, None
            db.commit()
            return
    create_user(
        office,
        login=account.login,
        display_name=account.display_name,
        role=account.role,
        region=account.region,
        password=password,
        totp_needed=False,
        must_change_password=False,
    )
