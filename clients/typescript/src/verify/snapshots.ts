import { IssuerFault } from "./errors.js";
import { jitter, pause } from "./http.js";
import type { Applied } from "./ledger.js";
import { longestSilence } from "./stream.js";

/** The least time from the end of a request for the snapshot to the next one, in milliseconds. */
const gap = 1_000;

const firstRetry = 1_000;

/**
 * Decides when the snapshot is taken (docs/feed.md, "Whatever happens to the stream"): whenever the stream does not prove that
 * the list is complete, and when it demands it. Times are by the monotonic clock.
 */
export class Snapshots {
  private demanded = true;
  private failures = 0;
  private endedAt = -Infinity;
  /** Not before this time, after a failure. */
  private retryAt = -Infinity;
  private provenAt = -Infinity;
  /** Whether an alive on the present connection was a proof. */
  private streamProves = false;
  private early = 1;
  private wake = () => {};
  private waiting: (() => void)[] = [];

  constructor(
    private readonly settings: { maxStaleness: number; signal: AbortSignal },
    private readonly take: () => Promise<Applied>,
  ) {}

  /** Asks for a snapshot as soon as possible. Resolves when that was tried. */
  demand(): Promise<void> {
    this.demanded = true;
    this.wake();
    return new Promise((resolve) => this.waiting.push(resolve));
  }

  /** Records that an alive has proven that the list is complete. */
  provenByStream(): void {
    this.provenAt = performance.now();
    this.streamProves = true;
  }

  /** Records that the stream has ended. */
  disconnected(): void {
    this.streamProves = false;
    this.wake();
  }

  /** Takes the snapshot. */
  async now(): Promise<void> {
    const { demanded } = this;
    this.demanded = false;
    this.early = 1 - Math.random() / 10;
    try {
      const { proof } = await this.take();
      if (!proof) return this.failed(0); // a repetition is as good as none
      this.failures = 0;
      this.provenAt = performance.now();
    } catch (error) {
      this.demanded ||= demanded;
      this.failed(error instanceof IssuerFault ? error.retryAfter : 0);
      throw error;
    } finally {
      this.endedAt = performance.now();
      for (const resolve of this.waiting.splice(0)) resolve();
    }
  }

  private failed(retryAfter: number): void {
    const { maxStaleness } = this.settings;
    const own = jitter(Math.min(firstRetry * 2 ** Math.min(this.failures++, 10), maxStaleness / 6));
    this.retryAt = performance.now() + Math.max(own, Math.min(retryAfter, maxStaleness / 3));
  }

  /** Takes snapshots until the signal aborts. */
  async run(failed: (error: unknown) => void): Promise<void> {
    const { signal } = this.settings;
    while (!signal.aborted) {
      await pause(this.due - performance.now(), signal, (end) => {
        this.wake = end;
      });
      this.wake = () => {};
      if (!signal.aborted && performance.now() >= this.due) await this.now().catch(failed);
    }
  }

  private get due(): number {
    const { maxStaleness } = this.settings;
    const wait = this.streamProves ? longestSilence(maxStaleness) : maxStaleness / 3;
    const routine = this.provenAt + wait * this.early;
    return Math.max(this.endedAt + gap, this.retryAt, this.demanded ? -Infinity : routine);
  }
}
