"""Verification of signed messages: strict checks first, then PyJWT."""

import json
import re
from typing import Any, Protocol

import jwt
from jwt.utils import base64url_decode, base64url_encode

MAX_TOKEN = 8 << 10  # bytes

_COMPACT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")


class UnknownKey(jwt.InvalidTokenError):
    """No known key of the issuer has the kid of the header."""


class Keys(Protocol):
    def get(self, kid: str) -> jwt.PyJWK | None: ...


def verify(text: str, typ: str, keys: Keys, limit: int = MAX_TOKEN, **checks: Any) -> dict[str, Any]:
    """Return the payload of a compact JWS with this typ. `checks` are passed to jwt.decode.

    PyJWT checks neither the typ nor the other members of the header, and of duplicate
    members it uses the last one.
    """
    if len(text) > limit or not _COMPACT.fullmatch(text):
        raise jwt.DecodeError("not a compact JWS")
    header, payload, _ = (_decode(part) for part in text.split("."))
    members = _strict(header)
    if members.keys() != {"alg", "kid", "typ"} or _media_type(members["typ"]) != typ:
        raise jwt.InvalidTokenError("another kind of JWS")
    key = keys.get(members["kid"]) if isinstance(members["kid"], str) else None
    if key is None:
        raise UnknownKey("unknown key")
    _strict(payload)
    return jwt.decode(text, key, algorithms=[key.algorithm_name], **checks)


def _media_type(typ: Any) -> str:
    """Return a typ in its normalized form (RFC 7515 section 4.1.9)."""
    return typ.lower().removeprefix("application/") if isinstance(typ, str) else ""


def _decode(part: str) -> bytes:
    """Decode one part. It must be canonical: encoding the bytes yields the same text."""
    try:
        data = base64url_decode(part)
    except ValueError as error:
        raise jwt.DecodeError("not base64url") from error
    if base64url_encode(data) != part.encode():
        raise jwt.DecodeError("not the canonical base64url")
    return data


def _strict(data: bytes) -> dict[str, Any]:
    """Parse a JSON object whose member names are unique, ignoring case."""
    try:
        value = json.loads(data.decode(), object_pairs_hook=_members, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise jwt.DecodeError("not strict JSON") from error
    if not isinstance(value, dict):
        raise jwt.DecodeError("not a JSON object")
    return value


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len({name.casefold() for name in members}) != len(pairs):
        raise ValueError("a member is there twice")
    return members


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")
