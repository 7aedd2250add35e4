// Prints the size of the browser entry, minified and gzipped, with all that it imports.
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

export const limit = 6 * 1024;

export async function size() {
  const { outputFiles } = await build({
    entryPoints: [new URL("../src/index.ts", import.meta.url).pathname],
    bundle: true,
    minify: true,
    write: false,
    format: "esm",
    target: "es2022",
  });
  return gzipSync(outputFiles[0].contents, { level: 9 }).length;
}

if (process.argv[1] === new URL(import.meta.url).pathname) console.log(`${await size()} of ${limit} bytes`);
