// The real issuer, built from this repository and run on ports of its own.
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { Grant } from "../src/index.js";

let binary: string | undefined;

/** Builds the issuer, once. ISSUER_BIN names one that is built already. */
function build(): string {
  if (process.env["ISSUER_BIN"]) return process.env["ISSUER_BIN"];
  if (binary) return binary;
  const folder = mkdtempSync(join(tmpdir(), "issuer-bin-"));
  process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, "issuer");
  const { status, stderr, error } = spawnSync("go", ["build", "-o", path, "./cmd/issuer"], { cwd: resolve("../.."), encoding: "utf8" });
  if (status !== 0) throw new Error(`These tests need Go, to build the issuer: ${error?.message ?? stderr}`);
  binary = path;
  return path;
}

/**
 * Returns a port of this machine that nobody listens on. It is below those that the system gives to outgoing
 * connections, so that nobody takes it meanwhile.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 12_000);
    const server = createServer();
    const free = await new Promise((resolve) => {
      server.on("error", () => resolve(false));
      server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
    });
    if (free) return port;
  }
}

export class Program {
  private child: ChildProcess | undefined;
  private adminPort = 0;

  private constructor(
    readonly url: string,
    private readonly folder: string,
    private readonly environ: Record<string, string>,
  ) {}

  static async start(environ: Record<string, string> = {}, port?: number): Promise<Program> {
    const folder = mkdtempSync(join(tmpdir(), "issuer-data-"));
    port ??= await freePort();
    const program = new Program(`http://localhost:${port}`, folder, { ISSUER_LISTEN: `127.0.0.1:${port}`, ...environ });
    await program.run();
    return program;
  }

  /** Runs the program, and waits until it serves. */
  async run(): Promise<void> {
    this.adminPort ||= await freePort();
    const admin = { ISSUER_ADMIN_LISTEN: `127.0.0.1:${this.adminPort}` };
    const env = { PATH: process.env["PATH"], ISSUER_ISSUER: this.url, ...admin, ...this.environ };
    const child = spawn(build(), ["serve", "--dev"], { cwd: this.folder, env, stdio: ["ignore", "ignore", "pipe"] });
    this.child = child;
    let log = "";
    await new Promise<void>((resolve, reject) => {
      child.stderr.on("data", (chunk) => {
        log += chunk;
        if (log.includes('"msg":"serving"')) resolve();
      });
      child.on("exit", () => reject(new Error(`the issuer ended:\n${log}`)));
    });
    child.stderr.resume();
  }

  /** Stops the program; its data stays. */
  async halt(): Promise<void> {
    const { child } = this;
    if (!child || child.exitCode !== null) return;
    child.removeAllListeners("exit");
    await new Promise((resolve) => {
      child.on("exit", resolve);
      child.kill("SIGKILL");
    });
  }

  async stop(): Promise<void> {
    await this.halt();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Runs an operator's command against the issuer. */
  operate(...args: string[]): void {
    const env = { PATH: process.env["PATH"], ISSUER_ADMIN_URL: `http://127.0.0.1:${this.adminPort}` };
    const { status, stderr } = spawnSync(build(), args, { cwd: this.folder, env, encoding: "utf8" });
    if (status !== 0) throw new Error(`issuer ${args.join(" ")}: ${stderr}`);
  }

  get serviceKeyFile(): string {
    return join(this.folder, "data/dev/service.key");
  }

  get serviceKey(): string {
    return readFileSync(this.serviceKeyFile, "utf8").trim();
  }

  /** Calls the issuer as a backend does. */
  async service(method: string, path: string, body?: object): Promise<Response> {
    const headers = { authorization: `Bearer ${this.serviceKey}`, "content-type": "application/json" };
    const response = await fetch(this.url + path, { method, headers, body: body ? JSON.stringify(body) : null });
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    return response;
  }

  async mint(id: string): Promise<Grant> {
    const grant = await (await this.service("POST", "/v1/sessions", { user: { id } })).json();
    return grant as Grant;
  }

  /** Signs a user in, in a browser. */
  async signIn(jar: Jar, id: string): Promise<void> {
    jar.take(await this.service("POST", "/v1/sessions?transport=cookie", { user: { id } }));
  }
}

/** The cookies of one browser. */
export class Jar {
  readonly cookies = new Map<string, string>();

  take(response: Response): void {
    for (const line of response.headers.getSetCookie()) {
      const [pair = "", ...attributes] = line.split("; ");
      const at = pair.indexOf("=");
      if (attributes.includes("Max-Age=0")) this.cookies.delete(pair.slice(0, at));
      else this.cookies.set(pair.slice(0, at), pair.slice(at + 1));
    }
  }

  /** Is fetch as a page of this origin has it. Lose says, for each answer, whether the page gets it. */
  fetch(origin: string, lose: () => boolean = () => false): typeof fetch {
    return async (input, init) => {
      const request = new Request(input, init);
      if (request.method !== "GET") request.headers.set("origin", origin);
      const cookies = [...this.cookies].map(([name, value]) => `${name}=${value}`).join("; ");
      if (request.credentials === "include" && cookies) request.headers.set("cookie", cookies);
      const response = await fetch(request);
      if (lose()) {
        await response.arrayBuffer();
        throw new TypeError("the answer was lost");
      }
      if (request.credentials === "include") this.take(response);
      return response;
    };
  }
}
