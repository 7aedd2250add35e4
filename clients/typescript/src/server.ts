import { IssuerError } from "./errors.js";

/** How long the issuer may take to answer, in milliseconds. */
const giveUp = 5_000;

export interface AuthOptions {
  /** Where the issuer is, as in "https://auth.example.com". */
  baseURL: string;
  /** Its setting better_auth.base_path. */
  basePath?: string;
  /** Its setting cookies.prefix. */
  cookiePrefix?: string;
  /**
   * Returns the address of the visitor, from the headers of their request, as whatever stands in front of this server
   * tells it. It counts for `binding.ip`, and only when the issuer has this server among its `trusted_proxies`.
   * Left out, every visitor seems to come from this server.
   */
  clientAddress?: (headers: Headers) => string | undefined;
  /** What calls the issuer. */
  fetch?: typeof fetch;
}

/** A session as better-auth gives it to servers. `id` and `token` are the same public handle, which opens nothing. */
export interface ServerSession {
  session: {
    id: string;
    token: string;
    userId: string;
    /** When it ends, unless it is used. */
    expiresAt: Date;
    /** The sign-in. */
    createdAt: Date;
    updatedAt: Date;
    ipAddress: string | null;
    userAgent: string | null;
  };
  user: {
    id: string;
    email: string;
    name: string;
    emailVerified: boolean;
    image: string | null;
    createdAt: Date;
    updatedAt: Date;
    /** What the backend put into `claims` at sign-in. */
    [claim: string]: unknown;
  };
}

/**
 * Is what server components and API routes written for better-auth import as `auth`: `auth.api.getSession({ headers })`.
 * It asks the issuer each time, so a session that was revoked is gone at once; and it only reads, so a page may be
 * rendered without passing any cookie on.
 */
export function createAuth(options: AuthOptions) {
  const url = new URL(options.basePath ?? "/api/auth", options.baseURL).href.replace(/\/$/, "") + "/get-session";
  const names = ["", "__Secure-", "__Host-"].map((kind) => `${kind}${options.cookiePrefix ?? "better-auth"}.session_token`);
  const send = options.fetch ?? fetch;

  /**
   * Returns who is signed in, by the cookies (or the bearer token) of the request with these headers, or null.
   * Rejects with an `IssuerError` when that cannot be known now: nobody is signed out by a store that is down.
   */
  async function getSession(request: { headers: HeadersInit }): Promise<ServerSession | null> {
    const headers = forwarded(new Headers(request.headers), names, options.clientAddress);
    if (!headers) return null;
    let response: Response, text: string;
    try {
      const signal = AbortSignal.timeout(giveUp);
      response = await send(url, { headers, signal, cache: "no-store", redirect: "error" });
      text = await response.text();
    } catch {
      throw new IssuerError("network", "The issuer did not answer.");
    }
    if (response.status === 401) return null; // a bearer token that is no good (any more)
    if (!response.ok) throw refusal(response);
    return parse(text);
  }

  return { api: { getSession } };
}

/** What the issuer gets to see of a request: its credentials and its device. Nothing if there are no credentials. */
function forwarded(from: Headers, names: string[], address: AuthOptions["clientAddress"]): Headers | undefined {
  const to = new Headers({ accept: "application/json" });
  const cookies = (from.get("cookie") ?? "").split(/; */).filter((pair) => names.includes(pair.split("=", 1)[0] ?? ""));
  const bearer = from.get("authorization");
  if (cookies.length) to.set("cookie", cookies.join("; "));
  if (bearer && /^bearer /i.test(bearer)) to.set("authorization", bearer);
  if (!to.has("cookie") && !to.has("authorization")) return undefined;
  const agent = from.get("user-agent");
  if (agent) to.set("user-agent", agent);
  const visitor = address?.(from);
  if (visitor) to.set("x-forwarded-for", visitor);
  return to;
}

function refusal({ status }: Response): IssuerError {
  const code = status === 429 ? "rate_limited" : status >= 500 ? "unavailable" : "invalid_response";
  return new IssuerError(code, `The issuer answered ${status}.`, status);
}

function parse(text: string): ServerSession | null {
  try {
    const data = JSON.parse(text, date);
    if (data === null) return null;
    if (typeof data.session.id === "string" && typeof data.user.id === "string") return { session: data.session, user: data.user };
  } catch {
    // the answer of something else
  }
  throw new IssuerError("invalid_response", "The answer is not the issuer's.", 200);
}

/** Revives the dates of the answer, as better-auth's own server has them. */
function date(key: string, value: unknown): unknown {
  return /^(expires|created|updated)At$/.test(key) && typeof value === "string" ? new Date(value) : value;
}
