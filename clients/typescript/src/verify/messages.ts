import { isName } from "./claims.js";
import { IssuerFault } from "./errors.js";
import { type JSONValue, strictObject, utf8 } from "./json.js";

/** The types of the signed messages (docs/feed.md). */
export const types = { event: "secevent+jwt", alive: "revocations-alive+jwt", snapshot: "revocations+jwt" } as const;

/** The largest signed snapshot, in bytes. */
export const maxSnapshot = 64 << 20;

const sessionRevoked = "https://schemas.openid.net/secevent/caep/event-type/session-revoked";
const maxTime = 253402300799;

/** An entry: a revoked session, or a mark over the sessions of a user, of a client, or of everybody. */
export interface Entry {
  kind: "session" | "user" | "client" | "everything";
  /** The user or the client of a mark; empty otherwise. */
  name: string;
  sid: string;
  /** When it may be removed, in seconds by the issuer's clock. */
  until: number;
}

/** The members that all messages have. */
interface Message {
  iss: string;
  /** In seconds. */
  iat: number;
}

/** One revocation, and its position in the log. */
export interface Event extends Message {
  seq: number;
  entry: Entry;
  /** The sid of the previous entry, unless that entry was purged. */
  prev: string | undefined;
  /** When it was revoked, in milliseconds. */
  at: number;
}

/** The issuer's confirmation of where the log ends. */
export interface Alive extends Message {
  seq: number;
  last: string | undefined;
}

/** All entries that verifiers still need. */
export interface Snapshot extends Message {
  next: number;
  last: string | undefined;
  entries: Entry[];
}

const malformed = (what: string) => new IssuerFault("message", `A message of the feed is malformed: ${what}.`);

/** Reads the members of one object. */
class Members {
  constructor(private readonly value: { [name: string]: JSONValue }) {}

  static parse(payload: Uint8Array): Members {
    try {
      const text = utf8(payload);
      strictObject(text, 8);
      return new Members(JSON.parse(text));
    } catch {
      throw malformed("not strict JSON");
    }
  }

  static of(value: JSONValue | undefined, what: string): Members {
    if (typeof value !== "object" || value === null || Array.isArray(value)) throw malformed(`${what} is not an object`);
    return new Members(value);
  }

  get(name: string): JSONValue | undefined {
    return Object.hasOwn(this.value, name) ? this.value[name] : undefined;
  }

  text(name: string, optional = false): string {
    const value = this.get(name) ?? (optional ? "" : undefined);
    if (typeof value !== "string") throw malformed(`${name} is not a text`);
    return value;
  }

  whole(name: string, least: number, most: number): number {
    const value = this.get(name);
    if (typeof value !== "number" || !Number.isInteger(value) || value < least || value > most)
      throw malformed(`${name} is not a whole number in range`);
    return value;
  }

  time(name: string): number {
    return this.whole(name, 1, maxTime);
  }

  sid(name: string): string {
    const value = this.get(name);
    if (typeof value !== "string" || !isSessionID(value)) throw malformed(`${name} is no session`);
    return value;
  }

  optionalSid(name: string): string | undefined {
    return this.get(name) === undefined ? undefined : this.sid(name);
  }

  object(name: string): Members {
    return Members.of(this.get(name), name);
  }

  list(name: string): Members[] {
    const value = this.get(name);
    if (!Array.isArray(value)) throw malformed(`${name} is not an array`);
    return value.map((one) => Members.of(one, name));
  }
}

/** Reports whether a text is a session id: a UUIDv7 in canonical form (RFC 9562). */
export function isSessionID(text: string): boolean {
  return /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(text);
}

/** Reads an event whose signature and type have been verified. */
export function readEvent(payload: Uint8Array): Event {
  const all = Members.parse(payload);
  if (all.get("sub") !== undefined || all.get("exp") !== undefined) throw malformed("it has sub or exp");
  if (!/^[^]{1,255}$/.test(all.text("jti"))) throw malformed("jti is missing or too long");
  const iss = all.text("iss");
  const revoked = all.object("events").get(sessionRevoked);
  if (revoked === undefined) throw malformed("its type is not known");
  const event = Members.of(revoked, "the event");
  const at = event.whole("at_ms", 1, maxTime * 1000 + 999);
  if (Math.floor(at / 1000) !== event.time("event_timestamp")) throw malformed("its two times differ");
  const subject = readSubject(all.object("sub_id"), iss);
  const mark = subject.kind !== "session";
  if (mark !== (event.get("up_to") !== undefined)) throw malformed("up_to is for marks, and every mark has it");
  return {
    iss,
    iat: all.time("iat"),
    seq: event.whole("seq", 1, Number.MAX_SAFE_INTEGER),
    prev: event.optionalSid("prev"),
    at,
    entry: { ...subject, sid: mark ? event.sid("up_to") : subject.sid, until: event.time("until") },
  };
}

function readSubject(subject: Members, iss: string): Pick<Entry, "kind" | "name" | "sid"> {
  const format = subject.text("format");
  if (format === "opaque") return { kind: "session", name: "", sid: subject.sid("id") };
  const parts = ["user", "application", "tenant"].filter((part) => subject.get(part) !== undefined);
  const [part] = parts;
  if (format === "complex" && part && parts.length === 1) {
    const inner = subject.object(part);
    const form = inner.text("format");
    if (part === "user" && form === "iss_sub" && inner.text("iss") === iss)
      return { kind: "user", name: checkName(inner.text("sub")), sid: "" };
    if (part === "application" && form === "opaque") return { kind: "client", name: checkName(inner.text("id")), sid: "" };
    if (part === "tenant" && form === "opaque" && inner.text("id") === iss) return { kind: "everything", name: "", sid: "" };
  }
  throw malformed("sub_id is of no known form");
}

function checkName(name: string): string {
  if (!isName(name)) throw malformed("a name is none");
  return name;
}

/** Reads an alive whose signature and type have been verified. */
export function readAlive(payload: Uint8Array): Alive {
  const all = Members.parse(payload);
  const seq = all.whole("seq", 0, Number.MAX_SAFE_INTEGER);
  return { iss: all.text("iss"), iat: all.time("iat"), seq, last: all.optionalSid("last") };
}

/** Reads a snapshot whose signature and type have been verified. */
export function readSnapshot(payload: Uint8Array): Snapshot {
  const all = Members.parse(payload);
  const session = (one: Members): Entry => ({ kind: "session", name: "", sid: one.sid("sid"), until: one.time("until") });
  const mark = (one: Members): Entry => {
    const kind = one.text("kind");
    const name = one.text("name", true);
    if (kind !== "user" && kind !== "client" && kind !== "everything") throw malformed("unknown kind of mark");
    if (kind === "everything" ? name !== "" : !isName(name)) throw malformed("a name is none");
    return { kind, name, sid: one.sid("up_to"), until: one.time("until") };
  };
  return {
    iss: all.text("iss"),
    iat: all.time("iat"),
    next: all.whole("next", 0, Number.MAX_SAFE_INTEGER),
    last: all.optionalSid("last"),
    entries: [...all.list("sessions").map(session), ...all.list("marks").map(mark)],
  };
}
