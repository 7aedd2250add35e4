// The issuer in a test: it answers as the redeem table says, in memory.
import { createHash } from "node:crypto";

const window = 10_000;

interface Record {
  id: string;
  user: string;
  /** The generation of the newest redeemed token, its branch, and when it was redeemed. */
  generation: number;
  branch: string;
  redeemedAt: number;
  ended?: string;
}

/** An answer, and what it does to the cookies: "" clears them, undefined leaves them. */
export interface Answer {
  response: Response;
  /** The refresh token. */
  cookie?: string;
  /** The access token, beside a refresh token. */
  access?: string;
}

export class Issuer {
  readonly sessions = new Map<string, Record>();
  /** How often each row of the redeem table was the answer. */
  readonly outcomes = new Map<string, number>();
  /** A path whose requests are refused as not understood. */
  refusing: string | undefined;
  /** Replaces the next answers, first in first out. */
  readonly scripted: (() => Response)[] = [];
  private serial = 0;

  constructor(
    private readonly now: () => number,
    private readonly random: () => number,
    /** Seconds that an access token lives. */
    readonly lifetime: number,
  ) {}

  mint(user: string) {
    const id = `s${++this.serial}`;
    const record: Record = { id, user, generation: 0, branch: "", redeemedAt: -Infinity };
    this.sessions.set(id, record);
    return this.grant(record, `rt.${id}.1.first`);
  }

  end(id: string, code: string): void {
    const record = this.sessions.get(id);
    if (record) record.ended ??= code;
  }

  count(outcome: string): number {
    return this.outcomes.get(outcome) ?? 0;
  }

  /** Answers a request with the cookies of the refresh token and the access token. */
  async answer(request: Request, cookie: string | undefined, access?: string): Promise<Answer> {
    const scripted = this.scripted.shift();
    if (scripted) return { response: scripted() };
    const route = `${request.method} ${new URL(request.url).pathname}`;
    if (route === "POST /v1/session/refresh") return this.refresh(await request.json(), cookie);
    const bearer = request.headers.get("authorization")?.slice("Bearer ".length);
    if (route === "DELETE /v1/session") return this.signOut([bearer, cookie]);
    const holder = this.holder(bearer ?? access);
    if (typeof holder === "string") return { response: problem(401, holder) };
    const beside = this.holder(access);
    // The token and the cookie are of different sessions.
    if (typeof beside !== "string" && beside !== holder) return { response: problem(400, "invalid_request") };
    if (route.endsWith(` ${this.refusing}`)) return { response: problem(400, "invalid_request") };
    return this.serve(route, holder);
  }

  /** Returns the session of an access token, or why it is refused. */
  private holder(token: string | undefined): Record | string {
    const [, id = "", born = ""] = token?.split(".") ?? [];
    const record = this.sessions.get(id);
    if (!record) return "token_invalid";
    if (record.ended) return record.ended;
    return this.now() - Number(born) >= this.lifetime * 1000 ? "token_expired" : record;
  }

  private serve(route: string, record: Record): Answer {
    const own = [...this.sessions.values()].filter(({ user, ended }) => user === record.user && !ended);
    const others = own.filter((other) => other !== record);
    if (route === "GET /v1/session") return { response: json(200, this.describe(record)) };
    if (route === "GET /v1/sessions")
      return { response: json(200, { sessions: own.map((one) => this.describe(one).session) }) };
    if (route === "POST /v1/sessions/revoke-others") {
      for (const other of others) other.ended = "session_revoked";
      return { response: json(200, { revoked: others.length }) };
    }
    if (route === "POST /v1/sessions/revoke-all") {
      for (const one of own) one.ended = "session_revoked";
      return { response: json(200, { revoked: own.length }), cookie: "" };
    }
    const target = own.find(({ id }) => route === `DELETE /v1/sessions/${id}`);
    if (target) {
      target.ended = "session_revoked";
      return { response: new Response(null, { status: 204 }), ...(target === record && { cookie: "" }) };
    }
    return { response: json(200, { route, user: record.user }) };
  }

