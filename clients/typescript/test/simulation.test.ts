import assert from "node:assert/strict";
import test from "node:test";
import { api } from "./steps.js";
import { type Fate, type Tab, World } from "./world.js";

const lifetime = 300_000;

/** Tabs of one browser, all signed in. */
async function browser(world: World, count: number): Promise<Tab[]> {
  world.signIn();
  const tabs = Array.from({ length: count }, () => world.tab());
  await world.until(Promise.all(tabs.map((tab) => tab.client.getSession())));
  return tabs;
}

function signedIn(world: World, tabs: Tab[]): void {
  assert.equal(world.issuer.count("reused"), 0, "the issuer took a tab for a thief");
  for (const tab of tabs) {
    const { status, reason } = tab.client.getState();
    assert.equal(status, "signed-in", `a tab was signed out: ${reason}`);
  }
}

function refreshes(tabs: Tab[]): number {
  return tabs.flatMap((tab) => tab.requests).filter((request) => request.endsWith("/refresh")).length;
}

for (const [count, life] of [
  [1, 300],
  [5, 300],
  [20, 300],
  [5, 3],
] as const) {
  test(`${count} tabs with locks refresh once per access lifetime of ${life} s`, async () => {
    const world = new World({ lifetime: life });
    const tabs = await browser(world, count);
    assert.equal(refreshes(tabs), 1, "each tab asked for itself at the start");
    await world.pass(100 * life * 1000);
    signedIn(world, tabs);
    // A token is renewed up to 30 s or a fifth of its life before its end.
    const most = 1 + (100 * life) / (life - Math.min(30, life / 5));
    assert.ok(refreshes(tabs) >= 100 && refreshes(tabs) <= most, `${refreshes(tabs)} refreshes, at most ${most}`);
    assert.equal(world.issuer.count("advanced"), refreshes(tabs));
    const tokens = await world.until(Promise.all(tabs.map((tab) => tab.client.getAccessToken())));
    assert.equal(new Set(tokens).size, 1, "the tabs have different tokens");
  });
}

test("whatever needs a token at once, in five tabs, shares one refresh", async () => {
  for (const locks of [true, false]) {
    const world = new World({ locks });
    const tabs = await browser(world, 5);
    for (const tab of tabs) tab.hide();
    await world.pass(2 * lifetime); // the token is dead, and nobody has renewed it
    const before = refreshes(tabs);
    const calls = tabs.flatMap(({ client }) => [
      ...Array.from({ length: 20 }, () => client.fetch(api)),
      ...Array.from({ length: 20 }, () => client.getAccessToken()),
      client.getSession(),
      client.refresh(),
      client.listSessions(),
    ]);
    await world.until(Promise.all(calls));
    // Without locks each tab refreshes for itself, once.
    assert.equal(refreshes(tabs) - before, locks ? 1 : 5);
    signedIn(world, tabs);
  }
});

/**
 * A network that loses, repeats and delays. Tabs that cannot talk to each other refresh one after the other, each for
 * itself; for them it only loses, because the issuer cannot tell a message that two others have overtaken from a
 * thief's.
 */
function rough(world: World): () => Fate {
  const { random } = world;
  const alone = world.settings.channel === false;
  const delay = () => (random() < 0.05 && !alone ? random() * 3_900 : random() * (alone ? 20 : 200));
  return () => ({
    request: random() < 0.05 ? undefined : delay(),
    reply: random() < 0.1 ? undefined : delay(),
    repeat: random() < 0.1 && !alone ? random() * 2_000 : undefined,
  });
}

/** What a user does to their tabs, and the machine to itself. */
async function live(world: World, tabs: Tab[]): Promise<void> {
  const { random } = world;
  const tab = tabs[Math.floor(random() * tabs.length)] as Tab;
  const what = random();
  if (what < 0.1) tab.hide();
  else if (what < 0.3) tab.show();
  else if (what < 0.4) tab.freeze();
  else if (what < 0.6) tab.thaw();
  else if (what < 0.65) await world.sleep(random() * 2 * lifetime);
  else if (what < 0.7) world.wallOffset += (random() - 0.5) * 3_600_000;
  else if (what < 0.75) for (const one of tabs) one.happened("online");
  else if (what < 0.85) void tab.client.refresh().catch(() => {});
  else await world.pass(random() * lifetime);
}

const browsers = [
  { locks: true, channel: true, count: 5_000 },
  { locks: false, channel: true, count: 2_500 },
  { locks: true, channel: false, count: 2_500 },
  { locks: false, channel: false, count: 2_500 },
];
for (const { locks, channel, count } of browsers) {
  const has = `${locks ? "locks" : "no locks"} and ${channel ? "a channel" : "no channel"}`;
  test(`five tabs with ${has}: no false sign-out in ${count} refreshes`, async () => {
    for (let seed = 1; seed <= count / 2_500; seed++) {
      const world = new World({ seed, locks, channel });
      const tabs = await browser(world, 5);
      world.fate = rough(world);
      while (refreshes(tabs) < 2_500) {
        await live(world, tabs);
        signedIn(world, tabs);
      }
      assert.ok(world.issuer.count("repeated") + world.issuer.count("late_retry") > 50, "the network lost next to nothing");
    }
  });
}

test("a session that is revoked ends in every tab, whatever the network does", async () => {
  for (let seed = 1; seed <= 20; seed++) {
    const world = new World({ seed });
    const tabs = await browser(world, 5);
    world.fate = rough(world);
    await world.pass(world.random() * lifetime);
    world.issuer.end("s1", "session_revoked");
    await world.pass(2 * lifetime);
    for (const tab of tabs) {
      const { status, reason } = tab.client.getState();
      assert.deepEqual([status, reason], ["signed-out", "session_revoked"]);
    }
    const asked = refreshes(tabs);
    await world.pass(10 * lifetime);
    assert.equal(refreshes(tabs), asked, "a tab goes on asking");
  }
});
