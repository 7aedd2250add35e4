import assert from "node:assert/strict";
import test, { after, before } from "node:test";
import { type Client, createClient, IssuerError, type Options, type TokenStorage } from "../src/index.js";
import { createVerifier, VerifyError } from "../src/verify/index.js";
import { Locks } from "./locks.js";
import { Jar, Program } from "./program.js";
import { randomness } from "./random.js";
import { eventually } from "./wait.js";

let program: Program;
before(async () => {
  program = await Program.start();
});
after(() => program.stop());

/** Tabs of one browser. They share its cookies, its locks and, by the platform, a channel. */
function tabs(jar: Jar, count: number, options: Partial<Options> = {}, lose?: () => boolean) {
  const locks = new Locks();
  return Array.from({ length: count }, () =>
    createClient({
      baseURL: program.url,
      fetch: jar.fetch(program.url, lose),
      ...options,
      environment: {
        locks: locks.of((f) => f()),
        channel: (name) => new BroadcastChannel(name) as never,
        visible: () => true,
        ...options.environment,
      },
    }),
  );
}

test("cookie mode: one refresh for all tabs, lists, and ends", async () => {
  const jar = new Jar();
  await program.signIn(jar, "cookie-user");
  await program.mint("cookie-user");
  const [one, two] = tabs(jar, 2) as [Client, Client];
  try {
    const first = await one.getSession();
    assert.equal(first?.user.id, "cookie-user");
    const rotated = jar.cookies.get("better-auth.session_token");
    assert.equal((await two.getSession())?.session.id, first?.session.id);
    assert.equal(jar.cookies.get("better-auth.session_token"), rotated, "the second tab asked the issuer for a token of its own");
    assert.equal(await one.getAccessToken(), await two.getAccessToken());
    const response = await one.fetch(`${program.url}/v1/session`);
    assert.equal(response.status, 200);
    assert.equal((await two.listSessions()).length, 2);
    assert.equal(await two.revokeOtherSessions(), 1);
    assert.equal((await two.listSessions()).length, 1);
    await assert.rejects(two.revokeSession("0190a000-0000-7000-8000-000000000000"), { name: "IssuerError", code: "not_found" });
    await two.signOut();
    await eventually(() => one.getState().status === "signed-out", "the other tab is signed out");
    assert.equal(jar.cookies.size, 0);
    assert.equal(await one.getSession(), null);
    await program.signIn(jar, "cookie-user");
    await one.signedIn();
    await eventually(() => two.getState().status === "signed-in", "the other tab is signed in");
    assert.equal(await two.revokeAllSessions(), 1);
    assert.equal(two.getState().reason, "sign_out");
  } finally {
    one.close();
    two.close();
  }
});

test("bearer mode: the backend's grant, a refresh, an end from elsewhere", async () => {
  const grant = await program.mint("bearer-user");
  const [client] = tabs(new Jar(), 1, { mode: "bearer" }) as [Client];
  try {
    assert.equal((await client.signedIn(grant))?.user.id, "bearer-user");
    assert.equal((await client.getSession())?.session.id, grant.session.id);
    await program.service("DELETE", `/v1/sessions/${grant.session.id}`);
    await assert.rejects(client.listSessions(), (error) => error instanceof IssuerError && error.code === "session_revoked");
    assert.deepEqual([client.getState().status, client.getState().reason], ["signed-out", "session_revoked"]);
    const again = await program.mint("bearer-user");
    await client.signedIn(again);
    await client.signOut();
    const dead = await fetch(`${program.url}/v1/session`, { headers: { authorization: `Bearer ${again.access_token}` } });
    assert.equal((await dead.json()).code, "session_revoked");
  } finally {
    client.close();
  }
});

test("a page of another origin can't use the cookies, and the user stays", async () => {
  const jar = new Jar();
  await program.signIn(jar, "victim");
  const [client] = tabs(jar, 1, { fetch: jar.fetch("https://evil.example") }) as [Client];
  try {
    await assert.rejects(client.getSession(), { code: "forbidden" });
    assert.ok(jar.cookies.has("better-auth.session_token"));
  } finally {
    client.close();
  }
});

