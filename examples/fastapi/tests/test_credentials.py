"""Tests of the credentials of a request."""

import httpx
import pytest

from tests.conftest import AUDIENCE, FRONT_END, Issuer, Serve, Service

pytestmark = pytest.mark.anyio

COOKIE = "better-auth.access_token"


async def test_a_token_is_bearer_or_cookie(issuer: Issuer, service: Service) -> None:
    grant = issuer.mint()
    token, other = grant.access_token, issuer.mint("u2").access_token
    bearer = ("Authorization", f"Bearer {token}")
    cases: list[tuple[str, list[tuple[str, str]], int]] = [
        ("bearer", [bearer], 200),
        ("bearer, in another case", [("Authorization", f"bEARER {token}")], 200),
        ("cookie", [("Cookie", f"a=b; {COOKIE}={token}")], 200),
        ("the same in both", [bearer, ("Cookie", f"{COOKIE}={token}")], 200),
        ("an empty cookie beside it", [bearer, ("Cookie", f"{COOKIE}=")], 200),
        ("nothing", [], 401),
        (
            "a cookie of another name",
            [("Cookie", f"__Secure-{COOKIE}={token}; {COOKIE}2={token}")],
            401,
        ),
        ("another scheme", [("Authorization", f"Basic {token}")], 401),
        ("not a token", [("Authorization", "Bearer x")], 401),
        ("another one in the cookie", [bearer, ("Cookie", f"{COOKIE}={other}")], 400),
        ("two cookies", [("Cookie", f"{COOKIE}={token}; {COOKIE}={other}")], 400),
        ("two cookie headers", [("Cookie", f"{COOKIE}={token}"), ("Cookie", f"{COOKIE}={other}")], 400),
        ("two headers", [bearer, bearer], 400),
        ("two tokens", [("Authorization", f"Bearer {token} {other}")], 400),
        ("a list", [("Authorization", f"Bearer {token}, Bearer {other}")], 400),
        ("no token", [("Authorization", "Bearer ")], 400),
    ]
    for name, headers, status in cases:
        response = await service.client.get("/me", headers=headers)
        assert response.status_code == status, name
        if status == 200:
            assert response.json() == {"user_id": "u1", "session_id": grant.session}
        else:
            assert response.headers["WWW-Authenticate"].startswith("Bearer"), name
    response = await service.client.get("/me", params={"access_token": token})
    assert response.status_code == 400


async def test_without_a_token_there_is_nobody(issuer: Issuer, service: Service) -> None:
    assert (await service.client.get("/greeting")).json() == {"text": "Hello, stranger"}
    assert (await service.get(issuer.mint(), "/greeting")).json() == {"text": "Hello, u1"}
    refused = await service.client.get("/greeting", headers={"Authorization": "Bearer x"})
    assert refused.status_code == 401


async def test_over_https_the_cookie_has_its_prefix(issuer: Issuer, serve: Serve) -> None:
    secure = f"__Secure-{COOKIE}"
    async with serve(cookie=secure) as service:
        token = issuer.mint().access_token
        for name, status in ((secure, 200), (COOKIE, 401)):
            response = await service.client.get("/me", headers={"Cookie": f"{name}={token}"})
            assert response.status_code == status, name


async def test_another_origin_changes_nothing_by_cookie(issuer: Issuer, service: Service) -> None:
    token = issuer.mint().access_token
    cookie = {"Cookie": f"{COOKIE}={token}"}
    cases: list[tuple[dict[str, str], int]] = [
        (cookie, 403),
        (cookie | {"Origin": "https://evil.example"}, 403),
        (cookie | {"Origin": "null"}, 403),
        (cookie | {"Origin": FRONT_END + ".evil.example"}, 403),
        (cookie | {"Sec-Fetch-Site": "cross-site", "Origin": AUDIENCE}, 403),
        (cookie | {"Sec-Fetch-Site": "same-site"}, 403),
        (cookie | {"Sec-Fetch-Site": "same-origin"}, 204),
        (cookie | {"Origin": AUDIENCE}, 204),
        (cookie | {"Origin": FRONT_END, "Sec-Fetch-Site": "cross-site"}, 204),
        ({"Authorization": f"Bearer {token}"}, 204),
    ]
    for headers, status in cases:
        response = await service.client.delete("/me", headers=headers)
        assert response.status_code == status, headers


async def test_front_ends_may_send_the_cookie(service: Service) -> None:
    def ask(origin: str) -> dict[str, str]:
        return {"Origin": origin, "Access-Control-Request-Method": "DELETE"}

    allowed: httpx.Response = await service.client.options("/me", headers=ask(FRONT_END))
    assert allowed.headers["Access-Control-Allow-Origin"] == FRONT_END
    assert allowed.headers["Access-Control-Allow-Credentials"] == "true"
    refused = await service.client.options("/me", headers=ask("https://evil.example"))
    assert "Access-Control-Allow-Origin" not in refused.headers


async def test_a_fresh_session(issuer: Issuer, serve: Serve) -> None:
    async with serve(fresh_age=-1) as service:  # no session is that fresh
        grant = issuer.mint()
        assert (await service.get(grant)).status_code == 200
        response = await service.client.delete("/me", headers={"Authorization": f"Bearer {grant.access_token}"})
        assert (response.status_code, response.json()["code"]) == (401, "not_fresh")
        assert 'error="insufficient_user_authentication", max_age=' in response.headers["WWW-Authenticate"]
