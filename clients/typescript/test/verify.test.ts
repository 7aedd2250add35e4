import assert from "node:assert/strict";
import type { ServerResponse } from "node:http";
import test, { type TestContext } from "node:test";
import { checkURL } from "../src/verify/address.js";
import { createVerifier, type Verifier, type VerifierOptions, VerifyError } from "../src/verify/index.js";
import { audience, FeedIssuer, newSid, serviceKey } from "./feed-issuer.js";
import { eventually } from "./wait.js";

async function start(t: TestContext, options: Partial<VerifierOptions> = {}) {
  const issuer = await FeedIssuer.start();
  t.after(() => issuer.stop());
  const verifier = await createVerifier({ issuer: issuer.url, audience, serviceKey, name: "test", ...options });
  t.after(() => verifier.close());
  return { issuer, verifier };
}

async function following(t: TestContext, options: Partial<VerifierOptions> = {}) {
  const both = await start(t, options);
  await both.verifier.followRevocations();
  await eventually(() => both.verifier.stats().connected, "the stream is connected");
  return both;
}

/** Why a token is refused; "" when it is not. */
async function reason(verifier: Verifier, token: string, options?: { stale: "fail_closed" | "fail_open" | "introspect" }) {
  try {
    await verifier.verify(token, options);
    return "";
  } catch (error) {
    assert.ok(error instanceof VerifyError, String(error));
    return error.reason;
  }
}

test("a good token has its claims, whatever the algorithm", async (t) => {
  const { issuer } = await start(t);
  for (const alg of ["EdDSA", "RS256", "ES256"]) {
    await issuer.addKey(alg);
    const verifier = await createVerifier({ issuer: issuer.url, audience });
    t.after(() => verifier.close());
    const sid = newSid();
    const claims = await verifier.verify(await issuer.mint(sid, { team: { id: 7 }, aud: audience }));
    assert.deepEqual([claims.sub, claims.sid, claims.aud, claims["team"]], ["u1", sid, [audience], { id: 7 }]);
    assert.equal(await reason(verifier, await issuer.mint(sid, { aud: ["https://other.example"] })), "aud");
    const past = { exp: issuer.now - 10, iat: issuer.now - 300 };
    assert.equal(await reason(verifier, await issuer.mint(sid, past)), "exp");
  }
});

test("a wrong service key is named as what is wrong", async (t) => {
  const { issuer } = await start(t);
  const verifier = await createVerifier({ issuer: issuer.url, audience, serviceKey: "sk_other" });
  t.after(() => verifier.close());
  await assert.rejects(verifier.followRevocations(), /status 401\. It does not know the service key\./);
});

test("a refusal says what to answer", async (t) => {
  const { issuer, verifier } = await following(t);
  const expired = await verifier.verify(await issuer.mint(newSid(), { exp: issuer.now - 10, iat: issuer.now - 300 })).catch((e) => e);
  assert.deepEqual([expired.status, expired.code], [401, "token_expired"]);
  assert.match(expired.challenge, /^Bearer error="invalid_token", error_description="The access token has expired \[exp\]"$/);
  const missing = await verifier.verify(await issuer.mint(newSid(), { exp: undefined })).catch((e) => e);
  assert.deepEqual([missing.status, missing.code], [401, "token_invalid"]);
  const sid = newSid();
  await issuer.revoke(sid);
  await eventually(() => verifier.stats().seq === 1, "the event is applied");
  const revoked = await verifier.verify(await issuer.mint(sid)).catch((e) => e);
  assert.deepEqual([revoked.status, revoked.code, revoked.reason], [401, "session_revoked", "revoked"]);
});

test("a key that is new is fetched, random ones cause one fetch, and one that is gone goes", async (t) => {
  const { issuer, verifier } = await start(t);
  const old = await issuer.mint(newSid());
  const stranger = new FeedIssuer();
  stranger.url = issuer.url;
  const fetches = () => issuer.requests.filter((one) => one.endsWith("jwks.json")).length;
  for (let n = 0; n < 20; n++) {
    stranger.keys = [];
    await stranger.addKey();
    assert.equal(await reason(verifier, await stranger.mint(newSid())), "kid");
  }
  assert.equal(fetches(), 1, "an unknown key so soon after the first fetch caused another");
  t.mock.method(performance, "now", () => 1e9);
  await issuer.addKey();
  issuer.keys.pop();
  assert.equal(await reason(verifier, await issuer.mint(newSid())), "");
  assert.equal(await reason(verifier, old), "kid");
  await stranger.addKey();
  assert.equal(await reason(verifier, await stranger.mint(newSid())), "kid");
  assert.equal(fetches(), 2);
});

