// The page of one's devices, as people meet it.
import assert from "node:assert/strict";
import test, { type TestContext } from "node:test";
import type { BrowserContextOptions, Page } from "playwright-core";
import { eventually } from "../../../clients/typescript/test/wait.js";
import { findings } from "./axe.js";
import { picture, plans, Stage } from "./stage.js";

let stage: Stage;
test.before(async () => {
  stage = await Stage.open((await plans()).sameOrigin);
});
test.after(() => stage.close());

const elsewhere = [
  { user_agent: "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:143.0) Gecko/20100101 Firefox/143.0", ip_address: "203.0.113.7" },
  {
    user_agent: "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Mobile/15E148 Safari/604.1",
    ip_address: "2001:db8:85a3:8d3:1319:8a2e:370:7348",
    label: "Ada's telephone",
  },
  {},
];

let users = 0;

/** A user with four devices; the page is on one of them. It says what breaks the policy of the page, too. */
async function visit(t: TestContext, options: BrowserContextOptions = {}) {
  const user = { id: `user-${++users}`, email: `user${users}@example.com`, name: "Ada" };
  for (const device of elsewhere) await stage.issuer.service("POST", "/v1/sessions", { user, ...device });
  const context = await stage.device(options);
  t.after(() => context.close());
  const user_agent = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36";
  const minted = await stage.issuer.service("POST", "/v1/sessions?transport=cookie", { user, user_agent, ip_address: "192.0.2.33" });
  for (const line of minted.headers.getSetCookie()) {
    const [, name = "", value = ""] = /^([^=]+)=([^;]+)/.exec(line) ?? [];
    await context.addCookies([{ name, value, url: stage.plan.auth, httpOnly: true }]);
  }
  const violations: string[] = [];
  await context.exposeBinding("violated", (_, what: string) => violations.push(what));
  await context.addInitScript(() =>
    addEventListener("securitypolicyviolation", (e) => (window as never as { violated: (what: string) => void }).violated(e.violatedDirective)),
  );
  const page = await context.newPage();
  page.on("console", (message) => message.type() === "error" && violations.push(message.text()));
  const url = `${stage.plan.auth}/account/sessions`;
  const open = (query = "") => page.goto(url + query);
  await open();
  return { page, context, user, url, open, violations };
}

const devices = (page: Page) => page.getByRole("listitem").count();
const press = (page: Page, name: string) => page.getByRole("button", { name }).click();

test("without JavaScript one session is ended, then the others, then all after a question", async (t) => {
  const { page, url } = await visit(t, { javaScriptEnabled: false });
  assert.equal(await devices(page), 4);
  const firefox = page.getByRole("listitem").filter({ hasText: "203.0.113.7" });
  assert.equal(await firefox.getByRole("heading").innerText(), "Firefox on Windows");
  assert.equal(await page.getByText("This device").count(), 1);
  await firefox.getByRole("button").click();
  await firefox.waitFor({ state: "detached" });
  assert.equal(page.url(), url);
  assert.equal(await devices(page), 3);
  await press(page, "End all other sessions");
  await page.getByText("telephone").waitFor({ state: "detached" });
  assert.equal(await devices(page), 1);
  assert.equal(await page.getByRole("button", { name: "End all other sessions" }).count(), 0, "there are none");
  await press(page, "Sign out everywhere");
  await page.getByRole("heading", { name: "Sign out everywhere?" }).waitFor();
  await press(page, "Cancel");
  assert.equal(await devices(page), 1);
  await press(page, "Sign out everywhere");
  await press(page, "Sign out everywhere");
  await page.getByRole("heading", { name: "You are not signed in" }).waitFor();
  assert.deepEqual(await page.context().cookies(), []);
});

test("this device is signed out, and the others stay", async (t) => {
  const { page, user } = await visit(t);
  await page.getByRole("listitem").filter({ hasText: "This device" }).getByRole("button", { name: "Sign out" }).click();
  await page.getByRole("heading", { name: "You are not signed in" }).waitFor();
  const answer = await stage.issuer.service("GET", `/v1/sessions?user_id=${user.id}`);
  assert.equal(((await answer.json()) as { sessions: unknown[] }).sessions.length, 3);
});

test("the keyboard alone does it, and what has the focus is seen", async (t) => {
  const { page, open } = await visit(t);
  await open(`?return_to=${stage.plan.app}/`);
  const focused = () =>
    page.evaluate(() => {
      const element = document.activeElement as HTMLElement;
      const style = getComputedStyle(element);
      const name = (element.getAttribute("aria-labelledby") ?? "").split(" ").map((id) => document.getElementById(id)?.textContent).join(" ").trim();
      const { top, bottom } = element.getBoundingClientRect();
      return { name: name || element.innerText, outline: `${style.outlineStyle} ${style.outlineWidth}`, visible: top >= 0 && bottom <= innerHeight };
    });
  const names: string[] = [];
  for (let n = 0; n < 7; n++) {
    await page.keyboard.press("Tab");
    const { name, outline, visible } = await focused();
    assert.equal(outline, "solid 3px", name);
    assert.ok(visible, `${name} is out of sight`);
    names.push(name);
    if (n === 1) await picture(page, "account keyboard");
  }
  assert.deepEqual(names.slice(4), ["End all other sessions", "Sign out everywhere…", "Back to the application"]);
  assert.deepEqual(names.slice(0, 4).sort(), [
    "End session Ada's telephone",
    "End session Firefox on Windows",
    "End session Unknown device",
    "Sign out Chrome on Linux This device",
  ]);
  await page.keyboard.press("Shift+Tab");
  await page.keyboard.press("Shift+Tab");
  assert.equal((await focused()).name, "End all other sessions");
  await Promise.all([page.waitForNavigation(), page.keyboard.press("Enter")]);
  assert.equal(await devices(page), 1);
  for (let n = 0; n < 2; n++) await page.keyboard.press("Tab");
  await Promise.all([page.waitForNavigation(), page.keyboard.press("Space")]);
  assert.equal(await page.getByRole("heading", { level: 1 }).innerText(), "Sign out everywhere?");
});

