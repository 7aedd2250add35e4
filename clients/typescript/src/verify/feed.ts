import type { Endpoints } from "./discovery.js";
import { IssuerFault } from "./errors.js";
import { chunksOf, type Http, jitter, Linked, pause } from "./http.js";
import { UnknownKey, verifyJWS } from "./jws.js";
import type { Keyring } from "./keyring.js";
import type { Ledger } from "./ledger.js";
import { type Entry, maxSnapshot, readAlive, readEvent, readSnapshot, types } from "./messages.js";
import { type Frame, FrameReader } from "./sse.js";

const firstPause = 500;
const longestPause = 5_000;
const reportEvery = 1_000;
const repeatEvery = 60_000;

/** The state and the counters of the feed. */
export interface FeedStats {
  connected: boolean;
  connections: number;
  snapshots: number;
  faults: number;
  rollbacks: number;
  fault: Error | undefined;
  /** Milliseconds from the newest revocation until it was applied. */
  delay: number;
}

/** Follows the issuer's revocation log, as docs/feed.md specifies. */
export class Feed {
  readonly stats: FeedStats = {
    connected: false,
    connections: 0,
    snapshots: 0,
    faults: 0,
    rollbacks: 0,
    fault: undefined,
    delay: 0,
  };
  private failures = 0;
  private resync = false;
  private wakeReporter = () => {};

  constructor(
    private readonly http: Http,
    private readonly where: { snapshot: string; stream: string },
    private readonly keys: Keyring,
    private readonly ledger: Ledger,
    private readonly settings: { name: string; maxStaleness: number; now: () => number; signal: AbortSignal },
  ) {}

  /** Returns the endpoints of the feed. Throws if the issuer has none. */
  static endpoints({ snapshot, stream }: Endpoints): { snapshot: string; stream: string } {
    if (snapshot && stream) return { snapshot, stream };
    throw new IssuerFault("discovery", "The issuer has no revocation feed.");
  }

  /** Fetches the snapshot and applies it. */
  async snapshot(): Promise<void> {
    const call = { headers: { accept: "application/jwt" }, signal: this.settings.signal };
    const { text } = await this.http.fetch(this.where.snapshot, call, maxSnapshot);
    const list = readSnapshot(await this.verify(text, types.snapshot, maxSnapshot));
    const back = this.ledger.snapshot(list);
    this.refetchKeysIfEverythingRevoked(list.entries);
    if (back) this.stats.rollbacks++;
    this.stats.snapshots++;
    this.noteApplied(0);
    this.resync = false;
  }

  /** Follows the log until the signal aborts. */
  async run(): Promise<void> {
    const { signal } = this.settings;
    void this.report();
    while (!signal.aborted) {
      let wait = 0;
      try {
        if (this.resync) await this.snapshot();
        await this.stream();
      } catch (error) {
        if (signal.aborted) return;
        this.stats.fault = error as Error;
        this.stats.faults++;
        // After any fault other than a lost connection the snapshot is fetched.
        if (!(error instanceof IssuerFault) || error.kind !== "lost") this.resync = true;
        if (error instanceof IssuerFault) wait = jitter(2 * error.retryAfter);
      }
      this.stats.connected = false;
      const own = jitter(Math.min(firstPause * 2 ** Math.min(this.failures++, 10), longestPause));
      await pause(Math.max(wait, own), signal);
    }
  }

  private verify(text: string, typ: string, limit?: number): Promise<Uint8Array> {
    const once = () => verifyJWS(text, typ, this.keys.find, limit);
    // Without the cool-down for tokens, which an attacker could keep active. If the key is not found the connection
    // ends, so the pauses between connections limit the fetches.
    return this.keys.withKeys(once, (error) => error instanceof UnknownKey, 0);
  }

  /** Reads the stream until it ends, or until no alive has come for too long. */
  private async stream(): Promise<void> {
    const { signal, maxStaleness } = this.settings;
    const linked = new Linked(signal);
    const alive = () => linked.within((maxStaleness * 2) / 3);
    alive();
    const headers = { accept: "text/event-stream", "cache-control": "no-store", "last-event-id": String(this.ledger.seq) };
    try {
      const response = await this.http.open(this.where.stream, { headers, signal: linked.signal });
      if (!/^text\/event-stream\b/i.test(response.headers.get("content-type") ?? "")) {
        await response.body?.cancel().catch(() => {});
        throw new IssuerFault("message", "The stream has another content type.");
      }
      this.stats.connections++;
      const frames = new FrameReader();
      for await (const chunk of chunksOf(response))
        for (const frame of frames.push(chunk)) {
          await this.apply(frame);
          if (frame.event === "alive") alive();
        }
      if (!this.stats.connected) throw new IssuerFault("lost", "The stream ended before it was complete.");
    } catch (error) {
      if (error instanceof Error && "reason" in error) throw error; // a VerifyError
      throw error instanceof IssuerFault ? error : new IssuerFault("lost", "The stream broke off.");
    } finally {
      linked.release();
    }
  }

  /** Applies one frame. */
  private async apply({ event, id, data }: Frame): Promise<void> {
    if (event === "revoked") return this.revoked(id, data);
    if (event === "gone") throw new IssuerFault("gone", "The issuer no longer has the events after the resume point.");
    if (event !== "alive") throw new IssuerFault("message", "The feed has an unknown frame.");
    this.ledger.alive(readAlive(await this.verify(data, types.alive)));
    this.failures = 0;
    this.stats.connected = true;
    this.stats.fault = undefined;
  }

  private async revoked(id: string, data: string): Promise<void> {
    const event = readEvent(await this.verify(data, types.event));
    if (id !== String(event.seq)) throw new IssuerFault("message", "A frame's id is not the event's number.");
    this.ledger.event(event);
    this.noteApplied(Math.max(0, this.settings.now() - event.at));
    this.refetchKeysIfEverythingRevoked([event.entry]);
  }

  /** Fetches the keys again if everything was revoked: this is how the issuer announces a compromised key. */
  private refetchKeysIfEverythingRevoked(entries: readonly Entry[]): void {
    if (entries.some(({ kind }) => kind === "everything")) this.keys.refetch();
  }

  private noteApplied(delay: number): void {
    this.stats.delay = delay;
    this.wakeReporter();
  }

  /** Reports to the issuer what was applied, at most once a second and at least once a minute. */
  private async report(): Promise<void> {
    const { signal, name } = this.settings;
    while (!signal.aborted) {
      const { seq } = this.ledger;
      const body = JSON.stringify({ verifier: name, seq, delay_ms: Math.round(this.stats.delay) });
      const headers = { "content-type": "application/json" };
      const sent = this.http
        .fetch(`${this.where.snapshot}/applied`, { method: "POST", headers, body, want: [204], signal }, 4 << 10)
        .then(
          () => true,
          (error: IssuerFault) => error.kind === "lost", // the feed handles a lost connection itself
        );
      // After a refused report the next one waits longer than a second.
      await pause((await sent) ? reportEvery : jitter(repeatEvery / 2), signal);
      if (this.ledger.seq !== seq) continue;
      await pause(repeatEvery, signal, (end) => {
        this.wakeReporter = end;
      });
    }
  }
}
