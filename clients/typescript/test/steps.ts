import assert from "node:assert/strict";
import { IssuerError } from "../src/index.js";
import type { Tab, World } from "./world.js";

/** An address of the issuer's origin that wants a token. */
export const api = "https://auth.example/api/orders";

/** What the network does when it is down, and when it is fine. */
export const down = () => ({});
export const fine = () => ({ request: 10, reply: 10 });

/** Signs a user in, in this tab. */
export async function signedIn(world: World, tab: Tab): Promise<Tab> {
  if (world.settings.mode === "bearer") await tab.client.signedIn(world.issuer.mint("u1"));
  else {
    world.signIn();
    await world.until(tab.client.getSession());
  }
  assert.equal(tab.client.getState().status, "signed-in");
  return tab;
}

/** Counts the refreshes that a tab has asked for. */
export const refreshes = (tab: Tab) => tab.requests.filter((request) => request === "POST /v1/session/refresh").length;

/** Waits for a promise that is to be rejected, and returns why it was. */
export async function rejected(world: World, promise: Promise<unknown>): Promise<IssuerError> {
  const error = await world.until(promise).then(
    () => assert.fail("it succeeded"),
    (error: unknown) => error,
  );
  assert.ok(error instanceof IssuerError, String(error));
  return error;
}
