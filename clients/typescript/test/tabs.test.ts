import assert from "node:assert/strict";
import test from "node:test";
import { createClient } from "../src/index.js";
import { problem } from "./model.js";
import { api, down, fine, refreshes, rejected, signedIn } from "./steps.js";
import { type Tab, World } from "./world.js";

const minute = 60_000;

test("fetch repeats a call once when the API says that the token has expired", async () => {
  const expired = [
    () => problem(401, "token_expired"),
    () => new Response(null, { status: 401, headers: { "www-authenticate": 'Bearer error="invalid_token", error_description="Jwt expired at 2026"' } }),
  ];
  for (const answer of expired) {
    const world = new World();
    const tab = await signedIn(world, world.tab());
    await world.pass(10_000);
    world.issuer.scripted.push(answer);
    const response = await world.until(tab.client.fetch(api, { method: "POST", body: "order" }));
    assert.equal(response.status, 200);
    assert.deepEqual(tab.requests.slice(-3), ["POST /api/orders", "POST /v1/session/refresh", "POST /api/orders"]);
  }
});

test("an API whose clock is wrong causes no storm", async () => {
  const world = new World();
  const tab = await signedIn(world, world.tab());
  for (let n = 0; n < 20; n++) {
    world.issuer.scripted.push(() => problem(401, "token_expired"));
    const response = await world.until(tab.client.fetch(api));
    assert.equal(response.status, 401, "a new token is not renewed");
  }
  assert.equal(refreshes(tab), 1);
});

test("fetch returns any other refusal as it came", async () => {
  for (const answer of [() => problem(401, "not_fresh"), () => problem(403, "forbidden"), () => new Response(null, { status: 401 })]) {
    const world = new World();
    const tab = await signedIn(world, world.tab());
    world.issuer.scripted.push(answer);
    const response = await world.until(tab.client.fetch(api));
    assert.equal(response.status, answer().status);
    if (answer().body) assert.equal((await response.json()).code, (await answer().json()).code, "its body was read");
    assert.equal(tab.requests.length, 2);
  }
});

test("an API's word does not end the session, the issuer's does", async () => {
  const world = new World();
  const tab = await signedIn(world, world.tab());
  world.issuer.scripted.push(() => problem(401, "session_revoked"));
  await world.until(tab.client.fetch(api));
  await world.pass(1_000);
  assert.deepEqual(tab.requests.slice(-2), ["GET /api/orders", "GET /v1/session"]);
  assert.equal(tab.client.getState().status, "signed-in");
  world.issuer.end("s1", "session_revoked");
  await world.until(tab.client.fetch(api));
  await world.pass(1_000);
  assert.equal(tab.client.getState().reason, "session_revoked");
});

test("the token goes to the issuer, the page's origin and the APIs that are named, and nowhere else", async () => {
  const world = new World();
  const sent = new Map<string, string | null>();
  world.signIn();
  const tab = world.tab({ apis: ["https://api.example/ignored"] });
  await world.until(tab.client.getSession());
  const answer = world.issuer.answer.bind(world.issuer);
  world.issuer.answer = (request, cookie) => {
    sent.set(new URL(request.url).origin, request.headers.get("authorization"));
    return answer(request, cookie);
  };
  for (const url of ["https://auth.example", "https://app.example", "https://api.example", "https://evil.example", "https://api.example.evil.example", "http://api.example"])
    await world.until(tab.client.fetch(`${url}/x`));
  const with_ = [...sent].filter(([, token]) => token).map(([origin]) => origin);
  assert.deepEqual(with_, ["https://auth.example", "https://app.example", "https://api.example"]);
  await world.until(tab.client.fetch("https://api.example/x", { headers: { authorization: "Basic abc" } }));
  assert.equal(sent.get("https://api.example"), "Basic abc", "a credential of the caller's is left alone");
});