test("an issuer that cannot be trusted is refused at the start", async (t) => {
  const { issuer } = await start(t);
  const attempt = (options: Partial<VerifierOptions> = {}) => createVerifier({ issuer: issuer.url, audience, ...options });
  const metadata = (change: object) => {
    issuer.intercept = (req, res) => {
      if (!req.url?.endsWith("openid-configuration")) return false;
      res.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify({ ...issuer.metadata(), ...change }));
      return true;
    };
    return assert.rejects(attempt(), { name: "IssuerFault", kind: "discovery" });
  };
  await metadata({ issuer: "https://other.example" });
  await metadata({ jwks_uri: "https://other.example/jwks" });
  await metadata({ revocations_endpoint: "http://127.0.0.1.other.example/v1/revocations" });
  // What is no answer of an issuer comes from something else, and is not used.
  const good = await issuer.mint(newSid());
  const stale = async (path: string, answer: (res: ServerResponse) => void) => {
    issuer.intercept = (req, res) => {
      if (!req.url?.includes(path)) return false;
      answer(res);
      return true;
    };
    const verifier = await attempt();
    t.after(() => verifier.close());
    assert.equal(await reason(verifier, good), "stale");
    assert.equal(verifier.stats().keysFault?.name, "IssuerFault");
  };
  const keys = (body: string) => stale("jwks.json", (res) => res.writeHead(200).end(body));
  const jwk = issuer.keys[0]?.jwk;
  await keys("{}");
  await keys('{"keys":[]}');
  await keys(JSON.stringify({ keys: [jwk, jwk] }));
  await keys(JSON.stringify({ keys: [{ ...jwk, d: "AAAA" }] }));
  await keys(JSON.stringify({ keys: [{ ...jwk, alg: "RS256" }] }));
  await keys(JSON.stringify({ keys: [{ ...jwk, x: "AAAA" }] }));
  await keys(`{"keys":[${JSON.stringify(jwk)}]}${" ".repeat(300_000)}`);
  for (const body of ["<!doctype html><title>Back soon</title>", "[]", '{"message":"no healthy upstream"}', "", " ".repeat(100_000)])
    await stale("openid-configuration", (res) => res.writeHead(200).end(body));
  await stale("", (res) => res.writeHead(302, { location: "http://127.0.0.1:1/" }).end());
  for (const wrong of [
    { issuer: "http://issuer.example" },
    { issuer: `${issuer.url}/` },
    { baseURL: "http://issuer.example", allowPrivateHTTP: true },
    { baseURL: "http://user@localhost" },
    { baseURL: `${issuer.url}?a=b` },
    { baseURL: "localhost:8080" },
    { audience: [] },
    { leeway: 61_000 },
    { maxStaleness: 1_000 },
    { stale: "introspect" as const },
  ])
    await assert.rejects(attempt(wrong), TypeError);
});

test("http is a setting for addresses and names that are private", () => {
  const allowed = (url: string, allowPrivateHTTP: boolean) => {
    try {
      checkURL("baseURL", url, allowPrivateHTTP);
      return true;
    } catch (error) {
      assert.ok(error instanceof TypeError);
      return false;
    }
  };
  const hosts = {
    always: ["localhost:8080", "127.0.0.1", "127.9.9.9:80", "[::1]:8080"],
    private: ["10.1.2.3", "172.16.0.1", "172.31.255.255:80", "192.168.1.1", "169.254.1.1", "[fd00::1]:8080", "[fe80::1]", "[::ffff:10.0.0.1]"]
      .concat(["issuer:8080", "issuer.auth.svc", "issuer.auth.svc.cluster.local:8080", "ISSUER.Internal/auth", "a.home.arpa", "issuer.local."]),
    never: ["issuer.example", "172.32.0.1", "11.0.0.1", "192.169.0.1", "[2001:db8::1]", "8.8.8.8", "svc.example", "10.0.0.1.example", "0x08080808"]
      .concat(["localhost.example", "[::ffff:8.8.8.8]"]),
  };
  for (const host of hosts.always) assert.ok(allowed(`http://${host}`, false), host);
  for (const host of hosts.private) assert.deepEqual([allowed(`http://${host}`, false), allowed(`http://${host}`, true)], [false, true], host);
  for (const host of hosts.never) assert.deepEqual([allowed(`http://${host}`, true), allowed(`https://${host}`, false)], [false, true], host);
});

