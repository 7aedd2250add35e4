"""Tests that ended sessions are refused, also while the issuer is unavailable."""

import shutil

import anyio
import jwt
import pytest

from app.settings import Policy
from tests.conftest import Issuer, Serve, Service

pytestmark = pytest.mark.anyio


async def test_a_revoked_session_is_refused_within_a_second(issuer: Issuer, service: Service) -> None:
    one, other = issuer.mint(), issuer.mint()
    assert (await service.get(one)).status_code == 200
    issuer.revoke(one)
    await service.refuses(one, "session_revoked")
    assert (await service.get(other)).status_code == 200


@pytest.mark.parametrize("who", [("--user", "u1"), ("--client", "dev-service"), ("--everyone", "--yes")])
async def test_revoking_all_spares_the_next_sign_in(issuer: Issuer, service: Service, who: tuple[str, str]) -> None:
    before, bystander = issuer.mint(), issuer.mint("u2")
    issuer.operate("session", "revoke", *who)
    after = issuer.mint()
    await service.refuses(before, "session_revoked")
    assert (await service.get(after)).status_code == 200
    if who[0] == "--user":
        assert (await service.get(bystander)).status_code == 200
    else:
        await service.refuses(bystander, "session_revoked")


async def test_what_was_revoked_before_the_start(issuer: Issuer, serve: Serve) -> None:
    one, two, after = issuer.mint(), issuer.mint("u2"), issuer.mint()
    issuer.revoke(one)
    issuer.operate("session", "revoke", "--user", "u2")
    async with serve() as service:
        assert (await service.get(one)).json()["code"] == "session_revoked"
        assert (await service.get(two)).json()["code"] == "session_revoked"
        assert (await service.get(after)).status_code == 200


async def test_the_issuer_is_killed_and_comes_back(issuer: Issuer, service: Service) -> None:
    grant, other = issuer.mint(), issuer.mint()
    issuer.kill()
    assert (await service.get(grant)).status_code == 200  # this needs no issuer
    issuer.start()
    issuer.revoke(grant)
    await service.refuses(grant, "session_revoked", within=10)  # the service reconnects after a pause
    assert (await service.get(other)).status_code == 200
    issuer.revoke(other)
    await service.refuses(other, "session_revoked")


async def test_a_backup_is_restored(issuer: Issuer, service: Service) -> None:
    """After a restored backup the log ends before the service's position: the issuer sends gone."""
    revoked, alive = issuer.mint(), issuer.mint()
    issuer.operate("backup", "--out", "backup.db")
    issuer.revoke(revoked)
    await service.refuses(revoked, "session_revoked")
    issuer.kill()
    shutil.move(issuer.folder / "backup.db", issuer.folder / "data/issuer.db")
    issuer.start()
    issuer.revoke(alive)
    await service.refuses(alive, "session_revoked", within=15)
    assert (await service.get(revoked)).json()["code"] == "session_revoked"  # a revocation is final


async def test_nothing_is_heard_of_the_issuer(issuer: Issuer, serve: Serve) -> None:
    grant, revoked = issuer.mint(), issuer.mint()
    issuer.revoke(revoked)
    async with serve() as closed, serve(stale=Policy.FAIL_OPEN) as open_:
        issuer.kill()
        for service in (closed, open_):
            assert (await service.client.get("/healthz")).status_code == 200
            service.clock.offset = 31  # more than max_staleness
            assert (await service.client.get("/healthz")).status_code == 503
            assert (await service.get(revoked)).json()["code"] == "session_revoked"
            assert (await service.get(grant, "/prices")).status_code == 200
        response = await closed.get(grant)
        assert (response.status_code, response.json()["code"]) == (503, "unavailable")
        assert response.headers["Retry-After"] == "5" and "WWW-Authenticate" not in response.headers
        assert (await open_.get(grant)).status_code == 200
        closed.clock.offset = 0
        issuer.start()
        with anyio.fail_after(10):
            while (await closed.get(grant)).status_code != 200:
                await anyio.sleep(0.05)


async def test_the_service_starts_without_the_issuer(issuer: Issuer, serve: Serve) -> None:
    grant, revoked = issuer.mint(), issuer.mint()
    issuer.revoke(revoked)
    key = issuer.service_key
    issuer.kill()
    async with serve(service_key=key, stale=Policy.FAIL_OPEN) as service:
        assert (await service.client.get("/healthz")).status_code == 503
        assert (await service.get(grant)).status_code == 503  # without keys no token can be accepted
        issuer.start()
        with anyio.fail_after(15):
            while (await service.client.get("/healthz")).status_code != 200:
                await anyio.sleep(0.05)
        assert (await service.get(grant)).status_code == 200
        assert (await service.get(revoked)).json()["code"] == "session_revoked"


async def test_the_issuer_is_asked_when_nothing_is_heard(issuer: Issuer, serve: Serve) -> None:
    grant, revoked = issuer.mint(), issuer.mint()
    async with serve(stale=Policy.INTROSPECT) as service:
        service.clock.offset = 120  # more than the feed tolerates
        assert (await service.get(grant)).status_code == 200
        issuer.revoke(revoked)
        assert (await service.get(revoked)).json()["code"] == "session_revoked"
        issuer.kill()
        assert (await service.get(grant)).status_code == 503


async def test_a_key_has_leaked(issuer: Issuer, service: Service) -> None:
    stolen = issuer.mint()
    kid = jwt.get_unverified_header(stolen.access_token)["kid"]
    issuer.operate("keys", "revoke", kid)
    # The session ends and the key is removed; the service may learn of either first.
    await service.refuses(stolen, "session_revoked", "token_invalid")
    after = issuer.mint()
    assert (await service.get(after)).status_code == 200
    with anyio.fail_after(5):
        while service.app.state.verifier._keys.get(kid):
            await anyio.sleep(0.01)
