// A verifier behind shared caches, after a signing key was compromised.
import assert from "node:assert/strict";
import test, { type TestContext } from "node:test";
import { createVerifier, type Verifier, VerifyError } from "../src/verify/index.js";
import { caches, installed, startCache } from "./caches.js";
import { audience, FeedIssuer, newSid, serviceKey } from "./feed-issuer.js";
import { Program } from "./program.js";
import { eventually } from "./wait.js";

/** Starts a verifier behind a cache that holds the JWKS. */
async function behind(t: TestContext, cache: string, options: { issuer: string; audience: string; serviceKey: string }) {
  const { url, stop } = await startCache(cache, options.issuer);
  t.after(stop);
  await cachedKeys(url);
  const verifier = await createVerifier({ ...options, baseURL: url });
  t.after(() => verifier.close());
  await verifier.followRevocations();
  await eventually(() => verifier.stats().connected, "the stream is connected");
  return { url, verifier };
}

/** Returns the ids of the keys in the JWKS as the cache answers it. */
async function cachedKeys(url: string): Promise<string[]> {
  const response = await fetch(`${url}/.well-known/jwks.json`, { headers: { "cache-control": "no-cache" } });
  const { keys } = (await response.json()) as { keys: { kid: string }[] };
  return keys.map(({ kid }) => kid);
}

/** Why a token is refused; "" when it is not. */
async function reason(verifier: Verifier, token: string): Promise<string> {
  try {
    await verifier.verify(token);
    return "";
  } catch (error) {
    assert.ok(error instanceof VerifyError, String(error));
    return error.reason;
  }
}

const kidOf = (token: string): string => JSON.parse(Buffer.from(token.split(".")[0]!, "base64url").toString()).kid;

for (const cache of Object.keys(caches)) {
  const skip = !installed(cache) && process.env["CI"] !== "true";

  test(`a leaked key is refused behind ${cache}, and the new one accepted`, { skip }, async (t) => {
    const program = await Program.start();
    t.after(() => program.stop());
    const { url, serviceKey } = program;
    const before = await program.mint("before");
    const { url: cached, verifier } = await behind(t, cache, { issuer: url, audience: url, serviceKey });
    const leaked = kidOf(before.access_token);
    assert.equal(await reason(verifier, before.access_token), "");
    program.operate("keys", "revoke", leaked, "--reason", "stolen");
    const honest = (await program.mint("after")).access_token;
    assert.notEqual(kidOf(honest), leaked);
    await eventually(async () => (await reason(verifier, honest)) === "", "a token of the new key is accepted", 1_000);
    await eventually(() => !verifier.stats().keyIDs.includes(leaked), "the leaked key is gone", 2_000);
    assert.match(await reason(verifier, before.access_token), /^(kid|revoked)$/);
    assert.equal(await reason(verifier, honest), "");
    assert.ok((await cachedKeys(cached)).includes(leaked), "the cache must still answer with the leaked key");
  });

  test(`forged tokens of a leaked key are refused behind ${cache}`, { skip }, async (t) => {
    const issuer = await FeedIssuer.start();
    t.after(() => issuer.stop());
    const { url, verifier } = await behind(t, cache, { issuer: issuer.url, audience, serviceKey });
    const leaked = issuer.keys[0]!;
    const forge = async () => {
      const token = await issuer.mint("ffffffff-ffff-7fff-bfff-ffffffffffff"); // above every mark
      const [, payload = ""] = token.split(".");
      return issuer.sign("at+jwt", JSON.parse(Buffer.from(payload, "base64url").toString()), leaked);
    };
    assert.equal(await reason(verifier, await forge()), "");
    issuer.keys = [];
    await issuer.addKey();
    await issuer.mark("everything", "", newSid());
    const honest = await issuer.mint(newSid());
    await eventually(async () => (await reason(verifier, honest)) === "", "a token of the new key is accepted", 1_000);
    await eventually(async () => (await reason(verifier, await forge())) === "kid", "the key is gone", 2_000);
    assert.deepEqual(await cachedKeys(url), [leaked.kid], "the cache must still answer with the leaked key");
    const late = await createVerifier({ issuer: issuer.url, baseURL: url, audience, serviceKey });
    t.after(() => late.close());
    assert.equal(await reason(late, await forge()), "", "without the feed the JWKS of the cache is in use");
    await late.followRevocations();
    assert.equal(await reason(late, await forge()), "kid");
    assert.equal(await reason(late, honest), "");
  });
}