test("five tabs, 2,000 refreshes, one answer in ten lost: nobody is signed out", async () => {
  for (const mode of ["cookie", "bearer"] as const) {
    const random = randomness(7);
    const jar = new Jar();
    await program.signIn(jar, `lossy-${mode}`);
    let passed = 0; // the clients' clock runs ahead, so that every token is old at once
    let sent = 0;
    const lose = () => {
      sent++;
      return random() < 0.1;
    };
    // Without timers and channel: each call of each tab refreshes.
    const environment = { now: () => performance.now() + passed, visible: () => false, channel: () => undefined };
    const clients = tabs(jar, 5, { mode, environment }, lose);
    if (mode === "bearer") for (const client of clients) await client.signedIn(await program.mint("lossy-bearer"));
    while (sent < 1_000) {
      passed += 301_000;
      await Promise.all(
        clients.map(async (client) => {
          if (random() < 0.2) return;
          // Both attempts may have been lost. Then nothing is known, and the user stays.
          await client.getAccessToken().catch((error: IssuerError) => assert.equal(error.code, "network"));
        }),
      );
      for (const client of clients) {
        const { status, reason } = client.getState();
        assert.notEqual(status, "signed-out", reason);
      }
    }
    passed += 301_000;
    await Promise.all(clients.map((client) => client.getSession().catch(() => {})));
    const [session] = (await (await program.service("GET", `/v1/sessions?user_id=lossy-${mode}`)).json()).sessions;
    assert.ok(session, "the session is over at the issuer");
    for (const client of clients) client.close();
  }
});

test("tabs with timers refresh once per access lifetime", async () => {
  const quick = await Program.start({ ISSUER_ACCESS_TOKEN_LIFETIME: "2s" });
  const jar = new Jar();
  await quick.signIn(jar, "u1");
  let refreshes = 0;
  const send = jar.fetch(quick.url);
  const counting: typeof fetch = (input, init) => {
    if (String(input).endsWith("/refresh")) refreshes++;
    return send(input, init);
  };
  const clients = tabs(jar, 5, { baseURL: quick.url, fetch: counting });
  try {
    await Promise.all(clients.map((client) => client.getSession()));
    const began = performance.now();
    await eventually(() => refreshes >= 5, "five refreshes");
    // A token of 2 s is renewed 0.4 s before its end at the earliest.
    const most = 1 + (performance.now() - began) / 1_600;
    assert.ok(refreshes <= most + 1, `${refreshes} refreshes, want ${most} at most`);
    for (const client of clients) assert.equal(client.getState().status, "signed-in");
    const response = await (clients[0] as Client).fetch(`${quick.url}/v1/session`);
    assert.equal(response.status, 200);
  } finally {
    for (const client of clients) client.close();
    await quick.stop();
  }
});

test("a verifier accepts the issuer's tokens, and learns of a revocation within a second", async () => {
  const audience = program.url; // the default
  const verifier = await createVerifier({ issuer: program.url, audience, serviceKey: program.serviceKey, name: "real-test" });
  try {
    await verifier.followRevocations();
    await eventually(() => verifier.stats().connected, "the stream is connected");
    const grant = await program.mint("verified");
    const token = grant.access_token;
    assert.equal((await verifier.verify(token)).sub, "verified");
    const refused = async () => {
      const error = await verifier.verify(token).then(
        () => undefined,
        (error: unknown) => error,
      );
      return error instanceof VerifyError && error.reason === "revoked";
    };
    const began = performance.now();
    await program.service("DELETE", `/v1/sessions/${grant.session.id}`);
    await eventually(refused, "the session is revoked", 1_000);
    assert.ok(performance.now() - began < 1_000);

    const next = await program.mint("verified");
    assert.equal((await verifier.verify(next.access_token)).sid, next.session.id);
    await program.service("POST", "/v1/users/verified/revoke-sessions");
    const later = await program.mint("verified");
    await eventually(async () => verifier.verify(next.access_token).then(() => false, () => true), "the user's sessions are revoked", 1_000);
    assert.equal((await verifier.verify(later.access_token)).sub, "verified", "the sign-in after that is good");

    await program.halt();
    assert.equal((await verifier.verify(later.access_token)).sub, "verified", "the issuer is not needed to verify");
    await program.run();
    await program.service("DELETE", `/v1/sessions/${later.session.id}`);
    await eventually(async () => verifier.verify(later.access_token).then(() => false, () => true), "it has followed on");
    assert.equal(verifier.stats().rollbacks, 0);
  } finally {
    verifier.close();
  }
});

