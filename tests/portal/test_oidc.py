"""Single sign-on against a real service: who signs in is the province's word, what they may see is the desk's."""

from __future__ import annotations

import time
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from portal.app import create_app
from portal.settings import SettingMissing, SingleSignOn
from tests.portal.conftest import load_sample
from tests.portal.desks import NO_CERTIFICATES, serve_desk
from tests.portal.oidc_provider import CLIENT, SECRET, serve_provider


@pytest.fixture
def provider():
    with serve_provider() as served:
        yield served


@pytest.fixture
def desk(provider, tmp_path):
    service = SingleSignOn(provider.issuer, CLIENT, SECRET)
    with serve_desk(tmp_path, sign_on=service) as served:
        load_sample(served)
        served.hire("xian1", "county", "440103")
        yield served


class Browser:
    """Follows the three steps by hand, so that a test can meddle between them."""

    def __init__(self, desk):
        self.desk = desk
        self.web = httpx.Client(
            base_url=desk.address, follow_redirects=False, timeout=30, verify=NO_CERTIFICATES
        )

    def start(self):
        return self.web.get("/sign-on/start")

    def at_the_province(self):
        """The address the province sends the browser back to."""
        asked = self.start().headers["location"]
        return httpx.get(asked, follow_redirects=False, verify=NO_CERTIFICATES).headers["location"]

    def sign_on(self):
        return self.web.get(self.at_the_province())


def refusals(desk):
    entries = [entry for entry in desk.office.journal.log.entries() if entry.action == "desk.sign_in_refused"]
    return [entry.detail for entry in entries]


def test_an_officer_signs_on_and_sees_what_the_desk_gave_and_not_what_the_token_says(provider, desk):
    browser = Browser(desk)
    answer = browser.sign_on()
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert "HttpOnly" in answer.headers["set-cookie"]
    shown = browser.web.get("/lists/discrepancies").text
    assert "440103-20260630-D-00001" in shown and "440104" not in shown, "the token claims all of 44"
    assert browser.web.get("/statistics").status_code == 200
    assert browser.web.get("/users").status_code == 403
    entry = [entry for entry in desk.office.journal.log.entries() if entry.action == "desk.signed_in"][-1]
    assert entry.detail == {"way": "oidc"} and entry.actor == "xian1"


def test_the_desk_asks_with_state_nonce_and_proof_of_the_code(provider, desk):
    asked = parse_qs(urlsplit(Browser(desk).start().headers["location"]).query)
    assert asked["response_type"] == ["code"] and asked["client_id"] == [CLIENT]
    assert asked["code_challenge_method"] == ["S256"] and len(asked["code_challenge"][0]) == 43
    assert len(asked["state"][0]) > 20 and len(asked["nonce"][0]) >= 20
    again = parse_qs(urlsplit(Browser(desk).start().headers["location"]).query)
    assert all(asked[name] != again[name] for name in ("state", "nonce", "code_challenge"))


