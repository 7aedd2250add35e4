import assert from "node:assert/strict";
import test, { after, before } from "node:test";
import { createAuthClient } from "better-auth/client";
import { createAuthClient as createOldClient } from "better-auth-1.4/client";
import { getCookieCache, getSessionCookie } from "better-auth/cookies";
import { Program } from "../../../clients/typescript/test/program.js";
import { issuer } from "../../../clients/typescript/src/better-auth.js";
import { Browser } from "./browser.js";

let program: Program;
before(async () => {
  program = await Program.start();
});
after(() => program.stop());

// What the client calls without a plugin that declares it; its proxy makes a path of the name.
interface Undeclared {
  token(): Promise<{ data: { token: string } }>;
  jwks(): Promise<{ data: { keys: { kid: string }[] } }>;
  revokeAllSessions(): Promise<{ data: { status: boolean } | null; error: { status: number; code?: string } | null }>;
  revokeSession(body: { id: string }): Promise<{ data: { status: boolean } }>;
}

type Client = Pick<
  ReturnType<typeof createAuthClient>,
  "getSession" | "listSessions" | "revokeSession" | "revokeOtherSessions" | "revokeSessions" | "signOut"
> &
  Undeclared;

const versions = { "1.7": createAuthClient, "1.4": createOldClient as unknown as typeof createAuthClient };

for (const [version, create] of Object.entries(versions)) {
  const open = (browser: Browser) =>
    create({ baseURL: program.url, fetchOptions: { customFetchImpl: browser.fetch } }) as unknown as Client;
  const user = (name: string) => `${name}-${version}`;

  test(`${version}: getSession tells who is signed in`, async () => {
    const browser = new Browser(program);
    const client = open(browser);
    assert.deepEqual(await client.getSession(), { data: null, error: null });
    const before = Date.now();
    await browser.signIn(user("alice"), { image: "https://x.example/a.png" });
    const { data, error } = await client.getSession();
    assert.equal(error, null);
    assert.equal(data?.user.email, `${user("alice")}@x.example`);
    assert.equal(data.user.image, "https://x.example/a.png");
    assert.equal(data.session.token, data.session.id);
    const { createdAt, expiresAt } = data.session;
    assert.ok(createdAt instanceof Date && Math.abs(createdAt.getTime() - before) < 60_000, `createdAt ${createdAt}`);
    assert.ok(expiresAt instanceof Date && Math.abs(expiresAt.getTime() - before - 7 * 86_400_000) < 60_000, `expiresAt ${expiresAt}`);
  });

  test(`${version}: sessions are listed and ended`, async () => {
    const [one, two, three] = [new Browser(program), new Browser(program), new Browser(program)];
    for (const browser of [one, two, three]) await browser.signIn(user("bob"));
    const client = open(one);
    const list = async () => (await client.listSessions()).data as unknown as { id: string; token: string; current: boolean }[];
    const sessions = await list();
    assert.equal(sessions.length, 3);
    assert.deepEqual(sessions.map((s) => s.current), [false, false, true]);
    const [newest, middle] = sessions;
    assert.deepEqual((await client.revokeSession({ id: newest!.id } as never)).data, { status: true });
    assert.deepEqual((await client.revokeSession({ token: middle!.token })).data, { status: true });
    assert.equal((await list()).length, 1);
    assert.equal((await open(two).getSession()).data, null);
    assert.equal(two.jar.cookies.size, 0);
    await two.signIn(user("bob"));
    assert.deepEqual((await client.revokeOtherSessions()).data, { status: true });
    assert.equal((await list()).length, 1);
    assert.deepEqual((await client.revokeSessions()).data, { status: true });
    assert.equal((await client.getSession()).data, null);
    assert.equal(one.jar.cookies.size, 0);
    const refused = await client.listSessions();
    assert.equal(refused.error?.status, 401);
  });

  test(`${version}: signOut calls onSuccess, also when nobody is signed in`, async () => {
    const browser = new Browser(program);
    const client = open(browser);
    await browser.signIn(user("carol"));
    await client.getSession();
    for (let i = 1; i <= 2; i++) {
      let done = 0;
      await client.signOut({ fetchOptions: { onSuccess: () => void done++ } });
      assert.equal(done, 1);
      assert.equal(browser.jar.cookies.size, 0);
    }
    assert.equal((await client.getSession()).data, null);
  });

  test(`${version}: revokeAllSessions as it comes is a GET, and ends all`, async () => {
    const [one, two] = [new Browser(program), new Browser(program)];
    await one.signIn(user("dave"));
    await two.signIn(user("dave"));
    assert.deepEqual((await open(one).revokeAllSessions()).data, { status: true });
    assert.ok(one.requests.includes("GET /revoke-all-sessions"), one.requests.join());
    for (const browser of [one, two]) assert.equal((await open(browser).getSession()).data, null);
  });

  test(`${version}: token and jwks`, async () => {
    const browser = new Browser(program);
    await browser.signIn(user("erin"));
    const client = open(browser);
    const { token } = (await client.token()).data;
    const response = await fetch(`${program.url}/v1/session`, { headers: { authorization: `Bearer ${token}` } });
    assert.equal(response.status, 200);
    const { keys } = (await client.jwks()).data;
    const header = JSON.parse(Buffer.from(token.split(".")[0]!, "base64url").toString()) as { kid: string };
    assert.ok(keys.some((key) => key.kid === header.kid));
  });
}

