import { type IncomingHttpHeaders, type IncomingMessage, request, type ServerResponse } from "node:http";
import { pipeline } from "node:stream";
import { settings } from "./settings";

// Headers that apply to one connection and must not be forwarded (RFC 9110 §7.6.1).
const hopByHop = ["connection", "keep-alive", "proxy-connection", "te", "transfer-encoding", "upgrade"];

/** Forwards a request to the issuer, and returns its response. */
export function proxy(req: IncomingMessage, res: ServerResponse): void {
  // The issuer accepts the address if trusted_proxies lists this server.
  const headers = { ...without(req.headers), "x-forwarded-for": req.socket.remoteAddress };
  const onward = request(settings.issuer, { method: req.method, path: req.url, headers });
  onward.on("response", (answer) => {
    res.writeHead(answer.statusCode ?? 502, without(answer.headers));
    pipeline(answer, res, () => {});
  });
  onward.on("error", () => {
    if (res.headersSent) res.destroy();
    else res.writeHead(502, { "Content-Type": "application/json" }).end('{"code":"BAD_GATEWAY","message":"The issuer does not answer."}');
  });
  res.on("close", () => onward.destroy());
  pipeline(req, onward, () => {});
}

function without(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !hopByHop.includes(name)));
}
