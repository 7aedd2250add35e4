import assert from "node:assert/strict";
import test from "node:test";
import { here } from "../src/environment.js";
import { createClient } from "../src/index.js";
import { problem } from "./model.js";

test("outside a browser there is no page, and no timer that keeps a process alive", async () => {
  const env = here();
  assert.deepEqual([env.visible(), env.origin, env.locks, env.channel("x")], [false, undefined, undefined, undefined]);
  env.listen(() => assert.fail("nothing happens"))();
  const client = createClient({ baseURL: "https://auth.example/", fetch: async () => problem(401, "refresh_token_invalid") });
  assert.equal(await client.getSession(), null);
});

test("in a browser the page's events are heard", () => {
  // The parts of a browser that are used, as they behave.
  const page = Object.assign(new EventTarget(), { visibilityState: "visible", location: { origin: "https://app.example" } });
  const globals = new EventTarget();
  const { addEventListener } = globalThis as { addEventListener?: unknown };
  Object.assign(globalThis, { document: page, addEventListener: globals.addEventListener.bind(globals) });
  try {
    const env = here();
    assert.equal(env.origin, "https://app.example");
    const heard: string[] = [];
    const stop = env.listen((event) => heard.push(event));
    page.dispatchEvent(new Event("visibilitychange"));
    page.visibilityState = "hidden";
    assert.equal(env.visible(), false);
    page.dispatchEvent(new Event("visibilitychange"));
    globals.dispatchEvent(new Event("pagehide"));
    globals.dispatchEvent(Object.assign(new Event("pageshow"), { persisted: true }));
    globals.dispatchEvent(Object.assign(new Event("pageshow"), { persisted: false }));
    globals.dispatchEvent(new Event("online"));
    assert.deepEqual(heard, ["show", "hide", "restore", "show", "online"]);
    stop();
    globals.dispatchEvent(new Event("online"));
    assert.equal(heard.length, 5);
    const channel = env.channel("x");
    assert.ok(channel);
    channel.close();
  } finally {
    Reflect.deleteProperty(globalThis, "document");
    Object.assign(globalThis, { addEventListener });
  }
});

test("a worker shares locks and channels with the pages of its origin, and has no page", () => {
  const locks = { request: async () => {} };
  const before = Object.getOwnPropertyDescriptor(globalThis, "navigator");
  Object.assign(globalThis, { WorkerGlobalScope: class {}, location: { origin: "chrome-extension://abc" } });
  Object.defineProperty(globalThis, "navigator", { value: { locks }, configurable: true });
  try {
    const env = here();
    assert.deepEqual([env.visible(), env.origin, env.locks], [false, "chrome-extension://abc", locks]);
    const channel = env.channel("x");
    assert.ok(channel);
    channel.close();
    env.listen(() => assert.fail("nothing happens"))();
  } finally {
    Reflect.deleteProperty(globalThis, "WorkerGlobalScope");
    Reflect.deleteProperty(globalThis, "location");
    if (before) Object.defineProperty(globalThis, "navigator", before);
    else Reflect.deleteProperty(globalThis, "navigator");
  }
});