test("the issuer is reached at another address than iss, and the service key goes nowhere else", async (t) => {
  const issuer = await FeedIssuer.start();
  t.after(() => issuer.stop());
  const baseURL = issuer.url;
  issuer.url = "https://issuer.example/auth"; // what iss says
  const verifier = await createVerifier({ issuer: issuer.url, baseURL, audience, serviceKey });
  t.after(() => verifier.close());
  await verifier.followRevocations();
  const sid = newSid();
  const token = await issuer.mint(sid);
  assert.equal(await reason(verifier, token), "");
  await issuer.revoke(sid);
  await eventually(async () => (await reason(verifier, token)) === "revoked", "the revocation is applied");
  assert.equal(await reason(verifier, await issuer.mint(newSid(), { iss: baseURL })), "iss");
  const metadata = issuer.metadata();
  for (const endpoint of [`${baseURL}/v1/revocations`, "https://issuer.example.evil/auth/v1", "https://issuer.example/other", "https://issuer.example/auth@x/"]) {
    issuer.metadata = () => ({ ...metadata, revocations_endpoint: endpoint });
    await assert.rejects(createVerifier({ issuer: issuer.url, baseURL, audience }), { name: "IssuerFault", kind: "discovery" });
  }
});

test("a verifier starts without the issuer, and has what it needs when the issuer is back", async (t) => {
  const issuer = await FeedIssuer.start();
  const sid = newSid();
  const [token, revoked] = [await issuer.mint(newSid()), await issuer.mint(sid)];
  await issuer.revoke(sid);
  await issuer.stop();
  const verifier = await createVerifier({ issuer: issuer.url, audience, serviceKey, stale: "fail_open" });
  t.after(() => verifier.close());
  await verifier.followRevocations();
  assert.equal(await reason(verifier, token), "stale", "without keys no token can be accepted");
  await issuer.listen();
  t.after(() => issuer.stop());
  await eventually(async () => (await reason(verifier, token)) === "", "the token is accepted");
  await eventually(async () => (await reason(verifier, revoked)) === "revoked", "the list is there");
  await eventually(() => !verifier.stats().stale, "the list is fresh");
});

test("a revocation is applied in a moment: of a session, and marks", async (t) => {
  const { issuer, verifier } = await following(t);
  const [one, two, three] = [newSid(), newSid(), newSid()];
  const tokens = await Promise.all([one, two, three].map((sid) => issuer.mint(sid)));
  const reasons = () => Promise.all(tokens.map((token) => reason(verifier, token)));
  assert.deepEqual(await reasons(), ["", "", ""]);
  await issuer.revoke(two);
  await eventually(() => verifier.stats().seq === 1, "the event is applied");
  assert.deepEqual(await reasons(), ["", "revoked", ""]);
  await issuer.mark("user", "u1", two);
  await eventually(() => verifier.stats().seq === 2, "the mark is applied");
  assert.deepEqual(await reasons(), ["revoked", "revoked", ""], "a mark covers what is at or below it");
  const [mine, other] = await Promise.all([issuer.mint(newSid()), issuer.mint(newSid(), { client_id: "batch" })]);
  await issuer.mark("client", "app", newSid());
  await eventually(() => verifier.stats().seq === 3, "the mark is applied");
  assert.deepEqual([await reason(verifier, mine), await reason(verifier, other)], ["revoked", ""]);
  await issuer.mark("everything", "", newSid());
  await eventually(() => verifier.stats().seq === 4, "the mark is applied");
  assert.equal(await reason(verifier, other), "revoked");
  assert.equal(await reason(verifier, await issuer.mint(newSid())), "", "a sign-in after that is another matter");
  await eventually(() => issuer.reports.at(-1)?.seq === 4, "it is reported");
});

