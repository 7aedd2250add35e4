// A world for tests: one machine with one cookie jar, any number of tabs, and an issuer that follows the redeem
// table. Its time passes only when it is told to, so days take seconds.
import { type Client, createClient, type Environment, type Options, type PageEvent } from "../src/index.js";
import { Locks } from "./locks.js";
import { Issuer } from "./model.js";
import { randomness } from "./random.js";

interface Event {
  at: number;
  order: number;
  run: () => void;
}

/** What the network does with one exchange. */
export interface Fate {
  /** Milliseconds until the request arrives; undefined loses it. */
  request?: number | undefined;
  /** Milliseconds until the reply arrives; undefined loses it. */
  reply?: number | undefined;
  /** A second arrival of the same request, milliseconds after the first. */
  repeat?: number | undefined;
}

export class World {
  /** Milliseconds that have truly passed. */
  time = 0;
  /** How far the wall clock of the machine is off. */
  wallOffset = 1_700_000_000_000;
  /** How much of the time the monotonic clock missed, asleep. */
  asleep = 0;
  readonly random: () => number;
  readonly issuer: Issuer;
  readonly tabs: Tab[] = [];
  readonly locks: Locks | undefined;
  /** The cookie jar: what all tabs share. */
  readonly jar = new Map<string, string>();
  fate: () => Fate = () => ({ request: 10, reply: 10 });
  /** Milliseconds until a message reaches another tab; undefined loses it. */
  delivery: () => number | undefined = () => 1 + this.random() * 4;
  private events: Event[] = [];
  private order = 0;

  constructor(
    readonly settings: { seed?: number; locks?: boolean; channel?: boolean; lifetime?: number; mode?: Options["mode"] } = {},
  ) {
    this.random = randomness(settings.seed ?? 1);
    this.issuer = new Issuer(() => this.time, this.random, settings.lifetime ?? 300);
    this.locks = settings.locks === false ? undefined : new Locks();
  }

  after(ms: number, run: () => void): Event {
    const event = { at: this.time + Math.max(0, ms), order: this.order++, run };
    this.events.push(event);
    return event;
  }

  cancel(event: unknown): void {
    this.events = this.events.filter((other) => other !== event);
  }

  /** Lets time pass. */
  async pass(ms: number): Promise<void> {
    const end = this.time + ms;
    let idle = 0;
    await settle();
    for (;;) {
      const next = this.events.reduce<Event | undefined>(
        (best, e) => (!best || e.at < best.at || (e.at === best.at && e.order < best.order) ? e : best),
        undefined,
      );
      if (!next || next.at > end) break;
      idle = next.at > this.time ? 0 : idle + 1;
      if (idle > 10_000) throw new Error("time stands still: something repeats itself without a pause");
      this.time = Math.max(this.time, next.at);
      this.cancel(next);
      next.run();
      await settle();
    }
    this.time = end;
  }

  /** Lets time pass until a promise is settled, and returns its outcome. */
  async until<T>(promise: Promise<T>, limit = 600_000): Promise<T> {
    let done = false;
    const over = () => {
      done = true;
    };
    promise.then(over, over);
    for (const end = this.time + limit; !done && this.time < end; ) await this.pass(5);
    if (!done) throw new Error("the promise is not settled");
    return promise;
  }

  /** Closes the lid: nothing runs, and the monotonic clock stands still. */
  async sleep(ms: number): Promise<void> {
    for (const tab of this.tabs) tab.freeze();
    this.asleep += ms;
    await this.pass(ms);
    for (const tab of this.tabs) tab.thaw();
    await settle();
  }

  tab(options: Partial<Options> = {}): Tab {
    const tab = new Tab(this, options);
    this.tabs.push(tab);
    return tab;
  }

  /** Sets the cookies of a new session, as a sign-in page does. */
  signIn(user = "u1"): void {
    const { refresh_token, access_token } = this.issuer.mint(user);
    this.jar.set("session_token", refresh_token).set("access_token", access_token);
  }
}

