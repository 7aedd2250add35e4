// A tab with our own client in it, on the origin of the application.
import { readFileSync } from "node:fs";
import type { BrowserContext, Page } from "playwright-core";
import type { Grant } from "../../../clients/typescript/src/index.js";
import { lifetime, type Stage } from "./stage.js";

type Mode = "cookie" | "bearer" | "stored";

/** Opens a tab. In cookie mode it is signed in with the cookies, otherwise with the grant or with what is stored. */
export async function tab(stage: Stage, context: BrowserContext, mode: Mode, grant?: Grant): Promise<Page> {
  const page = await blank(stage, context);
  await begin(stage, page, mode, grant);
  return page;
}

/** Makes the client of a page that has just loaded. */
export async function begin(stage: Stage, page: Page, mode: Mode, grant?: Grant): Promise<void> {
  await page.evaluate(readFileSync(".test/page.js", "utf8"));
  const options = { baseURL: stage.plan.auth, mode: mode === "cookie" ? mode : ("bearer" as const), stored: mode === "stored" };
  await page.evaluate((options) => window.begin(options), options);
  await page.evaluate(async (grant) => void (await (grant ? window.client.signedIn(grant) : window.client.getSession())), grant);
}

/** Signs a user in on a device, in cookie mode. */
export async function signInBy(stage: Stage, context: BrowserContext, email = "ada@example.com"): Promise<void> {
  const page = await blank(stage, context);
  const status = await page.evaluate(async (email) => {
    const body = JSON.stringify({ email, password: "demo" });
    return (await fetch("/login", { method: "POST", body })).status;
  }, email);
  if (status !== 200) throw new Error(`signing in: ${status}`);
  await page.close();
}

/** A page of the application's origin that does nothing: that there is none. */
async function blank(stage: Stage, context: BrowserContext): Promise<Page> {
  const page = await context.newPage();
  await page.goto(`${stage.plan.app}/nothing`);
  return page;
}

/** What the page knows now. */
export const status = (page: Page) => page.evaluate(() => window.client.getState().status);

/** The user that the page shows, or its status. */
export const shown = (page: Page) => page.evaluate(() => window.client.getState().data?.user.id ?? window.client.getState().status);

/** Every status that the page has been in. */
export const states = (page: Page) => page.evaluate(() => window.states);

/** Counts what a device asks for, as "POST /v1/session/refresh". */
export function count(context: BrowserContext, what: string): { readonly sent: number } {
  const counted = { sent: 0 };
  context.on("request", (r) => {
    if (`${r.method()} ${new URL(r.url()).pathname}` === what) counted.sent++;
  });
  return counted;
}

/** How often a token may be renewed in a time: up to a fifth of its life before its end. */
export const atMost = (time: number) => 1 + Math.floor(time / (lifetime * 0.8));
