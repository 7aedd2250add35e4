// The Expo plugin of better-auth as it comes from npm, in an app of React Native as far as the plugin can tell.
import assert from "node:assert/strict";
import test, { after, before } from "node:test";
import { expoClient, getSetCookie } from "@better-auth/expo/client";
import { createAuthClient } from "better-auth/client";
import { Program } from "../../../clients/typescript/test/program.js";
import { eventually } from "./browser.js";

// React Native has a window, which is no browser's.
Object.assign(globalThis, { window: globalThis });

let program: Program;
before(async () => {
  program = await Program.start({
    ISSUER_CORS_ALLOWED_ORIGINS: "myapp://",
    ISSUER_ACCESS_TOKEN_LIFETIME: "2s", // renewals are due once in it
  });
});
after(() => program.stop());

/** An installed app. */
class App {
  readonly requests: string[] = [];
  private readonly stored = new Map<string, string>();
  private pending = 0;

  readonly storage = {
    getItem: (key: string) => this.stored.get(key) ?? null,
    getItemAsync: async (key: string) => this.stored.get(key) ?? null,
    setItem: (key: string, value: string) => void this.stored.set(key, value),
    setItemAsync: async (key: string, value: string) => void this.stored.set(key, value),
  };

  /** Is fetch in React Native: it sends no Origin and no Sec-Fetch headers of a browser. */
  private readonly fetch: typeof fetch = async (input, init) => {
    const request = new Request(input, init);
    this.requests.push(`${request.method} ${new URL(request.url).pathname.replace("/api/auth", "")}`);
    assert.equal(request.headers.get("origin"), null);
    this.pending++;
    try {
      return await fetch(request);
    } finally {
      this.pending--;
    }
  };

  readonly client = createAuthClient({
    baseURL: program.url,
    plugins: [expoClient({ scheme: "myapp", storage: this.storage })],
    fetchOptions: { customFetchImpl: this.fetch },
  });

  /** Signs a user in by the backend of the app, and returns the id of the session. */
  async signIn(id: string): Promise<string> {
    const response = await program.service("POST", "/v1/sessions?transport=cookie", { user: { id, email: `${id}@x.example`, name: id } });
    this.storage.setItem("better-auth_cookie", getSetCookie(response.headers.get("set-cookie") ?? ""));
    return ((await response.json()) as { session: { id: string } }).session.id;
  }

  /** Returns the value of a cookie that the app would send. */
  async cookie(name: string): Promise<string | undefined> {
    const cookies = (await this.client.getCookie()).split("; ");
    return cookies.find((cookie) => cookie.startsWith(`better-auth.${name}=`))?.split("=", 2)[1];
  }

  /** Waits until no request is under way, nor about to be sent because a cookie has changed. */
  async settled(): Promise<void> {
    for (let quiet = 0; quiet < 5; quiet++) {
      await eventually(() => this.pending === 0 || this.requests.length > 200, "the requests come to an end");
      await new Promise((resolve) => setTimeout(resolve, 20)); // the client sends what a signal asks for within 10 ms
      if (this.pending > 0) quiet = 0;
      if (this.requests.length > 200) return;
    }
  }
}

async function reasonOf(session: string): Promise<string | undefined> {
  const response = await program.service("GET", `/v1/sessions/${session}`);
  return ((await response.json()) as { session: { end_reason?: string } }).session.end_reason;
}

test("useSession asks a few times, not again and again", async () => {
  const app = new App();
  await app.signIn("alice");
  const users: unknown[] = [];
  const stop = app.client.useSession.subscribe(({ data }) => void users.push(data?.user.id));
  await eventually(() => users.includes("alice"), "the user is signed in");
  await app.settled();
  const cached = await app.cookie("session_data");
  assert.ok(cached, "there is no cookie cache");
  const before = app.requests.length;
  assert.ok(before <= 4, app.requests.join());
  for (let i = 0; i < 10; i++) await app.client.getSession({ query: { disableRefresh: true } });
  await app.settled();
  assert.equal(app.requests.length, before + 10, app.requests.join());
  assert.equal(await app.cookie("session_data"), cached);
  stop();
});

test("a renewal is a POST of the app, and keeps it signed in", async () => {
  const app = new App();
  await app.signIn("bob");
  let user: string | undefined;
  const stop = app.client.useSession.subscribe(({ data }) => void (user = data?.user.id));
  await eventually(() => user === "bob", "the user is signed in");
  const first = await app.cookie("session_token");
  for (const end = Date.now() + 20_000; (await app.cookie("session_token")) === first && Date.now() < end; await app.settled()) {
    app.client.$store.notify("$sessionSignal"); // as when the app comes to the foreground
  }
  assert.ok(app.requests.includes("POST /get-session"), app.requests.join());
  assert.notEqual(await app.cookie("session_token"), first);
  assert.equal(user, "bob");
  const before = app.requests.length;
  await app.settled();
  assert.equal(app.requests.length, before, app.requests.join());
  stop();
});

test("signOut and the revocations end sessions", async () => {
  const app = new App();
  const [other, third] = [await new App().signIn("carol"), await new App().signIn("carol")];
  const own = await app.signIn("carol");
  assert.equal((await app.client.listSessions()).data?.length, 3);
  assert.deepEqual((await app.client.revokeSession({ token: other })).data, { status: true });
  assert.equal(await reasonOf(other), "revoked_by_user");
  assert.deepEqual((await app.client.revokeOtherSessions()).data, { status: true });
  assert.equal(await reasonOf(third), "revoked_by_user");
  assert.equal(await reasonOf(own), undefined);

  const { error } = await app.client.signOut();
  assert.equal(error, null);
  await app.settled();
  assert.equal(await app.cookie("session_token"), undefined);
  assert.equal((await app.client.getSession()).data, null);
  assert.equal(await reasonOf(own), "sign_out");
});

test("another app signs nobody out", async () => {
  const app = new App();
  const session = await app.signIn("dave");
  const headers = { cookie: await app.client.getCookie(), "expo-origin": "otherapp://", "content-type": "application/json" };
  const response = await fetch(`${program.url}/api/auth/sign-out`, { method: "POST", headers, body: "{}" });
  assert.equal(response.status, 403);
  assert.equal(await reasonOf(session), undefined);
});