test("sign-out in one tab is seen by the others at once", async () => {
  const world = new World();
  world.signIn();
  const tabs = [world.tab(), world.tab(), world.tab()];
  await world.until(Promise.all(tabs.map((tab) => tab.client.getSession())));
  await world.until((tabs[0] as Tab).client.signOut());
  await world.pass(50);
  for (const tab of tabs) assert.deepEqual([tab.client.getState().status, tab.client.getState().reason], ["signed-out", "sign_out"]);
  assert.equal(world.jar.size, 0);
  await world.until(Promise.all(tabs.map((tab) => tab.client.fetch(api))));
  assert.equal(tabs.reduce((sum, tab) => sum + refreshes(tab), 0), 1, "a tab tried to come back");
});

test("sign-out that cannot reach the issuer is no sign-out", async () => {
  const world = new World();
  const tab = await signedIn(world, world.tab());
  world.fate = down;
  assert.equal((await rejected(world, tab.client.signOut())).code, "network");
  assert.equal(tab.client.getState().status, "signed-in");
  world.fate = fine;
  world.issuer.end("s1", "session_revoked");
  await world.until(tab.client.signOut());
  assert.equal(tab.client.getState().status, "signed-out", "there was nothing left to end");
});

test("a sign-in in one tab, as another user, is taken over by the others", async () => {
  const world = new World();
  world.signIn("alice");
  const tabs = [world.tab(), world.tab()] as const;
  await world.until(Promise.all(tabs.map((tab) => tab.client.getSession())));
  world.signIn("bob");
  const data = await world.until(tabs[0].client.signedIn());
  assert.equal(data?.user.id, "bob");
  await world.pass(50);
  assert.equal(tabs[1].client.getState().data?.user.id, "bob");
});

test("a refresh that is under way when the user signs out brings nobody back", async () => {
  const world = new World();
  const tab = await signedIn(world, world.tab());
  await world.pass(10_000);
  world.fate = () => ({ request: 10, reply: 3_000 });
  const refresh = tab.client.refresh();
  await world.pass(100);
  world.fate = fine;
  await world.until(tab.client.signOut());
  await world.until(refresh);
  await world.pass(5_000);
  assert.equal(tab.client.getState().status, "signed-out");
});

test("a lock that a suspended tab holds is taken away", async () => {
  const world = new World();
  world.signIn();
  const [stuck, other] = [world.tab(), world.tab()];
  await world.until(Promise.all([stuck, other].map((tab) => tab.client.getSession())));
  await world.pass(10_000);
  void stuck.client.refresh();
  await world.pass(20);
  stuck.freeze(); // with the lock
  const began = world.time;
  await world.until(other.client.refresh());
  assert.ok(world.time - began < 16_000, `${world.time - began} ms`);
  await world.pass(10_000);
  stuck.thaw();
  await world.pass(30 * minute);
  assert.equal(world.issuer.count("reused"), 0);
  for (const tab of [stuck, other]) assert.equal(tab.client.getState().status, "signed-in");
});

test("a page that comes back from the cache of the browser asks what it has missed", async () => {
  const world = new World();
  world.signIn();
  const tabs = [world.tab(), world.tab()] as const;
  await world.until(Promise.all(tabs.map((tab) => tab.client.getSession())));
  tabs[1].hide();
  tabs[1].happened("hide");
  await world.until(tabs[0].client.signOut());
  await world.pass(1_000);
  assert.equal(tabs[1].client.getState().status, "signed-in", "it can't have heard");
  tabs[1].happened("restore");
  await world.pass(1_000);
  assert.deepEqual([tabs[1].client.getState().status, tabs[1].client.getState().reason], ["signed-out", "session_revoked"]);
});

test("the sessions of the user are listed and ended", async () => {
  const world = new World();
  world.issuer.mint("u1");
  world.issuer.mint("u1");
  world.signIn();
  const tab = world.tab();
  await world.until(tab.client.getSession());
  assert.deepEqual((await world.until(tab.client.listSessions())).map(({ id }) => id), ["s1", "s2", "s3"]);
  await world.until(tab.client.revokeSession("s1"));
  assert.equal(await world.until(tab.client.revokeOtherSessions()), 1);
  assert.equal(tab.client.getState().status, "signed-in");
  assert.equal(await world.until(tab.client.revokeAllSessions()), 1);
  assert.deepEqual([tab.client.getState().status, tab.client.getState().reason], ["signed-out", "sign_out"]);
  assert.equal((await rejected(world, tab.client.listSessions())).code, "signed_out");
});

