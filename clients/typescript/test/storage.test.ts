// Applications without cookies: the refresh token is in a storage that survives a restart.
import assert from "node:assert/strict";
import test from "node:test";
import { createClient, type Grant, IssuerError, type Options, type TokenStorage } from "../src/index.js";
import { api, down, fine, rejected } from "./steps.js";
import { settle, type Tab, World } from "./world.js";

const minute = 60_000;

/** A device: what is stored on it, and clients that come and go. */
class Device {
  readonly values = new Map<string, string>();
  /** What an operation does first. */
  before: (operation: "get" | "set" | "remove") => unknown = () => {};
  private storage = this.open();

  constructor(readonly world = new World({ mode: "bearer", locks: false })) {
    const answer = world.issuer.answer.bind(world.issuer);
    world.issuer.answer = async (request, ...rest) => {
      if (request.url.endsWith("/refresh")) {
        const { refresh_token } = await request.clone().json();
        assert.equal(refresh_token, this.stored, "a token is used that is not stored");
      }
      return answer(request, ...rest);
    };
  }

  get stored(): string | undefined {
    const [value] = this.values.values();
    return value && JSON.parse(value).refresh_token;
  }

  /** Opens the storage, as each process does once. */
  open(): TokenStorage {
    return {
      get: async (key) => {
        await this.before("get");
        return this.values.get(key) ?? null;
      },
      set: async (key, value) => {
        await this.before("set");
        this.values.set(key, value);
      },
      remove: async (key) => {
        await this.before("remove");
        this.values.delete(key);
      },
    };
  }

  /** Ends the process of the application, in whatever it is doing. */
  crash(): void {
    for (const tab of this.world.tabs) tab.freeze();
    this.storage = this.open();
  }

  start(options: Partial<Options> = {}): Tab {
    return this.world.tab({ storage: this.storage, ...options });
  }

  /** Starts the application and signs a user in. */
  async signedIn(user = "u1"): Promise<Tab> {
    const app = this.start();
    await this.world.until(app.client.signedIn(this.world.issuer.mint(user)));
    return app;
  }
}

const token = async (world: World, tab: Tab) => (await world.until(tab.client.getAccessToken())) ?? "";

test("a restart resumes the session with the rotated token that was stored", async () => {
  const device = new Device();
  const { world } = device;
  let app = await device.signedIn();
  for (let n = 0; n < 10; n++) {
    await world.pass(60 * minute);
    device.crash();
    app = device.start();
    assert.equal(app.client.getState().status, "unknown");
    assert.equal((await world.until(app.client.fetch(api))).status, 200);
    assert.deepEqual([app.client.getState().status, app.client.getState().data?.user.id], ["signed-in", "u1"]);
  }
  assert.ok(world.issuer.count("advanced") > 100, "the tabs' timers refresh as well");
  assert.equal(world.issuer.count("reused") + world.issuer.count("late_retry"), 0);
  const [key = "", value = ""] = [...device.values].flat();
  assert.match(key, /^[\w.-]+$/);
  assert.ok(value.length < 200, value);
  assert.doesNotMatch(value, /at\./, "no access token is stored");
  await world.until(app.client.signOut());
  assert.equal(device.values.size, 0);
  assert.equal(await world.until(device.start().client.getSession()), null);
});

