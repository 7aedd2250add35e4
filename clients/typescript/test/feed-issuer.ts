// An issuer for tests of the verifier: real HTTP, real keys, and a log that can be made to misbehave.
import { randomBytes } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { CompactSign, type CryptoKey, exportJWK, generateKeyPair } from "jose";

export const audience = "https://api.example";
export const serviceKey = "sk_test";
const sessionRevoked = "https://schemas.openid.net/secevent/caep/event-type/session-revoked";

interface SigningKey {
  kid: string;
  alg: string;
  jwk: object;
  key: CryptoKey;
}

interface LogEntry {
  sid: string;
  subject: object;
  mark?: { kind: string; name?: string };
}

let serial = 0;

/** Returns the id of a new session, a UUIDv7 above all before it. */
export function newSid(): string {
  const time = (Date.now() * 4096 + serial++).toString(16).padStart(15, "0").slice(-15);
  return `${time.slice(0, 8)}-${time.slice(8, 12)}-7${time.slice(12, 15)}-8000-${randomBytes(6).toString("hex")}`;
}

export class FeedIssuer {
  url = "";
  log: LogEntry[] = [];
  /** Entries up to this number are purged. */
  purged = 0;
  /** Seconds by which this clock is ahead. */
  ahead = 0;
  requests: string[] = [];
  reports: { verifier: string; seq: number }[] = [];
  keys: SigningKey[] = [];
  private readonly queries = new Set<string | undefined>();
  /** Answers a request in the place of the issuer, if it returns true. */
  intercept: (req: IncomingMessage, res: ServerResponse, query: string) => boolean = () => false;
  active = true;
  private readonly streams = new Set<ServerResponse>();
  private server: Server | undefined;
  private port = 0;

  static async start(): Promise<FeedIssuer> {
    const issuer = new FeedIssuer();
    await issuer.addKey();
    await issuer.listen();
    return issuer;
  }

  async listen(): Promise<void> {
    this.server = createServer((req, res) => void this.answer(req, res));
    await new Promise<void>((resolve) => this.server?.listen(this.port, "127.0.0.1", resolve));
    this.port = (this.server.address() as AddressInfo).port;
    this.url = `http://127.0.0.1:${this.port}`;
  }

  async stop(): Promise<void> {
    this.streams.clear();
    this.server?.closeAllConnections();
    await new Promise((resolve) => this.server?.close(resolve));
  }

  cutStreams(): void {
    for (const stream of this.streams) stream.destroy();
    this.streams.clear();
  }

  async addKey(alg = "ES256"): Promise<void> {
    const pair = await generateKeyPair(alg, { extractable: true });
    const kid = `k${this.keys.length + 1}-${randomBytes(4).toString("hex")}`;
    const jwk = { ...(await exportJWK(pair.publicKey)), kid, alg, use: "sig" };
    this.keys.unshift({ kid, alg, jwk, key: pair.privateKey });
  }

  get now(): number {
    return Math.floor(Date.now() / 1000) + this.ahead;
  }

  sign(typ: string, payload: object, key = this.keys[0] as SigningKey): Promise<string> {
    return new CompactSign(new TextEncoder().encode(JSON.stringify(payload)))
      .setProtectedHeader({ alg: key.alg, kid: key.kid, typ })
      .sign(key.key);
  }

  mint(sid: string, claims: object = {}): Promise<string> {
    const { now } = this;
    const base = { iss: this.url, sub: "u1", aud: [audience], iat: now, exp: now + 300, jti: randomBytes(8).toString("hex") };
    return this.sign("at+jwt", { ...base, client_id: "app", sid, ...claims });
  }

  /** Revokes a session. */
  revoke(sid: string): Promise<void> {
    return this.append({ sid, subject: { format: "opaque", id: sid } });
  }

  /** Revokes all sessions up to one, of a user, of a client, or of everybody. */
  mark(kind: "user" | "client" | "everything", name: string, upTo: string): Promise<void> {
    const subject = {
      user: { user: { format: "iss_sub", iss: this.url, sub: name } },
      client: { application: { format: "opaque", id: name } },
      everything: { tenant: { format: "opaque", id: this.url } },
    }[kind];
    const mark = kind === "everything" ? { kind } : { kind, name };
    return this.append({ sid: upTo, subject: { format: "complex", ...subject }, mark });
  }

  private async append(entry: LogEntry): Promise<void> {
    this.log.push(entry);
    const frame = await this.frame(this.log.length);
    for (const stream of this.streams) stream.write(frame);
  }

  /** Sends text to all streams. */
  say(text: string): void {
    for (const stream of this.streams) stream.write(text);
  }

