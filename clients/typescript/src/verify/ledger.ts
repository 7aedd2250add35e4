import { IssuerFault } from "./errors.js";
import type { Alive, Entry, Event, Snapshot } from "./messages.js";

/** The largest clock difference between issuer and verifier that the feed tolerates, in seconds. */
const skew = 60;

/** How long an entry is kept after its until, in seconds: a verifier whose clock is behind still accepts tokens then. */
const keepPast = 120;

/** The revocation list. An entry is never removed before its until: a revocation is final. */
export class RevocationList {
  private readonly entries = {
    session: new Map<string, Entry>(),
    user: new Map<string, Entry>(),
    client: new Map<string, Entry>(),
    everything: new Map<string, Entry>(),
  };

  /** Reports whether a session is on the list, or at or below a mark that covers it. */
  revoked(sid: string, user: string, client: string | undefined): boolean {
    const { session, everything, user: users, client: clients } = this.entries;
    if (session.has(sid)) return true;
    // The text of a sid sorts in the same order as its bytes.
    const marks = [everything.get(""), users.get(user), client === undefined ? undefined : clients.get(client)];
    return marks.some((mark) => mark !== undefined && sid <= mark.sid);
  }

  add(entry: Entry): void {
    const { kind, name, sid, until } = entry;
    const key = kind === "session" ? sid : name;
    const old = this.entries[kind].get(key);
    if (!old) this.entries[kind].set(key, entry);
    else this.entries[kind].set(key, { ...old, sid: old.sid > sid ? old.sid : sid, until: Math.max(old.until, until) });
  }

  /** Removes entries whose until is before a time, in seconds by the issuer's clock. */
  expire(before: number): void {
    for (const map of Object.values(this.entries))
      for (const [key, { until }] of map) if (until < before) map.delete(key);
  }

  get size(): number {
    return Object.values(this.entries).reduce((sum, map) => sum + map.size, 0);
  }
}

/**
 * The position of a verifier in the issuer's log, its list, and how fresh the list is. It checks and applies messages
 * whose signatures have been verified. A message that it refuses changes nothing.
 */
export class Ledger {
  readonly list = new RevocationList();
  /** The number of the newest entry applied. */
  seq = 0;
  /** The sid of that entry, if it is known. */
  private last: string | undefined;
  /** The iat of the newest message accepted, and of the newest that proved that the list is complete. */
  private newestIat = 0;
  private provenIat = 0;
  /** When the list was last known to be complete, by the monotonic clock and by the wall clock, in milliseconds. */
  private confirmed: { monotonic: number; wall: number } | undefined;

  constructor(
    private readonly issuer: string,
    private readonly maxStaleness: number,
    private readonly now: () => number,
  ) {}

  /** When the issuer last confirmed that the list is complete, in milliseconds since 1970. */
  get confirmedAt(): number | undefined {
    return this.confirmed?.wall;
  }

  /** Reports whether the list counts as complete, by both clocks: either of them may have stopped or been set. */
  get fresh(): boolean {
    if (!this.confirmed) return false;
    return Math.max(performance.now() - this.confirmed.monotonic, this.now() - this.confirmed.wall) <= this.maxStaleness;
  }

  /** Applies the next entry of the log. */
  event({ iss, iat, seq, prev, entry }: Event): void {
    this.checkPosition(iss, seq, prev, 1);
    this.list.add(entry);
    this.seq = seq;
    this.last = entry.sid;
    this.newestIat = Math.max(this.newestIat, iat);
  }

  /**
   * Applies the issuer's confirmation that no entry is missing, and reports whether it proves that now. A repetition of an
   * earlier one does not.
   */
  alive({ iss, iat, seq, last }: Alive): boolean {
    if (iss !== this.issuer) throw otherIssuer();
    if (iat <= this.provenIat && seq <= this.seq) return false;
    this.checkPosition(iss, seq, last, 0);
    this.checkTime(iat);
    this.last ??= last;
    this.list.expire(iat - keepPast);
    return this.prove(iat);
  }

  /**
   * Adds all entries of a snapshot. Since is the position at which it was asked for: if the stream has gone on meanwhile, the
   * position stays. A snapshot from before that position comes from an issuer whose backup was restored, or is old: it must be
   * newer than every message accepted before.
   */
  snapshot({ iss, iat, next, last, entries }: Snapshot, since: number): Applied {
    if (iss !== this.issuer) throw otherIssuer();
    this.checkTime(iat);
    const overtaken = next >= since && next < this.seq;
    const back = next < this.seq && !overtaken;
    if (back && iat <= this.newestIat) throw new IssuerFault("backwards", "The issuer's list is older than what was applied.");
    for (const entry of entries) this.list.add(entry);
    const moved = next !== this.seq && !overtaken;
    if (!overtaken) {
      this.seq = next;
      this.last = last;
    }
    this.list.expire(iat - keepPast);
    return { moved, back, proof: this.prove(iat) };
  }

  /** Throws unless seq is the present position plus step, and before is the sid of the entry applied last. */
  private checkPosition(iss: string, seq: number, before: string | undefined, step: number): void {
    if (iss !== this.issuer) throw otherIssuer();
    if (seq < this.seq + step) throw new IssuerFault("backwards", `The feed goes back to ${seq}, after ${this.seq}.`);
    if (seq > this.seq + step) throw new IssuerFault("gap", `The feed goes on at ${seq}, after ${this.seq}.`);
    if (before !== undefined && this.last !== undefined && before !== this.last)
      throw new IssuerFault("forked", `The feed is of another log at ${seq}.`);
  }

  /** Throws if the time of a message is further from the present than the tolerated clock difference allows. */
  private checkTime(iat: number): void {
    const age = this.now() / 1000 - iat;
    if (age > skew + this.maxStaleness / 1000 || age < -skew)
      throw new IssuerFault("clock", "A message of the feed is not of this time.");
  }

  /**
   * Records that the list was complete now, or earlier if the message was in transit for longer than clocks may differ. Reports
   * whether the message is newer than every one that proved it before. One that is not may have been repeated by anybody.
   */
  private prove(iat: number): boolean {
    this.newestIat = Math.max(this.newestIat, iat);
    if (iat <= this.provenIat) return false;
    this.provenIat = iat;
    const late = Math.max(0, this.now() - (iat + skew) * 1000);
    const confirmed = { monotonic: performance.now() - late, wall: this.now() - late };
    const before = this.confirmed;
    if (!before || confirmed.monotonic > before.monotonic || confirmed.wall > before.wall) this.confirmed = confirmed;
    return true;
  }
}

/** What a snapshot has changed. */
export interface Applied {
  /** Whether the position in the log is another. */
  moved: boolean;
  /** Whether it is an earlier one: the issuer's backup was restored. */
  back: boolean;
  /** Whether the snapshot proves that the list is complete. */
  proof: boolean;
}

function otherIssuer(): IssuerFault {
  return new IssuerFault("message", "A message of the feed is of another issuer.");
}