test("a crash at any moment of a refresh does not end the session", async () => {
  const crashes: [string, (device: Device, crash: () => void) => void][] = [
    ["before the redeem", (device, crash) => (device.before = (operation) => (operation === "get" ? (crash(), new Promise(() => {})) : undefined))],
    ["the reply is lost", ({ world }, crash) => (world.fate = () => (crash(), { request: 10, reply: undefined }))],
    ["before the storing", (device, crash) => (device.before = (operation) => (operation === "set" ? (crash(), new Promise(() => {})) : undefined))],
  ];
  for (const [when, arrange] of crashes) {
    for (const pause of [100, 5_000, 60 * minute]) {
      const device = new Device();
      const { world } = device;
      const app = await device.signedIn();
      app.hide();
      await world.pass(6_000);
      await world.until(app.client.refresh());
      await world.pass(10 * minute);
      arrange(device, () => device.crash());
      void app.client.refresh().catch(() => {});
      await world.pass(pause);
      device.before = () => {};
      world.fate = fine;
      const again = device.start();
      for (let n = 0; n < 5; n++) {
        assert.equal((await world.until(again.client.getSession()))?.user.id, "u1", `${when}, ${pause} ms`);
        await world.pass(20_000);
        await world.until(again.client.refresh());
        await world.pass(10 * minute);
      }
      assert.equal(world.issuer.count("reused"), 0);
    }
  }
});

test("while the storage fails no unstored token is used, and all is well when it works again", async () => {
  const device = new Device();
  const { world } = device;
  const app = await device.signedIn();
  app.hide();
  await world.pass(6_000);
  const locked = () => {
    throw new Error("the keychain is locked");
  };
  device.before = (operation) => operation === "set" && locked();
  const before = device.stored;
  await world.until(app.client.refresh());
  assert.deepEqual([app.client.getState().status, app.client.getState().error?.code], ["signed-in", "storage"]);
  assert.equal((app.client.getState().error?.cause as Error).message, "the keychain is locked");
  assert.equal((await world.until(app.client.fetch(api))).status, 200, "the access token is good");
  await world.pass(10 * minute);
  const error = await rejected(world, app.client.fetch(api));
  assert.equal(error.code, "storage");
  assert.doesNotMatch(`${error.stack} ${JSON.stringify(error)}`, /[ar]t\.s1/);
  assert.equal(device.stored, before);
  device.before = () => {};
  await world.pass(3_000);
  assert.equal((await world.until(app.client.fetch(api))).status, 200);
  assert.equal(app.client.getState().error, undefined);
  assert.equal(world.issuer.count("reused") + world.issuer.count("late_retry"), 0);
  device.before = locked;
  assert.equal((await rejected(world, device.start().client.getSession())).code, "storage");
  assert.equal((await rejected(world, device.start().client.signedIn(world.issuer.mint("u1")))).code, "storage");
});

test("a storage that does not answer holds nothing up for ever, and its late answers undo nothing", async () => {
  const device = new Device();
  const { world } = device;
  const app = await device.signedIn();
  app.hide();
  await world.pass(6_000);
  let answer = () => {};
  device.before = (operation) => operation === "set" && new Promise<void>((resolve) => (answer = resolve));
  const began = world.time;
  await world.until(app.client.refresh());
  assert.ok(world.time - began < 10_000);
  assert.equal(app.client.getState().error?.code, "storage");
  device.before = () => {};
  await world.pass(10 * minute);
  const waiting = app.client.getAccessToken();
  await world.pass(1_000);
  answer(); // late
  await world.until(waiting);
  for (let n = 0; n < 3; n++) {
    await world.pass(10 * minute);
    await token(world, app);
  }
  assert.equal(world.issuer.count("reused") + world.issuer.count("late_retry"), 0);
});

test("a client that is closed while the storage hangs does not hold up the next one", async () => {
  const device = new Device();
  const { world } = device;
  const app = await device.signedIn();
  await world.pass(6_000);
  device.before = (operation) => operation === "set" && new Promise(() => {});
  void app.client.refresh();
  await world.pass(100);
  app.client.close();
  device.before = () => {};
  const began = world.time;
  assert.equal((await world.until(device.start().client.getSession()))?.user.id, "u1");
  assert.ok(world.time - began < 1_000);
});

