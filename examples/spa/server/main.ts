// Serves the application: its backend, and the pages that `vite build` has built.
import { readdirSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { extname } from "node:path";
import { backend, pathOf } from "./backend";
import { insert, settings } from "./settings";

const built = "dist/client";
const page = insert(readFileSync(`${built}/index.html`, "utf8"));
const types: Record<string, string> = { ".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8" };
const assets = new Map(readdirSync(`${built}/assets`).map((name) => [`/assets/${name}`, readFileSync(`${built}/assets/${name}`)]));

const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src data:",
  `connect-src 'self' ${settings.authURL}`.trim(),
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join("; ");

const server = createServer(async (req, res) => {
  if (await backend(req, res)) return;
  const path = pathOf(req);
  const asset = assets.get(path);
  if (req.method !== "GET" && req.method !== "HEAD") {
    res.writeHead(405, { Allow: "GET, HEAD" }).end();
  } else if (asset) {
    // The name of an asset changes with its content.
    res.writeHead(200, { "Content-Type": types[extname(path)], "Cache-Control": "public, max-age=31536000, immutable" });
    res.end(asset);
  } else if (path === "/" || path === "/login") {
    res.writeHead(200, { "Content-Type": "text/html; charset=utf-8", "Content-Security-Policy": policy, "Cache-Control": "no-store" });
    res.end(page);
  } else {
    res.writeHead(404, { "Content-Type": "text/plain" }).end("Not found\n");
  }
});

const { hostname, port } = new URL(`http://${settings.listen}`);
server.listen(Number(port), hostname, () => console.log(`the application is at ${settings.appURL}`));
for (const signal of ["SIGINT", "SIGTERM"]) {
  process.on(signal, () => {
    server.close();
    server.closeAllConnections();
  });
}
