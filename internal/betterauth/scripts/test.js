// Compiles the tests, and runs them.
import { spawnSync } from "node:child_process";
import { readdirSync, rmSync } from "node:fs";
import { build } from "esbuild";

const here = new URL("..", import.meta.url).pathname; // where the tests run, too
const out = `${here}/.test`;
const files = readdirSync(`${here}/test`).filter((file) => /\.test\.tsx?$/.test(file));

// Packages are loaded as they are, but for the Expo plugin: it is given what it needs of React Native.
const packages = {
  name: "packages",
  setup({ onResolve }) {
    onResolve({ filter: /^(react-native|expo-(constants|linking|network))$/ }, ({ path }) => ({ path: `${here}/test/expo/${path}.ts` }));
    onResolve({ filter: /^[^./]/ }, ({ path, kind }) =>
      path.startsWith("@better-auth/expo/") || kind === "entry-point" ? undefined : { external: true },
    );
  },
};

rmSync(out, { recursive: true, force: true });
await build({
  entryPoints: files.map((file) => `${here}/test/${file}`),
  outdir: out,
  outExtension: { ".js": ".mjs" },
  bundle: true,
  plugins: [packages],
  platform: "node",
  format: "esm",
  target: "node20",
  jsx: "automatic",
  sourcemap: "inline",
});
const flags = ["--enable-source-maps", "--disable-warning=ExperimentalWarning", "--test", "--test-timeout=120000"];
const built = files.map((file) => `${out}/${file.replace(/\.tsx?$/, ".mjs")}`);
const run = spawnSync(process.execPath, [...flags, ...built], { cwd: here, stdio: "inherit" });
process.exit(run.status ?? 1);
