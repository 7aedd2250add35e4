import { readFile } from "node:fs/promises";
import type { IncomingMessage } from "node:http";
import { settings } from "./settings";
import type { User } from "./users";

/**
 * Creates a session for an authenticated user. The result has the cookies to pass on or, with a hand-off, the code
 * with which the page claims them.
 */
export async function mint(user: User, req: IncomingMessage): Promise<{ cookies: string[]; handoff_code?: string }> {
  const key = (await readFile(settings.serviceKeyFile, "utf8")).trim();
  const device = { ip_address: req.socket.remoteAddress, user_agent: req.headers["user-agent"] };
  const how = settings.handoff ? { handoff: true, handoff_origin: settings.appURL } : { transport: "cookie" };
  const answer = await fetch(`${settings.issuer}/v1/sessions`, {
    method: "POST",
    headers: { Authorization: `Bearer ${key}`, "Content-Type": "application/json" },
    body: JSON.stringify({ user, ...device, ...how }),
  });
  if (!answer.ok) throw new Error(`the issuer mints nothing: ${answer.status} ${await answer.text()}`);
  const { handoff_code } = (await answer.json()) as { handoff_code?: string };
  return { cookies: answer.headers.getSetCookie(), handoff_code };
}
