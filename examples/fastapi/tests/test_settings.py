"""Tests that wrong settings are reported at the start."""

import pytest

from app.auth.issuer import IssuerError
from app.auth.verifier import Verifier
from app.settings import Settings
from tests.conftest import AUDIENCE, Issuer

GOOD = {"ISSUER": "http://localhost:8080", "AUDIENCE": AUDIENCE, "SERVICE_KEY": "sk_x"}


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"ISSUER": ""}, "lacks ISSUER$"),
        ({"ISSUER": "", "AUDIENCE": ""}, "lacks ISSUER, AUDIENCE$"),
        ({"SERVICE_KEY": ""}, "lacks SERVICE_KEY or SERVICE_KEY_FILE$"),
        ({"ISSUER": "http://localhost:8080/"}, "ends in no slash"),
        ({"STALE": "fail"}, "'fail' is not a valid Policy"),
        ({"MAX_STALENESS": "5"}, "MAX_STALENESS must be at least 15"),
    ],
)
def test_environment(change: dict[str, str], named: str) -> None:
    assert Settings.from_environment(GOOD).stale == "fail_closed"
    with pytest.raises(ValueError, match=named):
        Settings.from_environment(GOOD | change)


@pytest.mark.parametrize(("key", "named"), [("sk_x", "does not know the service key"), ("admin", "lacks the scope")])
@pytest.mark.anyio
async def test_wrong_service_key(issuer: Issuer, key: str, named: str) -> None:
    if key == "admin":
        key = (issuer.folder / "data/dev/admin.key").read_text().strip()
    with pytest.raises(IssuerError, match=named):
        async with Verifier.running(Settings(issuer=issuer.url, audience=AUDIENCE, service_key=key)):
            pass
