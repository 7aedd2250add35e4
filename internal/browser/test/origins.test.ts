// Pages of configured origins in Chromium: previews under a wildcard, and a page of an extension.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createHash, generateKeyPairSync } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { type BrowserContext, chromium, type Page } from "playwright-core";
import { Program } from "../../../clients/typescript/test/program.js";

const folder = mkdtempSync(join(tmpdir(), "issuer-origins-"));
const extension = join(folder, "extension");
let server: Server;
let issuer: Program;
let context: BrowserContext;
let port: number;
let extensionOrigin: string;

/** Serves an empty page over TLS, under every name. */
async function serve(): Promise<void> {
  const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
  const args = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=localhost", "-keyout", key, "-out", cert];
  const { status, stderr, error } = spawnSync("openssl", args, { encoding: "utf8" });
  if (status !== 0) throw new Error(`openssl: ${error?.message ?? stderr}`);
  server = createServer({ key: readFileSync(key), cert: readFileSync(cert) }, (_, response) => {
    response.setHeader("Content-Type", "text/html").end("<!DOCTYPE html><title>preview</title>");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  port = (server.address() as AddressInfo).port;
}

/** Writes an extension with one page and no permissions. Its id follows from its key. */
function writeExtension(): void {
  const key = generateKeyPairSync("rsa", { modulusLength: 2048 }).publicKey.export({ type: "spki", format: "der" });
  const id = [...createHash("sha256").update(key).digest("hex").slice(0, 32)].map((digit) => String.fromCharCode(97 + Number.parseInt(digit, 16))).join("");
  extensionOrigin = `chrome-extension://${id}`;
  mkdirSync(extension);
  writeFileSync(join(extension, "manifest.json"), JSON.stringify({ manifest_version: 3, name: "test", version: "1", key: key.toString("base64") }));
  writeFileSync(join(extension, "page.html"), "<!DOCTYPE html><title>extension</title>");
}

test.before(async () => {
  await serve();
  writeExtension();
  issuer = await Program.start({
    ISSUER_CORS_ALLOWED_ORIGINS: `https://*.preview.example.localhost:${port}, ${extensionOrigin}`,
    // Both are other sites than the issuer's.
    ISSUER_COOKIES_SAME_SITE: "none",
    ISSUER_COOKIES_SECURE: "always",
  });
  // The user allows cookies of other sites; Debian's Chromium keeps none by itself.
  const profile = join(folder, "profile");
  mkdirSync(join(profile, "Default"), { recursive: true });
  writeFileSync(join(profile, "Default/Preferences"), '{"profile": {"cookie_controls_mode": 0, "block_third_party_cookies": false}}');
  context = await chromium.launchPersistentContext(profile, {
    executablePath: process.env["CHROMIUM"] ?? "",
    chromiumSandbox: process.getuid?.() !== 0,
    ignoreHTTPSErrors: true,
    headless: false,
    args: ["--headless=new", `--disable-extensions-except=${extension}`, `--load-extension=${extension}`],
  });
});
test.after(async () => {
  await context?.close();
  await issuer?.stop();
  server?.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Calls the issuer as an instrumented application does, with cookies. Returns the status, or 0 if the browser refuses. */
async function call(page: Page, method: string, path: string, body?: object): Promise<number> {
  const request = { url: issuer.url + path, method, body: body && JSON.stringify(body) };
  return page.evaluate(async ({ url, method, body }) => {
    const headers = { "sentry-trace": "1", baggage: "a=b", traceparent: "00-1-2-01", "x-requested-with": "XMLHttpRequest", "content-type": "application/json" };
    try {
      return (await fetch(url, { method, headers, body: body ?? null, credentials: "include" })).status;
    } catch {
      return 0;
    }
  }, request);
}

/** Signs a user in on a page by a hand-off, and uses the session by cookie. */
async function use(url: string, origin: string): Promise<Page> {
  const page = await context.newPage();
  await page.goto(url);
  assert.equal(await page.evaluate(() => location.origin), origin);
  const minted = await issuer.service("POST", "/v1/sessions", { user: { id: "u1" }, handoff: true, handoff_origin: origin });
  const { handoff_code } = (await minted.json()) as { handoff_code: string };
  assert.equal(await call(page, "POST", "/v1/session/claim", { handoff_code }), 200, "claim");
  assert.equal(await call(page, "POST", "/v1/session/refresh", {}), 200, "refresh");
  assert.equal(await call(page, "POST", "/api/auth/get-session", {}), 200, "get-session");
  assert.equal(await call(page, "GET", "/.well-known/jwks.json"), 200, "jwks");
  return page;
}

test("a preview below the wildcard signs in, with the headers of tracing libraries", async () => {
  const origin = `https://pr-7.preview.example.localhost:${port}`;
  const page = await use(`${origin}/`, origin);
  assert.equal(await call(page, "DELETE", "/v1/session"), 204);
  await page.close();
});

test("pages of other origins read nothing and change nothing", async () => {
  const origin = `https://pr-7.preview.example.localhost:${port}`;
  const page = await use(`${origin}/`, origin);
  for (const other of ["https://a.pr-7.preview.example.localhost", "https://preview.example.localhost", "https://evil.localhost"]) {
    await page.goto(`${other}:${port}/`);
    assert.equal(await call(page, "POST", "/v1/session/refresh", {}), 0, other);
    assert.equal(await call(page, "POST", "/v1/sessions/revoke-all", {}), 0, other);
  }
  await page.goto(`${origin}/`);
  assert.equal(await call(page, "GET", "/v1/session"), 200);
  await page.close();
});

test("a page of an extension signs in", async () => {
  const page = await use(`${extensionOrigin}/page.html`, extensionOrigin);
  assert.equal(await call(page, "DELETE", "/v1/session"), 204);
  await page.close();
});
