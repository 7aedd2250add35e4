// A deployment: the real issuer, the example as it is built, and Chromium.
import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { type Browser, type BrowserContext, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { freePort, Program } from "../../../clients/typescript/test/program.js";

/** How long an access token lives, in milliseconds: so short that tests see many of them. */
export const lifetime = 3_000;

/** Where the front end and the issuer are. */
export interface Plan {
  name: string;
  /** The application, as browsers know it. */
  app: string;
  /** The issuer, as browsers know it. */
  auth: string;
  /** Where the issuer listens. */
  port: number;
  /** What the issuer needs for it. */
  issuer: Record<string, string>;
  /** What the application's server needs for it. */
  server: Record<string, string>;
  /** Whether browsers keep cookies of another site. */
  thirdParty: boolean;
}

/** The ways to deploy that the example names. */
export async function plans(): Promise<{ sameOrigin: Plan; subdomains: Plan; otherSite: Plan }> {
  const plan = async (name: string, appHost: string, authHost: string, issuer: object, server: object): Promise<Plan> => {
    const [own, port] = [await freePort(), await freePort()];
    const app = `http://${appHost}:${own}`;
    const auth = `http://${authHost}:${port}`;
    return {
      name,
      app,
      auth,
      port,
      issuer: { ISSUER_ISSUER: auth, ISSUER_CORS_ALLOWED_ORIGINS: app, ...issuer },
      server: { APP_URL: app, AUTH_URL: auth, LISTEN: `127.0.0.1:${own}`, ...server },
      thirdParty: false,
    };
  };
  const sameOrigin = await plan("same origin", "localhost", "localhost", {}, { AUTH_URL: "" });
  const subdomains = await plan("subdomains", "app.example.localhost", "auth.example.localhost", { ISSUER_COOKIES_DOMAIN: "example.localhost" }, {});
  const none = { ISSUER_COOKIES_SAME_SITE: "none", ISSUER_COOKIES_SECURE: "always" };
  const otherSite = await plan("another site", "app.localhost", "auth.localhost", none, { HANDOFF: "true" });
  return { sameOrigin: { ...sameOrigin, auth: sameOrigin.app }, subdomains, otherSite: { ...otherSite, thirdParty: true } };
}

export class Stage {
  private browser!: Browser;
  private readonly closers: (() => Promise<unknown>)[] = [];

  private constructor(
    readonly plan: Plan,
    readonly issuer: Program,
  ) {}

  static async open(plan: Plan): Promise<Stage> {
    const short = { ISSUER_ACCESS_TOKEN_LIFETIME: `${lifetime / 1000}s`, ISSUER_REFRESH_CONCURRENCY_WINDOW: "1s" };
    const stage = new Stage(plan, await Program.start({ ...short, ...plan.issuer }, plan.port));
    stage.closers.push(() => stage.issuer.stop());
    try {
      const server = await serve({ ...plan.server, ISSUER: stage.issuer.url, SERVICE_KEY_FILE: stage.issuer.serviceKeyFile });
      stage.closers.unshift(() => ended(server));
      stage.browser = await chromium.launch(program());
      stage.closers.unshift(() => stage.browser.close());
    } catch (error) {
      await stage.close();
      throw error;
    }
    return stage;
  }

  /** A device of a user: a browser with cookies of its own. */
  async device(options: BrowserContextOptions = {}, thirdParty = this.plan.thirdParty): Promise<BrowserContext> {
    const context = thirdParty ? await this.permissive(options) : await this.browser.newContext(options);
    context.setDefaultTimeout(30_000);
    return context;
  }

  /** A device whose user allows cookies of another site; Debian's Chromium keeps none by itself. */
  private async permissive(options: BrowserContextOptions): Promise<BrowserContext> {
    const folder = mkdtempSync(join(tmpdir(), "issuer-chromium-"));
    mkdirSync(join(folder, "Default"));
    writeFileSync(join(folder, "Default/Preferences"), '{"profile": {"cookie_controls_mode": 0, "block_third_party_cookies": false}}');
    const context = await chromium.launchPersistentContext(folder, { ...program(), ...options });
    this.closers.unshift(async () => {
      await context.close();
      rmSync(folder, { recursive: true, force: true });
    });
    return context;
  }

  async close(): Promise<void> {
    for (const close of this.closers) await close();
  }
}

/** The Chromium that CHROMIUM names. Root can have no sandbox. */
function program() {
  return { executablePath: process.env["CHROMIUM"] ?? "", chromiumSandbox: process.getuid?.() !== 0 };
}

async function ended(child: ChildProcess): Promise<void> {
  await new Promise((resolve) => {
    child.on("exit", resolve);
    child.kill();
  });
}

/** Runs the application's server, and waits until it serves. */
async function serve(environ: Record<string, string>): Promise<ChildProcess> {
  const env = { PATH: process.env["PATH"], ...environ };
  const child = spawn(process.execPath, ["dist/server/main.js"], { cwd: resolve("../../examples/spa"), env, stdio: ["ignore", "pipe", "inherit"] });
  await new Promise<void>((resolve, reject) => {
    child.stdout.on("data", () => resolve());
    child.on("exit", () => reject(new Error("the application's server ended")));
  });
  child.removeAllListeners("exit");
  return child;
}

/** Keeps a picture for people to look at. */
export async function picture(page: Page, name: string): Promise<void> {
  mkdirSync("screenshots", { recursive: true });
  await page.screenshot({ path: join("screenshots", `${name}.png`), fullPage: true });
}

/** Signs a user in as they do it. */
export async function signIn(stage: Stage, context: BrowserContext, email = "ada@example.com"): Promise<Page> {
  const page = await context.newPage();
  await page.goto(`${stage.plan.app}/login`);
  await page.getByLabel("Email").fill(email);
  await page.getByLabel("Password").fill("demo");
  await page.getByRole("button", { name: "Sign In" }).click();
  await page.waitForURL(`${stage.plan.app}/`);
  await page.getByRole("heading", { name: "Welcome" }).waitFor();
  return page;
}
