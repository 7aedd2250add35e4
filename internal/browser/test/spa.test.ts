// The components of a front end that was written for better-auth, in the three deployments.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import test, { type TestContext } from "node:test";
import type { Page } from "playwright-core";
import { eventually } from "../../../clients/typescript/test/wait.js";
import { findings } from "./axe.js";
import { picture, type Plan, plans, signIn, Stage } from "./stage.js";

const press = (page: Page, name: string) => page.getByRole("button", { name, exact: true }).click();

/** Serves, on any host name of this machine, a page that tries all that needs no script. It returns its port. */
async function bait(t: TestContext, target: string): Promise<number> {
  const body = `<!doctype html><a href="${target}">Win</a><form action="${target}"><button>Win more</button></form>
    <img src="${target}?image"><link rel="prefetch" href="${target}?prefetch"><iframe src="${target}?frame"></iframe>`;
  const server = createServer((_, res) => res.setHeader("content-type", "text/html").end(body));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => server.close());
  return (server.address() as AddressInfo).port;
}

/** Presses Refresh until the page shows a text. */
async function refreshedTo(page: Page, text: string): Promise<void> {
  await press(page, "Refresh");
  await page.getByText(text).waitFor();
}

const all = await plans();
const stages = new Map<Plan, Promise<Stage>>();

/** The stage of a plan, which all tests share. */
function on(plan: Plan): Promise<Stage> {
  const stage = stages.get(plan) ?? Stage.open(plan);
  stages.set(plan, stage);
  return stage;
}

test.after(async () => {
  for (const stage of stages.values()) await (await stage).close();
});

for (const plan of Object.values(all)) {
  test(`${plan.name}: the components show, renew, list and end sessions`, async (t) => {
    const stage = await on(plan);
    const [here, elsewhere] = [await stage.device(), await stage.device({ userAgent: "Elsewhere/1.0" })];
    const other = await signIn(stage, elsewhere);
    const page = await signIn(stage, here);
    await page.getByText("ada@example.com").waitFor();
    await page.getByText("Elsewhere/1.0").waitFor();
    await picture(page, `spa ${plan.name}`);

    await t.test("the client renews the session when that is due", async () => {
      const token = async () => (await here.cookies(plan.auth)).find(({ name }) => name.endsWith("session_token"))?.value;
      const first = await token();
      const renewed = page.waitForResponse((r) => r.request().method() === "POST" && r.url().endsWith("/get-session"));
      await eventually(async () => {
        await press(page, "Refresh Session");
        return (await token()) !== first;
      }, "the refresh token is rotated");
      assert.equal((await renewed).status(), 200);
      await page.getByText("ada@example.com").waitFor();
    });

    await t.test("another device's session is ended", async () => {
      await press(page, "Revoke");
      await page.getByText("Elsewhere/1.0").waitFor({ state: "detached" });
      await refreshedTo(other, "Not logged in");
    });

    await t.test("a sign-out leads to the sign-in page, and is seen by another tab", async () => {
      const tab = await here.newPage();
      await tab.goto(plan.app);
      await tab.getByText("ada@example.com").waitFor();
      await press(page, "Sign Out");
      await page.waitForURL(`${plan.app}/login`);
      await tab.getByText("Not logged in").waitFor();
      assert.deepEqual(await here.cookies(plan.auth), []);
    });

    await t.test("all devices are signed out, by POST and by the client's own GET", async () => {
      for (const how of ["POST", "GET"]) {
        const [one, two] = [await signIn(stage, here), await signIn(stage, elsewhere)];
        const sent = one.waitForRequest((r) => r.url().endsWith("/revoke-all-sessions"));
        if (how === "POST") await press(one, "Sign Out All Devices");
        else assert.equal(await one.evaluate((url) => fetch(url, { credentials: "include" }).then((r) => r.status), `${plan.auth}/api/auth/revoke-all-sessions`), 200);
        assert.equal((await sent).method(), how);
        if (how === "GET") await press(one, "Refresh");
        await one.getByText("Not logged in").waitFor();
        await refreshedTo(two, "Not logged in");
      }
    });
  });
}

