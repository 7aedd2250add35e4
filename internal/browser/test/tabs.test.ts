// Many tabs, for ten lifetimes of an access token, and what else happens to tabs.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { BrowserContext, Page } from "playwright-core";
import { eventually } from "../../../clients/typescript/test/wait.js";
import { lifetime, plans, signIn, Stage } from "./stage.js";
import { atMost, count, signInBy, states, status, tab } from "./tab.js";

const ten = 10 * lifetime;

/** Waits until ten lifetimes have passed, and returns how many milliseconds it were. */
async function tenLifetimes(): Promise<number> {
  const began = Date.now();
  await eventually(() => Date.now() - began >= ten, "ten lifetimes", 2 * ten);
  return Date.now() - began;
}

/** Has all five tabs ask for a token all the time, so that they all need a new one at once. */
const hurry = (pages: Page[]) =>
  Promise.all(pages.map((page) => page.evaluate(() => void setInterval(() => window.client.getAccessToken().catch(() => {}), 50))));

const five = <T>(make: () => Promise<T>): Promise<T[]> => Promise.all([make(), make(), make(), make(), make()]);

/** Stops all scripts of a page, as when its tab is suspended: what it holds it keeps. It returns how to let it go on. */
async function suspend(context: BrowserContext, page: Page): Promise<() => Promise<void>> {
  await page.evaluate(() => {
    let [last, gap] = [Date.now(), 0];
    setInterval(() => {
      gap = Math.max(gap, Date.now() - last);
      last = Date.now();
      document.title = String(gap);
    }, 100);
  });
  const session = await context.newCDPSession(page);
  await session.send("Debugger.enable");
  await session.send("Debugger.pause");
  const began = Date.now();
  return async () => {
    const time = Date.now() - began;
    await session.detach();
    await eventually(async () => Number(await page.title()) > 0.8 * time, `its scripts stood still for ${time} ms`);
  };
}

/** Waits until all are signed out. They are told so; one or two may have asked the issuer in that moment. */
async function allSignedOut(pages: Page[]): Promise<void> {
  for (const page of pages) await eventually(async () => (await status(page)) === "signed-out", "the sign-out is seen in each tab");
  const last = await Promise.all(pages.map(async (page) => (await states(page)).at(-1)));
  assert.ok(last.filter((state) => state === "signed-out: sign_out").length >= pages.length - 2, last.join());
}

/** Has the page press Refresh twice a second, all such pages at the same moment. */
const pressing = (page: Page) =>
  page.evaluate(() => {
    const button = [...document.querySelectorAll("button")].find(({ textContent }) => textContent === "Refresh");
    const next = () =>
      setTimeout(() => {
        button?.click();
        next();
      }, 500 - (Date.now() % 500));
    next();
  });

