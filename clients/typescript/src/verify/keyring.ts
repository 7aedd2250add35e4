import { type Http, jitter, pause } from "./http.js";
import { type Key, maxKeySet, parseKeys } from "./keys.js";

const minAge = 5_000;
const maxAge = 24 * 3_600_000;
const firstRetry = 1_000;
const longestRetry = 60_000;

/** How long an unknown key id causes no other fetch, in milliseconds. */
export const coolDown = 10_000;

/**
 * Holds the issuer's keys. It keeps those of the last good answer for as long as no other comes; a key that is not in
 * the newest good answer is gone.
 */
export class Keyring {
  fetches = 0;
  /** What was wrong with the last answer. */
  fault: Error | undefined;
  private keys = new Map<string, Key>();
  private generation = 0;
  private etag: string | undefined;
  private age = minAge;
  private begun = -Infinity;
  private underWay: Promise<void> | undefined;
  /** Another fetch is to follow the one that is under way. */
  private again = false;
  private failures = 0;
  private ended = () => {};

  constructor(
    private readonly http: Http,
    private readonly url: string,
    private readonly signal: AbortSignal,
  ) {}

  /** Returns a key that the issuer publishes. */
  readonly find = (kid: string): Key | undefined => this.keys.get(kid);

  get ids(): string[] {
    return [...this.keys.keys()];
  }

  /**
   * Runs work, and once more with newer keys when there are any and it says that a key is unknown. They are not looked
   * for within quiet milliseconds of the last time.
   */
  async withKeys<T>(work: () => Promise<T>, unknown: (error: unknown) => boolean, quiet = coolDown): Promise<T> {
    const { generation } = this;
    try {
      return await work();
    } catch (error) {
      if (!unknown(error)) throw error;
      await this.renew(quiet);
      if (this.generation === generation) throw error;
      return work();
    }
  }

  /** Fetches the keys, or waits for a fetch that is under way, but for one within quiet milliseconds of the last. */
  async renew(quiet = 0): Promise<void> {
    if (!this.underWay && performance.now() - this.begun < quiet) return;
    await this.start().catch(() => {}); // the fault is noted; the keys stay
  }

  /**
   * Makes sure that the keys are fetched from now on: a key of those that are held may be compromised, and what is
   * under way may have been answered before it was taken away.
   */
  distrust(): void {
    if (this.underWay) this.again = true;
    else void this.renew();
  }

  /** Waits for a fetch that is under way, and for the one that is to follow. */
  async settled(): Promise<void> {
    while (this.underWay) await this.underWay.catch(() => {});
  }

  /** Fetches the keys, or waits for a fetch that is under way. Rejects when they cannot be used. */
  start(): Promise<void> {
    if (this.underWay) return this.underWay;
    this.begun = performance.now();
    this.fetches++;
    this.again = false;
    this.underWay = this.fetch().then(
      () => this.end(undefined),
      (error: Error) => {
        this.end(error);
        throw error;
      },
    );
    return this.underWay;
  }

  private end(fault: Error | undefined): void {
    this.fault = fault;
    this.failures = fault ? this.failures + 1 : 0;
    this.underWay = undefined;
    if (this.again && !this.signal.aborted) void this.renew();
    this.ended();
  }

  private async fetch(): Promise<void> {
    // As the issuer has them, and not as a cache on the way did.
    const headers: Record<string, string> = { accept: "application/jwk-set+json", "cache-control": "no-cache" };
    if (this.etag) headers["if-none-match"] = this.etag;
    const call = { open: true, headers, want: this.etag ? [304] : [], signal: this.signal };
    const answer = await this.http.fetch(this.url, call, maxKeySet);
    if (answer.status !== 304) {
      this.keys = await parseKeys(answer.text);
      this.generation++;
      this.etag = answer.headers.get("etag") ?? undefined;
    }
    this.age = ageOf(answer.headers);
  }

  /** Fetches the keys whenever they come of age, or a fetch of them has failed, until the signal. */
  async run(): Promise<void> {
    while (!this.signal.aborted) {
      let due = true;
      await pause(this.wait(), this.signal, (end) => {
        this.ended = () => {
          due = false; // whoever began it: the time runs from there
          end();
        };
      });
      this.ended = () => {};
      if (due && !this.signal.aborted) await this.renew(firstRetry / 2);
    }
  }

  private wait(): number {
    if (!this.failures) return this.age * (1 - Math.random() / 10);
    return jitter(Math.min(firstRetry * 2 ** (this.failures - 1), longestRetry));
  }
}

/**
 * Returns for how long an answer may be used from now on (RFC 9111 §4.2), in milliseconds: its max-age less the time
 * that it has spent in caches, 5 s to 24 h.
 */
function ageOf(headers: Headers): number {
  const seconds = /(?:^|[\s,])max-age="?(\d{1,9})\b/i.exec(headers.get("cache-control") ?? "")?.[1];
  const spent = /^\d{1,9}$/.exec(headers.get("age") ?? "")?.[0];
  return Math.min(Math.max((Number(seconds ?? 0) - Number(spent ?? 0)) * 1000, minAge), maxAge);
}
