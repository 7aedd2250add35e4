// Authenticates a client in every way that the libraries offer, and asks about and revokes tokens.
// The issuer is ISSUER, the client CLIENT_NAME and CLIENT_SECRET. TOKENS are access tokens, one for each
// way, separated by commas.
import assert from "node:assert/strict";
import * as oauth from "oauth4webapi";
import * as openid from "openid-client";

const { ISSUER, CLIENT_NAME, CLIENT_SECRET, TOKENS } = process.env;
const tokens = TOKENS.split(",");
const issuer = new URL(ISSUER);

// openid-client finds the endpoints by OpenID Connect Discovery and by RFC 8414.
for (const algorithm of ["oidc", "oauth2"]) {
  for (const authenticate of [openid.ClientSecretBasic(CLIENT_SECRET), openid.ClientSecretPost(CLIENT_SECRET)]) {
    const execute = [openid.allowInsecureRequests];
    const config = await openid.discovery(issuer, CLIENT_NAME, undefined, authenticate, { algorithm, execute });
    const token = tokens.pop();
    const { active, iss } = await openid.tokenIntrospection(config, token);
    assert.equal(active, true);
    assert.equal(iss, ISSUER);
    await openid.tokenRevocation(config, token);
    assert.equal((await openid.tokenIntrospection(config, token)).active, false);
  }
  const wrong = openid.ClientSecretBasic(CLIENT_SECRET.replace(/.$/, "_"));
  const config = await openid.discovery(issuer, CLIENT_NAME, undefined, wrong, { algorithm, execute: [openid.allowInsecureRequests] });
  await assert.rejects(openid.tokenIntrospection(config, "x"), (error) => error.status === 401);
}

const insecure = { [oauth.allowInsecureRequests]: true };
for (const algorithm of ["oidc", "oauth2"]) {
  const answer = await oauth.discoveryRequest(issuer, { algorithm, ...insecure });
  const server = await oauth.processDiscoveryResponse(issuer, answer);
  const client = { client_id: CLIENT_NAME };
  for (const authenticate of [oauth.ClientSecretBasic(CLIENT_SECRET), oauth.ClientSecretPost(CLIENT_SECRET)]) {
    const token = tokens.pop();
    const introspect = async () => oauth.processIntrospectionResponse(server, client, await oauth.introspectionRequest(server, client, authenticate, token, insecure));
    assert.equal((await introspect()).active, true);
    await oauth.processRevocationResponse(await oauth.revocationRequest(server, client, authenticate, token, insecure));
    assert.equal((await introspect()).active, false);
  }
  // A public client revokes without a secret.
  const token = tokens.pop();
  await oauth.processRevocationResponse(await oauth.revocationRequest(server, client, oauth.None(), token, insecure));
}
assert.equal(tokens.length, 0);
