import type { Discovery } from "./discovery.js";
import { VerifyError } from "./errors.js";
import { type Http, Linked } from "./http.js";
import { strictObject } from "./json.js";

const timeout = 3_000;
const maxAnswer = 64 << 10;
const maxConcurrent = 64;

/** Introspects single tokens (RFC 7662). The number of concurrent requests is bounded, to protect an issuer under load. */
export class Introspector {
  private busy = 0;

  constructor(
    private readonly http: Http,
    private readonly discovery: Discovery,
  ) {}

  /** Rejects unless the issuer says that the token is active and belongs to this session. */
  async ask(token: string, sid: string): Promise<void> {
    if (this.busy >= maxConcurrent) throw stale("too many tokens to ask about");
    this.busy++;
    try {
      const { introspection } = await this.discovery.endpoints().catch((cause: unknown) => {
        throw stale("the issuer does not answer", { cause });
      });
      if (!introspection) throw stale("the issuer has no introspection endpoint");
      await this.askNow(introspection, token, sid);
    } finally {
      this.busy--;
    }
  }

  private async askNow(url: string, token: string, sid: string): Promise<void> {
    const headers = { "content-type": "application/x-www-form-urlencoded", accept: "application/json" };
    const body = new URLSearchParams({ token }).toString();
    const linked = new Linked(undefined);
    linked.within(timeout);
    const call = { method: "POST", headers, body, signal: linked.signal } as const;
    const asked = this.http.fetch(url, call, maxAnswer).finally(() => linked.release());
    const answer = await asked.catch((cause: unknown) => {
      throw stale("the issuer does not answer", { cause });
    });
    let members: Map<string, string>;
    try {
      members = strictObject(answer.text);
    } catch {
      throw stale("the answer is not strict JSON");
    }
    const active = members.get("active");
    if (active === "false") throw new VerifyError("revoked", "The issuer says that the token is not active.");
    if (active !== "true") throw stale("the answer does not say whether the token is active");
    if (JSON.parse(members.get("sid") ?? "null") !== sid) throw stale("the answer is about another session");
  }
}

function stale(what: string, options?: ErrorOptions): VerifyError {
  return new VerifyError("stale", `It is not known whether the session goes on: ${what}.`, options);
}
