import type { Environment } from "./environment.js";
import type { IssuerError } from "./errors.js";

/** Decides when to retry after a failure. */
export class Backoff {
  /** The last failure, until the next success. */
  error: IssuerError | undefined;
  private count = 0;
  private timerAt = 0;
  private callAt = 0;

  constructor(private readonly env: Environment) {}

  /** Records a failure. A failure that a retry cannot fix is retried only when the application asks for it. */
  failed(error: IssuerError): void {
    this.error = error;
    const { status, retryAfter } = error;
    if (status >= 400 && status < 500 && status !== 408 && status !== 429) {
      this.timerAt = this.callAt = Infinity;
      return;
    }
    const wait = Math.min(60_000, 1_000 * 2 ** this.count++) * (1 + this.env.random());
    this.timerAt = this.env.now() + Math.max(wait, retryAfter);
    this.callAt = this.env.now() + Math.max(Math.min(wait, 2_000), retryAfter);
  }

  succeeded(): void {
    this.error = undefined;
    this.count = this.timerAt = this.callAt = 0;
  }

  /** Allows one retry, at the request of the application, of a call that is not retried automatically. */
  asked(): void {
    if (this.callAt === Infinity) this.callAt = 0;
  }

  /** The network is back: retries soon, at a random time so that not all tabs retry at once. */
  online(): void {
    if (!this.error) return;
    this.count = this.callAt = 0;
    this.timerAt = this.env.now() + 1_000 * this.env.random();
  }

  /** How long the timer must wait, in milliseconds; Infinity if it must not retry. */
  get timerWait(): number {
    return Math.max(0, this.timerAt - this.env.now());
  }

  /** Whether a call must not be sent now. */
  get blocked(): boolean {
    return this.env.now() < this.callAt;
  }
}
