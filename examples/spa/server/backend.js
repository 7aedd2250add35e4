import { getSession, mint } from "./issuer.js";
import { proxy } from "./proxy.js";
import { authenticate } from "./users.js";

/**
 * @typedef {import("node:http").IncomingMessage} Request
 * @typedef {import("node:http").ServerResponse} Response
 * @typedef {import("./settings.js").Settings} Settings
 */

/** What belongs to the issuer, when it has no origin of its own. */
const issuerPaths = ["/api/auth/", "/v1/", "/account/"];

/**
 * Returns the handler of this application's own routes. It says whether the request was for one of them.
 *
 * @param {Settings} settings
 */
export function backend(settings) {
  /** @type {Record<string, (settings: Settings, req: Request, res: Response) => Promise<unknown>>} */
  const routes = { "POST /login": login, "GET /dashboard": dashboard, "GET /api/protected": protectedRoute };

  return async (/** @type {Request} */ req, /** @type {Response} */ res) => {
    const pathname = pathOf(req);
    if (!settings.authURL && issuerPaths.some((path) => pathname.startsWith(path))) {
      proxy(settings.issuer, req, res);
      return true;
    }
    const route = routes[`${req.method} ${pathname}`];
    if (!route) return false;
    res.setHeader("Cache-Control", "no-store");
    await route(settings, req, res).catch((error) => {
      console.error(error.message);
      reply(res, 503, { error: "Unavailable" });
    });
    return true;
  };
}

/** @param {Request} req */
export function pathOf(req) {
  return (req.url ?? "").split("?", 1)[0] ?? "";
}

/** @type {(settings: Settings, req: Request, res: Response) => Promise<void>} */
async function login(settings, req, res) {
  // Another site's page must not be able to sign somebody in here, as itself.
  if (req.headers.origin !== settings.appURL) return reply(res, 403, { error: "Forbidden" });
  const { email, password } = await readJSON(req);
  const user = authenticate(email, password);
  if (!user) return reply(res, 401, { error: "Unauthorized" });
  const { cookies, handoff_code } = await mint(settings, user, req);
  if (cookies.length) res.setHeader("Set-Cookie", cookies);
  reply(res, 200, { handoff_code });
}

/** A page that is rendered here, with the cookies of the browser. @type {(settings: Settings, req: Request, res: Response) => Promise<void>} */
async function dashboard(settings, req, res) {
  const session = await getSession(settings, req);
  if (!session) return void res.writeHead(302, { Location: "/login" }).end();
  res.writeHead(200, { "Content-Type": "text/html; charset=utf-8" });
  res.end(`<!doctype html><html lang="en"><title>Dashboard</title><p>Welcome, ${escape(session.user.name)}</p>`);
}

/** @type {(settings: Settings, req: Request, res: Response) => Promise<void>} */
async function protectedRoute(settings, req, res) {
  const session = await getSession(settings, req);
  if (!session) return reply(res, 401, { error: "Unauthorized" });
  reply(res, 200, { user: session.user });
}

/** @type {(req: Request) => Promise<Record<string, unknown>>} */
async function readJSON(req) {
  let text = "";
  for await (const chunk of req.setEncoding("utf8")) {
    text += chunk;
    if (text.length > 10_000) return {};
  }
  try {
    return JSON.parse(text) ?? {};
  } catch {
    return {};
  }
}

/** @type {(res: Response, status: number, body: object) => void} */
function reply(res, status, body) {
  res.writeHead(status, { "Content-Type": "application/json" }).end(JSON.stringify(body));
}

/** @type {(text: string) => string} */
function escape(text) {
  return text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
}
