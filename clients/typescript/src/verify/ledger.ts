import { IssuerFault } from "./errors.js";
import type { Alive, Entry, Event, Snapshot } from "./messages.js";

/** How far the clocks of issuer and verifier may differ for the feed, in seconds. */
const skew = 60;

/** How long an entry is kept after its end, in seconds: a verifier whose clock is behind accepts tokens then. */
const keepPast = 120;

/** What is revoked. An entry never leaves before its end: a revocation cannot be taken back. */
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
    // The text of a session's id sorts as its bytes do.
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

  /** Forgets entries that ended before a time in seconds, by the issuer's clock. */
  expire(before: number): void {
    for (const map of Object.values(this.entries))
      for (const [key, { until }] of map) if (until < before) map.delete(key);
  }

  get size(): number {
    return Object.values(this.entries).reduce((sum, map) => sum + map.size, 0);
  }
}

/**
 * What a verifier has read of the issuer's log, and how fresh that is. It judges messages whose signatures have been
 * verified. What it refuses changes nothing.
 */
export class Ledger {
  readonly list = new RevocationList();
  /** The number of the newest entry applied. */
  seq = 0;
  /** The sid in that entry, if it is known. */
  private last: string | undefined;
  /** The iat of the newest message accepted. */
  private newest = 0;
  /** When the list was complete, by the clock that only runs and by the one that is set, in milliseconds. */
  private heard: { running: number; set: number } | undefined;

  constructor(
    private readonly issuer: string,
    private readonly maxStaleness: number,
    private readonly now: () => number,
  ) {}

  /** When the issuer last said that the list is complete, in milliseconds since 1970. */
  get heardAt(): number | undefined {
    return this.heard?.set;
  }

  /** Reports whether the list counts as complete. A clock that stood still does not hide how long that was. */
  get fresh(): boolean {
    if (!this.heard) return false;
    return Math.max(performance.now() - this.heard.running, this.now() - this.heard.set) <= this.maxStaleness;
  }

  /** Applies the next entry of the log. */
  event({ iss, iat, seq, prev, entry }: Event): void {
    this.follows(iss, seq, prev, 1);
    this.list.add(entry);
    this.seq = seq;
    this.last = entry.sid;
    this.newest = Math.max(this.newest, iat);
  }

  /** Takes the issuer's word that nothing is missing. */
  alive({ iss, iat, seq, last }: Alive): void {
    this.follows(iss, seq, last, 0);
    this.timely(iat);
    this.last ??= last;
    this.hear(iat);
    this.list.expire(iat - keepPast);
  }

  /**
   * Adds a whole list, and reports whether it goes back in the log. One that does is that of an issuer whose backup
   * was restored, or an old one: it must be newer than every other message.
   */
  snapshot({ iss, iat, next, last, entries }: Snapshot): boolean {
    if (iss !== this.issuer) throw new IssuerFault("message", "A message of the feed is of another issuer.");
    this.timely(iat);
    const back = next < this.seq;
    if (back && iat <= this.newest) throw new IssuerFault("backwards", "The issuer's list is older than what was applied.");
    for (const entry of entries) this.list.add(entry);
    this.seq = next;
    this.last = last;
    this.hear(iat);
    this.list.expire(iat - keepPast);
    return back;
  }

  /** Refuses a message about an entry that does not come step after the newest one. */
  private follows(iss: string, seq: number, before: string | undefined, step: number): void {
    if (iss !== this.issuer) throw new IssuerFault("message", "A message of the feed is of another issuer.");
    if (seq < this.seq + step) throw new IssuerFault("backwards", `The feed goes back to ${seq}, after ${this.seq}.`);
    if (seq > this.seq + step) throw new IssuerFault("gap", `The feed goes on at ${seq}, after ${this.seq}.`);
    if (before !== undefined && this.last !== undefined && before !== this.last)
      throw new IssuerFault("forked", `The feed is of another log at ${seq}.`);
  }

  /** Refuses a message that cannot be of this time by any clock that is tolerated. */
  private timely(iat: number): void {
    const age = this.now() / 1000 - iat;
    if (age > skew + this.maxStaleness / 1000 || age < -skew)
      throw new IssuerFault("clock", "A message of the feed is not of this time.");
  }

  /** Notes that the list was complete: now, unless the message was under way for longer than clocks may differ. */
  private hear(iat: number): void {
    this.newest = Math.max(this.newest, iat);
    const late = Math.max(0, this.now() - (iat + skew) * 1000);
    const heard = { running: performance.now() - late, set: this.now() - late };
    if (!this.heard || heard.running > this.heard.running || heard.set > this.heard.set) this.heard = heard;
  }
}
