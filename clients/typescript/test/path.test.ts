// An issuer whose URL has a path.
import assert from "node:assert/strict";
import test from "node:test";
import { createClient } from "../src/index.js";
import { createAuth } from "../src/server.js";
import { freePort, Jar, Program } from "./program.js";

test("the issuer's URL may have a path", async (t) => {
  const port = await freePort();
  const baseURL = `http://localhost:${port}/auth`;
  const program = await Program.start({ ISSUER_ISSUER: baseURL }, port);
  t.after(() => program.stop());
  const jar = new Jar();
  await program.signIn(jar, "ada");
  // A proxy passes nothing on but what is below the path.
  const below = (send: typeof fetch): typeof fetch => (input, init) => {
    const { url } = new Request(input as string, init);
    assert.ok(url.startsWith(`${baseURL}/`) && !url.slice(baseURL.length + 1).startsWith("/"), url);
    return send(input, init);
  };
  const client = createClient({ baseURL, fetch: below(jar.fetch(program.url)) });
  assert.equal((await client.getSession())?.user.id, "ada");
  client.close();
  const headers = new Headers({ cookie: [...jar.cookies].map(([name, value]) => `${name}=${value}`).join("; ") });
  for (const base of [baseURL, `${baseURL}/`]) {
    assert.equal((await createAuth({ baseURL: base, fetch: below(fetch) }).api.getSession({ headers }))?.user.id, "ada");
  }
});