test("with our plugin revokeAllSessions is a POST, and what the issuer does otherwise has types", async () => {
  const browser = new Browser(program);
  await new Browser(program).signIn("frank");
  await browser.signIn("frank");
  const client = createAuthClient({ baseURL: program.url, plugins: [issuer()], fetchOptions: { customFetchImpl: browser.fetch } });
  const { data: sessions } = await client.listSessions();
  const other = sessions?.find(({ current }) => !current);
  assert.ok(other?.createdAt instanceof Date);
  assert.deepEqual((await client.revokeSession({ id: other.id })).data, { status: true });
  assert.equal((await client.listSessions()).data?.length, 1);
  assert.deepEqual((await client.revokeAllSessions()).data, { status: true });
  assert.ok(browser.requests.includes("POST /revoke-all-sessions"), browser.requests.join());
  assert.equal((await client.getSession()).data, null);
});

test("a page of another origin ends nothing", async () => {
  const browser = new Browser(program);
  await browser.signIn("grace");
  const foreign = createAuthClient({
    baseURL: program.url,
    fetchOptions: {
      customFetchImpl: (input, init) =>
        fetch(input, { ...init, headers: { ...Object.fromEntries(new Headers(init?.headers)), origin: "https://evil.example", cookie: browser.cookies } }),
    },
  }) as unknown as Client;
  assert.equal((await foreign.signOut()).error?.status, 403);
  assert.equal((await foreign.revokeAllSessions()).error?.code, "INVALID_ORIGIN");
  const own = createAuthClient({ baseURL: program.url, fetchOptions: { customFetchImpl: browser.fetch } });
  assert.equal((await own.getSession()).data?.user.id, "grace");
});

test("getCookieCache reads our session_data with our keys; a large one is left out", async () => {
  const jwks = (await (await fetch(`${program.url}/api/auth/jwks`)).json()) as never;
  for (const [id, image] of [["heidi", "x"], ["ivan", "i".repeat(2000)]] as const) {
    const browser = new Browser(program);
    await browser.signIn(id, { image, name: "n".repeat(250) });
    const client = createAuthClient({ baseURL: program.url, fetchOptions: { customFetchImpl: browser.fetch } });
    const { data } = await client.getSession();
    const headers = new Headers({ cookie: browser.cookies });
    const names = [...browser.jar.cookies.keys()].filter((name) => name.includes("session_data"));
    assert.equal(names.length, id === "ivan" ? 0 : 1, names.join()); // with it the headers would be too large for a proxy
    const cached = await getCookieCache(headers, { strategy: "jwt", isSecure: false, jwt: { jwks, issuer: program.url } });
    assert.equal(data?.user.id, id);
    if (id === "ivan") {
      assert.equal(cached, null);
      continue;
    }
    assert.equal(cached?.user.id, id);
    assert.equal(cached.session.token, data?.session.id);
    assert.equal(new Date(cached.session.expiresAt).getTime(), data?.session.expiresAt.getTime());
    assert.ok(getSessionCookie(headers)?.startsWith("rt_"));
    const forged = new Headers({ cookie: browser.cookies.replace(/(session_data[^=]*=[^.]+\.)./, "$1A") });
    assert.equal(await getCookieCache(forged, { strategy: "jwt", isSecure: false, jwt: { jwks } }), null);
  }
});
