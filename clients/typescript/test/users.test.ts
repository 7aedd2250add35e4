// Two users of one browser: the cookies are changed by a sign-in that no tab is told of.
import assert from "node:assert/strict";
import test from "node:test";
import { api, refreshes, rejected, signedIn } from "./steps.js";
import { type Tab, World } from "./world.js";

const minute = 60_000;
const shown = (tab: Tab) => tab.client.getState().data?.user.id ?? tab.client.getState().status;

/** A browser with all that helps tabs, and browsers that lack some of it. */
const browsers = [
  { locks: true, channel: true },
  { locks: false, channel: true },
  { locks: true, channel: false },
  { locks: false, channel: false },
];

/** User one (s1) is signed in in tab A, then a backend sets the cookies of user two (s2). */
async function changed(settings: (typeof browsers)[number]): Promise<{ world: World; a: Tab }> {
  const world = new World(settings);
  world.signIn("one");
  const a = world.tab();
  await world.until(a.client.getSession());
  assert.equal(shown(a), "one");
  await world.pass(6_000);
  world.signIn("two");
  return { world, a };
}

const live = (world: World) => [...world.issuer.sessions.values()].filter(({ ended }) => !ended).map(({ id }) => id);

for (const settings of browsers) {
  const has = `${settings.locks ? "locks" : "no locks"} and ${settings.channel ? "a channel" : "no channel"}`;

  test(`${has}: a new tab shows whose cookies there are, not what a sibling says`, async () => {
    const { world, a } = await changed(settings);
    const b = world.tab();
    const states: string[] = [];
    b.client.onChange(() => states.push(shown(b)));
    assert.equal((await world.until(b.client.getSession()))?.user.id, "two");
    assert.deepEqual(states, ["two"]);
    assert.match((await world.until(b.client.getAccessToken())) ?? "", /^at\.s2\./);
    await world.until(b.client.signOut());
    assert.deepEqual(live(world), ["s1"], "the sign-out ended the session of user two, and no other");
    assert.equal(world.jar.size, 0);
    await world.pass(10 * minute);
    assert.equal(shown(a), "signed-out", "there are no cookies");
  });

  test(`${has}: a new tab does not hear that another user's session was revoked`, async () => {
    const { world, a } = await changed(settings);
    world.issuer.end("s1", "session_revoked");
    const b = world.tab();
    const states: string[] = [];
    b.client.onChange(() => states.push(shown(b)));
    assert.equal((await world.until(b.client.fetch(api))).status, 200);
    assert.equal((await world.until(b.client.listSessions())).length, 1);
    assert.deepEqual(states, ["two"]);
    assert.equal((await world.until(a.client.getSession()))?.user.id, "two", "the dead token led to the cookies");
  });

  test(`${has}: the tab of the first user becomes what the cookies say`, async () => {
    for (const call of [
      (tab: Tab) => tab.client.getSession(),
      (tab: Tab) => tab.client.listSessions(),
      (tab: Tab) => tab.client.refresh(),
      (tab: Tab) => tab.client.fetch("https://auth.example/v1/session", { credentials: "include" }),
    ]) {
      for (const revoked of [false, true]) {
        const { world, a } = await changed(settings);
        if (revoked) world.issuer.end("s1", "session_revoked");
        const before = refreshes(a);
        const states: string[] = [];
        a.client.onChange(() => states.push(shown(a)));
        await world.until<unknown>(call(a));
        assert.deepEqual(states.at(-1), "two");
        assert.ok(!states.includes("signed-out"));
        assert.equal(refreshes(a) - before, 1, "one redeem by cookie");
        assert.deepEqual(live(world), revoked ? ["s2"] : ["s1", "s2"]);
      }
    }
    const { world, a } = await changed(settings);
    await world.pass(5 * minute);
    assert.equal(shown(a), "two", "by itself, at the next refresh");
  });

  test(`${has}: a sign-out in the tab of the first user ends the first user's session only`, async () => {
    for (const wait of [0, 60 * minute]) {
      const { world, a } = await changed(settings);
      if (wait) a.freeze(); // so that its token expires
      await world.pass(wait);
      world.signIn("two"); // whose access token is new
      if (wait) a.hide();
      const [two] = live(world).slice(-1);
      const done = a.client.signOut();
      a.thaw();
      await world.until(done);
      assert.ok(!live(world).includes("s1") && live(world).includes(two ?? ""), `${live(world)}`);
      assert.match(world.jar.get("session_token") ?? "", new RegExp(`^rt\\.${two}\\.`));
      assert.equal(shown(a), "two");
    }
  });

  test(`${has}: what ends sessions does not do so for another user than the page shows`, async () => {
    for (const stale of [false, true]) {
      for (const call of [
        (tab: Tab) => tab.client.revokeOtherSessions(),
        (tab: Tab) => tab.client.revokeAllSessions(),
        (tab: Tab) => tab.client.revokeSession("s1"),
      ]) {
        const { world, a } = await changed(settings);
        world.issuer.mint("two");
        if (stale) {
          a.freeze(); // its timers with it, so that the call comes first
          await world.pass(6 * minute);
          world.signIn("two");
          a.hide();
          const before = live(world);
          const attempt = call(a);
          a.thaw();
          assert.equal((await rejected(world, attempt)).code, "session_changed");
          assert.deepEqual(live(world), before);
        } else {
          assert.equal((await rejected(world, call(a))).code, "session_changed");
          assert.deepEqual(live(world), ["s1", "s2", "s3"]);
        }
        assert.equal(shown(a), "two");
      }
    }
  });

  test(`${has}: a new session of the same user is used as it comes`, async () => {
    const world = new World(settings);
    const a = await signedIn(world, world.tab());
    await world.pass(6_000);
    world.signIn("u1");
    world.issuer.mint("u1");
    assert.equal(await world.until(a.client.revokeOtherSessions()), 2);
    assert.deepEqual(live(world), ["s2"]);
    world.signIn("u1");
    await world.until(a.client.signOut());
    assert.deepEqual([live(world), world.jar.size, shown(a)], [[], 0, "signed-out"]);
  });
}

test("an ordinary refusal of a request is no reason to refresh", async () => {
  const world = new World();
  const tab = await signedIn(world, world.tab());
  await world.pass(10_000);
  for (let n = 0; n < 3; n++) {
    world.issuer.refusing = "/v1/sessions/no-id";
    assert.equal((await rejected(world, tab.client.revokeSession("no-id"))).code, "invalid_request");
  }
  assert.equal(refreshes(tab), 1);
});

test("tabs of two users that talk at cross purposes do not keep asking the issuer", async () => {
  const { world } = await changed({ locks: true, channel: true });
  for (const tab of world.tabs) tab.hide();
  // Five tabs hear of user two only when they are called.
  const tabs = Array.from({ length: 5 }, () => world.tab());
  await world.until(Promise.all(tabs.map((tab) => tab.client.getSession())));
  for (let n = 0; n < 20; n++) {
    await world.pass(5_100);
    await world.until(tabs[n % 5]!.client.refresh());
  }
  await world.pass(1_000);
  const asked = [...world.tabs].flatMap((tab) => tab.requests).filter((request) => request === "GET /v1/session").length;
  assert.ok(asked <= 12, `${asked} questions`);
  for (const tab of world.tabs) assert.equal(shown(tab), "two");
});
