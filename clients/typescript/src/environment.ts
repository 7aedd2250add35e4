/** What happens to the page: it is shown again, put away, or the network is back. */
export type PageEvent = "show" | "restore" | "hide" | "online";

/** The part of BroadcastChannel that is used. */
export interface Channel {
  postMessage(message: unknown): void;
  onmessage: ((event: { data: unknown }) => void) | null;
  close(): void;
}

/**
 * What the client needs of the place that it runs in. The default is the browser, or Node; another one
 * serves tests and other runtimes.
 */
export interface Environment {
  /** Milliseconds on a clock that never jumps. */
  now(): number;
  /** Milliseconds on the wall clock, which may be wrong. Only differences of it are used. */
  wall(): number;
  setTimeout(f: () => void, ms: number): unknown;
  clearTimeout(timer: unknown): void;
  /** A number from 0 to 1, for jitter. */
  random(): number;
  /** Whether a user can see the page. False where there is none. */
  visible(): boolean;
  /** Calls back on what happens to the page until the function that it returns is called. */
  listen(f: (event: PageEvent) => void): () => void;
  /** Web Locks; undefined where there are none. */
  locks: Pick<LockManager, "request"> | undefined;
  /** A channel to the other tabs of this origin; undefined where there is none. */
  channel(name: string): Channel | undefined;
  /** The origin of the page; undefined where there is none. */
  origin: string | undefined;
}

/** The environment that the code runs in. */
export function here(): Environment {
  const page = typeof document === "object" ? document : undefined;
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
    locks: page && globalThis.navigator?.locks,
    channel: (name) =>
      page && typeof BroadcastChannel === "function" ? (new BroadcastChannel(name) as Channel) : undefined,
    origin: page?.location?.origin,
  };
}
