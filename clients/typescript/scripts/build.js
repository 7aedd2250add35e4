// Compiles src into dist: plain ES modules with their types, nothing bundled.
import { spawnSync } from "node:child_process";
import { rmSync } from "node:fs";

const here = new URL("..", import.meta.url).pathname;
rmSync(`${here}/dist`, { recursive: true, force: true });
const { status } = spawnSync("npx", ["--no-install", "tsc"], { cwd: here, stdio: "inherit" });
process.exit(status ?? 1);
