import type { Discovery, Endpoints } from "./discovery.js";
import { IssuerFault, isMisconfiguration } from "./errors.js";
import { type Http, unique } from "./http.js";
import { UnknownKey, verifyJWS } from "./jws.js";
import type { Keyring } from "./keyring.js";
import type { Applied, Ledger } from "./ledger.js";
import { type Entry, maxSnapshot, readAlive, readEvent, readSnapshot, types } from "./messages.js";
import { Reporter } from "./report.js";
import { Snapshots } from "./snapshots.js";
import type { Frame } from "./sse.js";
import { type Heard, Stream } from "./stream.js";

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

/** Returns the state of a feed that has not begun. */
export function noStats(): FeedStats {
  return { connected: false, connections: 0, snapshots: 0, faults: 0, rollbacks: 0, fault: undefined, delay: 0 };
}

/**
 * Follows the issuer's revocation log, as docs/feed.md specifies: it takes snapshots and reads the stream, each on its own, so
 * that nothing that happens to the stream stops the snapshots.
 */
export class Feed {
  readonly stats = noStats();
  private readonly snapshots: Snapshots;
  private readonly stream: Stream;
  private readonly reporter: Reporter;
  private streaming = false;

  constructor(
    private readonly http: Http,
    private readonly discovery: Discovery,
    private readonly keys: Keyring,
    private readonly ledger: Ledger,
    private readonly settings: { name: string; maxStaleness: number; now: () => number; signal: AbortSignal },
  ) {
    this.snapshots = new Snapshots(settings, () => this.takeSnapshot());
    this.stream = new Stream(settings, {
      open: (signal) => this.openStream(signal),
      opened: () => this.stats.connections++,
      apply: (frame) => this.apply(frame),
      ended: (fault) => this.ended(fault),
      demand: () => this.snapshots.demand(),
    });
    this.reporter = new Reporter(http, discovery, settings.signal, () => this.report());
  }

  /**
   * Tries to fetch the snapshot, and follows the log from then on. If the issuer does not answer, the list is fetched in the
   * background. Rejects if the issuer has no feed or refuses the service key.
   */
  async start(): Promise<void> {
    await this.snapshots.now().catch((error: unknown) => {
      if (isMisconfiguration(error)) throw error;
      this.failed(error);
    });
    void this.snapshots.run((error) => this.failed(error));
  }

  private report() {
    return { verifier: this.settings.name, seq: this.ledger.seq, delay_ms: Math.round(this.stats.delay) };
  }

  private failed(error: unknown): void {
    if (this.settings.signal.aborted) return;
    this.stats.fault = error as Error;
    this.stats.faults++;
  }

  private async endpoints(): Promise<NonNullable<Endpoints["feed"]>> {
    const { feed } = await this.discovery.endpoints();
    if (!feed) throw new IssuerFault("discovery", "The issuer has no revocation feed.");
    return feed;
  }

  private async takeSnapshot(): Promise<Applied> {
    const { signal, maxStaleness } = this.settings;
    const { snapshot } = await this.endpoints();
    const { seq } = this.ledger;
    const call = { headers: { accept: "application/jwt" }, signal, within: maxStaleness / 3 };
    const { text } = await this.http.fetch(unique(`${snapshot}?`), call, maxSnapshot);
    const list = readSnapshot(await this.verify(text, types.snapshot, maxSnapshot));
    const applied = this.ledger.snapshot(list, seq);
    this.refetchKeysIfEverythingRevoked(list.entries);
    if (applied.back) this.stats.rollbacks++;
    this.stats.snapshots++;
    if (applied.moved) this.stream.restart();
    this.noteApplied(0);
    this.startStreaming();
    return applied;
  }

  /** Reads the stream from now on: there is a position from which to resume it. */
  private startStreaming(): void {
    if (this.streaming) return;
    this.streaming = true;
    void this.stream.run();
    void this.reporter.run();
  }

  private verify(text: string, typ: string, limit?: number): Promise<Uint8Array> {
    const once = () => verifyJWS(text, typ, this.keys.find, limit);
    // Without the cool-down for tokens, which an attacker could keep active. If the key is not found the connection
    // ends, so the pauses between connections limit the fetches.
    return this.keys.withKeys(once, (error) => error instanceof UnknownKey, 0);
  }

  private async openStream(signal: AbortSignal): Promise<Response> {
    const { stream } = await this.endpoints();
    const headers = { accept: "text/event-stream", "cache-control": "no-store", "last-event-id": String(this.ledger.seq) };
    return this.http.open(unique(`${stream}?`), { headers, signal });
  }

  private ended(fault: Error | undefined): void {
    this.stats.connected = false;
    this.snapshots.disconnected();
    if (fault) this.failed(fault);
  }

  /** Applies one frame. Frames of unknown names are skipped. */
  private async apply({ event, id, data }: Frame): Promise<Heard> {
    if (event === "gone") throw new IssuerFault("gone", "The issuer no longer has the events after the resume point.");
    if (event === "revoked") await this.revoked(id, data);
    if (event !== "alive") return "other";
    const proof = this.ledger.alive(readAlive(await this.verify(data, types.alive)));
    this.stats.connected = true;
    this.stats.fault = undefined;
    if (!proof) return "repetition";
    this.snapshots.provenByStream();
    return "proof";
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
    this.reporter.note();
  }
}
