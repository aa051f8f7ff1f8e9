"""Getting in, staying in, and being kept out."""

from __future__ import annotations

import re
from urllib.parse import quote

import httpx
import pytest

from portal.auth import totp
from portal.auth.passwords import PasswordTooWeak, check_strength
from portal.permissions import REGION_DIGITS
from portal.routing import PAGES
from portal.schema import User
from portal.scope import open_machine_session
from tests.portal.desks import PASSWORD, serve_desk

# RFC 6238, appendix B, SHA-1, the last six of eight digits.
RFC_6238 = {
    59: "287082",
    1111111109: "081804",
    1111111111: "050471",
    1234567890: "005924",
    2000000000: "279037",
}


@pytest.mark.parametrize(("second", "code"), RFC_6238.items())
def test_codes_are_those_of_the_standard(second, code):
    assert totp.code_at(b"12345678901234567890", second // 30) == code


def user(desk, login):
    from sqlalchemy import select

    with open_machine_session(desk.engine) as db:
        return db.scalars(select(User).where(User.login == login)).one()


def enrolled(desk, login="xian1"):
    """An officer with a second factor bound, and its secret."""
    officer = desk.hire(login, "county", "440103", totp_needed=True)
    assert officer.sign_in().headers["location"] == "/sign-in/enrol"
    officer.send("/sign-in/enrol", seen="/sign-in/enrol")
    secret = desk.office.vault.open_bytes(user(desk, login).totp_sealed, "user.totp")
    assert totp.secret_text(secret) in officer.get("/sign-in/enrol").text
    code = totp.code_at(secret, totp.step_at(desk.clock()))
    assert officer.send("/sign-in/enrol", {"code": code}, seen="/sign-in/enrol").headers["location"] == "/"
    return officer, secret


def test_the_second_factor_is_bound_at_the_first_sign_in_and_asked_ever_after(desk):
    officer, secret = enrolled(desk)
    assert officer.get("/").status_code == 200
    officer.web.cookies.clear()
    assert officer.sign_in().headers["location"] == "/sign-in/code"
    for path in ("/", "/lists/discrepancies", "/account/password", "/sign-in/enrol"):
        assert officer.get(path).headers["location"] == "/sign-in/code", path
    used = totp.code_at(secret, totp.step_at(desk.clock()))
    assert officer.send("/sign-in/code", {"code": used}, seen="/sign-in/code").status_code == 401, (
        "a code is good once"
    )
    desk.clock.forward(seconds=60)
    fresh = totp.code_at(secret, totp.step_at(desk.clock()))
    assert officer.send("/sign-in/code", {"code": fresh}, seen="/sign-in/code").headers["location"] == "/"


def test_wrong_codes_lock_the_account_too(desk):
    officer, secret = enrolled(desk)
    officer.web.cookies.clear()
    officer.sign_in()
    for _ in range(5):
        assert officer.send("/sign-in/code", {"code": "000000"}, seen="/sign-in/code").status_code == 401
    desk.clock.forward(seconds=60)
    right = totp.code_at(secret, totp.step_at(desk.clock()))
    assert officer.send("/sign-in/code", {"code": right}, seen="/sign-in/code").status_code == 401


def test_wrong_passwords_lock_the_account_for_a_while_with_one_answer_for_all(desk):
    officer = desk.hire("xian1", "county", "440103")
    stranger = desk.hire("xian2", "county", "440103")
    stranger.login = "nobody"
    wrong = [officer.sign_in("Wrong-Horse-7") for _ in range(5)]
    locked, unknown = officer.sign_in(), stranger.sign_in()
    texts = {re.sub(r'value="[^"]{20,}"', "", answer.text) for answer in [*wrong, locked, unknown]}
    assert {answer.status_code for answer in [*wrong, locked, unknown]} == {401} and len(texts) == 1
    desk.clock.forward(minutes=16)
    assert officer.sign_in().status_code == 303


def test_many_attempts_from_one_address_are_slowed(tmp_path):
    with serve_desk(tmp_path, sign_ins_per_minute=3) as desk:
        officer = desk.hire("xian1", "county", "440103")
        assert [officer.sign_in("x").status_code for _ in range(4)] == [401, 401, 401, 429]
        desk.clock.forward(minutes=2)
        assert officer.sign_in().status_code == 303


def test_every_sign_in_makes_a_new_session_and_signing_out_ends_it(desk):
    officer = desk.hire("xian1", "county", "440103")
    assert "HttpOnly" in officer.sign_in().headers["set-cookie"]
    first = officer.web.cookies["desk"]
    officer.web.cookies.clear()
    officer.sign_in()
    assert officer.web.cookies["desk"] != first
    last = officer.web.cookies["desk"]
    officer.send("/sign-out")
    officer.web.cookies.set("desk", last)
    assert officer.get("/").headers["location"].startswith("/sign-in")


def test_sessions_end_when_idle_when_old_and_when_switched_off(desk):
    officer = desk.officer("xian1", "county", "440103")
    for _ in range(3):
        desk.clock.forward(minutes=29)
        assert officer.get("/").status_code == 200
    desk.clock.forward(minutes=31)
    assert officer.get("/").status_code == 303
    officer.sign_in()
    for _ in range(25):
        desk.clock.forward(minutes=25)
        last = officer.get("/").status_code
    assert last == 303
    officer.sign_in()
    keeper = desk.officer("guanli", "admin", "44")
    keeper.send(f"/users/{user(desk, 'xian1').id}", {"act": "off"})
    assert officer.get("/").status_code == 303
    assert officer.sign_in().status_code == 401


@pytest.mark.parametrize("cookie", ["", "x", "x.y", "a" * 5000, "é", "..", "YWJj.YWJj"])
def test_forged_cookies_open_nothing(desk, cookie):
    answer = httpx.get(
        f"{desk.address}/", headers={"cookie": f"desk={cookie}".encode()}, follow_redirects=False
    )
    assert answer.status_code == 303 and answer.headers["location"].startswith("/sign-in")


def test_every_post_needs_the_sessions_own_token(loaded, county):
    other = loaded.officer("xian2", "county", "440103")
    stolen = other.csrf()
    tried = 0
    for page in PAGES:
        if page.method != "POST" or page.path == "/sign-in/code":
            continue
        path = re.sub(r"\{\w+(:int)?\}", "1", page.path).replace("/lists/1", "/lists/discrepancies")
        for fields in ({}, {"csrf": "x"}, {"csrf": stolen}):
            assert county.web.post(path, data=fields).status_code == 403, path
            tried += 1
    assert tried > 60
    away = county.web.post(
        "/cases/1/note",
        data={"csrf": county.csrf(), "version": 1, "body": "x"},
        headers={"origin": "https://evil.example"},
    )
    assert away.status_code == 403


def test_the_sign_in_form_has_a_token_of_the_browser(desk):
    desk.hire("xian1", "county", "440103")
    answer = httpx.post(f"{desk.address}/sign-in", data={"login": "xian1", "password": PASSWORD})
    assert answer.status_code == 403


def test_every_answer_carries_the_headers(loaded, county):
    for path in (
        "/",
        "/sign-in",
        "/nothing",
        "/cases/1",
        "/cases/999",
        "/static/desk.css",
        "/health",
        "/upload",
    ):
        headers = county.get(path).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy and "unsafe" not in policy, path
        assert headers["x-content-type-options"] == "nosniff" and headers["x-frame-options"] == "DENY"
        assert headers["referrer-policy"] == "same-origin"
        if not path.startswith("/static"):
            assert headers["cache-control"] == "no-store"


def test_pages_hold_no_inline_script_or_style_and_no_outside_address(loaded, county):
    for path in ("/", "/lists/discrepancies", "/cases/1", "/statistics", "/coverage", "/upload", "/people/1"):
        text = county.get(path).text
        assert not re.search(r"<style|\sstyle=|<script>|\son\w+=|https?://", text), path


def test_a_foreign_host_name_is_refused(desk):
    assert httpx.get(f"{desk.address}/sign-in", headers={"host": "evil.example"}).status_code == 400


def test_https_marks_the_cookies(tmp_path):
    from dataclasses import replace

    from starlette.testclient import TestClient

    from portal.app import create_app

    with serve_desk(tmp_path) as desk:
        desk.hire("xian1", "county", "440103")
        app = create_app(replace(desk.office.settings, https=True, allowed_hosts=("*",)), desk.ring)
        web = TestClient(app, base_url="https://desk.example", follow_redirects=False)
        token = re.search(r'name="csrf" value="([^"]+)"', web.get("/sign-in").text)[1]
        answer = web.post("/sign-in", data={"csrf": token, "login": "xian1", "password": PASSWORD})
        cookie = answer.headers["set-cookie"]
        assert (
            cookie.startswith("__Host-desk=")
            and "Secure" in cookie
            and "HttpOnly" in cookie
            and "SameSite=strict" in cookie
        )
        assert "max-age" in answer.headers["strict-transport-security"]
        app.state.office.engine.dispose()


def test_too_many_requests_and_reveals_are_stopped(tmp_path):
    from tests.portal.conftest import load_sample

    with serve_desk(tmp_path, reveals_per_hour=2, downloads_per_hour=1, requests_per_minute=40) as desk:
        load_sample(desk)
        county = desk.officer("xian1", "county", "440103")
        assert [county.send("/cases/1/reveal", {"lead": 1}).status_code for _ in range(3)] == [200, 200, 429]
        assert [
            county.send("/lists/discrepancies/download", {"format": "csv"}).status_code for _ in range(2)
        ] == [200, 429]
        statuses = [county.get("/account/password").status_code for _ in range(40)]
        assert statuses[-1] == 429
        desk.clock.forward(minutes=2)
        assert county.get("/").status_code == 200


def test_bodies_over_the_limit_are_refused_before_they_are_read(tmp_path):
    from tests.portal.conftest import load_sample

    with serve_desk(tmp_path, upload_bytes=200_000, attachment_bytes=1000) as desk:
        load_sample(desk)
        county = desk.officer("xian1", "county", "440103")
        assert county.send("/upload", files={"file": ("a.xlsx", bytes(300_000))}).status_code == 413

        def undeclared():
            for _ in range(40):
                yield bytes(65536)

        try:
            status = county.web.post(
                "/upload", content=undeclared(), headers={"content-type": "multipart/form-data; boundary=x"}
            ).status_code
        except httpx.WriteError:
            status = 413
        assert status in (400, 413)
        big = county.work(1, "attach", files={"file": ("a.pdf", b"%PDF-" + bytes(2000))})
        assert big.status_code == 413


def test_attachments_are_what_their_bytes_say_and_come_back_as_downloads(loaded, county, tmp_path):
    assert (
        county.work(1, "attach", files={"file": ("a.pdf", b"<html><script>alert(1)</script>")}).status_code
        == 422
    )
    county.done(1, "attach", files={"file": ('../../流水 "1".pdf', b"%PDF-1.7 secret words")})
    answer = county.get("/cases/1/attachments/1")
    assert answer.content == b"%PDF-1.7 secret words"
    assert answer.headers["content-disposition"].startswith("attachment; filename*=UTF-8''%E6%B5%81")
    assert "sandbox" in answer.headers["content-security-policy"]
    loaded.engine.dispose()
    assert b"secret words" not in b"".join(path.read_bytes() for path in tmp_path.glob("desk.sqlite*"))


def test_who_signs_in_again_comes_back_to_the_page(loaded, county):
    loaded.clock.forward(hours=1)
    door = county.get("/cases/1").headers["location"]
    assert door == "/sign-in?next=/cases/1"
    form = {"login": "xian1", "password": PASSWORD}
    assert county.send(door, form, seen=door).headers["location"] == "/cases/1"


def test_what_was_written_while_the_session_ended_is_not_lost(loaded, county):
    form = {"csrf": county.csrf("/cases/1"), "version": 1, "body": "下午入户，户主说存款是代人保管的"}
    loaded.clock.forward(hours=1)
    late = county.web.post("/cases/1/note", data=form)
    assert late.status_code == 401 and "户主说存款是代人保管的" in late.text and "登录已失效" in late.text
    # The way back goes through the sign-in; and whoever sends the form from another site is shown nothing.
    assert 'href="/cases/1"' in late.text and "疑似不符" not in late.text
    elsewhere = county.web.post("/cases/1/note", data=form, headers={"origin": "https://evil.example"})
    assert elsewhere.status_code == 303 and elsewhere.headers["location"].startswith("/sign-in")


def test_the_page_is_kept_through_the_second_factor(loaded):
    officer, secret = enrolled(loaded, "xian9")
    loaded.clock.forward(hours=1)
    door = officer.get("/cases/1").headers["location"]
    half = officer.send(door, {"login": "xian9", "password": PASSWORD}, seen=door).headers["location"]
    assert half == "/sign-in/code?next=/cases/1"
    code = {"code": totp.code_at(secret, totp.step_at(loaded.clock()))}
    assert officer.send(half, code, seen=half).headers["location"] == "/cases/1"


@pytest.mark.parametrize(
    "away",
    ["//evil.example/", "https://evil.example/", "/\\evil.example", "/cases/1/note", "/users", "/sign-out", "/nothing", "/cases/1%0d%0ax: y", ""],
)  # fmt: skip
def test_nobody_is_sent_elsewhere_after_signing_in(loaded, away):
    officer = loaded.hire("xian9", "county", "440103")
    door = f"/sign-in?next={quote(away)}"
    answer = officer.send(door, {"login": "xian9", "password": PASSWORD}, seen=door)
    assert answer.headers["location"] == "/"


def test_a_first_password_must_be_changed(desk):
    keeper = desk.officer("guanli", "admin", "44")
    shown = keeper.send(
        "/users", {"login": "xin", "display_name": "新人", "role": "county", "region": "440103"}
    ).text
    first = re.search(r'class="secret">([^<]+)<', shown)[1]
    from sqlalchemy import update

    with open_machine_session(desk.engine, writes=True) as db:
        db.execute(update(User).where(User.login == "xin").values(totp_needed=False))
        db.commit()
    from tests.portal.desks import Officer

    officer = Officer(desk, "xin")
    assert officer.sign_in(first).headers["location"] == "/account/password"
    assert officer.get("/").headers["location"] == "/account/password"
    change = {"old": first, "new": "Good-Battery-9", "again": "Good-Battery-9"}
    assert (
        officer.send("/account/password", change | {"new": "short1A-", "again": "short1A-"}).status_code
        == 422
    )
    assert officer.send("/account/password", change).headers["location"].startswith("/")
    assert officer.get("/").status_code == 200


@pytest.mark.parametrize("weak", ["short-1A", "aaaaaaaaaaaaaA1", "alllowercaseletters", "has-xian1-in-It9"])
def test_weak_passwords_are_refused(weak):
    with pytest.raises(PasswordTooWeak):
        check_strength(weak, "xian1")


@pytest.mark.parametrize("fields", [
    {"login": "440103195001010011"}, {"login": "A b"}, {"role": "boss"}, {"region": "44"}, {"region": "abcdef"}, {"display_name": ""},
])  # fmt: skip
def test_accounts_that_cannot_be_are_refused(desk, fields):
    keeper = desk.officer("guanli", "admin", "44")
    good = {"login": "xin", "display_name": "新人", "role": "county", "region": "440103"}
    assert keeper.send("/users", good | fields).status_code in (403, 422)


def test_a_broken_chain_is_named_to_the_auditor(loaded, county):
    auditor = loaded.officer("shenji", "auditor", "44")
    assert "日志完整" in auditor.send("/audit/verify").text
    path = loaded.home / "audit" / "log.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    lines[1] = (
        lines[1].replace(b"xian1", b"xian2") if b"xian1" in lines[1] else lines[1].replace(b'"', b"'", 1)
    )
    path.write_bytes(b"".join(lines))
    shown = auditor.send("/audit/verify").text
    assert "第 2 行" in shown and "日志完整" not in shown
    assert set(REGION_DIGITS) == {"county", "township", "city", "province", "auditor", "admin"}
