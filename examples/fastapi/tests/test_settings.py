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
        ({"ISSUER": "http://localhost:8080/"}, "ISSUER must be a URL without .* last slash"),
        ({"ISSUER": "http://issuer.example"}, "ISSUER must be https"),
        ({"ISSUER": "http://issuer.auth.svc:8080"}, "ALLOW_PRIVATE_HTTP allows"),
        ({"BASE_URL": "http://10.0.0.7:8080"}, "BASE_URL must be https"),
        ({"BASE_URL": "http://issuer.example", "ALLOW_PRIVATE_HTTP": "true"}, "BASE_URL must be https"),
        ({"BASE_URL": "http://8.8.8.8", "ALLOW_PRIVATE_HTTP": "true"}, "BASE_URL must be https"),
        ({"BASE_URL": "http://svc.example", "ALLOW_PRIVATE_HTTP": "true"}, "BASE_URL must be https"),
        ({"BASE_URL": "https://u@issuer.example"}, "BASE_URL must be a URL without user"),
        ({"BASE_URL": "ftp://localhost"}, "BASE_URL must be https"),
        ({"ALLOW_PRIVATE_HTTP": "yes"}, "ALLOW_PRIVATE_HTTP must be true or false"),
        ({"STALE": "fail"}, "'fail' is not a valid Policy"),
        ({"MAX_STALENESS": "5"}, "MAX_STALENESS must be at least 15"),
    ],
)
def test_environment(change: dict[str, str], named: str) -> None:
    assert Settings.from_environment(GOOD).stale == "fail_closed"
    with pytest.raises(ValueError, match=named):
        Settings.from_environment(GOOD | change)


@pytest.mark.parametrize(
    "url",
    [
        "http://issuer:8080",
        "http://issuer.auth.svc",
        "http://issuer.auth.svc.cluster.local:8080",
        "http://issuer.internal/auth",
        "http://10.1.2.3",
        "http://172.31.0.1:80",
        "http://192.168.1.1",
        "http://[fd00::1]:8080",
        "http://169.254.1.1",
    ],
)
def test_http_to_private_addresses_is_a_setting(url: str) -> None:
    with pytest.raises(ValueError, match="must be https"):
        Settings.from_environment(GOOD | {"BASE_URL": url})
    assert Settings.from_environment(GOOD | {"BASE_URL": url, "ALLOW_PRIVATE_HTTP": "true"}).base_url == url


@pytest.mark.parametrize(("key", "named"), [("sk_x", "does not know the service key"), ("admin", "lacks the scope")])
@pytest.mark.anyio
async def test_wrong_service_key(issuer: Issuer, key: str, named: str) -> None:
    if key == "admin":
        key = (issuer.folder / "data/dev/admin.key").read_text().strip()
    with pytest.raises(IssuerError, match=named):
        async with Verifier.running(Settings(issuer=issuer.url, audience=AUDIENCE, service_key=key)):
            pass
