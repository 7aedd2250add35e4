import assert from "node:assert/strict";
import test from "node:test";
import { createAuthClient } from "better-auth/client";
import { issuer } from "../src/better-auth.js";
import { json } from "./model.js";
import { eventually } from "./wait.js";

test("with the plugin the better-auth client posts revokeAllSessions and asks for the session again", async () => {
  const requests: string[] = [];
  let signedIn = true;
  const client = createAuthClient({
    baseURL: "https://auth.example",
    plugins: [issuer()],
    fetchOptions: {
      customFetchImpl: async (input, init) => {
        const { pathname } = new URL(String(input));
        requests.push(`${init?.method ?? "GET"} ${pathname}`);
        if (pathname.endsWith("/revoke-all-sessions")) signedIn = false;
        const session = { session: { id: "s1", token: "s1", userId: "u1" }, user: { id: "u1" } };
        return json(200, pathname.endsWith("/get-session") ? (signedIn ? session : null) : { status: true });
      },
    },
  });
  // The client asks by itself in a browser only.
  Object.assign(globalThis, { window: globalThis });
  try {
    const states: unknown[] = [];
    const stop = client.useSession.subscribe((state) => states.push(state.data?.user.id ?? null));
    await eventually(() => states.includes("u1"), "the session is there");
    const { data } = await client.revokeAllSessions();
    assert.deepEqual(data, { status: true });
    await eventually(() => states.at(-1) === null, "the session is gone");
    stop();
  } finally {
    Reflect.deleteProperty(globalThis, "window");
  }
  assert.ok(requests.includes("POST /api/auth/revoke-all-sessions"), requests.join());
});
