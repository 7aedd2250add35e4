import type { IncomingMessage } from "node:http";
import { createAuth } from "issuer-client/server";
import { settings } from "./settings";

/** Returns the session of a request. It only reads, so no cookie of the issuer's response has to reach the browser. */
export const auth = createAuth({
  baseURL: settings.issuer,
  clientAddress: (headers) => headers.get("x-forwarded-for") ?? undefined,
});

/** Returns the headers of a request, with the address of its sender. */
export function headersOf(req: IncomingMessage): Headers {
  const headers = new Headers();
  for (const [name, value] of Object.entries(req.headers)) headers.set(name, [value].flat().join(", "));
  headers.set("x-forwarded-for", req.socket.remoteAddress ?? "");
  return headers;
}
