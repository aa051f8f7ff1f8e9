"""Who may ask, and whose answers are believed."""

import time

import httpx
import pytest

from connectors.errors import FeedRefused
from connectors.transports.signing import ALLOWED_SKEW_SECONDS, RequestVerifier, SigningKey
from tests.transports.conftest import reach


def ask(departments, path, headers, method="GET", content=b""):
    return httpx.request(
        method, f"http://127.0.0.1:{departments.http_port}{path}", headers=headers, content=content
    )


def test_a_signed_request_is_answered_and_its_repetition_refused(departments):
    headers = departments.key.sign_request("GET", "/tax/receipt.json", b"")
    assert ask(departments, "/tax/receipt.json", headers).status_code == 200
    repeated = ask(departments, "/tax/receipt.json", headers)
    assert (repeated.status_code, repeated.text) == (401, "nonce used before")


def test_a_signature_is_for_one_method_path_query_body_time_and_nonce(departments):
    path, body = "/banks/pages/105100-1.csv?rows=5", b""
    headers = departments.key.sign_request("GET", path, body)
    for changed in (
        ask(departments, path.replace("5100", "5101"), headers),
        ask(departments, path.replace("rows=5", "rows=50000"), headers),
        ask(departments, path, headers | {"X-Hedui-Nonce": "0" * 32}),
        ask(departments, path, headers | {"X-Hedui-Timestamp": str(int(time.time()) + 1)}),
        ask(departments, path, headers, content=b"changed on the way"),
        ask(
            departments, "/banks/batches", departments.key.sign_request("GET", "/banks/batches", b""), "POST"
        ),
    ):
        assert (changed.status_code, changed.text) == (401, "wrong signature")
    assert ask(departments, path, headers).status_code == 200


@pytest.mark.parametrize("headers", [{}, {"X-Hedui-Key": "county"}, {"X-Hedui-Key": "stranger"}])
def test_an_unsigned_request_is_refused(departments, headers):
    assert ask(departments, "/tax/receipt.json", headers).status_code == 401


@pytest.mark.parametrize("skew", [-ALLOWED_SKEW_SECONDS - 5, ALLOWED_SKEW_SECONDS + 5])
def test_an_old_or_early_request_is_refused(monkeypatch, skew):
    key = SigningKey("county", b"secret")
    with monkeypatch.context() as clock:
        now = time.time()
        clock.setattr(time, "time", lambda: now + skew)
        headers = key.sign_request("GET", "/x", b"")
    assert RequestVerifier(key).fault("GET", "/x", b"", headers) == "time stamp too far away"


def test_a_county_with_the_wrong_key_is_refused_and_its_key_is_in_no_message(departments):
    with (
        reach(departments, "tax", "https", KEY="not the shared key") as feed,
        pytest.raises(FeedRefused) as refused,
    ):
        feed.receipt()
    assert "401" in str(refused.value)
    assert "not the shared key" not in str(refused.value) + repr(refused.value)


@pytest.mark.parametrize("way", ["https", "pages"])
def test_an_answer_signed_by_another_is_not_believed(departments, way):
    departments.plan("tax", "bad-signature", times=1)
    with (
        reach(departments, "tax", way) as feed,
        pytest.raises(FeedRefused, match="signature is wrong or missing"),
    ):
        feed.receipt()


def test_an_answer_is_for_one_request_only():
    key = SigningKey("county", b"secret")
    signature = key.sign_answer(200, "nonce", b"receipt")
    assert key.accepts_answer(signature, 200, "nonce", b"receipt")
    for status, nonce, body in (
        (200, "nonce", b"other"),
        (200, "later", b"receipt"),
        (202, "nonce", b"receipt"),
    ):
        assert not key.accepts_answer(signature, status, nonce, body)
    assert not key.accepts_answer(None, 200, "nonce", b"receipt")


def test_the_example_of_the_documentation_is_true(monkeypatch):
    import secrets
    from pathlib import Path

    monkeypatch.setattr(time, "time", lambda: 1782691200)
    monkeypatch.setattr(secrets, "token_hex", lambda size: "00112233445566778899aabbccddeeff")
    headers = SigningKey("county-440103", b"a shared secret").sign_request("GET", "/banks/receipt.json", b"")
    text = (Path(__file__).parents[2] / "docs" / "transports.md").read_text(encoding="utf-8")
    assert headers["X-Hedui-Signature"] in text
