import { type Http, jitter, pause } from "./http.js";
import { type Key, maxKeySet, parseKeys } from "./keys.js";

const minAge = 5_000;
const maxAge = 24 * 3_600_000;
const firstRetry = 1_000;
const longestRetry = 60_000;

/** How long after a fetch an unknown kid causes no other fetch, in milliseconds. */
export const coolDown = 10_000;

/**
 * Holds the issuer's keys: exactly those of the newest good response, which stay in use until the next good response.
 */
export class Keyring {
  fetches = 0;
  /** The fault of the last fetch, if it failed. */
  fault: Error | undefined;
  private keys = new Map<string, Key>();
  private generation = 0;
  private etag: string | undefined;
  private age = minAge;
  private startedAt = -Infinity;
  private inProgress: Promise<void> | undefined;
  /** Whether another fetch must follow the one in progress. */
  private again = false;
  private failures = 0;
  private ended = () => {};

  constructor(
    private readonly http: Http,
    private readonly url: string,
    private readonly signal: AbortSignal,
  ) {}

  /** Returns a published key by its kid. */
  readonly find = (kid: string): Key | undefined => this.keys.get(kid);

  get ids(): string[] {
    return [...this.keys.keys()];
  }

  /**
   * Runs work. If its error says that a key is unknown, fetches the keys and, if they have changed, runs work once more.
   * It does not fetch within quiet milliseconds of the last fetch.
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

  /** Fetches the keys, or waits for the fetch in progress. It does not fetch within quiet milliseconds of the last fetch. */
  async renew(quiet = 0): Promise<void> {
    if (!this.inProgress && performance.now() - this.startedAt < quiet) return;
    await this.start().catch(() => {}); // the fault is recorded; the keys stay
  }

  /**
   * Fetches the keys again, because one of them may be compromised. If a fetch is in progress another one follows it,
   * because its response may still contain the compromised key.
   */
  refetch(): void {
    if (this.inProgress) this.again = true;
    else void this.renew();
  }

  /** Waits until no fetch is in progress. */
  async idle(): Promise<void> {
    while (this.inProgress) await this.inProgress.catch(() => {});
  }

  /** Fetches the keys, or waits for the fetch in progress. Rejects if the response cannot be used. */
  start(): Promise<void> {
    if (this.inProgress) return this.inProgress;
    this.startedAt = performance.now();
    this.fetches++;
    this.again = false;
    this.inProgress = this.fetch().then(
      () => this.end(undefined),
      (error: Error) => {
        this.end(error);
        throw error;
      },
    );
    return this.inProgress;
  }

  private end(fault: Error | undefined): void {
    this.fault = fault;
    this.failures = fault ? this.failures + 1 : 0;
    this.inProgress = undefined;
    if (this.again && !this.signal.aborted) void this.renew();
    this.ended();
  }

  private async fetch(): Promise<void> {
    // The current keys of the issuer, not those of an intermediate cache.
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

  /** Fetches the keys when their max-age has passed, and after failures, until the signal aborts. */
  async run(): Promise<void> {
    while (!this.signal.aborted) {
      let due = true;
      await pause(this.wait(), this.signal, (end) => {
        this.ended = () => {
          due = false; // another caller has fetched them: the max-age starts again
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
 * Returns the remaining freshness lifetime of a response (RFC 9111 §4.2), in milliseconds: its max-age minus its Age,
 * between 5 s and 24 h.
 */
function ageOf(headers: Headers): number {
  const seconds = /(?:^|[\s,])max-age="?(\d{1,9})\b/i.exec(headers.get("cache-control") ?? "")?.[1];
  const spent = /^\d{1,9}$/.exec(headers.get("age") ?? "")?.[0];
  return Math.min(Math.max((Number(seconds ?? 0) - Number(spent ?? 0)) * 1000, minAge), maxAge);
}
