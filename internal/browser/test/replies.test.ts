// Replies that are lost on the way, after the issuer has done its part; and servers that lose what is set.
import assert from "node:assert/strict";
import test from "node:test";
import type { BrowserContext, Page, Request } from "playwright-core";
import { eventually } from "../../../clients/typescript/test/wait.js";
import { lifetime, plans, signIn, Stage } from "./stage.js";
import { signInBy, states, tab } from "./tab.js";

let stage: Stage;
test.before(async () => {
  stage = await Stage.open((await plans()).sameOrigin);
});
test.after(() => stage.close());

const cookies = async (context: BrowserContext) =>
  (await context.cookies(stage.plan.app)).map(({ name, value }) => `${name}=${value}`).join("; ");

/** The refresh token that the browser has. */
const held = async (context: BrowserContext) => /session_token=([^;]+)/.exec(await cookies(context))?.[1];

/** Sends what a page asks for to the issuer, with the page's cookies, and takes nothing back. */
async function lost(context: BrowserContext, request: Request): Promise<number> {
  const url = `${stage.issuer.url}${new URL(request.url()).pathname}`;
  const headers = { ...request.headers(), cookie: await cookies(context), origin: stage.plan.app };
  const answer = await fetch(url, { method: request.method(), headers, body: request.postData() });
  assert.ok(answer.headers.getSetCookie().some((line) => line.includes("session_token=rt_")), "the issuer has rotated the token");
  return answer.status;
}

/** Loses the next replies to a path. */
async function lose(page: Page, path: string, times: number): Promise<{ statuses: number[] }> {
  const statuses: number[] = [];
  await page.route(
    `**${path}`,
    async (route) => {
      if (route.request().method() !== "POST") return route.fallback();
      if (statuses.length === times) return route.continue();
      statuses.push(await lost(page.context(), route.request()));
      await route.abort("connectionreset");
    },
  );
  return { statuses };
}

test("our client sends a refresh again whose reply was lost, and later once more", async () => {
  const context = await stage.device();
  await signInBy(stage, context);
  const page = await tab(stage, context, "cookie");
  for (const times of [1, 2]) {
    await page.unrouteAll();
    const first = await held(context);
    const { statuses } = await lose(page, "/v1/session/refresh", times);
    // By itself, when the token becomes old: at once a second time, and after a pause that is longer than the window.
    await eventually(async () => (await held(context)) !== first, `a refresh after ${times} lost replies`);
    assert.deepEqual(statuses, Array(times).fill(200));
    await eventually(() => page.evaluate(() => !window.client.getState().error), "the trouble is over");
  }
  assert.deepEqual(await states(page), ["signed-in"]);
  await context.close();
});

test("the better-auth client stays signed in when the reply to a renewal is lost", async () => {
  const context = await stage.device();
  const page = await signIn(stage, context);
  const { statuses } = await lose(page, "/api/auth/get-session", 2);
  const first = await held(context);
  await eventually(async () => {
    await page.getByRole("button", { name: "Refresh Session" }).click();
    return (await held(context)) !== first;
  }, "a renewal");
  assert.deepEqual(statuses, [200, 200]);
  await page.reload();
  await page.getByText("ada@example.com").waitFor();
  await context.close();
});

test("while the issuer is away nobody is signed out", async () => {
  const context = await stage.device();
  const page = await signIn(stage, context);
  const other = await tab(stage, context, "cookie");
  await stage.issuer.halt();
  await page.getByRole("button", { name: "Refresh", exact: true }).click();
  await eventually(() => other.evaluate(() => window.client.getState().error !== undefined), "our client has noticed");
  await page.getByText("ada@example.com").waitFor();
  const late = await context.newPage();
  await late.goto(stage.plan.app);
  await late.getByText("The sign-in service can't be reached.").waitFor();
  await stage.issuer.run();
  for (const one of [page, late]) {
    await one.reload();
    await one.getByText("ada@example.com").waitFor();
  }
  await eventually(() => other.evaluate(() => window.client.getState().error === undefined), "our client has recovered");
  assert.deepEqual(await states(other), ["signed-in"]);
  await context.close();
});

test("a server that renders with the browser's cookies, and drops what is set, logs nobody out", async (t) => {
  const context = await stage.device();
  const page = await signIn(stage, context);
  const other = await tab(stage, context, "cookie");
  await page.evaluate(() => {
    const button = [...document.querySelectorAll("button")].find(({ textContent }) => textContent === "Refresh");
    setInterval(() => button?.click(), 100);
  });
  const tokens = new Set<string | undefined>();
  const began = Date.now();
  let renders = 0;
  let reads = 0;
  while (Date.now() - began < 3 * lifetime || renders < 20 || tokens.size < 2) {
    const cookie = await cookies(context);
    tokens.add(await held(context));
    // Many at a time, as the parts of a page do.
    const answers = await Promise.all(
      ["/dashboard", "/api/protected", "/api/auth/get-session", "/api/auth/get-session"].map((path) =>
        fetch(`http://localhost:${new URL(stage.plan.app).port}${path}`, { headers: { cookie }, redirect: "manual" }),
      ),
    );
    assert.deepEqual(answers.map(({ status }) => status), [200, 200, 200, 200]);
    const [rendered = "", , ...sessions] = await Promise.all(answers.map((answer) => answer.text()));
    assert.match(rendered, /Welcome, Ada/);
    for (const session of sessions) assert.match(session, /"email":"ada@example.com"/);
    renders++;
    reads += answers.length;
  }
  t.diagnostic(`${reads} reads, beside ${tokens.size} refresh tokens`);
  await page.goto(`${stage.plan.app}/dashboard`);
  await page.getByText("Welcome, Ada").waitFor();

  // One that has kept cookies for too long is told of nobody, and does no harm.
  const stale = await fetch(`${stage.plan.app}/dashboard`, { headers: { cookie: `better-auth.session_token=${[...tokens][0]}` }, redirect: "manual" });
  assert.equal(stale.headers.get("location"), "/login");
  await page.goto(stage.plan.app);
  await page.getByText("ada@example.com").waitFor();
  assert.deepEqual(await states(other), ["signed-in"]);
  await context.close();
});
