import { IssuerError } from "./errors.js";
import { uncached } from "./runtime.js";

/** The timeout of a request to the issuer, in milliseconds. */
const timeout = 5_000;

export interface AuthOptions {
  /** The URL of the issuer, such as "https://auth.example.com". */
  baseURL: string;
  /** The issuer's setting better_auth.base_path. */
  basePath?: string;
  /** The issuer's setting cookies.prefix. */
  cookiePrefix?: string;
  /**
   * Returns the address of the visitor from the headers of their request, as set by the proxy in front of this server.
   * It matters for `binding.ip`, and only if the issuer lists this server in its `trusted_proxies`. Without it, every
   * visitor appears to have the address of this server.
   */
  clientAddress?: (headers: Headers) => string | undefined;
  /** A replacement for the global fetch. */
  fetch?: typeof fetch;
}

/** A session as better-auth returns it to servers. `id` and `token` are both the public session id, not a credential. */
export interface ServerSession {
  session: {
    id: string;
    token: string;
    userId: string;
    /** When it ends if it is not used. */
    expiresAt: Date;
    /** The time of the sign-in. */
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
    /** The members of `claims` from the mint. */
    [claim: string]: unknown;
  };
}

/**
 * Returns the `auth` that server components and API routes written for better-auth import: `auth.api.getSession({ headers })`.
 * It asks the issuer each time, so a revoked session is refused at once. It only reads, so a page may be rendered without
 * passing cookies on.
 */
export function createAuth(options: AuthOptions) {
  // The issuer's URL may have a path.
  const url = new URL(options.baseURL).href.replace(/\/+$/, "") + (options.basePath ?? "/api/auth").replace(/\/$/, "") + "/get-session";
  const prefix = options.cookiePrefix ?? "better-auth";
  const names = ["", "__Secure-", "__Host-"].map((kind) => `${kind}${prefix}.session_token`);
  names.push(`__Host-${prefix}.session_mac`); // tells the issuer which of several sessions is its own
  const send = options.fetch ?? fetch;

  /**
   * Returns the session of the cookies or the bearer token in these headers, or null if nobody is signed in.
   * Rejects with an `IssuerError` if that cannot be determined, so that an outage does not look like a sign-out.
   */
  async function getSession(request: { headers: HeadersInit }): Promise<ServerSession | null> {
    const headers = forwarded(new Headers(request.headers), names, options.clientAddress);
    if (!headers) return null;
    let response: Response, text: string;
    try {
      const signal = AbortSignal.timeout(timeout);
      response = await send(url, { headers, signal, redirect: "manual", ...uncached() });
      text = await response.text();
    } catch (cause) {
      throw new IssuerError("network", "The issuer did not answer.", 0, 0, { cause });
    }
    if (response.status === 401) return null; // an invalid or expired bearer token
    if (!response.ok) throw refusal(response);
    return parse(text);
  }

  return { api: { getSession } };
}

/** Returns the headers to forward: credentials, user agent and address. Undefined if there are no credentials. */
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
  let cause: unknown;
  try {
    const data = JSON.parse(text, date);
    if (data === null) return null;
    if (typeof data.session.id === "string" && typeof data.user.id === "string") return { session: data.session, user: data.user };
  } catch (error) {
    cause = error;
  }
  throw new IssuerError("invalid_response", "The answer is not the issuer's.", 200, 0, { cause });
}

/** Converts the times in a response to Date, as better-auth's own server does. */
function date(key: string, value: unknown): unknown {
  return /^(expires|created|updated)At$/.test(key) && typeof value === "string" ? new Date(value) : value;
}
