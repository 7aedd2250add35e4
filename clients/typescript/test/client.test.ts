import assert from "node:assert/strict";
import test from "node:test";
import { type State } from "../src/index.js";
import { problem } from "./model.js";
import { api, down, fine, refreshes, rejected, signedIn } from "./steps.js";
import { World } from "./world.js";

const minute = 60_000;

test("a visitor without a session is signed out, for no reason, after one request", async () => {
  const world = new World();
  const tab = world.tab();
  assert.deepEqual(tab.client.getState(), { status: "unknown", data: null });
  assert.equal(await world.until(tab.client.getSession()), null);
  assert.deepEqual(tab.client.getState(), { status: "signed-out", data: null });
  await world.pass(60 * minute);
  assert.deepEqual(tab.requests, ["POST /v1/session/refresh"]);
});

test("a token is renewed before it expires, whatever the wall clock says", async () => {
  for (const off of [-1e12, -3_600_000, 0, 3_600_000, 1e12]) {
    const world = new World();
    world.wallOffset += off;
    const tab = await signedIn(world, world.tab());
    const first = await world.until(tab.client.getAccessToken());
    await world.pass(4.4 * minute);
    assert.equal(await world.until(tab.client.getAccessToken()), first);
    await world.pass(0.5 * minute);
    assert.notEqual(await world.until(tab.client.getAccessToken()), first);
    assert.equal(refreshes(tab), 2);
  }
});

test("a hidden tab lets the session become idle, and looks when it is shown again", async () => {
  const world = new World();
  const tab = await signedIn(world, world.tab());
  tab.hide();
  await world.pass(24 * 60 * minute);
  assert.equal(refreshes(tab), 2, "the timer that ran when it was hidden, and no other");
  tab.show();
  await world.pass(1_000);
  assert.equal(refreshes(tab), 3);
});

test("a hidden tab renews the token for a call that needs it", async () => {
  const world = new World();
  const tab = await signedIn(world, world.tab());
  tab.hide();
  await world.pass(60 * minute);
  const response = await world.until(tab.client.fetch(api));
  assert.equal(response.status, 200);
});

test("after sleep the token is renewed at once, though the monotonic clock stood still", async () => {
  const world = new World();
  const tab = await signedIn(world, world.tab());
  await world.sleep(60 * minute);
  tab.happened("show");
  await world.pass(1_000);
  assert.equal(refreshes(tab), 2);
  await world.sleep(60 * minute);
  const response = await world.until(tab.client.fetch(api));
  assert.equal(response.status, 200);
  assert.deepEqual(tab.requests.slice(-2), ["POST /v1/session/refresh", "GET /api/orders"]);
});

test("a refresh is given up after 8 s, and the same token sent once more", async () => {
  for (const mode of ["cookie", "bearer"] as const) {
    const world = new World({ mode });
    const tab = await signedIn(world, world.tab());
    const before = refreshes(tab);
    let lost = true;
    world.fate = () => {
      const fate = { request: 10, reply: lost ? undefined : 10 };
      lost = false;
      return fate;
    };
    await world.pass(6_000);
    const began = world.time;
    await world.until(tab.client.refresh());
    assert.equal(refreshes(tab) - before, 2);
    assert.ok(world.time - began > 8_000 && world.time - began < 8_500, `${world.time - began} ms`);
    assert.equal(world.issuer.count("repeated"), 1);
    await world.pass(60 * minute);
    assert.equal(tab.client.getState().status, "signed-in");
    assert.equal(world.issuer.count("reused"), 0);
  }
});

test("offline there is no storm of requests, the user stays, and all is well when the network is back", async () => {
  const world = new World();
  const tab = await signedIn(world, world.tab());
  world.fate = down;
  await world.pass(60 * minute);
  const { status, error } = tab.client.getState();
  assert.deepEqual([status, error?.code], ["signed-in", "network"]);
  assert.ok(error?.cause instanceof Error, "the error of fetch is kept");
  assert.ok(refreshes(tab) < 120, `${refreshes(tab)} refreshes in an hour`);
  assert.equal((await rejected(world, tab.client.fetch(api))).code, "network");
  world.fate = fine;
  tab.happened("online");
  await world.pass(1_500);
  assert.deepEqual([tab.client.getState().status, tab.client.getState().error], ["signed-in", undefined]);
});

