"""A verifier on PyJWT, with FastAPI."""

import os
from typing import Annotated, Any

import jwt
from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

MAX_AGE = float(os.environ["JWKS_MAX_AGE"])

# PyJWT does not read Cache-Control: by itself it keeps the keys for 5 minutes, and for 30 s
# after a fetch it asks for no key that it does not know.
keys = jwt.PyJWKClient(os.environ["JWKS_URI"], lifespan=MAX_AGE, cooldown_duration=min(MAX_AGE, 30))


def access_token(bearer: Annotated[HTTPAuthorizationCredentials, Depends(HTTPBearer())]) -> dict[str, Any]:
    """The claims of a good access token. It is no coroutine, because fetching the keys blocks."""
    token = bearer.credentials
    try:
        verified = jwt.decode_complete(
            token,
            keys.get_signing_key_from_jwt(token),
            algorithms=[os.environ["ALGORITHM"]],
            issuer=os.environ["ISSUER"],
            audience=os.environ["AUDIENCE"],
            leeway=5,  # seconds: no two clocks agree
            options={"require": ["iss", "aud", "exp", "sub", "sid"]},
        )
    except jwt.PyJWTError as error:
        raise HTTPException(401) from error
    if verified["header"].get("typ") != "at+jwt":  # PyJWT does not look at it
        raise HTTPException(401)
    return verified["payload"]


app = FastAPI()


@app.get("/whoami")
def whoami(claims: Annotated[dict[str, Any], Depends(access_token)]) -> dict[str, str]:
    return {"sub": claims["sub"], "sid": claims["sid"]}


if __name__ == "__main__":
    import uvicorn

    host, port = os.environ["ADDRESS"].split(":")
    uvicorn.run(app, host=host, port=int(port))
