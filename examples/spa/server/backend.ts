import type { IncomingMessage, ServerResponse } from "node:http";
import { sessionOf } from "./auth";
import { mint } from "./mint";
import { proxy } from "./proxy";
import { settings } from "./settings";
import { authenticate } from "./users";

type Handler = (req: IncomingMessage, res: ServerResponse) => Promise<void>;

/** This application's own routes. */
const routes: Record<string, Handler> = {
  "POST /login": login,
  "GET /dashboard": dashboard,
  "GET /api/protected": protectedRoute,
};

/** The paths that are forwarded to the issuer if it has no origin of its own. */
const issuerPaths = ["/api/auth/", "/v1/", "/account/"];

/** Answers a request for one of the routes or paths, and returns whether it was one. */
export async function backend(req: IncomingMessage, res: ServerResponse): Promise<boolean> {
  const path = pathOf(req);
  if (!settings.authURL && issuerPaths.some((prefix) => path.startsWith(prefix))) {
    proxy(req, res);
    return true;
  }
  const route = routes[`${req.method} ${path}`];
  if (!route) return false;
  res.setHeader("Cache-Control", "no-store");
  await route(req, res).catch((error: Error) => {
    console.error(error.message);
    reply(res, 503, { error: "Unavailable" });
  });
  return true;
}

export function pathOf(req: IncomingMessage): string {
  return (req.url ?? "").split("?", 1)[0] ?? "";
}

async function login(req: IncomingMessage, res: ServerResponse): Promise<void> {
  // A page of another site must not be able to sign a visitor in to an account of its choice.
  if (req.headers.origin !== settings.appURL) return reply(res, 403, { error: "Forbidden" });
  const { email, password } = await readJSON(req);
  const user = authenticate(email, password);
  if (!user) return reply(res, 401, { error: "Unauthorized" });
  const { cookies, handoff_code } = await mint(user, req);
  if (cookies.length) res.setHeader("Set-Cookie", cookies);
  reply(res, 200, { handoff_code });
}

/** A page that the server renders with the cookies of the browser. */
async function dashboard(req: IncomingMessage, res: ServerResponse): Promise<void> {
  const session = await sessionOf(req);
  if (!session) return void res.writeHead(302, { Location: "/login" }).end();
  res.writeHead(200, { "Content-Type": "text/html; charset=utf-8" });
  res.end(`<!doctype html><html lang="en"><title>Dashboard</title><p>Welcome, ${escape(session.user.name)}</p>`);
}

async function protectedRoute(req: IncomingMessage, res: ServerResponse): Promise<void> {
  const session = await sessionOf(req);
  if (!session) return reply(res, 401, { error: "Unauthorized" });
  reply(res, 200, { user: session.user });
}

async function readJSON(req: IncomingMessage): Promise<Record<string, unknown>> {
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

function reply(res: ServerResponse, status: number, body: object): void {
  res.writeHead(status, { "Content-Type": "application/json" }).end(JSON.stringify(body));
}

function escape(text: string): string {
  return text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
}
