// Compiles the tests, and runs those that are named, or all.
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, rmSync, statSync } from "node:fs";
import { build } from "esbuild";

const here = new URL("..", import.meta.url).pathname; // where the tests run, too
const out = `${here}/.test`;
const names = process.argv.slice(2);
const files = readdirSync(`${here}/test`).filter((file) => /\.test\.tsx?$/.test(file));
const chosen = names.length ? files.filter((file) => names.some((name) => file.startsWith(name))) : files;

// The other runtimes have 0.7 GB. They are installed here, because the limit of time below holds for each whole file.
const lock = (folder) => `${here}/runtimes/${folder}package-lock.json`;
const installed = () => existsSync(lock("node_modules/.")) && statSync(lock("node_modules/.")).mtimeMs >= statSync(lock("")).mtimeMs;
if (chosen.includes("runtimes.test.ts") && !installed()) {
  const { status } = spawnSync("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"], { cwd: `${here}/runtimes`, stdio: "inherit" });
  if (status !== 0) process.exit(status ?? 1);
}

rmSync(out, { recursive: true, force: true });
await build({
  entryPoints: chosen.map((file) => `${here}/test/${file}`),
  outdir: out,
  outExtension: { ".js": ".mjs" },
  bundle: true,
  packages: "external",
  platform: "node",
  format: "esm",
  target: "node20",
  jsx: "automatic",
  sourcemap: "inline",
});
const flags = ["--enable-source-maps", "--disable-warning=ExperimentalWarning", "--test", "--test-timeout=180000"];
const built = chosen.map((file) => `${out}/${file.replace(/\.tsx?$/, ".mjs")}`);
const run = spawnSync(process.execPath, [...flags, ...built], { cwd: here, stdio: "inherit" });
process.exit(run.status ?? 1);