test("nothing is lost when the connection is, the issuer is down, or the resume point is purged", async (t) => {
  const { issuer, verifier } = await following(t);
  const sids = [newSid(), newSid(), newSid()];
  const tokens = await Promise.all(sids.map((sid) => issuer.mint(sid)));
  const revoked = (n: number) => eventually(async () => (await reason(verifier, tokens[n] as string)) === "revoked", `token ${n} is revoked`);
  issuer.cutStreams();
  await issuer.revoke(sids[0] as string);
  await revoked(0);
  await issuer.stop();
  await issuer.revoke(sids[1] as string);
  await issuer.listen();
  await revoked(1);
  await issuer.stop();
  await issuer.revoke(sids[2] as string);
  await issuer.revoke(newSid());
  issuer.purged = 3;
  await issuer.listen();
  await revoked(2);
  assert.equal(verifier.stats().seq, 4);
});

const hostile: [string, (issuer: FeedIssuer) => Promise<string>][] = [
  ["an event with a bad signature", async (i) => (await i.frame(1)).replace(/.{8}\n\n$/, "AAAAAAAA\n\n")],
  ["an event of another typ", async (i) => `id: 1\nevent: revoked\ndata: ${await i.sign("at+jwt", i.event(1))}\n\n`],
  ["an event of another issuer", async (i) => `id: 1\nevent: revoked\ndata: ${await i.sign("secevent+jwt", { ...i.event(1), iss: "https://x" })}\n\n`],
  ["an event of an unknown type", async (i) => `id: 1\nevent: revoked\ndata: ${await i.sign("secevent+jwt", { ...i.event(1), events: { x: {} } })}\n\n`],
  ["an event with exp", async (i) => `id: 1\nevent: revoked\ndata: ${await i.sign("secevent+jwt", { ...i.event(1), exp: 9e9 })}\n\n`],
  ["an event that skips numbers", async (i) => i.frame(1, { seq: 3 })],
  ["an event whose id is another", async (i) => (await i.frame(1)).replace("id: 1", "id: 2")],
  ["a line of 1 MiB", async () => `data: ${"x".repeat(1 << 20)}\n\n`],
  ["data of 1 MiB in lines", async () => `${`data: ${"x".repeat(1000)}\n`.repeat(1000)}\n`],
  ["an alive that is ahead", async (i) => (i.log.push({ ...i.log[0]! }), i.alive().finally(() => i.log.pop()))],
];
for (const [what, make] of hostile)
  test(`${what} is not believed, and the list is taken again`, async (t) => {
    const { issuer, verifier } = await following(t);
    const sid = newSid();
    const token = await issuer.mint(sid);
    issuer.log.push({ sid, subject: { format: "opaque", id: sid } }); // revoked, and not told
    issuer.say(await make(issuer));
    await eventually(() => verifier.stats().snapshots === 2 && verifier.stats().seq === 1, "the list is taken again");
    assert.equal(await reason(verifier, token), "revoked");
    assert.equal(verifier.stats().faults, 1);
  });

test("frames of unknown names and repeated alives are no faults, and cause no snapshot", async (t) => {
  const { issuer, verifier } = await following(t);
  const alive = await issuer.alive();
  for (let n = 0; n < 20; n++) issuer.say(`event: surprise\ndata: {}\n\ndata: hello\n\n${alive}`);
  await issuer.revoke(newSid());
  await eventually(() => verifier.stats().seq === 1, "the event after them is applied");
  const { snapshots, faults, connections } = verifier.stats();
  assert.deepEqual({ snapshots, faults, connections }, { snapshots: 1, faults: 0, connections: 1 });
});

test("an event that goes back changes nothing, and a restored backup takes nothing back", async (t) => {
  const { issuer, verifier } = await following(t);
  const sid = newSid();
  await issuer.revoke(sid);
  await issuer.revoke(newSid());
  await eventually(() => verifier.stats().seq === 2, "both are applied");
  issuer.ahead = 2; // the clock went on while the backup was restored
  issuer.log = [];
  issuer.cutStreams();
  await eventually(() => verifier.stats().rollbacks === 1 && verifier.stats().seq === 0, "the restored log is followed");
  assert.equal(await reason(verifier, await issuer.mint(sid)), "revoked");
});

