import type { IncomingMessage } from "node:http";
import { createAuth } from "issuer-client/server";
import { settings } from "./settings";

/** Tells whose session a request belongs to. It only reads: what the issuer's answer sets need not reach the browser. */
export const auth = createAuth({
  baseURL: settings.issuer,
  clientAddress: (headers) => headers.get("x-forwarded-for") ?? undefined,
});

/** The headers of a request, with the address that it comes from. */
export function headersOf(req: IncomingMessage): Headers {
  const headers = new Headers();
  for (const [name, value] of Object.entries(req.headers)) headers.set(name, [value].flat().join(", "));
  headers.set("x-forwarded-for", req.socket.remoteAddress ?? "");
  return headers;
}
