// Shared caches with their default settings, in front of an issuer.
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { freePort } from "./program.js";
import { eventually } from "./wait.js";

// Debian installs servers in a folder that is not on the PATH of ordinary users.
const path = `${process.env["PATH"]}${delimiter}/usr/sbin`;

/** Returns the command of a cache in front of a port. Its files are in a folder. */
type Command = (port: number, issuer: string, folder: string) => [string, ...string[]];

const nginx: Command = (port, issuer, folder) => {
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((name) => `${name}_temp_path ${folder}/${name};`);
  writeFileSync(
    join(folder, "nginx.conf"),
    `daemon off; master_process off; pid ${folder}/pid; error_log stderr crit; events {}
http {
  access_log off; ${temporary.join(" ")}
  proxy_cache_path ${folder}/cache keys_zone=cache:1m;
  server { listen 127.0.0.1:${port}; location / { proxy_pass ${issuer}; proxy_cache cache; } }
}`,
  );
  return ["nginx", "-p", folder, "-e", "stderr", "-c", join(folder, "nginx.conf")];
};

const varnish: Command = (port, issuer, folder) => {
  const { host } = new URL(issuer);
  return ["varnishd", "-F", "-j", "none", "-a", `127.0.0.1:${port}`, "-b", host.replace("localhost", "127.0.0.1"), "-n", folder];
};

/** The caches, by the name of their program. */
export const caches: Record<string, Command> = { nginx, varnishd: varnish };

/** Reports whether a program is installed. */
export const installed = (program: string) => path.split(delimiter).some((folder) => existsSync(join(folder, program)));

/** Starts a cache in front of an issuer. Returns its address, and what ends it. */
export async function startCache(program: string, issuer: string): Promise<{ url: string; stop: () => Promise<void> }> {
  const folder = mkdtempSync(join(tmpdir(), "issuer-cache-"));
  const port = await freePort();
  const [command, ...args] = caches[program]!(port, issuer, folder);
  const child: ChildProcess = spawn(command, args, { env: { PATH: path }, stdio: "ignore" });
  const url = `http://127.0.0.1:${port}`;
  const answers = () => fetch(`${url}/healthz`).then(
    () => true,
    () => false,
  );
  await eventually(answers, `${program} serves`);
  const stop = async () => {
    const ended = new Promise((resolve) => child.on("exit", resolve));
    child.kill("SIGTERM");
    await ended;
    rmSync(folder, { recursive: true, force: true });
  };
  return { url, stop };
}