test("two users of one browser: each tab becomes what the cookies say", async () => {
  for (const channel of [true, false]) {
    const jar = new Jar();
    const environment = channel ? {} : { channel: () => undefined };
    const [one, two] = [`one-${channel}`, `two-${channel}`];
    const live = async (user: string) => (await (await program.service("GET", `/v1/sessions?user_id=${user}`)).json()).sessions.length;
    await program.signIn(jar, one);
    const [a, b, c] = tabs(jar, 3, { environment }) as [Client, Client, Client];
    try {
      await a.getSession();
      await program.signIn(jar, two);
      assert.equal((await b.getSession())?.user.id, two);
      assert.equal((await (await b.fetch(`${program.url}/v1/session`)).json()).user.id, two);
      if (channel) await eventually(() => a.getState().data?.user.id === two, "the other tab learns of it");
      else await assert.rejects(a.revokeAllSessions(), { code: "session_changed" });
      assert.equal((await a.getSession())?.user.id, two);
      assert.deepEqual([await live(one), await live(two)], [1, 1]);
      await b.signOut();
      assert.deepEqual([await live(one), await live(two), jar.cookies.size], [1, 0, 0]);

      await program.signIn(jar, one);
      await c.getSession();
      await program.signIn(jar, two);
      await c.signOut();
      assert.deepEqual([await live(one), await live(two), c.getState().data?.user.id], [1, 1, two], "one session of each was left");

      await program.service("POST", `/v1/users/${two}/revoke-sessions`);
      await program.signIn(jar, one);
      assert.equal((await c.listSessions()).length, 2, "a dead token leads to the cookies");
      assert.equal(c.getState().data?.user.id, one);
    } finally {
      for (const client of [a, b, c]) client.close();
    }
  }
});

test("bearer mode with a storage: restarts, crashes and several clients", async () => {
  const values = new Map<string, string>();
  let fails = false;
  const storage: TokenStorage = {
    get: async (key) => values.get(key) ?? null,
    set: async (key, value) => {
      if (fails) throw new Error("full");
      values.set(key, value);
    },
    remove: async (key) => values.delete(key),
  };
  let passed = 0;
  const environment = { now: () => performance.now() + passed };
  const opened: Client[] = [];
  const start = (count = 1) => {
    const clients = tabs(new Jar(), count, { mode: "bearer", storage, environment: { ...environment, locks: undefined } });
    opened.push(...clients);
    return clients;
  };
  const grant = await program.mint("native");
  await (start()[0] as Client).signedIn(grant);
  for (let n = 0; n < 6; n++) {
    const clients = start(3);
    fails = n % 3 === 1; // the crash comes before the storing
    const found = await Promise.all(clients.map((client) => client.getSession().catch((error: IssuerError) => error.code)));
    for (const one of found) assert.ok(one === "storage" || (typeof one === "object" && one?.session.id === grant.session.id), String(one));
    for (const client of opened) client.close();
    passed += 301_000;
  }
  fails = false;
  const [client] = start() as [Client];
  assert.equal((await client.signedIn(grant))?.user.id, "native", "the sign-in's grant does not replace the newer token");
  assert.equal((await client.listSessions()).length, 1);
  await client.signOut();
  assert.equal(values.size, 0);
  const dead = await (await program.service("GET", `/v1/sessions/${grant.session.id}`)).json();
  assert.equal(dead.session.end_reason, "sign_out");
  client.close();
});
