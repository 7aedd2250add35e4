import type { Discovery } from "./discovery.js";
import { IssuerFault } from "./errors.js";
import { after, type Answer, type Http, jitter, timeout, unique } from "./http.js";
import { type Key, maxKeySet, parseKeys } from "./keys.js";

const minAge = 5_000;
const maxAge = 24 * 3_600_000;
const firstRetry = 1_000;
const longestRetry = 60_000;

/** How long keys of the feed are used before they are fetched again. Those of the JWKS are used for its max-age. */
const feedAge = 300_000;

/** How much later than planned a fetch may be before its timer counts as lost. */
const grace = 5_000;

/** An answer with keys. */
interface Fetched {
  answer: Answer;
  /** How long they are used before they are fetched again, in milliseconds. */
  age: number;
  etag: string | undefined;
}

/** How long after a fetch an unknown kid causes no other fetch, in milliseconds. */
export const coolDown = 10_000;

/**
 * Holds the issuer's keys: exactly those of the newest good response, which stay in use until the next good response.
 * They come from the JWKS, which a shared cache may answer, or from the feed, whose keys no cache has.
 */
export class Keyring {
  fetches = 0;
  /** Where the next fetch takes the keys from. */
  source: "jwks" | "feed" = "jwks";
  /** The fault of the last fetch, if it failed. */
  fault: Error | undefined;
  private keys = new Map<string, Key>();
  private generation = 0;
  private etag: string | undefined;
  private age = minAge;
  /** Whether the issuer has answered with the keys of the feed. */
  private feedAnswered = false;
  private startedAt = -Infinity;
  /** When the next fetch is planned, by the monotonic clock. */
  private planned = Infinity;
  private inProgress: Promise<void> | undefined;
  /** Whether another fetch must follow the one in progress. */
  private again = false;
  private failures = 0;
  private stop = () => {};

  constructor(
    private readonly http: Http,
    private readonly discovery: Discovery,
    private readonly signal: AbortSignal,
  ) {}

  /** Returns a published key by its kid. */
  readonly find = (kid: string): Key | undefined => this.keys.get(kid);

  get ids(): string[] {
    return [...this.keys.keys()];
  }

  /**
   * Whether the planned fetch has not happened. That is so in a runtime that ends timers with the request that set them; the
   * keys are then fetched when a token is verified.
   */
  get overdue(): boolean {
    return performance.now() > this.planned + grace;
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
    if (!this.fetching && performance.now() - this.startedAt < quiet) return;
    await this.start().catch(() => {}); // the fault is recorded; the keys stay
  }

  /**
   * Fetches the keys again, because one of them may be compromised. If a fetch is in progress another one follows it,
   * because its response may still contain the compromised key.
   */
  refetch(): void {
    if (this.fetching) this.again = true;
    else void this.renew();
  }

  /** Whether a fetch is in progress. One that has taken too long was abandoned, with the request that started it. */
  private get fetching(): boolean {
    return this.inProgress !== undefined && performance.now() - this.startedAt < 3 * timeout;
  }

  /** Waits until no fetch is in progress. */
  async idle(): Promise<void> {
    while (this.inProgress && this.fetching) await this.inProgress.catch(() => {});
  }

  /** Fetches the keys, or waits for the fetch in progress. Rejects if the response cannot be used. */
  start(): Promise<void> {
    if (this.inProgress && this.fetching) return this.inProgress;
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
    this.plan();
    if (this.again && !this.signal.aborted) void this.renew();
  }

  private async fetch(): Promise<void> {
    const { answer, age, etag } = (this.source === "feed" ? await this.fetchFromFeed() : undefined) ?? (await this.fetchJWKS());
    if (answer.status !== 304) {
      this.keys = await parseKeys(answer.text);
      this.generation++;
      this.etag = etag;
    }
    this.age = age;
  }

  /**
   * Fetches the keys of the feed. Returns nothing if the issuer does not have that address, as an older one. Once the issuer has
   * answered there a 404 is a fault, because the JWKS in a cache may still contain a compromised key.
   */
  private async fetchFromFeed(): Promise<Fetched | undefined> {
    const { feed } = await this.discovery.endpoints();
    if (!feed) return undefined;
    const headers = { accept: "application/jwk-set+json", "cache-control": "no-cache" };
    try {
      const answer = await this.http.fetch(unique(`${feed.keys}?`), { headers, signal: this.signal }, maxKeySet);
      this.feedAnswered = true;
      return { answer, age: feedAge, etag: undefined };
    } catch (error) {
      if (!this.feedAnswered && error instanceof IssuerFault && error.status === 404) return undefined;
      throw error;
    }
  }

  private async fetchJWKS(): Promise<Fetched> {
    const { jwks } = await this.discovery.endpoints();
    const headers: Record<string, string> = { accept: "application/jwk-set+json", "cache-control": "no-cache" };
    if (this.etag) headers["if-none-match"] = this.etag;
    const call = { open: true, headers, want: this.etag ? [304] : [], signal: this.signal };
    const answer = await this.http.fetch(jwks, call, maxKeySet);
    return { answer, age: ageOf(answer.headers), etag: answer.headers.get("etag") ?? undefined };
  }

  /**
   * Plans the next fetch. Each fetch sets the timer of the next one, because a runtime that ends timers with the request that set
   * them does not let another request continue what waits for one.
   */
  private plan(): void {
    this.stop();
    const wait = this.wait();
    this.planned = performance.now() + wait;
    this.stop = after(wait, () => {
      if (!this.signal.aborted) void this.renew(firstRetry / 2);
    });
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
