import { readFile } from "node:fs/promises";

/**
 * @typedef {import("./settings.js").Settings} Settings
 * @typedef {{id: string, email: string, name: string}} User
 */

/**
 * Begins a session for a user who has proved who they are. The answer holds cookies to pass on or, with a
 * hand-off, the code for them.
 *
 * @param {Settings} settings
 * @param {User} user
 * @param {import("node:http").IncomingMessage} req the request of the browser that signs in
 */
export async function mint(settings, user, req) {
  const key = (await readFile(settings.serviceKeyFile, "utf8")).trim();
  const device = { ip_address: req.socket.remoteAddress, user_agent: req.headers["user-agent"] };
  const how = settings.handoff ? { handoff: true, handoff_origin: settings.appURL } : { transport: "cookie" };
  const answer = await fetch(`${settings.issuer}/v1/sessions`, {
    method: "POST",
    headers: { Authorization: `Bearer ${key}`, "Content-Type": "application/json" },
    body: JSON.stringify({ user, ...device, ...how }),
  });
  if (!answer.ok) throw new Error(`the issuer mints nothing: ${answer.status} ${await answer.text()}`);
  const { handoff_code } = /** @type {{handoff_code?: string}} */ (await answer.json());
  return { cookies: answer.headers.getSetCookie(), handoff_code };
}

/**
 * Returns whose session a request belongs to, or null: what `auth.api.getSession({ headers })` is to better-auth.
 * It only reads. What the answer sets need not reach the browser.
 *
 * @param {Settings} settings
 * @param {import("node:http").IncomingMessage} req
 */
export async function getSession(settings, req) {
  const answer = await fetch(`${settings.issuer}/api/auth/get-session`, { headers: { cookie: req.headers.cookie ?? "" } });
  if (!answer.ok) throw new Error(`the issuer tells no session: ${answer.status}`);
  return /** @type {{user: User, session: {createdAt: string}} | null} */ (await answer.json());
}
