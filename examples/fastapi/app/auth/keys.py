"""The issuer's keys, kept up to date."""

import asyncio
import json
import random
import re
import time

import jwt

from app.auth.issuer import Issuer, IssuerError

ALGORITHMS = frozenset({"ES256", "EdDSA", "RS256"})
COOL_DOWN = 10.0  # seconds in which unknown values of kid cause at most one request

_MAX_AGE = re.compile(r"max-age=(\d{1,9})")


class KeyRing:
    """The keys of the newest good response of the issuer. They stay in use until the next good response."""

    def __init__(self, issuer: Issuer, url: str) -> None:
        self._issuer = issuer
        self._url = url
        self._keys: dict[str, jwt.PyJWK] = {}
        self._etag = ""
        self._max_age = 5.0
        self._fetched = float("-inf")
        self._fetching = asyncio.Lock()

    def get(self, kid: str) -> jwt.PyJWK | None:
        return self._keys.get(kid)

    async def renew(self, quiet: float = 0) -> None:
        """Fetch the keys, or wait for the fetch in progress. No fetch starts within `quiet` seconds of the last one."""
        asked = time.monotonic()
        async with self._fetching:
            if self._fetched > min(asked, time.monotonic() - quiet):
                return
            self._fetched = time.monotonic()
            await self._fetch()

    async def _fetch(self) -> None:
        # The current keys of the issuer, not those of an intermediate cache.
        headers = {"Cache-Control": "no-cache"} | ({"If-None-Match": self._etag} if self._etag else {})
        response, body = await self._issuer.fetch(self._url, 256 << 10, key=False, headers=headers)
        if response.status_code != 304:
            self._keys = parse(body)
            self._etag = response.headers.get("ETag", "")
        age = _MAX_AGE.search(response.headers.get("Cache-Control", ""))
        self._max_age = min(max(float(age[1]) if age else 0, 1), 86_400)

    async def run(self) -> None:
        """Fetch the keys whenever their max-age has passed."""
        pause = self._max_age
        while True:
            await asyncio.sleep(pause * random.uniform(0.9, 1))
            try:
                await self.renew()
                pause = self._max_age
            except IssuerError:
                pause = min(self._max_age, 5)


def parse(document: bytes) -> dict[str, jwt.PyJWK]:
    """Return the keys of a JWKS that can verify, by kid."""
    try:
        members = json.loads(document)
        if any("d" in key for key in members["keys"]):
            raise IssuerError("the JWKS has a private key")
        keys = jwt.PyJWKSet.from_dict(members).keys
    except (ValueError, TypeError, KeyError, AttributeError, jwt.PyJWTError) as error:
        raise IssuerError("the JWKS is not one") from error
    usable = {k.key_id: k for k in keys if k.key_id and k.public_key_use == "sig" and k.algorithm_name in ALGORITHMS}
    if not usable or len({k.key_id for k in keys}) != len(keys):
        raise IssuerError("the JWKS has no key that verifies, or two of one name")
    return usable
