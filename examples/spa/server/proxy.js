import { request } from "node:http";
import { pipeline } from "node:stream";

// These are about one connection, not about the message (RFC 9110 §7.6.1).
const ofConnection = ["connection", "keep-alive", "proxy-connection", "te", "transfer-encoding", "upgrade"];

/**
 * Passes a request on, and its answer back.
 *
 * @param {string} target
 * @param {import("node:http").IncomingMessage} req
 * @param {import("node:http").ServerResponse} res
 */
export function proxy(target, req, res) {
  // The issuer believes the address if trusted_proxies names this server.
  const headers = { ...without(req.headers), "x-forwarded-for": req.socket.remoteAddress };
  const onward = request(target, { method: req.method, path: req.url, headers });
  onward.on("response", (answer) => {
    res.writeHead(answer.statusCode ?? 502, without(answer.headers));
    pipeline(answer, res, () => {});
  });
  onward.on("error", () => {
    if (res.headersSent) res.destroy();
    else res.writeHead(502, { "content-type": "application/json" }).end('{"code":"BAD_GATEWAY","message":"The issuer does not answer."}');
  });
  res.on("close", () => onward.destroy());
  pipeline(req, onward, () => {});
}

/** @param {import("node:http").IncomingHttpHeaders} headers */
function without(headers) {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !ofConnection.includes(name)));
}
