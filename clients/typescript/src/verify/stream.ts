import { IssuerFault, VerifyError } from "./errors.js";
import { chunksOf, jitter, Linked, pause, timeout } from "./http.js";
import { type Frame, FrameReader } from "./sse.js";

const firstPause = 500;
const longestPause = 5_000;

/** The least time from the end of a connection to the next attempt, in milliseconds. */
const gap = 500;

/** Returns how long a stream may prove nothing, in milliseconds. The issuer sends an alive every 10 s. */
export const longestSilence = (maxStaleness: number) => Math.max((maxStaleness * 2) / 3, 12_000);

/** What a frame was: an alive that proves that the list is complete, one that repeats an earlier one, or something else. */
export type Heard = "proof" | "repetition" | "other";

/** What a stream is connected to. */
export interface Ends {
  /** Sends the request. */
  open(signal: AbortSignal): Promise<Response>;
  /** The headers have come. */
  opened(): void;
  /** Applies a frame. */
  apply(frame: Frame): Promise<Heard>;
  /** The stream has ended. */
  ended(fault: Error | undefined): void;
  /** A message could not be applied. Resolves when the snapshot was tried. */
  demand(): Promise<void>;
}

/** Keeps one stream connected, whatever happens to it. */
export class Stream {
  private failures = 0;
  private linked: Linked | undefined;
  /** Whether the position was moved by a snapshot, so that the stream must be connected again. */
  private moved = false;

  constructor(
    private readonly settings: { maxStaleness: number; signal: AbortSignal },
    private readonly ends: Ends,
  ) {}

  /** Connects again, from the present position. */
  restart(): void {
    this.moved = true;
    this.linked?.abort();
  }

  /** Reads streams until the signal aborts. */
  async run(): Promise<void> {
    const { signal, maxStaleness } = this.settings;
    while (!signal.aborted) {
      let asked = 0;
      try {
        await this.connect();
      } catch (error) {
        if (error instanceof IssuerFault) asked = Math.min(error.retryAfter, maxStaleness / 3);
      }
      const own = this.moved ? 0 : jitter(Math.min(firstPause * 2 ** Math.min(this.failures++, 10), longestPause));
      this.moved = false;
      await pause(Math.max(asked, own, gap * (1 + Math.random() / 2)), signal);
    }
  }

  /** Reads one connection. Rejects unless it ended after it was complete. */
  private async connect(): Promise<void> {
    const { signal, maxStaleness } = this.settings;
    const linked = (this.linked = new Linked(signal));
    let first: number | undefined;
    let applying = false;
    let fault: Error | undefined;
    try {
      linked.within(timeout);
      const response = await this.ends.open(linked.signal);
      linked.within(longestSilence(maxStaleness));
      if (!/^text\/event-stream\b/i.test(response.headers.get("content-type") ?? "")) {
        await response.body?.cancel().catch(() => {});
        throw new IssuerFault("message", "The stream has another content type.");
      }
      this.ends.opened();
      const frames = new FrameReader();
      for await (const chunk of chunksOf(response)) {
        applying = true;
        for (const frame of frames.push(chunk)) {
          const heard = await this.ends.apply(frame);
          if (linked.signal.aborted) return;
          if (heard === "other") continue;
          first ??= performance.now();
          if (heard === "proof") linked.within(longestSilence(maxStaleness));
        }
        applying = false;
      }
      if (first === undefined) throw new IssuerFault("lost", "The stream ended before it was complete.");
    } catch (error) {
      fault = this.faultOf(error, linked.signal.aborted);
      throw fault ?? error;
    } finally {
      linked.release();
      this.linked = undefined;
      if (first !== undefined && performance.now() - first >= maxStaleness / 3) this.failures = 0;
      this.ends.ended(fault);
      if (applying && fault && !linked.signal.aborted) await this.ends.demand();
    }
  }

  /** Returns the fault of a connection. It has none if this side has ended it on purpose. */
  private faultOf(error: unknown, aborted: boolean): Error | undefined {
    if (this.moved || this.settings.signal.aborted) return undefined;
    if (aborted) return new IssuerFault("lost", "Nothing new came on the stream for too long.");
    if (error instanceof IssuerFault || error instanceof VerifyError) return error;
    return new IssuerFault("lost", "The stream broke off.", 0, 0, { cause: error });
  }
}