test("calls that come in a hurry while offline do not each try to refresh", async () => {
  const world = new World();
  const tab = await signedIn(world, world.tab());
  world.fate = () => ({ request: undefined });
  tab.hide();
  await world.pass(10 * minute);
  const before = refreshes(tab);
  for (let n = 0; n < 200; n++) {
    await rejected(world, tab.client.fetch(api));
    await world.pass(10);
  }
  assert.ok(refreshes(tab) - before <= 4, `${refreshes(tab) - before} refreshes for 200 calls`);
});

test("what keeps the user, and what signs out", async () => {
  const table: [string, () => Response, State["status"]][] = [
    ["500", () => problem(500, "internal_error"), "signed-in"],
    ["503", () => problem(503, "unavailable", { "retry-after": "1" }), "signed-in"],
    ["429", () => problem(429, "rate_limited", { "retry-after": "60" }), "signed-in"],
    ["403", () => problem(403, "forbidden"), "signed-in"],
    ["401 not_fresh", () => problem(401, "not_fresh"), "signed-in"],
    ["401 token_invalid", () => problem(401, "token_invalid"), "signed-in"],
    ["401 of a proxy", () => new Response("<html>", { status: 401, headers: { "content-type": "text/html" } }), "signed-in"],
    ["200 of a captive portal", () => new Response("<html>", { headers: { "content-type": "text/html" } }), "signed-in"],
    ["200 of nobody", () => Response.json({}), "signed-in"],
    ["session_revoked with 500", () => problem(500, "session_revoked"), "signed-in"],
    ...["session_revoked", "session_expired", "session_idle", "refresh_token_invalid", "refresh_token_reused", "binding_mismatch"].map(
      (code): [string, () => Response, State["status"]] => [code, () => problem(401, code), "signed-out"],
    ),
  ];
  for (const [what, answer, status] of table) {
    const world = new World();
    const tab = await signedIn(world, world.tab());
    world.issuer.scripted.push(answer);
    await world.pass(5 * minute);
    assert.equal(tab.client.getState().status, status, what);
    if (status === "signed-out") assert.equal(tab.client.getState().reason, what);
  }
});

test("a 401 whose code is not token_expired is not repeated by itself", async () => {
  for (const code of ["not_fresh", "token_invalid", "something_new"]) {
    const world = new World();
    const tab = await signedIn(world, world.tab());
    for (let n = 0; n < 100; n++) world.issuer.scripted.push(() => problem(401, code));
    await world.pass(24 * 60 * minute);
    assert.equal(refreshes(tab), 2, code);
    for (let n = 0; n < 5; n++) assert.equal((await rejected(world, tab.client.fetch(api))).code, code);
    assert.equal(refreshes(tab), 2, "a call repeated it");
    world.issuer.scripted.length = 0;
    await world.until(tab.client.refresh());
    assert.equal(tab.client.getState().error, undefined, "someone asked, and it works again");
  }
});

test("Retry-After is obeyed", async () => {
  const world = new World();
  const tab = await signedIn(world, world.tab());
  world.issuer.scripted.push(() => problem(503, "unavailable", { "retry-after": "120" }));
  await world.pass(4.9 * minute);
  assert.equal(refreshes(tab), 2);
  await world.pass(1.4 * minute);
  assert.equal(refreshes(tab), 2);
  await world.pass(minute);
  assert.equal(refreshes(tab), 3);
});

test("a listener hears each change, also beside one that fails, and none after close", async () => {
  const world = new World();
  const tab = world.tab();
  const states: State["status"][] = [];
  const failures: unknown[] = [];
  const before = process.listeners("uncaughtException");
  process.removeAllListeners("uncaughtException");
  process.on("uncaughtException", (error) => failures.push(error.message));
  tab.client.onChange(() => {
    throw new Error("the listener's own");
  });
  tab.client.onChange(({ status }) => states.push(status));
  world.signIn();
  await world.until(tab.client.getSession());
  await world.until(tab.client.signOut());
  tab.client.close();
  await world.until(tab.client.signedIn().catch(() => {}));
  process.removeAllListeners("uncaughtException");
  for (const listener of before) process.on("uncaughtException", listener);
  assert.deepEqual(states, ["signed-in", "signed-out"]);
  assert.deepEqual(failures, ["the listener's own", "the listener's own"]);
});

test("an error tells no token", async () => {
  const world = new World({ mode: "bearer" });
  const tab = await signedIn(world, world.tab());
  world.fate = down;
  const error = await rejected(world, tab.client.signOut());
  assert.doesNotMatch(`${error.stack} ${JSON.stringify(error)}`, /[ar]t\.s1/);
});
