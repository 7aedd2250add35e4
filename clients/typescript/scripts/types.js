// Writes src/openapi.ts from the issuer's openapi.yaml. With --check it only compares.
import { readFile, writeFile } from "node:fs/promises";
import openapiTS, { astToString } from "openapi-typescript";

const target = new URL("../src/openapi.ts", import.meta.url);

export async function generate() {
  const tree = await openapiTS(new URL("../../../handlers/openapi.yaml", import.meta.url), { alphabetize: true });
  return `// Made from handlers/openapi.yaml by "npm run types". Do not edit.\n\n${astToString(tree)}`;
}

export async function stored() {
  return readFile(target, "utf8");
}

if (process.argv[1] === new URL(import.meta.url).pathname) await writeFile(target, await generate());
