"""A province's OpenID Connect service on loopback: discovery, keys, code flow with PKCE; faults on demand."""

from __future__ import annotations

import base64
import hashlib
import secrets
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from urllib.parse import urlencode

import uvicorn
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, OctKey, RSAKey
from joserfc.jws import JWSRegistry
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse
from starlette.routing import Route

CLIENT, SECRET = "hedui-desk", "a-secret-between-the-two-of-us-only"


@cache
def _new_key(name: str) -> RSAKey:
    return RSAKey.generate_key(2048, {"kid": name})


@dataclass
class Provider:
    """login: who is signed in at the province. The other fields are what a test makes it do wrongly."""

    issuer: str = ""
    login: object = "xian1"
    claims: dict = field(default_factory=dict)
    without: tuple[str, ...] = ()
    signing: str = "RS256"
    described: dict = field(default_factory=dict)
    is_down: bool = False
    token_answer: dict | None = None
    key: RSAKey = field(default_factory=lambda: _new_key("one"))
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    asked: list[dict[str, str]] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    def rotate(self) -> None:
        self.key = _new_key("two")

    def id_token(self, nonce: str) -> str:
        now = int(time.time())
        claims = {"iss": self.issuer, "sub": "s-1", "aud": CLIENT, "iat": now, "exp": now + 300, "nonce": nonce,
                  "preferred_username": self.login, "role": "province", "region": "44"} | self.claims  # fmt: skip
        for name in self.without:
            claims.pop(name)
        header, key = {"alg": self.signing, "kid": self.key.kid}, self.key
        if self.signing == "none":
            return f"{_part(header)}.{_part(claims)}."
        if self.signing == "HS256":
            key = OctKey.import_key(SECRET)
        if self.signing == "foreign":
            header, key = {"alg": "RS256", "kid": self.key.kid}, _new_key("nobody's")
        if self.signing == "ES256":
            key = ECKey.generate_key("P-256")
        return jwt.encode(header, claims, key, registry=JWSRegistry(algorithms=["RS256", "HS256", "ES256"]))


def _part(value: dict) -> str:
    import json

    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def _application(provider: Provider) -> Starlette:
    async def discovery(_request: Request):
        if provider.is_down:
            return JSONResponse({}, status_code=502)
        return JSONResponse(
            {"issuer": provider.issuer, "authorization_endpoint": f"{provider.issuer}/authorize",
             "token_endpoint": f"{provider.issuer}/token", "jwks_uri": f"{provider.issuer}/keys",
             "response_types_supported": ["code"], "subject_types_supported": ["public"],
             # Real services list more than anybody should accept.
             "id_token_signing_alg_values_supported": ["RS256", "HS256", "none"]} | provider.described
        )  # fmt: skip

    async def keys(_request: Request):
        return JSONResponse(KeySet([provider.key]).as_dict(private=False))

    async def authorize(request: Request):
        asked = dict(request.query_params)
        provider.asked.append(asked)
        code = secrets.token_urlsafe(12)
        provider.codes[code] = asked
        back = urlencode({"code": code, "state": asked["state"]})
        return RedirectResponse(f"{asked['redirect_uri']}?{back}", status_code=302)

    async def token(request: Request):
        if provider.token_answer is not None:
            return JSONResponse(provider.token_answer)
        form = await request.form()
        asked = provider.codes.pop(str(form.get("code")), None)
        problem = _problem(request, form, asked)
        if problem:
            provider.refused.append(problem)
            return JSONResponse({"error": "invalid_grant"}, status_code=400)
        answer = {"access_token": secrets.token_urlsafe(12), "token_type": "Bearer", "expires_in": 300}
        return JSONResponse(answer | {"id_token": provider.id_token(asked["nonce"])})

    routes = [Route("/.well-known/openid-configuration", discovery), Route("/keys", keys), Route("/authorize", authorize),
              Route("/token", token, methods=["POST"])]  # fmt: skip
    return Starlette(routes=routes)


def _problem(request: Request, form, asked) -> str:
    """What a real service refuses: an unknown or used code, another client, another address, no proof (RFC 7636)."""
    wanted = "Basic " + base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
    if asked is None:
        return "code"
    if request.headers.get("authorization") != wanted:
        return "client"
    if form.get("redirect_uri") != asked["redirect_uri"]:
        return "address"
    proof = base64.urlsafe_b64encode(hashlib.sha256(str(form.get("code_verifier")).encode()).digest())
    return "" if proof.rstrip(b"=").decode() == asked.get("code_challenge") else "proof"


@contextmanager
def serve_provider():
    provider = Provider()
    server = uvicorn.Server(
        uvicorn.Config(
            _application(provider), host="127.0.0.1", port=0, log_level="warning", access_log=False
        )
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    provider.issuer = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    try:
        yield provider
    finally:
        server.should_exit = True
        thread.join(10)
