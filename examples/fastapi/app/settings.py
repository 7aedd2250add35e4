"""The settings of the service, from its environment."""

import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from app.auth.address import check_url


class Policy(StrEnum):
    """What happens to a valid token while it is not known whether its session was revoked."""

    FAIL_CLOSED = "fail_closed"
    """It is refused with 503."""
    FAIL_OPEN = "fail_open"
    """It is accepted."""
    INTROSPECT = "introspect"
    """The issuer is asked about it; 503 if the issuer does not respond."""


@dataclass(frozen=True)
class Settings:
    """The configuration of the service. Times are in seconds."""

    issuer: str
    audience: str
    service_key: str = field(repr=False)
    """A service key with the scope revocations:read, and tokens:introspect for the policy introspect."""
    name: str = "fastapi"
    """The name of this service in the issuer's list of verifiers."""
    base_url: str = ""
    """The URL at which this service reaches the issuer, such as a cluster's internal one. Empty means `issuer`."""
    allow_private_http: bool = False
    """Whether http is allowed for private addresses, and for names that are not in the public DNS."""
    allowed_origins: tuple[str, ...] = ()
    """Origins of front ends, which may send the cookie."""
    cookie: str = ""
    """The full name of the cookie. Empty means the issuer's default name."""
    stale: Policy = Policy.FAIL_CLOSED
    max_staleness: float = 30
    """How long the list counts as complete after the issuer confirmed it, at least 15."""
    fresh_age: float = 600
    """How long after an authentication a session counts as fresh."""
    leeway: float = 5
    """The leeway for clock skew when a token is checked, at most 60."""

    def __post_init__(self) -> None:
        if not self.cookie:
            prefix = "__Secure-" if self.issuer.startswith("https://") else ""
            object.__setattr__(self, "cookie", f"{prefix}better-auth.access_token")
        check_url("ISSUER", self.issuer, allow_private_http=self.allow_private_http)
        if self.base_url:
            check_url("BASE_URL", self.base_url, allow_private_http=self.allow_private_http)
        if self.max_staleness < 15:
            raise ValueError("MAX_STALENESS must be at least 15: the issuer speaks every 10 s")
        if not 0 <= self.leeway <= 60:
            raise ValueError("the leeway must be between 0 and 60 s")

    @classmethod
    def from_environment(cls, env: Mapping[str, str] = os.environ) -> "Settings":
        """Return the settings of the process. SERVICE_KEY_FILE names a file that contains the key."""
        missing = [name for name in ("ISSUER", "AUDIENCE") if not env.get(name)]
        if not env.get("SERVICE_KEY") and not env.get("SERVICE_KEY_FILE"):
            missing.append("SERVICE_KEY or SERVICE_KEY_FILE")
        if missing:
            raise ValueError(f"the environment lacks {', '.join(missing)}")
        key = env.get("SERVICE_KEY") or Path(env["SERVICE_KEY_FILE"]).read_text().strip()
        return cls(
            issuer=env["ISSUER"],
            audience=env["AUDIENCE"],
            service_key=key,
            name=env.get("NAME", socket.gethostname()),
            base_url=env.get("BASE_URL", ""),
            allow_private_http=_boolean(env, "ALLOW_PRIVATE_HTTP"),
            allowed_origins=tuple(env.get("ALLOWED_ORIGINS", "http://localhost:3000").split(",")),
            cookie=env.get("COOKIE", ""),
            stale=Policy(env.get("STALE", Policy.FAIL_CLOSED)),
            max_staleness=float(env.get("MAX_STALENESS", "30")),
        )


def _boolean(env: Mapping[str, str], name: str) -> bool:
    value = env.get(name, "false")
    if value not in ("true", "false"):
        raise ValueError(f"{name} must be true or false")
    return value == "true"