test("an old list is refused, and one that is not of this time", async (t) => {
  const { issuer, verifier } = await following(t);
  await issuer.revoke(newSid());
  await eventually(() => verifier.stats().seq === 1, "the event is applied");
  const old = await issuer.snapshot({ next: 0, sessions: [], iat: issuer.now - 5 });
  const ancient = await issuer.snapshot({ next: 5, sessions: [], iat: issuer.now - 3600 });
  for (const [text, kind] of [
    [old, "backwards"],
    [ancient, "clock"],
  ]) {
    issuer.intercept = (req, res) => {
      if (req.url === "/v1/revocations/stream") res.writeHead(200, { "content-type": "text/event-stream" }).end("event: gone\ndata: {}\n\n");
      else if (req.url === "/v1/revocations") res.writeHead(200).end(text);
      else return false;
      return true;
    };
    issuer.cutStreams();
    await eventually(() => (verifier.stats().fault as { kind?: string } | undefined)?.kind === kind, `the fault is ${kind}`);
    assert.equal(verifier.stats().seq, 1);
  }
});

test("a verifier that hears nothing follows its policy", async (t) => {
  let skipped = 0;
  const { issuer, verifier } = await following(t, { now: () => Date.now() + skipped });
  const sid = newSid();
  const [token, other] = [await issuer.mint(sid), await issuer.mint(newSid())];
  await issuer.revoke(sid);
  await eventually(() => verifier.stats().seq === 1, "the event is applied");
  issuer.intercept = (req, res) => {
    if (!req.url?.startsWith("/v1/")) return false;
    res.writeHead(503, { "retry-after": "1" }).end();
    return true;
  };
  issuer.cutStreams();
  assert.equal(await reason(verifier, other), "", "the list is still fresh");
  skipped = 31_000;
  const refused = await verifier.verify(other).catch((e) => e);
  assert.deepEqual([refused.reason, refused.status, refused.code], ["stale", 503, "unavailable"]);
  assert.equal(await reason(verifier, other, { stale: "fail_open" }), "");
  assert.equal(await reason(verifier, other, { stale: "introspect" }), "");
  issuer.active = false;
  assert.equal(await reason(verifier, other, { stale: "introspect" }), "revoked");
  assert.equal(await reason(verifier, token, { stale: "fail_open" }), "revoked", "what is known counts, stale or not");
  const { staleRefused, staleAccepted, introspected, stale } = verifier.stats();
  assert.deepEqual({ staleRefused, staleAccepted, introspected, stale }, { staleRefused: 1, staleAccepted: 1, introspected: 2, stale: true });
  issuer.intercept = () => false;
  skipped = 0;
  await eventually(() => verifier.stats().connected, "it is connected again");
  assert.equal(await reason(verifier, other), "");
});

test("a new key signs events in the middle of a stream", async (t) => {
  const { issuer, verifier } = await following(t);
  await issuer.addKey();
  await issuer.revoke(newSid());
  await eventually(() => verifier.stats().seq === 1, "the event is applied");
  assert.equal(verifier.stats().faults, 0);
});

/** The last session there can be: above every mark. */
const lastSid = "ffffffff-ffff-7fff-bfff-ffffffffffff";

/** An issuer of two keys, and a token that was made with the older one by whoever stole it. */
async function emergency(t: TestContext) {
  const { issuer, verifier } = await start(t);
  const stolen = await issuer.mint(lastSid);
  await issuer.addKey();
  const follower = await createVerifier({ issuer: issuer.url, audience, serviceKey });
  t.after(() => follower.close());
  verifier.close();
  assert.equal(await reason(follower, stolen), "");
  return { issuer, verifier: follower, stolen };
}

const isGone = (verifier: Verifier, token: string) =>
  eventually(async () => (await reason(verifier, token)) === "kid", "the key is gone");

