// The entries for servers in the runtimes that the README names: the same checks in each.
import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { after, before } from "node:test";
import { promisify } from "node:util";
import { build } from "esbuild";
import { audience, FeedIssuer, newSid, serviceKey } from "./feed-issuer.js";
import { freePort, Jar, Program } from "./program.js";
import { concurrent, type Target } from "./runtimes/checks.js";
import { eventually } from "./wait.js";

const folder = mkdtempSync(join(tmpdir(), "issuer-runtimes-"));
const installed = (path: string) => join(process.cwd(), "runtimes/node_modules", path);
const ends: (() => unknown)[] = [() => rmSync(folder, { recursive: true, force: true })];
let target: Target;

before(async () => {
  await build({
    entryPoints: ["test/runtimes/command.ts", "test/runtimes/worker.ts"],
    outdir: folder,
    outExtension: { ".js": ".mjs" },
    bundle: true,
    format: "esm",
    target: "es2022",
  });
  target = await start();
});
after(async () => {
  for (const end of ends) await end();
});

/** Starts the issuers that the checks use. */
async function start(): Promise<Target> {
  const program = await Program.start();
  ends.push(() => program.stop());
  const jar = new Jar();
  const gone = new Jar();
  await program.signIn(jar, "runtime");
  await program.signIn(gone, "gone");
  await program.service("POST", "/v1/users/gone/revoke-sessions");
  const cookies = ({ cookies }: Jar) => ({ cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join("; ") });
  const redirecting = createServer((req, res) => res.writeHead(302, { location: program.url + req.url }).end());
  await new Promise<void>((resolve) => redirecting.listen(0, "127.0.0.1", resolve));
  ends.push(() => redirecting.close());
  return {
    issuer: program.url,
    serviceKey: program.serviceKey,
    signedIn: cookies(jar),
    ended: cookies(gone),
    bearer: { authorization: `Bearer ${(await program.mint("runtime")).access_token}` },
    redirecting: `http://127.0.0.1:${(redirecting.address() as AddressInfo).port}`,
    closed: `http://127.0.0.1:${await freePort()}`,
    feed: { issuer: await controlled(), audience, serviceKey },
  };
}

/** Starts an issuer whose keys and list the checks change. */
async function controlled(): Promise<string> {
  const issuer = await FeedIssuer.start();
  ends.push(() => issuer.stop());
  const actions: Record<string, (sid: string) => Promise<object>> = {
    mint: async (sid) => ({ token: await issuer.mint(sid), sid }),
    rotate: async (sid) => {
      await issuer.addKey();
      return { token: await issuer.mint(sid) };
    },
    withdraw: async (sid) => {
      const withdrawn = await issuer.mint(sid);
      issuer.keys = [];
      await issuer.addKey();
      return { withdrawn };
    },
    revoke: async (sid) => {
      await issuer.revoke(sid);
      return {};
    },
  };
  issuer.intercept = (req, res, query) => {
    const action = actions[req.url!.replace("/control/", "")];
    void action?.(new URLSearchParams(query).get("sid") ?? newSid()).then((answer) => res.end(JSON.stringify(answer)));
    return action !== undefined;
  };
  return issuer.url;
}

/** Returns the faults that a command prints. */
async function command(program: string, ...flags: string[]): Promise<unknown> {
  const { stdout } = await promisify(execFile)(program, [...flags, join(folder, "command.mjs"), JSON.stringify(target)]);
  return JSON.parse(stdout);
}

const commands: Record<string, [string, ...string[]]> = {
  "Node 20": [installed("node20/bin/node")],
  "Node 22": [installed("node22/bin/node")],
  Deno: [installed(".bin/deno"), "run", "--no-config", "--allow-net"],
  Bun: [installed(".bin/bun")],
};
for (const [name, [program, ...flags]] of Object.entries(commands))
  test(`the checks pass in ${name}`, async () => assert.deepEqual(await command(program, ...flags), []));

/** The configuration of workerd for the checks, in Cap'n Proto. */
const workerd = (port: number, date: string) => `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "checks", worker = (
      modules = [(name = "worker.mjs", esModule = embed "worker.mjs")],
      compatibilityDate = "${date}",
      globalOutbound = "loopback",
    )),
    (name = "loopback", network = (allow = ["private"])),
  ],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "checks")],
);
`;

// The dates are of before modules could use streams fully, of before fetch had the option cache, the first with it, and today's.
for (const date of ["2021-11-03", "2023-07-01", "2024-11-10", "2024-11-11", "2026-11-01"])
  test(`the checks pass in workerd of ${date}`, async (t) => {
    const port = await freePort();
    const config = join(folder, `${date}.capnp`);
    writeFileSync(config, workerd(port, date));
    const child = spawn(installed(".bin/workerd"), ["serve", config], { stdio: ["ignore", "inherit", "inherit"] });
    t.after(() => child.kill("SIGKILL"));
    const ask = async (body: object) => {
      const response = await fetch(`http://127.0.0.1:${port}`, { method: "POST", body: JSON.stringify(body) });
      return response.text();
    };
    let names: string[] = [];
    await eventually(async () => (names = JSON.parse(await ask({}).catch(() => "[]"))).length > 0, "workerd serves");
    const faults: string[] = [];
    for (const name of names) {
      const times = name === concurrent ? 8 : 1;
      faults.push(...(await Promise.all(Array.from({ length: times }, () => ask({ name, target })))));
    }
    assert.deepEqual(faults.filter(Boolean), []);
  });
