// The verifier behind each relay of testdata/relays.json, all at once, with the real issuer and the relay of internal/relay.
import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import test, { after, before } from "node:test";
import { createVerifier, type Verifier, VerifyError } from "../src/verify/index.js";
import { Program } from "./program.js";

interface Row {
  name: string;
  must: {
    fresh_within_s: number | null;
    revoked_within_s: number | null;
    snapshots_per_s: number;
    snapshots: number;
    streams_per_s: number;
  };
}

const repository = resolve("../..");
const table = JSON.parse(readFileSync(join(repository, "testdata/relays.json"), "utf8"));
const rows: Row[] = table.rows;
const folder = mkdtempSync(join(tmpdir(), "issuer-relays-"));
const relayd = join(folder, "relayd");
const children: ChildProcess[] = [];
let program: Program;

before(async () => {
  const { status, stderr } = spawnSync("go", ["build", "-o", relayd, "./internal/relay/relayd"], { cwd: repository, encoding: "utf8" });
  assert.equal(status, 0, stderr);
  program = await Program.start();
});
after(async () => {
  for (const child of children) child.kill("SIGKILL");
  await program.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** Starts the relay of a row, and returns its address. */
async function relay({ name }: Row): Promise<string> {
  const child = spawn(relayd, ["-issuer", program.url, "-row", name], { cwd: repository, stdio: ["ignore", "pipe", "inherit"] });
  children.push(child);
  return String((await once(child.stdout!, "data"))[0]).trim();
}

const seconds = () => performance.now() / 1000;
const pause = () => new Promise((resolve) => setTimeout(resolve, 100));

/** Why a token is refused; "" when it is not. */
async function reason(verifier: Verifier, token: string): Promise<string> {
  try {
    await verifier.verify(token);
    return "";
  } catch (error) {
    assert.ok(error instanceof VerifyError, String(error));
    return error.reason;
  }
}

/** What was seen of a reader. Times are in seconds. */
interface Observation {
  /** When the list became fresh and stayed so; undefined if it is stale in the end. */
  freshAfter: number | undefined;
  /** How long after its revocation a session's token was refused as revoked. */
  revokedAfter: number | undefined;
  /** Why it is refused in the end. */
  reason: string;
}

/** Observes a reader. A session is revoked in the middle. */
async function observe(verifier: Verifier, user: string): Promise<Observation> {
  const began = seconds();
  let freshAfter: number | undefined;
  let revokedAt: number | undefined;
  let revokedAfter: number | undefined;
  const { access_token: token } = await program.mint(user);
  await verifier.followRevocations();
  for (; seconds() < began + table.observe_s; await pause()) {
    if (verifier.stats().stale) freshAfter = undefined;
    else freshAfter ??= seconds() - began;
    if (revokedAt === undefined && seconds() > began + table.observe_s / 2) {
      await program.service("POST", `/v1/users/${user}/revoke-sessions`);
      revokedAt = seconds();
    }
    if (revokedAt !== undefined && revokedAfter === undefined && (await reason(verifier, token)) === "revoked")
      revokedAfter = seconds() - revokedAt;
  }
  return { freshAfter, revokedAfter, reason: await reason(verifier, token) };
}

function within(what: string, value: number | undefined, limit: number): void {
  assert.ok(value !== undefined && value <= limit, `${what}: ${value}, at most ${limit}`);
}

test("a reader behind each relay", { concurrency: true }, async (t) => {
  const all = rows.map((row, number) =>
    t.test(`that ${row.name}`, async () => {
      const { must } = row;
      const baseURL = await relay(row);
      const options = { issuer: program.url, baseURL, audience: program.url, serviceKey: program.serviceKey };
      const verifier = await createVerifier({ ...options, maxStaleness: table.max_staleness_s * 1000 });
      const seen = await observe(verifier, `relay-${number}`).finally(() => verifier.close());
      if (must.fresh_within_s !== null) within("fresh", seen.freshAfter, must.fresh_within_s);
      else assert.equal(seen.freshAfter, undefined, "the list must be stale");
      if (must.revoked_within_s !== null) within("revoked", seen.revokedAfter, must.revoked_within_s);
      else assert.deepEqual([seen.revokedAfter, seen.reason], [undefined, "stale"]);
      const counts = await (await fetch(`${baseURL}/relay/counts`)).json();
      within("snapshots", counts.snapshots, must.snapshots);
      within("snapshots within a second", counts.snapshots_per_s, must.snapshots_per_s);
      within("streams within a second", counts.streams_per_s, must.streams_per_s);
    }),
  );
  await Promise.all(all);
});
