// Tabs of one browser in which several users sign in and out, in random order, with messages that are late or lost.
import assert from "node:assert/strict";
import test from "node:test";
import type { IssuerError } from "../src/index.js";
import { fine } from "./steps.js";
import { type Tab, World } from "./world.js";

const minute = 60_000;

/** How long a request to the issuer may take until its outcome is applied, with a retry and the tabs that hold the lock before. */
const inFlight = 40_000;

class Browser {
  readonly world: World;
  readonly tabs: Tab[] = [];
  /** Which session the cookies were of, and until when. */
  private readonly past: { sid: string | undefined; until: number }[] = [];

  constructor(seed: number, settings: { locks: boolean; channel: boolean }) {
    const world = new World({ seed, ...settings });
    this.world = world;
    const { random } = world;
    world.delivery = () => (random() < 0.2 ? undefined : random() < 0.2 ? random() * 5_000 : random() * 5);
    world.fate = () => ({
      request: random() < 0.05 ? undefined : random() * 100,
      reply: random() < 0.05 ? undefined : random() * 100,
    });
    const note = <A extends unknown[], R>(change: (...args: A) => R) => (...args: A) => {
      this.past.push({ sid: this.sid, until: world.time });
      return change(...args);
    };
    world.jar.set = note(world.jar.set.bind(world.jar));
    world.jar.clear = note(world.jar.clear.bind(world.jar));
  }

  /** The session of the cookies. */
  get sid(): string | undefined {
    return this.world.jar.get("session_token")?.split(".")[1];
  }

  /** The user of the cookies, if their session is live. */
  get user(): string {
    const record = this.world.issuer.sessions.get(this.sid ?? "");
    return record && !record.ended ? record.user : "signed-out";
  }

  get live(): Map<string, string> {
    return new Map([...this.world.issuer.sessions.values()].filter(({ ended }) => !ended).map(({ id, user }) => [id, user]));
  }

  open(): Tab {
    const tab = this.world.tab();
    this.tabs.push(tab);
    let before: string | undefined;
    tab.client.onChange(({ data }) => {
      const sid = data?.session.id;
      if (sid && sid !== before) assert.ok(this.had(sid), `a tab shows ${sid}, whose cookies are not there`);
      before = sid;
    });
    return tab;
  }

  private had(sid: string): boolean {
    const { time } = this.world;
    return this.sid === sid || this.past.some((one) => one.sid === sid && one.until > time - inFlight);
  }

  /** Makes a call that may end sessions, and checks that it ends none of another user than the tab showed. */
  async ending(tab: Tab, call: () => Promise<unknown>, own: boolean): Promise<void> {
    const { data } = tab.client.getState();
    const before = this.live;
    const done = await this.attempt(call());
    const ended = [...before.keys()].filter((sid) => !this.live.has(sid));
    if (data) for (const sid of ended) assert.equal(before.get(sid), data.user.id, "a session of another user was ended");
    if (data && own && done) assert.ok(!this.live.has(data.session.id), "the session that was shown goes on");
  }

  /** Waits for a call. It may fail for a reason that is not the client's fault. */
  async attempt(call: Promise<unknown>): Promise<boolean> {
    return this.world.until(
      call.then(
        () => true,
        ({ code }: IssuerError) => {
          const expected = ["network", "signed_out", "session_changed", "session_revoked", "refresh_token_invalid"];
          assert.ok(expected.includes(code), code);
          return false;
        },
      ),
    );
  }

  async step(): Promise<void> {
    const { world } = this;
    const pick = <T>(from: readonly T[]): T => from[Math.floor(world.random() * from.length)] as T;
    const tab = this.tabs.length < 4 || world.random() < 0.05 ? this.open() : pick(this.tabs);
    const { client } = tab;
    const actions: (() => unknown)[] = [
      () => world.signIn(pick(["one", "two", "three"])),
      () => (world.signIn(pick(["one", "two"])), this.attempt(client.signedIn())),
      () => world.issuer.end(pick([...world.issuer.sessions.keys(), ""]), "session_revoked"),
      () => this.attempt(client.getSession()),
      () => this.attempt(Promise.all(this.tabs.map(({ client }) => client.getSession()))),
      () => this.attempt(client.refresh()),
      () => this.attempt(client.listSessions()),
      () => this.attempt(client.getAccessToken()),
      () => this.ending(tab, () => client.signOut(), true),
      () => this.ending(tab, () => client.revokeOtherSessions(), false),
      () => this.ending(tab, () => client.revokeAllSessions(), true),
      () => tab.hide(),
      () => tab.show(),
      () => world.pass(world.random() * minute),
      () => world.pass(world.random() * 10 * minute),
    ];
    await pick(actions)();
    await world.pass(world.random() * 200);
  }

  /** Lets everything arrive, and checks that each tab shows what the cookies say. */
  async settle(): Promise<void> {
    const { world } = this;
    const { fate, delivery } = world;
    world.fate = fine;
    world.delivery = () => 2;
    for (const tab of this.tabs) tab.show();
    await world.pass(6 * minute);
    for (const { client } of this.tabs) {
      const shown = client.getState().data?.user.id;
      if (shown) assert.equal(shown, this.user, "a tab shows another user for ever");
    }
    for (const { client } of this.tabs) await world.until(client.getSession());
    const shown = this.tabs.map(({ client }) => client.getState().data?.user.id ?? "signed-out");
    assert.deepEqual(shown, this.tabs.map(() => this.user));
    assert.equal(world.issuer.count("reused"), 0);
    for (const tab of this.tabs.splice(0)) {
      tab.client.close();
      world.tabs.splice(world.tabs.indexOf(tab), 1);
    }
    Object.assign(world, { fate, delivery });
  }
}

for (const locks of [true, false]) {
  for (const channel of [true, false]) {
    test(`${locks ? "locks" : "no locks"} and ${channel ? "a channel" : "no channel"}: each tab shows whose cookies there are`, async () => {
      for (let seed = 1; seed <= 3; seed++) {
        const browser = new Browser(seed, { locks, channel });
        for (let n = 1; n <= 120; n++) {
          await browser.step();
          if (n % 40 === 0) await browser.settle();
        }
      }
    });
  }
}
