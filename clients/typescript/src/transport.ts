import type { Environment } from "./environment.js";
import { type Code, IssuerError } from "./errors.js";

/** The timeout of a call, in milliseconds. It is less than the issuer's concurrency window. */
const timeout = 8_000;

/** The longest Retry-After that is honoured, in milliseconds. */
const maxRetryAfter = 300_000;

/** A call to the issuer. */
export interface Call {
  method: "GET" | "POST" | "DELETE";
  path: string;
  bearer?: string | undefined;
  body?: object;
  keepalive?: boolean;
  /** Whether the call is made without cookies. */
  anonymous?: boolean;
}

/** Calls the issuer. */
export type Transport = <T>(call: Call) => Promise<T>;

/** Returns a function that calls the issuer at base. With cookies, requests include credentials. */
export function transport(base: string, cookies: boolean, send: typeof fetch, env: Environment): Transport {
  return async <T>({ method, path, bearer, body, keepalive = false, anonymous = false }: Call): Promise<T> => {
    // A late response could replace a newer cookie by an old one, so the request is aborted.
    const off = new AbortController();
    const timer = env.setTimeout(() => off.abort(), timeout);
    try {
      const headers: Record<string, string> = {};
      // A form on another site cannot send this content type.
      if (method !== "GET") headers["content-type"] = "application/json";
      if (bearer) headers["authorization"] = `Bearer ${bearer}`;
      const response = await send(base + path, {
        method,
        headers,
        body: method === "POST" ? JSON.stringify(body ?? {}) : null,
        credentials: cookies && !anonymous ? "include" : "omit",
        cache: "no-store",
        redirect: "error",
        keepalive,
        signal: off.signal,
      });
      if (!response.ok) throw await refusal(response);
      return (response.status === 204 ? undefined : await json(response)) as T;
    } catch (error) {
      if (error instanceof IssuerError) throw error;
      throw new IssuerError("network", "The issuer did not answer.", 0, 0, { cause: error });
    } finally {
      env.clearTimeout(timer);
    }
  };
}

async function json(response: Response): Promise<unknown> {
  const text = await response.text(); // a failure here is a network error
  try {
    return JSON.parse(text);
  } catch {
    throw new IssuerError("invalid_response", "The answer is not the issuer's.", response.status);
  }
}

async function refusal(response: Response): Promise<IssuerError> {
  const code = (await problemCode(response)) ?? "invalid_response";
  const seconds = Number(response.headers.get("retry-after"));
  const wait = seconds > 0 ? Math.min(seconds * 1000, maxRetryAfter) : 0;
  return new IssuerError(code as Code, `The issuer refused: ${code}.`, response.status, wait);
}

/** Returns the code of a problem document (RFC 9457). It consumes the body. */
export async function problemCode(response: Response): Promise<string | undefined> {
  if (!/^application\/(problem\+)?json\b/.test(response.headers.get("content-type") ?? "")) return undefined;
  const problem = (await json(response).catch(() => null)) as { code?: unknown } | null;
  return typeof problem?.code === "string" && /^\w{1,64}$/.test(problem.code) ? problem.code : undefined;
}
