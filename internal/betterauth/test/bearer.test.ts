// The client as better-auth's documents set it up for the bearer plugin: no cookies, and the token from the
// header set-auth-token in a storage of the app's own.
import assert from "node:assert/strict";
import test, { after, before } from "node:test";
import { createAuthClient } from "better-auth/client";
import { createAuthClient as createOldClient } from "better-auth-1.4/client";
import { Program } from "../../../clients/typescript/test/program.js";
import { eventually } from "./browser.js";

Object.assign(globalThis, { window: globalThis }); // the client asks for nothing by itself on a server

let program: Program;
before(async () => {
  program = await Program.start({ ISSUER_ACCESS_TOKEN_LIFETIME: "2s" }); // renewals are due once in it
});
after(() => program.stop());

/** Opens a client of a user who has just signed in. */
async function open(create: typeof createAuthClient, user: string) {
  const { session, refresh_token } = await program.mint(user);
  const stored = new Map([["bearer_token", refresh_token ?? ""]]);
  const requests: string[] = [];
  const client = create({
    baseURL: program.url,
    fetchOptions: {
      auth: { type: "Bearer", token: () => stored.get("bearer_token") ?? "" },
      onSuccess: ({ response }) => {
        const token = response.headers.get("set-auth-token");
        if (token) stored.set("bearer_token", token);
      },
      customFetchImpl: (input, init) => {
        const request = new Request(input, init);
        requests.push(`${request.method} ${new URL(request.url).pathname.replace("/api/auth", "")}`);
        return fetch(request);
      },
    },
  });
  return { client, stored, requests, session: session.id };
}

for (const [version, create] of Object.entries({ "1.7": createAuthClient, "1.4": createOldClient as unknown as typeof createAuthClient })) {
  test(`${version}: the bearer token is a session, which lists and ends sessions`, async () => {
    const { client, stored, session } = await open(create, `alice-${version}`);
    const other = await open(create, `alice-${version}`);
    const first = stored.get("bearer_token");
    assert.equal((await client.getSession()).data?.session.id, session);
    const { data } = await client.listSessions();
    assert.deepEqual(data?.map(({ id }) => id), [other.session, session]);
    assert.deepEqual((await client.revokeOtherSessions()).data, { status: true });
    assert.equal((await other.client.getSession()).data, null);
    assert.equal(stored.get("bearer_token"), first, "a reading has rotated the token");
    assert.equal((await client.signOut()).error, null);
    assert.equal((await client.getSession()).data, null);
    const ended = (await (await program.service("GET", `/v1/sessions/${session}`)).json()) as { session: { end_reason?: string } };
    assert.equal(ended.session.end_reason, "sign_out");
  });

  test(`${version}: a redemption hands the next token to the app`, async () => {
    const { client, stored, session } = await open(create, `bob-${version}`);
    for (let generation = 0; generation < 3; generation++) {
      const before = stored.get("bearer_token");
      const { data } = await client.$fetch<{ session: { id: string } }>("/get-session", { method: "POST", body: {} });
      assert.equal(data?.session.id, session);
      assert.match(stored.get("bearer_token") ?? "", /^rt_/);
      assert.notEqual(stored.get("bearer_token"), before);
    }
    assert.equal((await client.getSession()).data?.session.id, session);
  });
}

test("useSession renews by itself", async () => {
  const { client, stored, requests } = await open(createAuthClient, "carol");
  const first = stored.get("bearer_token");
  let user: string | undefined;
  const stop = client.useSession.subscribe(({ data }) => void (user = data?.user.id));
  await eventually(() => user === "carol", "the user is signed in");
  for (const end = Date.now() + 20_000; stored.get("bearer_token") === first && Date.now() < end; ) {
    client.$store.notify("$sessionSignal"); // as when the page is shown again
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  assert.ok(requests.includes("POST /get-session"), requests.join());
  assert.notEqual(stored.get("bearer_token"), first);
  assert.equal(user, "carol");
  stop();
});