  /** Ends the session of each credential, however old it is. */
  private signOut(credentials: (string | undefined)[]): Answer {
    const named = new Set(credentials.flatMap((one) => this.sessions.get(one?.split(".")[1] ?? "") ?? []));
    const live = [...named].filter(({ ended }) => !ended);
    for (const record of live) record.ended = "session_revoked";
    if (!named.size) return { response: problem(401, "token_invalid"), cookie: "" };
    if (live.length > 1) return { response: problem(400, "invalid_request"), cookie: "" };
    return { response: new Response(null, { status: 204 }), cookie: "" };
  }

  private refresh(body: { refresh_token?: string }, cookie: string | undefined): Answer {
    const token = body.refresh_token ?? cookie;
    const [, id = "", g = "", branch = ""] = token?.split(".") ?? [];
    const record = this.sessions.get(id);
    const clear = body.refresh_token ? {} : { cookie: "" };
    if (!record) return { response: problem(401, "refresh_token_invalid"), ...clear };
    if (record.ended) return { response: problem(401, record.ended), ...clear };
    const next = this.redeem(record, Number(g), branch);
    if (!next) return { response: problem(401, "refresh_token_reused"), ...clear };
    const { refresh_token, ...rest } = this.grant(record, next);
    return body.refresh_token
      ? { response: json(200, { ...rest, refresh_token }) }
      : { response: json(200, rest), cookie: refresh_token, access: rest.access_token };
  }

  /** The redeem table. It returns the next token, or nothing when the token was copied. */
  private redeem(record: Record, g: number, branch: string): string | undefined {
    const ahead = g - record.generation;
    const within = this.now() - record.redeemedAt < window;
    const child = () => {
      const { generation, branch } = record;
      return `rt.${record.id}.${generation + 1}.${createHash("sha256").update(`${generation} ${branch}`).digest("hex")}`;
    };
    const note = (outcome: string) => this.outcomes.set(outcome, this.count(outcome) + 1);
    if (ahead >= 1) {
      Object.assign(record, { generation: g, branch, redeemedAt: this.now() });
      note("advanced");
      return child();
    }
    if (ahead === 0 && branch === record.branch) {
      note(within ? "repeated" : "late_retry");
      return within ? child() : `rt.${record.id}.${record.generation + 1}.${this.nonce()}`;
    }
    if (within && (ahead === 0 || ahead === -1)) {
      note(ahead ? "behind" : "sibling");
      return child();
    }
    note("reused");
    record.ended = "session_revoked";
    return undefined;
  }

  private nonce(): string {
    return String(this.random()).slice(2);
  }

  private grant(record: Record, refresh_token: string) {
    return {
      ...this.describe(record),
      access_token: `at.${record.id}.${Math.floor(this.now())}.${this.nonce()}`,
      token_type: "Bearer" as const,
      expires_in: this.lifetime,
      refresh_token,
    };
  }

  private describe({ id, user }: Record) {
    const time = "2026-01-01T00:00:00Z";
    const session = {
      id,
      user_id: user,
      created_at: time,
      last_seen_at: time,
      auth_time: time,
      expires_at: time,
      idle_expires_at: time,
      ip_address: null,
      user_agent: null,
      last_ip_address: null,
      last_user_agent: null,
      label: null,
      current: true,
    };
    return { session, user: { id: user } };
  }
}

export function json(status: number, value: unknown): Response {
  return new Response(JSON.stringify(value), { status, headers: { "content-type": "application/json" } });
}

export function problem(status: number, code: string, headers: object = {}): Response {
  const body = JSON.stringify({ type: "about:blank", title: code, status, code, request_id: "r" });
  return new Response(body, { status, headers: { "content-type": "application/problem+json", ...headers } });
}
