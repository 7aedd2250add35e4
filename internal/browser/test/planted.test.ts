// What a page of a sibling subdomain can do with the cookies of the issuer, and what is left of cookies when
// their domain changes.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import test from "node:test";
import type { BrowserContext, Page } from "playwright-core";
import { type Plan, plans, Stage } from "./stage.js";

const { subdomains, otherSite } = await plans();

/**
 * The issuer on a host of its own, whose cookies are for that host alone. Chromium trusts *.localhost as it does
 * https, and --dev keeps Secure cookies over http if SameSite=None needs them.
 */
const { ISSUER_COOKIES_SAME_SITE = "", ISSUER_COOKIES_SECURE = "" } = otherSite.issuer;
const hostOnly: Plan = {
  ...subdomains,
  name: "host only",
  issuer: { ...subdomains.issuer, ISSUER_COOKIES_DOMAIN: "", ISSUER_COOKIES_SAME_SITE, ISSUER_COOKIES_SECURE },
};
const prefix = "__Secure-better-auth";
const companion = "__Host-better-auth.session_mac";

let stage: Stage;
let evil: string;
const server = createServer((_, res) => res.setHeader("content-type", "text/html").end("<!doctype html>"));
test.before(async () => {
  stage = await Stage.open(hostOnly);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  evil = `http://evil.example.localhost:${(server.address() as AddressInfo).port}`;
});
test.after(async () => {
  server.close();
  await stage.close();
});

/** Signs a user in by a hand-off, and returns a page of the front end. */
async function signIn(context: BrowserContext, id: string): Promise<Page> {
  const page = await context.newPage();
  await page.goto(`${hostOnly.app}/nothing`);
  const minted = await stage.issuer.service("POST", "/v1/sessions", { user: { id }, handoff: true });
  const { handoff_code } = (await minted.json()) as { handoff_code: string };
  assert.equal((await call(page, "POST /v1/session/claim", { handoff_code })).status, 200);
  return page;
}

/** Calls the issuer from a page of the front end. */
function call(page: Page, route: string, body?: object): Promise<{ status: number; user?: string }> {
  return page.evaluate(
    async ([base, route, body]) => {
      const [method = "", path = ""] = route.split(" ");
      const headers = body ? { "content-type": "application/json" } : {};
      const answer = await fetch(base + path, { method, credentials: "include", headers, ...(body ? { body } : {}) });
      const text = await answer.text();
      const value = text ? JSON.parse(text) : null;
      return { status: answer.status, user: value?.user?.id ?? value?.session?.user_id };
    },
    [hostOnly.auth, route, body ? JSON.stringify(body) : ""] as const,
  );
}

/** Sets cookies as a page of a sibling subdomain does. It returns what that page can read of them afterwards. */
async function plant(context: BrowserContext, ...lines: string[]): Promise<string> {
  const page = await context.newPage();
  await page.goto(evil);
  const cookies = await page.evaluate((lines) => {
    for (const line of lines) document.cookie = line;
    return document.cookie;
  }, lines);
  await page.close();
  return cookies;
}

const value = async (context: BrowserContext, name: string) =>
  (await context.cookies(hostOnly.auth)).find((cookie) => cookie.name === name && !cookie.domain.startsWith("."))?.value;

const whoAmI = ["GET /api/auth/get-session", "POST /api/auth/get-session", "POST /v1/session/refresh", "GET /v1/session"];

for (const path of ["/", "/api/auth", "/v1"]) {
  test(`a sibling's cookie with Path=${path} does not make the victim the attacker`, async (t) => {
    const [attacker, victim] = [await stage.device(), await stage.device()];
    t.after(() => Promise.all([attacker.close(), victim.close()]));
    const theirs = await signIn(attacker, "attacker");
    const page = await signIn(victim, "victim");
    assert.ok(await value(victim, companion), "there is a companion");
    const lines: string[] = [];
    for (const name of ["session_token", "access_token"]) {
      lines.push(`${prefix}.${name}=${await value(attacker, `${prefix}.${name}`)}; Domain=example.localhost; Path=${path}; Secure`);
    }
    lines.push(`${companion}=${await value(attacker, companion)}; Domain=example.localhost; Path=/; Secure`); // browsers refuse it
    const planted = await plant(victim, ...lines);
    if (path === "/") assert.ok(planted.includes("session_token") && !planted.includes("session_mac"), planted);
    for (const route of [...whoAmI, ...whoAmI]) assert.deepEqual(await call(page, route), { status: 200, user: "victim" }, route);
    assert.equal((await call(page, "POST /api/auth/sign-out")).status, 200);
    assert.equal(await value(victim, companion), undefined);
    for (const route of whoAmI) assert.deepEqual(await call(theirs, route), { status: 200, user: "attacker" }, route);
  });
}

test("with the victim's companion alone, a planted session signs nobody in", async (t) => {
  const [attacker, victim] = [await stage.device(), await stage.device()];
  t.after(() => Promise.all([attacker.close(), victim.close()]));
  await signIn(attacker, "attacker");
  const page = await signIn(victim, "victim");
  await victim.clearCookies({ name: /^__Secure/ });
  const token = await value(attacker, `${prefix}.session_token`);
  for (const _ of [1, 2]) {
    await plant(victim, `${prefix}.session_token=${token}; Domain=example.localhost; Path=/; Secure`);
    assert.deepEqual(await call(page, "GET /api/auth/get-session"), { status: 200, user: undefined });
    assert.equal((await call(page, "POST /v1/session/refresh")).status, 401);
    assert.ok(await value(victim, companion), "the companion stays");
  }
  const again = await signIn(victim, "victim");
  for (const route of whoAmI) assert.deepEqual(await call(again, route), { status: 200, user: "victim" }, route);
});

test("a browser with cookies of an earlier domain stays signed in, signs in anew, and signs out", async (t) => {
  t.after(() => restart(""));
  for (const [from, to] of [["", "example.localhost"], ["example.localhost", ""]] as const) {
    for (const again of ["", "grace"]) {
      await restart(from);
      const device = await stage.device();
      let page = await signIn(device, "ada");
      await restart(to);
      for (const route of ["GET /api/auth/get-session", "GET /v1/session"]) assert.deepEqual(await call(page, route), { status: 200, user: "ada" });
      if (again) page = await signIn(device, again);
      for (const route of [...whoAmI, ...whoAmI]) assert.deepEqual(await call(page, route), { status: 200, user: again || "ada" }, route);
      const tokens = (await device.cookies(hostOnly.auth)).filter(({ name }) => name.endsWith("session_token"));
      assert.equal(tokens.length, 1, "the cookie of the earlier domain is gone");
      assert.equal((await call(page, "POST /api/auth/sign-out")).status, 200);
      assert.deepEqual(await device.cookies(hostOnly.auth), []);
      await device.close();
    }
  }
});

/** Runs the issuer with another cookies.domain. */
async function restart(domain: string): Promise<void> {
  await stage.issuer.halt();
  stage.issuer["environ"]["ISSUER_COOKIES_DOMAIN"] = domain;
  await stage.issuer.run();
}
