import { type Http, jitter, pause } from "./http.js";
import { type Key, maxKeySet, parseKeys } from "./keys.js";

const minAge = 5_000;
const maxAge = 24 * 3_600_000;
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

  /** Runs work, and once more with newer keys when there are any and it says that a key is unknown. */
  async withKeys<T>(work: () => Promise<T>, unknown: (error: unknown) => boolean): Promise<T> {
    const { generation } = this;
    try {
      return await work();
    } catch (error) {
      if (!unknown(error)) throw error;
      await this.renew(coolDown);
      if (this.generation === generation) throw error;
      return work();
    }
  }

  /** Fetches the keys, or waits for a fetch that is under way, but for one within quiet milliseconds of the last. */
  async renew(quiet = 0): Promise<void> {
    if (!this.underWay && performance.now() - this.begun < quiet) return;
    await this.start().catch(() => {}); // the fault is noted; the keys stay
  }

  /** Fetches the keys, or waits for a fetch that is under way. Rejects when they cannot be used. */
  start(): Promise<void> {
    if (this.underWay) return this.underWay;
    this.begun = performance.now();
    this.fetches++;
    this.underWay = this.fetch().then(
      () => {
        this.fault = this.underWay = undefined;
      },
      (error: Error) => {
        this.underWay = undefined;
        this.fault = error;
        throw error;
      },
    );
    return this.underWay;
  }

  private async fetch(): Promise<void> {
    const headers: Record<string, string> = { accept: "application/jwk-set+json" };
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

  /** Fetches the keys whenever they come of age, until the signal. */
  async run(): Promise<void> {
    let failures = 0;
    while (!this.signal.aborted) {
      await pause(failures ? jitter(Math.min(500 * 2 ** failures, longestRetry)) : this.age * (1 - Math.random() / 10), this.signal);
      if (!this.signal.aborted) await this.renew(minAge / 2);
      failures = this.fault ? failures + 1 : 0;
    }
  }
}

/** Returns how long an answer may be used (RFC 9111 §5.2.2.1), in milliseconds: 5 s to 24 h. */
function ageOf(headers: Headers): number {
  const seconds = /(?:^|[\s,])max-age="?(\d{1,9})\b/i.exec(headers.get("cache-control") ?? "")?.[1];
  return Math.min(Math.max(Number(seconds ?? 0) * 1000, minAge), maxAge);
}
