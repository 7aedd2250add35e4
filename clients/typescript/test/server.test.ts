import assert from "node:assert/strict";
import test, { after, before } from "node:test";
import { IssuerError } from "../src/errors.js";
import { createAuth } from "../src/server.js";
import { Jar, Program } from "./program.js";

let program: Program;
before(async () => {
  program = await Program.start();
});
after(() => program.stop());

/** The headers of a page's request, with cookies of others beside ours. */
function page(jar: Jar): Headers {
  const cookies = [["theme", "dark"], ...jar.cookies, ["x-better-auth.session_token", "planted"]];
  return new Headers({ cookie: cookies.map(([name, value]) => `${name}=${value}`).join("; "), "user-agent": "Firefox" });
}

/** Passes calls on, and keeps what they were. */
function overheard(calls: Request[]): typeof fetch {
  return (input, init) => {
    calls.push(new Request(input as string, init));
    return fetch(input, init);
  };
}

test("a server reads who is signed in, as often as it renders, and nobody is signed out for it", async () => {
  const jar = new Jar();
  await program.signIn(jar, "rendered");
  const auth = createAuth({ baseURL: program.url });
  for (let i = 0; i < 30; i++) {
    const session = await auth.api.getSession({ headers: page(jar) });
    assert.equal(session?.user.id, "rendered");
    assert.equal(session.session.userId, "rendered");
    assert.equal(session.session.id, session.session.token);
    for (const time of [session.session.createdAt, session.session.updatedAt, session.session.expiresAt, session.user.createdAt]) {
      assert.ok(time instanceof Date && Math.abs(time.getTime() - Date.now()) < 8 * 86_400_000, String(time));
    }
    assert.ok(!("needsRefresh" in session));
  }
  const refreshed = await jar.fetch(program.url)(`${program.url}/v1/session/refresh`, { method: "POST", credentials: "include" });
  assert.equal(refreshed.status, 200);
});

test("the issuer sees the session's cookies and the device, and nothing else of the request", async () => {
  const jar = new Jar();
  await program.signIn(jar, "least");
  const calls: Request[] = [];
  const auth = createAuth({ baseURL: program.url, fetch: overheard(calls), clientAddress: (h) => h.get("x-real-ip") ?? undefined });
  const headers = page(jar);
  headers.set("x-real-ip", "203.0.113.9");
  headers.set("x-forwarded-for", "198.51.100.1");
  headers.set("origin", "https://elsewhere.example");
  headers.set("cookie", `${headers.get("cookie")}; __Host-better-auth.session_mac=vouches`);
  assert.equal((await auth.api.getSession({ headers }))?.user.id, "least");
  assert.deepEqual(Object.fromEntries(calls[0]!.headers), {
    accept: "application/json",
    cookie: `better-auth.session_token=${jar.cookies.get("better-auth.session_token")}; __Host-better-auth.session_mac=vouches`,
    "user-agent": "Firefox",
    "x-forwarded-for": "203.0.113.9",
  });
  assert.equal(await auth.api.getSession({ headers: { cookie: "theme=dark" } }), null);
  assert.equal(calls.length, 1, "a request without credentials needs no answer of the issuer");
});

test("a session that was revoked is gone at once, by cookie and by bearer token", async () => {
  const jar = new Jar();
  await program.signIn(jar, "gone");
  const grant = await program.mint("gone");
  const auth = createAuth({ baseURL: program.url });
  const bearer = { authorization: `Bearer ${grant.access_token}` };
  assert.equal((await auth.api.getSession({ headers: bearer }))?.session.id, grant.session.id);
  assert.ok(await auth.api.getSession({ headers: page(jar) }));
  await program.service("POST", "/v1/users/gone/revoke-sessions");
  assert.equal(await auth.api.getSession({ headers: bearer }), null);
  assert.equal(await auth.api.getSession({ headers: page(jar) }), null);
  assert.equal(await auth.api.getSession({ headers: { cookie: "better-auth.session_token=rt_nonsense" } }), null);
});

test("a guard for sensitive operations as better-auth's pages write it works", async () => {
  const auth = createAuth({ baseURL: program.url });
  const jar = new Jar();
  await program.signIn(jar, "careful");
  const freshAge = 10 * 60 * 1000;

  async function requireFreshSession(headers: Headers) {
    const session = await auth.api.getSession({ headers });
    if (!session) throw new Error("Not authenticated");
    const sessionAge = Date.now() - new Date(session.session.createdAt).getTime();
    if (sessionAge > freshAge) throw new Error("Session not fresh - please re-authenticate");
    return session;
  }
  assert.equal((await requireFreshSession(page(jar))).user.id, "careful");
  await assert.rejects(requireFreshSession(new Headers()), /Not authenticated/);
});

test("what cannot be known is an error, and nobody is signed out by it", async () => {
  const headers = { cookie: "better-auth.session_token=x" };
  const answering = (body: string, status = 200) =>
    createAuth({ baseURL: "https://auth.example", fetch: async () => new Response(body, { status }) });
  const failing = createAuth({ baseURL: "https://auth.example", fetch: () => Promise.reject(new TypeError("no network")) });
  for (const [auth, code] of [
    [failing, "network"],
    [answering("{}", 503), "unavailable"],
    [answering("{}", 429), "rate_limited"],
    [answering("<html>", 200), "invalid_response"],
    [answering("{}", 200), "invalid_response"],
    [answering('{"session":{},"user":{}}', 200), "invalid_response"],
    [answering("[]", 404), "invalid_response"],
  ] as const) {
    await assert.rejects(auth.api.getSession({ headers }), (error) => error instanceof IssuerError && error.code === code);
  }
});