test("the sign-in's grant, given again at each start, does not replace a newer token", async () => {
  const device = new Device();
  const { world } = device;
  const grant = world.issuer.mint("u1");
  for (let n = 0; n < 5; n++) {
    const app = device.start();
    await world.until(app.client.signedIn(grant));
    app.hide();
    assert.equal((await world.until(app.client.listSessions())).length, 1, "though its access token is old");
    await world.pass(60 * minute);
    await token(world, app);
    app.client.close();
  }
  assert.equal(world.issuer.count("reused"), 0);
});

test("onGrant gets each rotated token before it is used, and the last one resumes the session", async () => {
  const world = new World({ mode: "bearer" });
  let saved: Grant = world.issuer.mint("u1");
  let fails = false;
  const onGrant = async (grant: Grant) => {
    await settle();
    if (fails) throw new Error("the disk is full");
    saved = grant;
  };
  for (let n = 0; n < 5; n++) {
    const first = saved;
    const app = world.tab({ onGrant });
    await world.until(app.client.signedIn(first));
    app.hide();
    await world.pass(60 * minute);
    await token(world, app);
    assert.notEqual(saved.refresh_token, first.refresh_token);
    await world.pass(6_000);
    fails = true;
    await world.until(app.client.refresh());
    assert.equal(app.client.getState().error?.code, "storage");
    await world.pass(10 * minute);
    const advanced = world.issuer.count("advanced");
    if (n % 2) assert.equal((await rejected(world, app.client.fetch(api))).code, "storage");
    assert.equal(world.issuer.count("advanced"), advanced, "a token was used that the application has not saved");
    fails = false;
    app.client.close();
    app.freeze();
  }
  assert.equal(world.issuer.count("reused"), 0);
});

test("clients that share a storage do not fork, and follow each other", async () => {
  for (const seed of [1, 2, 3, 4, 5]) {
    const device = new Device(new World({ mode: "bearer", locks: false, seed }));
    const { world } = device;
    device.before = () => new Promise<void>((resolve) => world.after(world.random() * 50, resolve));
    const apps = [await device.signedIn(), device.start(), device.start()] as const;
    world.fate = () => ({ request: world.random() * 200, reply: world.random() < 0.1 ? undefined : world.random() * 200 });
    for (let n = 0; n < 50; n++) {
      const calls = apps.map(({ client }) => client.getAccessToken().then(assert.ok, (error: IssuerError) => assert.equal(error.code, "network")));
      await world.until(Promise.all(calls));
      await world.pass(world.random() * 5 * minute);
      await world.until(Promise.all(apps.map(({ client }) => client.refresh().catch((error: IssuerError) => assert.equal(error.code, "network")))));
    }
    assert.equal(world.issuer.count("reused"), 0);
    assert.ok(world.issuer.count("advanced") > 100);
    world.fate = fine;
    await world.pass(minute);
    await world.until(apps[1].client.signOut());
    await world.pass(60 * minute);
    assert.deepEqual([device.values.size, ...apps.map(({ client }) => client.getState().status)], [0, "signed-out", "signed-out", "signed-out"]);
    await world.until(apps[0].client.signedIn(world.issuer.mint("u2")));
    for (const { client } of apps) assert.equal((await world.until(client.getSession()))?.user.id, "u2");
  }
});

test("a reply that is late does not put an old token in the place of a newer one", async () => {
  const device = new Device();
  const { world } = device;
  const app = await device.signedIn();
  app.hide();
  await world.pass(10 * minute);
  world.fate = () => ({ request: 10, reply: 3_000 });
  void app.client.refresh();
  await world.pass(50);
  world.fate = fine;
  // Other processes, which the lock of this one does not stop.
  for (let n = 0; n < 2; n++) await world.until(device.start({ storage: device.open() }).client.getSession());
  const newest = device.stored;
  await world.pass(5_000);
  assert.equal(device.stored, newest);
  await world.pass(10 * minute);
  assert.equal((await world.until(app.client.getSession()))?.user.id, "u1");
  assert.equal(world.issuer.count("reused"), 0);
});

