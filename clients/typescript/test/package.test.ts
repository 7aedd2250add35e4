import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import test from "node:test";

const manifest = JSON.parse(readFileSync("package.json", "utf8"));
const script = (name: string) => import(resolve("scripts", name));

test("the browser entry has at most 6 KB, minified and gzipped", async () => {
  const { size, limit } = await script("size.js");
  assert.equal(limit, 6 * 1024);
  assert.ok((await size()) <= limit, `${await size()} bytes`);
});

test("the types are those of openapi.yaml", async () => {
  const { generate, stored } = await script("types.js");
  assert.equal(await stored(), await generate(), 'run "npm run types"');
});

test("each entry of the package loads as it is built, and the browser's loads nothing else", async () => {
  const entries: Record<string, string[]> = {
    "issuer-client": ["IssuerError", "createClient"],
    "issuer-client/react": ["useSession"],
    "issuer-client/better-auth": ["issuer"],
    "issuer-client/server": ["createAuth"],
    "issuer-client/verify": ["IssuerFault", "VerifyError", "createVerifier"],
  };
  assert.deepEqual(Object.keys(manifest.exports), Object.keys(entries).map((name) => name.replace("issuer-client", ".")));
  for (const [name, exported] of Object.entries(entries)) assert.deepEqual(Object.keys(await import(name)).sort(), exported);
});

test("the package has no dependencies, and the lock file names no registry", () => {
  assert.equal(manifest.dependencies, undefined);
  assert.doesNotMatch(readFileSync("package-lock.json", "utf8"), /"resolved"/);
});

test("what is published is what is built, and the readme", () => {
  const [{ files }] = JSON.parse(execFileSync("npm", ["pack", "--dry-run", "--json", "--ignore-scripts"], { encoding: "utf8" }));
  const paths: string[] = files.map(({ path }: { path: string }) => path);
  assert.ok(paths.includes("README.md") && paths.includes("dist/index.js") && paths.includes("dist/index.d.ts"));
  assert.deepEqual(paths.filter((path) => !/^(dist\/.*\.(js|d\.ts)|README\.md|package\.json)$/.test(path)), []);
});
