import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import test from "node:test";
import { acceptClaims, readClaims } from "../src/verify/claims.js";
import { VerifyError } from "../src/verify/errors.js";
import { verifyJWS } from "../src/verify/jws.js";
import { parseKeys } from "../src/verify/keys.js";

const vectors = async (name: string) =>
  JSON.parse(await readFile(new URL(`../../testdata/vectors/${name}`, `file://${process.cwd()}/`), "utf8"));

const hostile = await vectors("jws-hostile.json");

// The gate and the claims, at the time of the vectors.
const keys = await parseKeys(JSON.stringify(hostile.jwks));
async function verify(token: string) {
  const payload = await verifyJWS(token, "at+jwt", (kid) => keys.get(kid));
  const demands = { issuer: hostile.issuer, audience: [hostile.audience], leeway: 0, maxLifetime: hostile.max_lifetime };
  return acceptClaims(readClaims(payload), demands, hostile.now);
}

test("every hostile token is refused, or accepted, for the reason that Go gives", async () => {
  assert.ok(hostile.rows.length > 300);
  const wrong: string[] = [];
  for (const { id, name, token, cause } of hostile.rows) {
    let got = "";
    try {
      await verify(token);
    } catch (error) {
      if (!(error instanceof VerifyError)) throw error;
      got = error.reason;
      assert.ok(!error.message.includes(token.slice(0, 20)) || token.length < 20, "the error tells the token");
    }
    if (got !== cause) wrong.push(`${id} ${name}: [${got}], want [${cause}]`);
  }
  assert.deepEqual(wrong, []);
});
