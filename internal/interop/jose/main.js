// A verifier on jose.
import { createServer } from "node:http";
import { createRemoteJWKSet, errors, jwtVerify } from "jose";

const { ISSUER, JWKS_URI, JWKS_MAX_AGE, AUDIENCE, ALGORITHM, ADDRESS } = process.env;

// jose does not read Cache-Control: by itself it keeps the keys for 10 minutes, and for 30 s
// after a fetch it asks for no key that it does not know.
const maxAge = Number(JWKS_MAX_AGE) * 1000;
const keys = createRemoteJWKSet(new URL(JWKS_URI), { cacheMaxAge: maxAge, cooldownDuration: Math.min(maxAge, 30_000) });
const options = {
  issuer: ISSUER,
  audience: AUDIENCE,
  algorithms: [ALGORITHM],
  typ: "at+jwt",
  requiredClaims: ["exp", "sub", "sid"],
};

const server = createServer(async (request, response) => {
  const [scheme, token] = (request.headers.authorization ?? "").split(" ");
  try {
    if (request.url !== "/whoami" || scheme !== "Bearer") throw new errors.JWTInvalid("no token");
    const { payload } = await jwtVerify(token, keys, options);
    response.setHeader("Content-Type", "application/json");
    response.end(JSON.stringify({ sub: payload.sub, sid: payload.sid }));
  } catch (error) {
    if (!(error instanceof errors.JOSEError)) console.error(error);
    response.statusCode = 401;
    response.end();
  }
});
const [host, port] = ADDRESS.split(":");
server.listen(Number(port), host);