test("a navigation to the GET that ends all sessions is refused, and so is whatever else a page can start", async (t) => {
  const stage = await on(all.sameOrigin);
  const { app, auth } = stage.plan;
  const context = await stage.device();
  const page = await signIn(stage, context);
  const target = `${auth}/api/auth/revoke-all-sessions`;
  const answers: string[] = [];
  context.on("response", (r) => r.url().startsWith(target) && answers.push(`${r.status()} ${r.request().resourceType()}`));

  const direct = await page.goto(target);
  assert.equal(direct?.status(), 403);
  assert.equal((await direct.json()).code, "CROSS_SITE_REQUEST_BLOCKED");
  const port = await bait(t, target);
  await context.route(`${app}/bait`, (route) => route.continue({ url: `http://localhost:${port}` }));
  // The neighbour's pages send the cookies too: cookies know no ports.
  for (const from of [`${app}/bait`, `http://localhost:${port}`, `http://evil.localhost:${port}`]) {
    for (const role of ["link", "button"] as const) {
      await page.goto(from); // with its image and its frame
      const [answer] = await Promise.all([page.waitForNavigation(), page.getByRole(role).click()]);
      assert.equal(answer?.status(), 403, `a ${role} of ${from}`);
    }
  }
  // A page of another origin is not even told what became of its image.
  assert.ok(answers.includes("403 image"), answers.join());
  assert.deepEqual(answers.filter((answer) => !/^40[13] /.test(answer)), []);
  await page.goto(app);
  await page.getByText("Welcome, Ada").waitFor();
});

test("where the browser keeps no cookies of another site, the sign-in says so", async () => {
  const stage = await on(all.otherSite);
  const page = await (await stage.device({}, false)).newPage();
  await page.goto(`${stage.plan.app}/login`);
  await press(page, "Sign In");
  await page.getByText("Your browser did not keep the session's cookies.").waitFor();
});

test("a sign-in with a wrong password, or for another site's page, begins nothing", async () => {
  const stage = await on(all.sameOrigin);
  const context = await stage.device();
  const page = await context.newPage();
  await page.goto(`${stage.plan.app}/login`);
  await page.getByLabel("Password").fill("wrong");
  await press(page, "Sign In");
  await page.getByText("Wrong email or password.").waitFor();
  const body = `<form method="post" enctype="text/plain" action="${stage.plan.app}/login"><button
    name='{"email": "grace@example.com", "password": "demo", "x": "' value='"}'>Win</button></form>`;
  await page.route("http://evil.localhost/", (route) => route.fulfill({ contentType: "text/html", body }));
  await page.goto("http://evil.localhost/");
  const [answer] = await Promise.all([page.waitForNavigation(), press(page, "Win")]);
  assert.equal(answer?.status(), 403);
  assert.deepEqual(await context.cookies(), []);
});

for (const colorScheme of ["light", "dark"] as const) {
  test(`${colorScheme}: axe finds nothing in the example`, async () => {
    const stage = await on(all.sameOrigin);
    const context = await stage.device({ colorScheme, viewport: { width: 390, height: 844 } });
    await signIn(stage, await stage.device({ userAgent: "Elsewhere/1.0" }));
    const page = await signIn(stage, context);
    await page.getByText("Elsewhere/1.0").first().waitFor();
    assert.deepEqual(await findings(page), []);
    const heights = await page.evaluate(() => [...document.querySelectorAll("button")].map(({ offsetHeight }) => offsetHeight));
    assert.ok(heights.every((height) => height < 60), `a button is squeezed: ${heights}`);
    await picture(page, `spa ${colorScheme} phone`);
    await press(page, "Sign Out");
    await page.waitForURL("**/login");
    assert.deepEqual(await findings(page), []);
    await picture(page, `spa sign-in ${colorScheme} phone`);
  });
}
