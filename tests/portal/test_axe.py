"""axe finds nothing to object to on any page for any role; the pages are those of the route table."""

from __future__ import annotations

import re

import pytest

from portal.permissions import may
from portal.routing import PAGES
from tests.portal.cases import case_of, leads_of, served_stop
from tests.portal.conftest import load_sample
from tests.portal.desks import PASSWORD, serve_desk

axe = pytest.importorskip(
    "axe_playwright_python.sync_playwright", reason="axe was not run: pip install axe-playwright-python"
)
ROLES = {
    "county": "440103",
    "township": "440103001",
    "city": "4401",
    "province": "44",
    "auditor": "44",
    "admin": "44",
}
# Pages that look otherwise when asked for something.
QUERIES = {"/lists/discrepancies": "?view=suppressed", "/statistics/bulletin": "?month=2026-06"}
WCAG = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    "resultTypes": ["violations"],
}


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    with serve_desk(tmp_path_factory.mktemp("axe")) as served:
        load_sample(served)
        first, second = (served.officer(login, "county", "440103") for login in ("xian1", "xian2"))
        served_stop(served, first, second)
        first.done(case_of(served, "H1").id, "attach", files={"file": ("a.pdf", b"%PDF-1.7 x")})
        first.done(case_of(served, "H1").id, "note", {"body": "电话联系"})
        first.done(case_of(served, "H1").id, "refer", {"department": "tax", "need": "请核对"})
        for role, region in ROLES.items():
            served.officer(f"axe_{role}", role, region)
        yield served


def addresses(desk, role: str) -> list[str]:
    """Every page to look at that the role may open; files to save are none."""
    known = {"slug": ("discrepancies", "newly-eligible"), "case_id:int": tuple(case_of(desk, one).id for one in ("H1", "H2", "C1")),
             "lead_id:int": (leads_of(desk, "H1")[0].id,), "household_id:int": (1,), "as_of": ("2026-06-30",)}  # fmt: skip
    found = []
    for page in PAGES:
        wants = re.findall(r"\{([\w:]+)\}", page.path)
        if page.method != "GET" or page.may is None or "attachment" in page.path or "/next/" in page.path:
            continue
        if not may(role, page.may) or page.path.startswith("/sign-in") or "{as_of}" in page.path:
            continue
        assert set(wants) <= set(known), f"{page.path} has a parameter this test does not know"
        paths = [page.path]
        for name in wants:
            paths = [path.replace(f"{{{name}}}", str(value)) for path in paths for value in known[name]]
        found += paths + [path + QUERIES[path] for path in paths if path in QUERIES]
    return [*found, "/nothing"]


def look_at(page, address: str) -> list[str]:
    page.goto(address)
    found = axe.Axe().run(page, options=WCAG).response["violations"]
    return [f"{address} {one['id']}: {node['html'][:160]}" for one in found for node in one["nodes"][:3]]


def test_the_pages_before_signing_in(browser, desk):
    page = browser.new_context().new_page()
    assert look_at(page, f"{desk.address}/sign-in") == []
    desk.hire("new_one", "county", "440103", totp_needed=True)
    page.get_by_label("登录名").fill("new_one")
    page.get_by_label("密码").fill(PASSWORD)
    with page.expect_navigation():
        page.get_by_role("button", name="登录", exact=True).click()
    assert "/sign-in/enrol" in page.url and look_at(page, page.url) == []


def test_axe_would_say_so(browser):
    page = browser.new_context().new_page()
    page.set_content("<html><body><img src='x'><input></body></html>")
    found = {one["id"] for one in axe.Axe().run(page, options=WCAG).response["violations"]}
    assert {"image-alt", "label", "html-has-lang"} <= found


@pytest.mark.parametrize("role", ROLES)
def test_every_page_a_role_may_open(browser, desk, role):
    context = browser.new_context(viewport={"width": 1366, "height": 768})
    cookie = desk.officers[f"axe_{role}"].web.cookies["desk"]
    context.add_cookies([{"name": "desk", "value": cookie, "url": desk.address}])
    page, objections = context.new_page(), []
    paths = addresses(desk, role)
    for path in paths:
        objections += look_at(page, f"{desk.address}{path}")
    if role == "county":
        page.goto(f"{desk.address}/cases/{case_of(desk, 'H1').id}")
        page.evaluate("document.querySelectorAll('details').forEach(part => part.open = true)")
        found = axe.Axe().run(page, options=WCAG).response["violations"]
        objections += [
            f"all parts open {one['id']}: {node['html'][:160]}" for one in found for node in one["nodes"][:3]
        ]
    assert objections == []
    assert len(paths) >= 3
    context.close()
