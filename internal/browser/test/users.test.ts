// Two users of one browser: the backend changes the cookies, and no tab is told.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { BrowserContext } from "playwright-core";
import { eventually } from "../../../clients/typescript/test/wait.js";
import { plans, Stage } from "./stage.js";
import { begin, shown, signInBy, states, tab } from "./tab.js";

const [ada, grace] = ["u-ada", "u-grace"];
const graceEmail = "grace@example.com";

/** Browsers that lack something that helps tabs. */
const lacks = [[], ["BroadcastChannel"], ["locks"], ["BroadcastChannel", "locks"]];

async function device(stage: Stage, lacking: string[]): Promise<BrowserContext> {
  const context = await stage.device();
  await context.addInitScript((lacking) => {
    if (lacking.includes("BroadcastChannel")) Reflect.deleteProperty(window, "BroadcastChannel");
    if (lacking.includes("locks")) Object.defineProperty(navigator, "locks", { value: undefined });
  }, lacking);
  for (const user of [ada, grace]) await stage.issuer.service("POST", `/v1/users/${user}/revoke-sessions`);
  return context;
}

/** How many live sessions Ada and Grace have. */
async function live(stage: Stage): Promise<number[]> {
  const count = async (user: string | undefined) => (await (await stage.issuer.service("GET", `/v1/sessions?user_id=${user}`)).json()).sessions.length;
  return [await count(ada), await count(grace)];
}

describe("two users of one browser", () => {
  /** On one origin, with tokens that are soon renewed; and on subdomains, with tokens that are not renewed in a test. */
  let quick: Stage;
  let slow: Stage;
  before(async () => {
    const { sameOrigin, subdomains } = await plans();
    const long = { ...subdomains.issuer, ISSUER_ACCESS_TOKEN_LIFETIME: "5m", ISSUER_REFRESH_CONCURRENCY_WINDOW: "10s" };
    [quick, slow] = await Promise.all([Stage.open(sameOrigin), Stage.open({ ...subdomains, issuer: long })]);
  });
  after(() => Promise.all([quick.close(), slow.close()]));

  for (const lacking of lacks) {
    const without = `without ${lacking.join(" and ") || "nothing"}`;

    test(`${without}: a tab shows and uses, and ends, the session of the cookies`, async () => {
      const context = await device(quick, lacking);
      await signInBy(quick, context);
      const a = await tab(quick, context, "cookie");
      assert.equal(await shown(a), ada);
      await signInBy(quick, context, graceEmail);
      const b = await tab(quick, context, "cookie");
      assert.equal(await shown(b), grace);
      const url = `${quick.plan.auth}/v1/session`;
      assert.equal(await b.evaluate(async (url) => (await (await window.client.fetch(url)).json()).user.id, url), grace);
      assert.deepEqual(await states(b), ["signed-in"]);
      await eventually(async () => (await shown(a)) === grace, "the first tab becomes what the cookies say");
      assert.deepEqual(await states(a), ["signed-in"]);
      await b.evaluate(() => window.client.signOut());
      assert.deepEqual(await live(quick), [1, 0]);
      assert.deepEqual(await context.cookies(quick.plan.auth), []);
      await eventually(async () => (await shown(a)) === "signed-out", "nobody is signed in");
      await context.close();
    });

    test(`${without}: sign-out in the tab of the first user, and a session that was revoked`, async () => {
      const context = await device(slow, lacking);
      await signInBy(slow, context);
      const a = await tab(slow, context, "cookie");
      await signInBy(slow, context, graceEmail);
      await a.evaluate(() => window.client.signOut());
      assert.deepEqual([await live(slow), await shown(a)], [[0, 1], grace]);

      await signInBy(slow, context);
      await a.evaluate(() => window.client.signedIn());
      assert.equal(await shown(a), ada);
      await slow.issuer.service("POST", `/v1/users/${ada}/revoke-sessions`);
      await signInBy(slow, context, graceEmail);
      const b = await tab(slow, context, "cookie");
      assert.deepEqual([await shown(b), await states(b)], [grace, ["signed-in"]]);
      await a.evaluate(() => window.client.listSessions());
      assert.equal(await shown(a), grace);
      assert.ok(!(await states(a)).includes("signed-out: session_revoked"));
      await context.close();
    });
  }

  test("tabs in bearer mode that share a storage share a session, and a reload resumes it", async () => {
    const stage = quick;
    const context = await stage.device();
    const grant = await stage.issuer.mint("stored");
    const first = await tab(stage, context, "stored", grant);
    const pages = [first, await tab(stage, context, "stored"), await tab(stage, context, "stored")];
    for (const page of pages) await page.evaluate(() => void setInterval(() => window.client.getAccessToken().catch(() => {}), 50));
    const tokens = new Set<string | null>();
    await eventually(async () => {
      tokens.add(await first.evaluate(() => localStorage.getItem(localStorage.key(0) ?? "")));
      return tokens.size > 6;
    }, "the token is rotated by each of them");
    for (const page of pages) {
      await page.reload();
      await begin(stage, page, "stored");
      assert.deepEqual([await shown(page), await states(page)], ["stored", ["signed-in"]]);
    }
    await first.evaluate(() => window.client.signOut());
    for (const page of pages) await eventually(async () => (await shown(page)) === "signed-out", "the sign-out is seen");
    assert.equal(await first.evaluate(() => localStorage.length), 0);
    await context.close();
  });
});