test("a sign-in as another user in one client is not undone by a refresh in another", async () => {
  const device = new Device();
  const { world } = device;
  const [one, two] = [await device.signedIn("one"), device.start()];
  await world.until(two.client.getSession());
  await world.pass(10_000);
  world.fate = () => ({ request: 10, reply: 3_000 });
  const refresh = one.client.refresh();
  await world.pass(100);
  world.fate = fine;
  const signIn = two.client.signedIn(world.issuer.mint("two"));
  await world.until(Promise.all([refresh, signIn]));
  await world.pass(10 * minute);
  for (const { client } of [one, two]) assert.equal((await world.until(client.getSession()))?.user.id, "two");
  assert.equal(world.issuer.count("reused"), 0);
});

test("a session that ended leaves nothing in the storage, and a value that is not ours is no session", async () => {
  const device = new Device();
  const { world } = device;
  const app = await device.signedIn();
  world.issuer.end("s1", "session_revoked");
  await rejected(world, app.client.listSessions());
  await world.pass(100);
  assert.deepEqual([device.values.size, app.client.getState().reason], [0, "session_revoked"]);
  for (const value of ["", "rt_x", "{}", "null", "[]", '{"sid": 1, "refresh_token": 2}', "x".repeat(5_000)]) {
    device.values.set("issuer_bearer_https_auth.example_v1", value);
    const other = device.start();
    assert.equal(await world.until(other.client.getSession()), null);
    assert.deepEqual(other.client.getState(), { status: "signed-out", data: null });
    await world.until(other.client.signedIn(world.issuer.mint("u1")));
    await world.until(other.client.signOut());
  }
});

test("a storage that returns something else for a while signs nobody out", async () => {
  for (const garbage of ["rt_x", "{}", "null", "[]", '{"sid": "s1"', "[object Object]"]) {
    const device = new Device();
    const { world } = device;
    const app = await device.signedIn();
    const [[key, value]] = [...device.values] as [[string, string]];
    await world.pass(6_000);
    device.values.set(key, garbage);
    assert.equal((await rejected(world, app.client.refresh())).code, "storage");
    assert.equal(app.client.getState().status, "signed-in");
    device.values.set(key, value);
    await world.pass(minute);
    assert.equal((await world.until(app.client.refresh()))?.user.id, "u1");
    assert.equal(app.client.getState().error, undefined);
    assert.notEqual(device.values.get(key), value);
  }
});

test("a read that never ends holds up no later one", async () => {
  const device = new Device();
  const { world } = device;
  const app = await device.signedIn();
  await world.pass(6_000);
  let hung = 0;
  device.before = (operation) => (operation === "get" && !hung++ ? new Promise(() => {}) : undefined);
  assert.equal((await rejected(world, app.client.refresh())).code, "storage");
  await world.pass(minute);
  assert.equal((await world.until(app.client.refresh()))?.user.id, "u1");
  assert.equal(app.client.getState().error, undefined);
});

test("a sign-out with an unreachable issuer leaves the session, also before it was resumed", async () => {
  const device = new Device();
  const { world } = device;
  (await device.signedIn()).client.close();
  const app = device.start();
  world.fate = down;
  assert.equal((await rejected(world, app.client.signOut())).code, "network");
  assert.equal(device.values.size, 1);
  world.fate = fine;
  await world.until(app.client.signOut());
  assert.deepEqual([device.values.size, app.client.getState().status], [0, "signed-out"]);
  assert.ok(world.issuer.sessions.get("s1")?.ended);
});

test("in cookie mode there is nothing to store", async () => {
  const storage = { get: () => assert.fail(), set: () => assert.fail(), remove: () => assert.fail() };
  const world = new World();
  world.signIn();
  const tab = world.tab({ storage });
  await world.until(tab.client.getSession());
  await world.until(tab.client.signOut());
  createClient({ baseURL: "https://auth.example", storage }).close();
});