  event(seq: number, change: object = {}): object {
    const { sid, subject, mark } = this.log[seq - 1] as LogEntry;
    const prev = this.log[seq - 2]?.sid;
    const at = Date.now() + this.ahead * 1000;
    const event = {
      event_timestamp: Math.floor(at / 1000),
      seq,
      at_ms: at,
      until: this.now + 360,
      reason: "sign_out",
      ...(mark && { up_to: sid }),
      ...(prev && { prev }),
      ...change,
    };
    return { iss: this.url, iat: this.now, jti: `${seq}.${sid}`, sub_id: subject, events: { [sessionRevoked]: event } };
  }

  async frame(seq: number, change: object = {}): Promise<string> {
    return `id: ${seq}\nevent: revoked\ndata: ${await this.sign("secevent+jwt", this.event(seq, change))}\n\n`;
  }

  async alive(): Promise<string> {
    const last = this.log.at(-1)?.sid;
    const payload = { iss: this.url, iat: this.now, seq: this.log.length, ...(last && { last }) };
    return `event: alive\ndata: ${await this.sign("revocations-alive+jwt", payload)}\n\n: alive\n\n`;
  }

  snapshot(change: object = {}): Promise<string> {
    const last = this.log.at(-1)?.sid;
    const until = this.now + 360;
    const sessions = this.log.filter((one) => !one.mark).map(({ sid }) => ({ sid, until }));
    const marks = this.log.flatMap(({ mark, sid }) => (mark ? [{ ...mark, up_to: sid, until }] : []));
    const payload = { iss: this.url, iat: this.now, next: this.log.length, ...(last && { last }), sessions, marks };
    return this.sign("revocations+jwt", { ...payload, ...change });
  }

  private async answer(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const [path, query] = (req.url ?? "").split("?");
    req.url = path;
    this.requests.push(`${req.method} ${path}`);
    if (this.intercept(req, res, query ?? "")) return;
    const send = (type: string, body: string, status = 200) => res.writeHead(status, { "content-type": type }).end(body);
    if (path === "/.well-known/openid-configuration") return void send("application/json", JSON.stringify(this.metadata()));
    if (path === "/.well-known/jwks.json") {
      res.setHeader("cache-control", "public, max-age=900");
      return void send("application/jwk-set+json", JSON.stringify({ keys: this.keys.map(({ jwk }) => jwk) }));
    }
    if (req.headers.authorization !== `Bearer ${serviceKey}`) return void send("application/json", "{}", 401);
    // Each request for the feed has a URL of its own.
    if (req.method === "GET" && (!/^nonce=[\w.-]{1,64}$/.test(query ?? "") || this.queries.has(query))) return void send("application/json", "{}", 400);
    this.queries.add(query);
    if (path === "/v1/revocations/keys") {
      res.setHeader("cache-control", "no-store");
      return void send("application/jwk-set+json", JSON.stringify({ keys: this.keys.map(({ jwk }) => jwk) }));
    }
    if (path === "/v1/revocations") return void send("application/jwt", await this.snapshot());
    if (path === "/v1/revocations/stream") return this.stream(req, res);
    const body = await text(req);
    if (path === "/v1/revocations/applied") this.reports.push(JSON.parse(body));
    if (path === "/v1/revocations/applied") return void res.writeHead(204).end();
    const sid = JSON.parse(Buffer.from(new URLSearchParams(body).get("token")?.split(".")[1] ?? "", "base64url").toString()).sid;
    send("application/json", JSON.stringify(this.active ? { active: true, sid } : { active: false }));
  }

  metadata(): object {
    return {
      issuer: this.url,
      jwks_uri: `${this.url}/.well-known/jwks.json`,
      revocations_endpoint: `${this.url}/v1/revocations`,
      revocations_stream_endpoint: `${this.url}/v1/revocations/stream`,
      introspection_endpoint: `${this.url}/oauth/introspect`,
    };
  }

  private async stream(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const from = Number(req.headers["last-event-id"] ?? 0);
    const headers = { "content-type": "text/event-stream", "cache-control": "no-store, no-transform", "x-accel-buffering": "no" };
    res.writeHead(200, headers);
    if (from < this.purged || from > this.log.length) return void res.end("event: gone\ndata: {}\n\n");
    for (let seq = from + 1; seq <= this.log.length; seq++) res.write(await this.frame(seq));
    res.write(await this.alive());
    this.streams.add(res);
    res.on("close", () => this.streams.delete(res));
  }
}

async function text(req: IncomingMessage): Promise<string> {
  let all = "";
  for await (const chunk of req) all += chunk;
  return all;
}