describe("ten lifetimes", { concurrency: true }, () => {
  let sameOrigin: Stage;
  let subdomains: Stage;
  let otherSite: Stage;
  before(async () => {
    const all = await plans();
    const opened = [all.sameOrigin, all.subdomains, { ...all.otherSite, thirdParty: false }].map((plan) => Stage.open(plan));
    [sameOrigin, subdomains, otherSite] = (await Promise.all(opened)) as [Stage, Stage, Stage];
  });
  after(() => Promise.all([sameOrigin, subdomains, otherSite].map((stage) => stage.close())));

  test("five tabs with our client share one refresh a lifetime; a suspended one finds its session", async (t) => {
    const stage = subdomains;
    const context = await stage.device();
    await signInBy(stage, context);
    const pages = await five(() => tab(stage, context, "cookie"));
    const suspended = await tab(stage, context, "cookie");
    const resume = await suspend(context, suspended);
    await hurry(pages);
    const refreshes = count(context, "POST /v1/session/refresh");
    const time = await tenLifetimes();
    const { sent } = refreshes;
    t.diagnostic(`${sent} refreshes in ${time} ms`);
    assert.ok(sent >= 5 && sent <= atMost(time), `${sent} refreshes, at most ${atMost(time)}`);
    const tokens = await Promise.all(pages.map((page) => page.evaluate(() => window.client.getAccessToken())));
    assert.ok(tokens[0] && new Set(tokens).size <= 2, "the tabs have tokens of their own"); // two when one has just come
    await resume();
    assert.ok(await suspended.evaluate(() => window.client.getAccessToken()));
    for (const page of [...pages, suspended]) assert.deepEqual(await states(page), ["signed-in"]);

    await pages[2]!.evaluate(() => window.client.signOut());
    await allSignedOut([...pages, suspended]);
    assert.deepEqual(await context.cookies(stage.plan.auth), []);
  });

  test("five tabs with the better-auth client stay signed in", async (t) => {
    const stage = sameOrigin;
    const context = await stage.device();
    await context.addInitScript(() => {
      addEventListener("DOMContentLoaded", () => {
        const note = () => document.body.textContent?.includes("Not logged in") && (document.title = "signed out");
        new MutationObserver(note).observe(document.body, { subtree: true, childList: true, characterData: true });
      });
    });
    const first = await signIn(stage, context);
    const pages = await five(() => context.newPage());
    for (const page of pages) {
      await page.goto(stage.plan.app);
      await page.getByText("ada@example.com").waitFor();
      await pressing(page);
    }
    const renewals = count(context, "POST /api/auth/get-session");
    const time = await tenLifetimes();
    t.diagnostic(`${renewals.sent} renewals in ${time} ms`);
    assert.ok(renewals.sent >= 5, `${renewals.sent} renewals`);
    for (const page of [first, ...pages]) {
      assert.notEqual(await page.title(), "signed out");
      await page.getByText("ada@example.com").waitFor();
    }
  });

  test("five tabs in bearer mode, on a site whose cookies the browser does not keep", async (t) => {
    const stage = otherSite;
    const context = await stage.device();
    const pages = await five(async () => tab(stage, context, "bearer", await stage.issuer.mint("bearer")));
    const perTab = pages.map(() => 0);
    context.on("request", (r) => {
      if (r.method() === "POST" && r.url().endsWith("/v1/session/refresh")) perTab[pages.indexOf(r.frame().page())]!++;
    });
    await hurry(pages);
    const time = await tenLifetimes();
    t.diagnostic(`${perTab} refreshes in ${time} ms`);
    for (const sent of perTab) assert.ok(sent >= 5 && sent <= atMost(time), `${sent} refreshes, at most ${atMost(time)}`);
    const url = `${stage.plan.auth}/v1/session`;
    assert.equal(await pages[0]!.evaluate(async (url) => (await window.client.fetch(url)).status, url), 200);
    await pages[0]!.evaluate(() => window.client.signOut());
    assert.deepEqual(await Promise.all(pages.map(status)), ["signed-out", ...Array(4).fill("signed-in")]);
    await pages[1]!.evaluate(() => window.client.revokeAllSessions());
    await allSignedOut(pages);
    assert.deepEqual(await context.cookies(), []);
  });

  test("a tab that is suspended in mid-refresh holds up nobody, and signs nobody out", async () => {
    const stage = sameOrigin;
    const context = await stage.device();
    await signInBy(stage, context);
    const [stuck, other] = [await tab(stage, context, "cookie"), await tab(stage, context, "cookie")];
    let release = () => {};
    const asked = new Promise<void>((resolve) => {
      void stuck.route("**/v1/session/refresh", async (route) => {
        resolve();
        await new Promise<void>((resolve) => (release = resolve));
        await route.abort();
      }, { times: 1 });
    });
    await stuck.evaluate(() => void setTimeout(() => void window.client.refresh(), 1_100)); // no token is renewed in its youth
    await asked; // it has the lock now
    const resume = await suspend(context, stuck);
    const began = Date.now();
    await other.evaluate(() => window.client.refresh());
    assert.ok(Date.now() - began < 20_000, `it took ${Date.now() - began} ms`);
    release();
    await resume();
    assert.ok(await stuck.evaluate(() => window.client.getAccessToken()));
    for (const page of [stuck, other]) assert.deepEqual(await states(page), ["signed-in"]);
  });
});
