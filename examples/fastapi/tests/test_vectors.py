"""Tests with hostile tokens, from the vectors that the issuer's own packages use."""

import base64
import hashlib
import json
from datetime import datetime, tzinfo
from typing import Any

import jwt
import pytest
from pydantic import ValidationError

from app.auth import keys
from app.auth.verifier import signed
from app.settings import Settings
from tests.conftest import ROOT

VECTORS = json.loads((ROOT / "testdata/vectors/jws-hostile.json").read_text())

HARMLESS = ["Nbf instead of nbf", "17 levels", "number of 65 digits"]
"""Tokens that only the issuer could sign, and whose irregular members are not used here."""


def thumbprint(jwk: dict[str, str]) -> str:
    """Return the thumbprint of a key (RFC 7638), which is its kid in the vectors."""
    members = {"EC": ("crv", "kty", "x", "y"), "OKP": ("crv", "kty", "x"), "RSA": ("e", "kty", "n")}[jwk["kty"]]
    text = json.dumps({name: jwk[name] for name in members}, separators=(",", ":"))
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()


class Now(datetime):
    """A clock that returns the time of the vectors."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> Any:
        return datetime.fromtimestamp(VECTORS["now"], tz)


def test_vectors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jwt.api_jwt.datetime", Now)
    jwks = {"keys": [jwk | {"kid": thumbprint(jwk)} for jwk in VECTORS["jwks"]["keys"]]}
    ring = keys.parse(json.dumps(jwks).encode())
    settings = Settings(issuer=VECTORS["issuer"], audience=VECTORS["audience"], service_key="", leeway=0)

    def accepts(token: str) -> bool:
        try:
            signed(token, ring, settings)
        except ValidationError as error:
            # The sid of the valid tokens in the vectors is not a UUID.
            return [(fault["loc"], fault["input"]) for fault in error.errors()] == [(("sid",), "s1")]
        except jwt.PyJWTError:
            return False
        return True

    wrong = [row["name"] for row in VECTORS["rows"] if accepts(row["token"]) != (row["cause"] == "")]
    assert wrong == HARMLESS