const widths = { desktop: { width: 1280, height: 800 }, phone: { width: 390, height: 844 }, narrow: { width: 320, height: 640 } };

for (const colorScheme of ["light", "dark"] as const) {
  test(`${colorScheme}, on a desktop, a phone and a narrower one: axe finds nothing, and the policy holds`, async (t) => {
    const { page, context, open, violations } = await visit(t, { colorScheme });
    const look = async (name: string) => {
      for (const [width, size] of Object.entries(widths)) {
        await page.setViewportSize(size);
        assert.deepEqual(await findings(page), [], `${name}, ${width}`);
        assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${name} must be scrolled sideways, ${width}`);
        await picture(page, `account ${name} ${colorScheme} ${width}`);
      }
    };
    const [light, dark] = ["rgb(255, 255, 255)", "rgb(13, 17, 23)"];
    assert.equal(await page.evaluate(() => getComputedStyle(document.body).backgroundColor), colorScheme === "light" ? light : dark);
    await open(`?return_to=${stage.plan.app}/`);
    await look("devices");
    await press(page, "Sign out everywhere");
    await look("question");
    assert.equal(violations.join(), "");
    await context.clearCookies();
    await open(`?return_to=${stage.plan.app}/`);
    await look("signed out");
    assert.ok(violations.every((violation) => violation.includes("401 (Unauthorized)")), violations.join());
  });
}

test("the policy lets no script and no style in", async (t) => {
  const { page, violations } = await visit(t);
  await page.evaluate(() => {
    for (const [tag, text] of [["script", "window.ran = true"], ["style", "body { display: none }"]] as const) {
      const element = document.createElement(tag);
      element.textContent = text;
      document.body.append(element);
    }
    document.body.insertAdjacentHTML("beforeend", `<img src="https://evil.example/"><b onclick="window.ran = true">x</b>`);
  });
  await page.getByText("x", { exact: true }).click();
  const directives = ["script-src-elem", "style-src-elem", "img-src", "script-src-attr"];
  await eventually(() => directives.every((directive) => violations.includes(directive)), `violations of ${directives}`);
  assert.equal(await page.evaluate(() => "ran" in window), false);
});

test("the page can't be framed", async (t) => {
  const { page, url, violations } = await visit(t);
  await page.goto(`${stage.plan.app}/nothing`);
  await page.evaluate((url) => void (document.body.innerHTML = `<iframe src="${url}"></iframe>`), url);
  await eventually(() => violations.some((violation) => violation.includes("frame-ancestors")), "the frame is refused");
  assert.deepEqual(page.frames().filter((frame) => frame.url() === url), []);
});

test("only the address of a trusted origin is linked back to, and forms keep it", async (t) => {
  const { page, url, open } = await visit(t);
  const back = page.getByRole("link", { name: "Back to the application" });
  await open();
  assert.equal(await back.count(), 0);
  const home = `${stage.plan.app}/?from=devices`;
  await open(`?return_to=${encodeURIComponent(home)}`);
  await press(page, "End session Firefox");
  await page.getByText("Firefox").waitFor({ state: "detached" });
  assert.equal(page.url(), `${url}?return_to=${encodeURIComponent(home)}`);
  await press(page, "Sign out everywhere");
  await press(page, "Cancel");
  await back.click();
  await page.waitForURL(home);
  for (const evil of ["https://evil.example/", "//evil.example", "javascript:alert(1)", `${stage.plan.app}.evil.example/`, `http://x@${new URL(stage.plan.app).host}/`]) {
    assert.equal((await open(`?return_to=${encodeURIComponent(evil)}`))?.status(), 400, evil);
    assert.equal(await page.getByRole("link").count(), 0, evil);
  }
});

test("a form of another site ends nothing", async (t) => {
  const { page, url, user } = await visit(t);
  const body = `<form method="post" action="${url}/revoke-all"><button>Win</button></form>`;
  await page.route("http://evil.localhost/", (route) => route.fulfill({ contentType: "text/html", body }));
  await page.goto("http://evil.localhost/");
  const [answer] = await Promise.all([page.waitForNavigation(), press(page, "Win")]);
  assert.equal(answer?.status(), 403);
  const left = await stage.issuer.service("GET", `/v1/sessions?user_id=${user.id}`);
  assert.equal(((await left.json()) as { sessions: unknown[] }).sessions.length, 4);
});