FAULTS = {
    "another issuer": {"claims": {"iss": "https://evil.example"}},
    "another audience": {"claims": {"aud": "another-desk"}},
    "another audience that names us as party": {"claims": {"aud": "another-desk", "azp": CLIENT}},
    "a nonce of another sign-in": {"claims": {"nonce": "x" * 20}},
    "no nonce": {"without": ("nonce",)},
    "expired": {"claims": {"exp": int(time.time()) - 120}},
    "no expiry": {"without": ("exp",)},
    "not valid yet": {"claims": {"nbf": int(time.time()) + 86_400}},
    "unsigned": {"signing": "none"},
    "signed with the client's secret": {"signing": "HS256"},
    "signed with another key": {"signing": "foreign"},
    "signed with a key nobody published": {"signing": "ES256"},
    "no login": {"without": ("preferred_username",)},
    "an empty login": {"login": ""},
    "a login that is a list": {"login": ["xian1"]},
    "a login with a line break": {"login": "xian1\n"},
    "a login with a NUL": {"login": "xian1\x00"},
    "no identity token": {"token_answer": {"access_token": "a", "token_type": "Bearer"}},
    "an identity token that is none": {"token_answer": {"access_token": "a", "token_type": "Bearer", "id_token": "x.y.z"}},
    "an error instead of a token": {"token_answer": {"error": "server_error"}},
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_a_token_that_is_not_as_it_must_be_signs_nobody_in(provider, desk, fault):
    for name, value in FAULTS[fault].items():
        setattr(provider, name, value)
    browser = Browser(desk)
    answer = browser.sign_on()
    assert answer.status_code == 403 and "desk=" not in answer.headers.get("set-cookie", "")
    assert answer.text == "单点登录没有完成，请返回重试。"
    assert browser.web.get("/").headers["location"].startswith("/sign-in")
    assert [entry["way"] for entry in refusals(desk)] == ["oidc"]
    for name, value in {
        "claims": {},
        "without": (),
        "signing": "RS256",
        "login": "xian1",
        "token_answer": None,
    }.items():
        setattr(provider, name, value)
    assert browser.sign_on().status_code == 303, "the next sign-in is none the worse"


def test_clocks_may_be_a_little_apart(provider, desk):
    provider.claims = {"exp": int(time.time()) - 30, "iat": int(time.time()) - 330}
    assert Browser(desk).sign_on().status_code == 303


@pytest.mark.parametrize("login", ["nobody", "XIAN1", "xian1 ", "' or 1=1 --"])
def test_an_account_the_desk_does_not_have_is_refused(provider, desk, login):
    provider.login = login
    answer = Browser(desk).sign_on()
    assert answer.status_code == 403 and "没有开通" in answer.text and login not in answer.text
    assert refusals(desk)[-1] == {"way": "oidc", "why": "unknown_account"}


def test_a_switched_off_account_is_refused(provider, desk):
    keeper = desk.officer("guanli", "admin", "44")
    keeper.send("/users/1", {"act": "off"})
    assert Browser(desk).sign_on().status_code == 403


def test_the_answer_counts_only_in_the_browser_that_asked_and_only_once(provider, desk):
    asked = Browser(desk)
    back = asked.at_the_province()
    assert Browser(desk).web.get(back).status_code == 403, "a link sent to a colleague signs nobody in"
    assert asked.web.get(back).status_code == 303
    assert asked.web.get(back).status_code == 403
    assert provider.refused == []


@pytest.mark.parametrize(
    "query", ["", "?state=x", "?code=x", "?code=x&state=y", "?error=access_denied&error_description=<b>x</b>"]
)
def test_made_up_answers_are_refused(provider, desk, query):
    browser = Browser(desk)
    browser.start()
    answer = browser.web.get(f"/sign-on/back{query}")
    assert answer.status_code == 403 and "<b>" not in answer.text


def test_a_stolen_code_is_worth_nothing_without_its_proof(provider, desk):
    """RFC 7636: the thief's own sign-in has another verifier."""
    code = parse_qs(urlsplit(Browser(desk).at_the_province()).query)["code"][0]
    thief = Browser(desk)
    state = parse_qs(urlsplit(thief.at_the_province()).query)["state"][0]
    assert thief.web.get(f"/sign-on/back?code={code}&state={state}").status_code == 403
    assert provider.refused == ["proof"]


def test_new_keys_of_the_service_are_fetched_when_a_token_names_one(provider, desk):
    assert Browser(desk).sign_on().status_code == 303
    provider.rotate()
    assert Browser(desk).sign_on().status_code == 303


def test_a_service_that_is_down_or_describes_another_leaves_the_password(provider, desk):
    provider.is_down = True
    answer = Browser(desk).start()
    assert answer.status_code == 503 and "密码登录" in answer.text
    provider.is_down, provider.described = False, {"issuer": "https://evil.example"}
    assert Browser(desk).start().status_code == 503
    assert desk.hire("xian2", "county", "440103").sign_in().status_code == 303


def test_starting_over_and_over_is_slowed(provider, tmp_path):
    service = SingleSignOn(provider.issuer, CLIENT, SECRET)
    with serve_desk(tmp_path, sign_on=service, requests_per_minute=5) as desk:
        assert [Browser(desk).start().status_code for _ in range(6)] == [302] * 5 + [429]


def test_over_plain_http_no_service_is_trusted_by_a_desk_on_https(provider, desk):
    settings = replace(desk.office.settings, https=True)
    with pytest.raises(SettingMissing, match="https"):
        create_app(settings, desk.ring)