test("in bearer mode each tab has a session of its own, and no token leaves its memory", async () => {
  const world = new World({ mode: "bearer" });
  const tabs = [world.tab(), world.tab()] as const;
  assert.equal(tabs[0].client.getState().status, "signed-out");
  assert.equal(await world.until(tabs[0].client.getSession()), null);
  assert.deepEqual(tabs[0].requests, [], "there was nothing to ask with");
  const told: unknown[] = [];
  const spy = { channel: () => ({ postMessage: (m: unknown) => told.push(m), onmessage: null, close: () => {} }) };
  const heard = createClient({ baseURL: "https://auth.example", mode: "bearer", environment: spy });
  await heard.signedIn(world.issuer.mint("u1"));
  for (const tab of tabs) await tab.client.signedIn(world.issuer.mint("u1"));
  await world.pass(60 * minute);
  assert.equal(world.issuer.count("reused"), 0);
  assert.ok(refreshes(tabs[0]) > 10 && refreshes(tabs[1]) > 10);
  assert.doesNotMatch(JSON.stringify(told), /at\.|rt\./);
  await world.until(tabs[0].client.signOut());
  await world.pass(50);
  assert.equal(tabs[1].client.getState().status, "signed-in", "it is another session");
  await tabs[0].client.signedIn(world.issuer.mint("u1"));
  await world.until(tabs[0].client.revokeAllSessions());
  await world.pass(50);
  assert.equal(tabs[1].client.getState().status, "signed-out");
  heard.close();
});

test("a refresh token never travels between tabs", async () => {
  const world = new World();
  world.signIn();
  const told: unknown[] = [];
  const channel = { postMessage: (m: unknown) => told.push(m), onmessage: null, close: () => {} };
  const tab = world.tab();
  const spied = createClient({
    baseURL: "https://auth.example",
    environment: { channel: () => channel, locks: undefined },
    fetch: async (input, init) => {
      const { response, cookie } = await world.issuer.answer(new Request(input, init), world.jar.get("session_token"));
      if (cookie) world.jar.set("session_token", cookie);
      return response;
    },
  });
  await spied.getSession();
  assert.ok(told.length > 0);
  assert.doesNotMatch(JSON.stringify(told), /rt\./);
  spied.close();
  tab.client.close();
});

test("requests that change something say that they are JSON, and cookies go along in cookie mode only", async () => {
  for (const mode of ["cookie", "bearer"] as const) {
    const world = new World({ mode });
    const tab = await signedIn(world, world.tab());
    const answer = world.issuer.answer.bind(world.issuer);
    const seen: Request[] = [];
    world.issuer.answer = (request, cookie) => {
      seen.push(request);
      return answer(request, cookie);
    };
    await world.pass(6_000);
    await world.until(tab.client.refresh());
    await world.until(tab.client.revokeOtherSessions());
    await world.until(tab.client.signOut());
    assert.equal(seen.length, 3);
    for (const request of seen) {
      assert.equal(request.headers.get("content-type"), "application/json");
      assert.equal(request.credentials, mode === "cookie" ? "include" : "omit");
      assert.equal(request.redirect, "error");
    }
  }
});

test("a browser that refuses channels, or closes them, breaks nothing", async () => {
  const channels = [
    () => {
      throw new DOMException("The operation is insecure.", "SecurityError");
    },
    () => ({
      onmessage: null,
      close: () => {},
      postMessage: () => {
        throw new DOMException("The channel is closed.", "InvalidStateError");
      },
    }),
  ];
  for (const channel of channels) {
    const fetch = async () => Response.json({ code: "refresh_token_invalid" }, { status: 401 });
    const client = createClient({ baseURL: "https://auth.example", fetch, environment: { channel } });
    assert.equal(await client.getSession(), null);
    await client.signOut();
    client.close();
  }
});
