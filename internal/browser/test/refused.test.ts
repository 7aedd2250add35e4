// Visitors whose cookies the issuer refuses: forged ones, and those of the system that was there before.
import assert from "node:assert/strict";
import test from "node:test";
import { plans, signIn, Stage } from "./stage.js";

const token = "better-auth.session_token";
/** It has the form of a refresh token, and is none. */
const forged = `rt_${"A".repeat(64)}`;
/** As better-auth's own server sets it. */
const foreign = "tNE4xqGVYfCLsKmpeOEVZRGMYBDGTCQa.dPFjiPS9C6UCJv1mMl0LyxxATVI9ZuKcCO6rMZmN0Ao%3D";

test("a visitor with a refused cookie sees the sign-in page, and others are not disturbed", async () => {
  const { sameOrigin } = await plans();
  const stage = await Stage.open(sameOrigin);
  const dashboard = (value: string) => fetch(`${sameOrigin.app}/dashboard`, { headers: { cookie: `${token}=${value}` }, redirect: "manual" });
  try {
    // All visitors have one address for the issuer: that of the application's server.
    const old = await Promise.all(Array.from({ length: 100 }, () => dashboard(foreign)));
    assert.deepEqual([...new Set(old.map((r) => `${r.status} ${r.headers.get("location")}`))], ["302 /login"]);
    const read = () => fetch(`${stage.issuer.url}/api/auth/get-session`, { headers: { cookie: `${token}=${forged}` } });
    assert.equal((await read()).status, 200);
    while ((await read()).status === 200);
    for (const value of [forged, foreign]) {
      const response = await dashboard(value);
      assert.equal(`${response.status} ${response.headers.get("location")}`, "302 /login");
    }
    const api = await fetch(`${sameOrigin.app}/api/protected`, { headers: { cookie: `${token}=${forged}` } });
    assert.equal(api.status, 401);

    const device = await stage.device();
    await device.addCookies([{ name: token, value: forged, url: sameOrigin.app }]);
    const page = await device.newPage();
    await page.goto(sameOrigin.app);
    await page.getByRole("link", { name: "Sign in" }).waitFor();
    await page.getByText("Not logged in").waitFor();
    await page.close();
    await signIn(stage, device);
  } finally {
    await stage.close();
  }
});
