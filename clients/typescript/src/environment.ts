/** An event of the page: shown, restored from the back-forward cache, hidden, or back online. */
export type PageEvent = "show" | "restore" | "hide" | "online";

/** The part of BroadcastChannel that is used. */
export interface Channel {
  postMessage(message: unknown): void;
  onmessage: ((event: { data: unknown }) => void) | null;
  close(): void;
}

/** What the client needs from its runtime. The default is the browser or Node; tests and other runtimes replace it. */
export interface Environment {
  /** A monotonic clock, in milliseconds. */
  now(): number;
  /** The wall clock, in milliseconds. It may be wrong; only differences are used. */
  wall(): number;
  setTimeout(f: () => void, ms: number): unknown;
  clearTimeout(timer: unknown): void;
  /** A number from 0 to 1, for jitter. */
  random(): number;
  /** Whether the page is visible. False if there is no page. */
  visible(): boolean;
  /** Calls f on each event of the page, until the returned function is called. */
  listen(f: (event: PageEvent) => void): () => void;
  /** Web Locks; undefined if the runtime has none. */
  locks: Pick<LockManager, "request"> | undefined;
  /** Opens a channel to the other tabs of this origin; undefined if the runtime has none. */
  channel(name: string): Channel | undefined;
  /** The origin of the page or worker; undefined outside of a browser. */
  origin: string | undefined;
}

/** Returns the environment that the code runs in. */
export function here(): Environment {
  const page = typeof document === "object" ? document : undefined;
  // A worker shares locks and channels with the pages of its origin, and has no page.
  const browser = page !== undefined || "WorkerGlobalScope" in globalThis;
  const visible = () => page?.visibilityState === "visible";
  return {
    now: () => performance.now(),
    wall: () => Date.now(),
    setTimeout: (f, ms) => setTimeout(f, ms),
    clearTimeout: (timer) => clearTimeout(timer as number),
    random: Math.random,
    visible,
    listen(f) {
      if (!page) return () => {};
      const off = new AbortController();
      const on = (target: EventTarget, type: string, call: (event: Event) => void) =>
        target.addEventListener(type, call, { signal: off.signal });
      on(page, "visibilitychange", () => visible() && f("show"));
      on(globalThis, "pageshow", (e) => f((e as PageTransitionEvent).persisted ? "restore" : "show"));
      on(globalThis, "pagehide", () => f("hide"));
      on(globalThis, "online", () => f("online"));
      return () => off.abort();
    },
    locks: browser ? globalThis.navigator?.locks : undefined,
    channel: (name) =>
      browser && typeof BroadcastChannel === "function" ? (new BroadcastChannel(name) as Channel) : undefined,
    origin: browser ? (page ?? globalThis).location?.origin : undefined,
  };
}
