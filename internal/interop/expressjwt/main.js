// A verifier on express-jwt and jwks-rsa.
import express from "express";
import { expressjwt, UnauthorizedError } from "express-jwt";
import jwksRsa from "jwks-rsa";

const { ISSUER, JWKS_URI, JWKS_MAX_AGE, AUDIENCE, ALGORITHM, ADDRESS } = process.env;

// jwks-rsa does not read Cache-Control: by itself it keeps a key for 10 minutes. Each key that
// it does not know is a request to the issuer, and the limit bounds those; it is counted
// together with the requests that keep the known keys up to date.
const key = jwksRsa.expressJwtSecret({
  jwksUri: JWKS_URI,
  cacheMaxAge: Number(JWKS_MAX_AGE) * 1000,
  rateLimit: true,
  jwksRequestsPerMinute: 60,
});

const authenticate = expressjwt({
  // express-jwt looks at neither typ, nor whether there is an exp.
  secret: (request, token) => {
    if (token.header.typ !== "at+jwt" || token.payload.exp === undefined) {
      throw new UnauthorizedError("invalid_token", { message: "not an access token" });
    }
    return key(request, token);
  },
  issuer: ISSUER,
  audience: AUDIENCE,
  algorithms: [ALGORITHM],
});

const app = express();
app.get("/whoami", authenticate, ({ auth }, response) => response.json({ sub: auth.sub, sid: auth.sid }));
app.use((error, request, response, next) => {
  if (error.name === "UnauthorizedError") return response.sendStatus(401);
  next(error);
});
const [host, port] = ADDRESS.split(":");
app.listen(Number(port), host);
