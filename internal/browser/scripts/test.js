// Builds the issuer, the example and the tests, and runs those that are named, or all.
import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { build } from "esbuild";

const here = new URL("..", import.meta.url).pathname; // where the tests run, too
const out = `${here}/.test`;
const names = process.argv.slice(2);
const files = readdirSync(`${here}/test`).filter((file) => file.endsWith(".test.ts"));
files.sort((a, b) => Number(b === "tabs.test.ts") - Number(a === "tabs.test.ts")); // the longest first
const chosen = names.length ? files.filter((file) => names.some((name) => file.startsWith(name))) : files;

const chromium = process.env.CHROMIUM || spawnSync("sh", ["-c", "command -v chromium"], { encoding: "utf8" }).stdout.trim();
const env = { ...process.env, ISSUER_BIN: `${out}/issuer`, CHROMIUM: chromium };

function run(cwd, program, ...args) {
  const { status, error } = spawnSync(program, args, { cwd, env, stdio: "inherit" });
  if (error) console.error(error.message);
  if (status !== 0) process.exit(status ?? 1);
}

rmSync(out, { recursive: true, force: true });
mkdirSync(out);
run(`${here}/../..`, "go", "build", "-o", `${out}/issuer`, "./cmd/issuer");
run(`${here}/../../examples/spa`, "npm", "run", "--silent", "build");
const options = { outdir: out, bundle: true, sourcemap: "inline" };
await build({
  ...options,
  entryPoints: chosen.map((file) => `${here}/test/${file}`),
  outExtension: { ".js": ".mjs" },
  packages: "external",
  platform: "node",
  format: "esm",
  target: "node20",
});
// What pages get of our own client.
await build({ ...options, entryPoints: [`${here}/test/page.ts`], platform: "browser", format: "iife", sourcemap: false });
const flags = ["--enable-source-maps", "--disable-warning=ExperimentalWarning", "--test", "--test-timeout=300000", "--test-concurrency=3"];
run(here, process.execPath, ...flags, ...chosen.map((file) => `${out}/${file.replace(/\.ts$/, ".mjs")}`));