test("a key that was compromised goes, also when the keys of before are on their way", async (t) => {
  const { issuer, verifier, stolen } = await emergency(t);
  await verifier.followRevocations();
  await eventually(() => verifier.stats().connected, "the stream is connected");
  let release = () => {};
  issuer.intercept = (req, res) => {
    if (!req.url?.startsWith("/v1/revocations/keys")) return false;
    const keys = issuer.keys.map(({ jwk }) => jwk);
    issuer.intercept = () => false;
    release = () => res.writeHead(200, { "cache-control": "no-store" }).end(JSON.stringify({ keys }));
    return true;
  };
  const asked = () => issuer.requests.filter((one) => one.includes("/v1/revocations/keys")).length;
  const before = asked();
  await issuer.mark("everything", "", newSid());
  await eventually(() => asked() > before, "the keys are asked for");
  issuer.keys.pop();
  await issuer.mark("everything", "", newSid());
  await eventually(() => verifier.stats().seq === 2, "both marks are applied");
  release();
  await isGone(verifier, stolen);
});

test("a key that was compromised goes, also when the issuer does not answer at once", async (t) => {
  const { issuer, verifier, stolen } = await emergency(t);
  await verifier.followRevocations();
  await eventually(() => verifier.stats().connected, "the stream is connected");
  let failures = 2;
  issuer.intercept = (req, res) => {
    if (!req.url?.startsWith("/v1/revocations/keys") || failures-- <= 0) return false;
    res.writeHead(503).end();
    return true;
  };
  issuer.keys.pop();
  await issuer.mark("everything", "", newSid());
  await isGone(verifier, stolen);
});

test("a key that was compromised has gone when the list is complete", async (t) => {
  const { issuer, verifier, stolen } = await emergency(t);
  issuer.keys.pop();
  await issuer.mark("everything", "", newSid());
  await verifier.followRevocations();
  assert.equal(await reason(verifier, stolen), "kid");
});

test("after the feed has answered with keys, a 404 does not bring back those of the JWKS", async (t) => {
  const { issuer, verifier } = await following(t);
  const asked = (path: string) => issuer.requests.filter((one) => one.includes(path)).length;
  const before = asked("jwks.json");
  issuer.intercept = (req, res) => {
    if (!req.url?.startsWith("/v1/revocations/keys")) return false;
    res.writeHead(404).end();
    return true;
  };
  await issuer.mark("everything", "", newSid());
  await eventually(() => (verifier.stats().keysFault as { status?: number } | undefined)?.status === 404, "the 404 is a fault");
  assert.equal(asked("jwks.json"), before);
  const { issuer: old, verifier: other } = await start(t);
  old.intercept = issuer.intercept;
  await other.followRevocations();
  assert.ok(old.requests.filter((one) => one.includes("jwks.json")).length === 2, "an older issuer has the JWKS alone");
  assert.equal(other.stats().keysFault, undefined);
});

test("a stream that is refused after it was connected stops no snapshots", async (t) => {
  const { issuer, verifier } = await following(t, { maxStaleness: 15_000 });
  issuer.intercept = (req, res) => {
    if (req.url !== "/v1/revocations/stream") return false;
    res.writeHead(503, { "retry-after": "3600" }).end();
    return true;
  };
  issuer.cutStreams();
  await eventually(() => verifier.stats().snapshots >= 3, "snapshots go on", 13_000);
  assert.equal(verifier.stats().stale, false);
});

test("a verifier that lives by lists forgets what has ended", async (t) => {
  const { issuer, verifier } = await start(t, { now: () => Date.now() + issuer.ahead * 1000 });
  issuer.intercept = (req, res) => {
    if (req.url !== "/v1/revocations/stream") return false;
    res.writeHead(200, { "content-type": "text/event-stream" }).end("event: gone\ndata: {}\n\n");
    return true;
  };
  await issuer.mark("user", "u9", newSid());
  await verifier.followRevocations();
  assert.equal(verifier.stats().revocations, 1);
  issuer.log = []; // it has forgotten it, too
  issuer.ahead = 3600;
  await eventually(() => verifier.stats().revocations === 0, "it is forgotten");
});

test("a list of 100,000 sessions is taken", async (t) => {
  const { issuer, verifier } = await start(t);
  const sids = Array.from({ length: 100_000 }, newSid);
  issuer.log = sids.map((sid) => ({ sid, subject: {} }));
  await verifier.followRevocations();
  assert.equal(verifier.stats().revocations, 100_000);
  assert.equal(await reason(verifier, await issuer.mint(sids[77_777] as string)), "revoked");
});
