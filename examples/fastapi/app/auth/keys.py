"""The issuer's keys, kept up to date."""

import asyncio
import json
import logging
import random
import re
import time
from contextlib import suppress

import jwt

from app.auth.issuer import Issuer, IssuerError, LostConnection, nonce

ALGORITHMS = frozenset({"ES256", "EdDSA", "RS256"})
COOL_DOWN = 10.0  # seconds in which unknown values of kid cause at most one request
FEED_AGE = 300.0  # seconds; keys of the JWKS are used for its max-age
MAX_JWKS = 256 << 10  # bytes

_log = logging.getLogger(__name__)
_MAX_AGE = re.compile(r"max-age=(\d{1,9})")


class KeyRing:
    """The keys of the newest good response of the issuer. They stay in use until the next good response.

    They come from the feed, where no cache answers, so that a key that was compromised cannot come back.
    """

    def __init__(self, issuer: Issuer) -> None:
        self._issuer = issuer
        self._keys: dict[str, jwt.PyJWK] = {}
        self._feed_answered = False
        self._max_age = 5.0
        self._failures = 0
        self._fetched = float("-inf")
        self._fetching = asyncio.Lock()
        self._demanded = asyncio.Event()

    def get(self, kid: str) -> jwt.PyJWK | None:
        return self._keys.get(kid)

    @property
    def empty(self) -> bool:
        """Whether no keys have been fetched yet."""
        return not self._keys

    def demand(self) -> None:
        """Have the keys fetched in the background, until that succeeds: one of them may be compromised."""
        self._demanded.set()

    async def catch_up(self) -> None:
        """Fetch the keys now if that was demanded. If that fails, they are fetched in the background."""
        if self._demanded.is_set():
            with suppress(IssuerError):
                await self.renew()
                self._demanded.clear()

    async def renew(self, quiet: float = 0) -> None:
        """Fetch the keys, or wait for the fetch in progress. No fetch starts within `quiet` seconds of the last one."""
        asked = time.monotonic()
        async with self._fetching:
            if self._fetched > min(asked, time.monotonic() - quiet):
                return
            self._fetched = time.monotonic()
            self._failures += 1
            await self._fetch()
            self._failures = 0

    async def _fetch(self) -> None:
        where = await self._issuer.metadata()
        headers = {"Cache-Control": "no-cache"}
        try:
            _, body = await self._issuer.fetch(where.keys, MAX_JWKS, headers=headers, params=nonce())
            self._feed_answered, max_age = True, FEED_AGE
        except LostConnection as error:
            # An older issuer does not have that address. Once it has answered there a 404 is a fault: the JWKS in
            # a cache may still contain a compromised key.
            if error.status != 404 or self._feed_answered:
                raise
            response, body = await self._issuer.fetch(where.jwks, MAX_JWKS, key=False, headers=headers)
            age = _MAX_AGE.search(response.headers.get("Cache-Control", ""))
            max_age = min(max(float(age[1]) if age else 0, 5), 86_400)
        self._keys = parse(body)
        self._max_age = max_age

    async def run(self) -> None:
        """Fetch the keys whenever they are old, when that is demanded, and after failures."""
        while True:
            pause = self._max_age * random.uniform(0.9, 1)
            if self._failures:
                pause = min(2.0 ** min(self._failures - 1, 10), 60) * random.uniform(0.5, 1)
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._demanded.wait()
            demanded = self._demanded.is_set()
            self._demanded.clear()
            try:
                await self.renew(quiet=0 if demanded else pause / 2)
            except IssuerError as error:
                _log.warning("the issuer's keys: %s", error)


def parse(document: bytes) -> dict[str, jwt.PyJWK]:
    """Return the keys of a JWKS that can verify, by kid."""
    try:
        members = json.loads(document)
        if any("d" in key for key in members["keys"]):
            raise IssuerError("the JWKS has a private key")
        keys = jwt.PyJWKSet.from_dict(members).keys
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, jwt.PyJWTError) as error:
        raise IssuerError("the JWKS is not one") from error
    usable = {k.key_id: k for k in keys if k.key_id and k.public_key_use == "sig" and k.algorithm_name in ALGORITHMS}
    if not usable or len({k.key_id for k in keys}) != len(keys):
        raise IssuerError("the JWKS has no key that verifies, or two of one name")
    return usable
