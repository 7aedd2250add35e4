import type { Environment } from "./environment.js";
import type { IssuerError } from "./errors.js";

/** Decides when to try again after failures. */
export class Backoff {
  /** The last failure, until a success. */
  error: IssuerError | undefined;
  private count = 0;
  private timerAt = 0;
  private callAt = 0;

  constructor(private readonly env: Environment) {}

  /** Notes a failure. One that a repetition cannot mend is not repeated until someone asks for it. */
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

  /** Lets someone who asks for it try what will not be repeated by itself. */
  asked(): void {
    if (this.callAt === Infinity) this.callAt = 0;
  }

  /** The network is back: tries again soon, but not all tabs at once. */
  online(): void {
    if (!this.error) return;
    this.count = this.callAt = 0;
    this.timerAt = this.env.now() + 1_000 * this.env.random();
  }

  /** How long the timer has to wait, in milliseconds: infinite when it is not to try again. */
  get timerWait(): number {
    return Math.max(0, this.timerAt - this.env.now());
  }

  /** Whether a call must not try now. */
  get blocked(): boolean {
    return this.env.now() < this.callAt;
  }
}
