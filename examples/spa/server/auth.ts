import type { IncomingMessage } from "node:http";
import { createAuth, type ServerSession } from "issuer-client/server";
import { settings } from "./settings";

export const auth = createAuth({
  baseURL: settings.issuer,
  clientAddress: (headers) => headers.get("x-forwarded-for") ?? undefined,
});

/**
 * Returns the session of a request, or null if the visitor has to sign in. It only reads, so no cookie of the issuer's
 * response has to reach the browser. The issuer answers 429 only to credentials that it refuses, when too many of them
 * come from one address: such a visitor has to sign in, too. It rejects if the issuer does not answer.
 */
export async function sessionOf(req: IncomingMessage): Promise<ServerSession | null> {
  try {
    return await auth.api.getSession({ headers: headersOf(req) });
  } catch (error) {
    if ((error as { code?: string }).code === "rate_limited") return null;
    throw error;
  }
}

/** Returns the headers of a request, with the address of its sender. */
export function headersOf(req: IncomingMessage): Headers {
  const headers = new Headers();
  for (const [name, value] of Object.entries(req.headers)) headers.set(name, [value].flat().join(", "));
  headers.set("x-forwarded-for", req.socket.remoteAddress ?? "");
  return headers;
}