/** Lets everything run that waits for nothing but its turn. */
export const settle = () => new Promise((resolve) => setImmediate(resolve));

/** One tab, or window, of the browser. */
export class Tab {
  readonly client: Client;
  readonly requests: string[] = [];
  private shown = true;
  private frozen: (() => void)[] | undefined;
  private heard: ((event: PageEvent) => void)[] = [];
  private channels: { name: string; onmessage: ((event: { data: unknown }) => void) | null }[] = [];

  constructor(
    readonly world: World,
    options: Partial<Options>,
  ) {
    this.client = createClient({
      baseURL: "https://auth.example",
      mode: world.settings.mode ?? "cookie",
      fetch: (input, init) => this.fetch(new Request(input, init), init?.signal),
      environment: this.environment(),
      ...options,
    });
  }

  private environment(): Environment {
    const { world } = this;
    return {
      now: () => world.time - world.asleep,
      wall: () => world.time + world.wallOffset,
      setTimeout: (f, ms) => world.after(ms, () => this.run(f)),
      clearTimeout: (timer) => world.cancel(timer),
      random: world.random,
      visible: () => this.shown,
      listen: (f) => {
        this.heard.push(f);
        return () => {
          this.heard = this.heard.filter((other) => other !== f);
        };
      },
      locks: world.locks?.of((f) => this.run(f)),
      channel: (name) => (world.settings.channel === false ? undefined : this.channel(name)),
      origin: "https://app.example",
    };
  }

  private channel(name: string) {
    const channel = {
      name,
      onmessage: null as ((event: { data: unknown }) => void) | null,
      postMessage: (message: unknown) => {
        const data = structuredClone(message);
        for (const tab of this.world.tabs)
          for (const other of tab.channels)
            if (other !== channel && other.name === name) {
              const delay = this.world.delivery();
              if (delay !== undefined) this.world.after(delay, () => tab.run(() => other.onmessage?.({ data })));
            }
      },
      close: () => {
        this.channels = this.channels.filter((other) => other !== channel);
      },
    };
    this.channels.push(channel);
    return channel;
  }

  /** Runs what the browser would: at once, or when the tab is no longer suspended. */
  run(f: () => void): void {
    if (this.frozen) this.frozen.push(f);
    else f();
  }

  freeze(): void {
    this.frozen ??= [];
  }

  thaw(): void {
    const held = this.frozen ?? [];
    this.frozen = undefined;
    for (const f of held) f();
  }

  show(): void {
    this.shown = true;
    this.happened("show");
  }

  hide(): void {
    this.shown = false;
  }

  happened(event: PageEvent): void {
    for (const f of [...this.heard]) this.run(() => f(event));
  }

  private fetch(request: Request, signal: AbortSignal | null | undefined): Promise<Response> {
    const { world } = this;
    const { pathname } = new URL(request.url);
    this.requests.push(`${request.method} ${pathname}`);
    const cookies = request.credentials === "include";
    const [sent, access] = cookies ? [world.jar.get("session_token"), world.jar.get("access_token")] : [];
    const fate = world.fate();
    return new Promise((resolve, reject) => {
      let over = false;
      // A Request only follows its signal while someone holds it.
      signal?.addEventListener("abort", () => {
        over = true;
        reject(new DOMException("given up", "AbortError"));
      });
      if (fate.request === undefined) return; // it goes nowhere, and nobody says so
      const arrive = () => world.issuer.answer(request.clone(), sent, access);
      world.after(fate.request, async () => {
        const answer = await arrive();
        if (fate.repeat !== undefined) world.after(fate.repeat, () => void arrive());
        if (fate.reply === undefined) return;
        world.after(fate.reply, () => {
          if (over) return;
          if (cookies && answer.cookie !== undefined) {
            if (!answer.cookie) world.jar.clear();
            else world.jar.set("session_token", answer.cookie);
            if (answer.access) world.jar.set("access_token", answer.access);
          }
          this.run(() => resolve(answer.response));
        });
      });
    });
  }
}
