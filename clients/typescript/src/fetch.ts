import { type Caller, requireUser } from "./caller.js";
import type { Keeper } from "./keeper.js";
import { problemCode } from "./transport.js";

const ignore = () => undefined;

/** Sends requests of the application with the access token. */
export class Fetcher {
  constructor(
    private readonly keeper: Keeper,
    private readonly caller: Caller,
    private readonly send: typeof fetch,
    /** The URL of the issuer's API. */
    private readonly base: string,
    /** The origins that the access token is sent to. */
    private readonly origins: ReadonlySet<string | undefined>,
  ) {}

  async fetch(...[input, init]: Parameters<typeof fetch>): Promise<Response> {
    const request = new Request(input, init);
    const { keeper } = this;
    const bearer = this.origins.has(new URL(request.url).origin) && !request.headers.has("authorization");
    const { data } = keeper.state;
    const token = bearer ? await keeper.access() : undefined;
    if (!token) return this.send(request);
    const check = () => requireUser(request.method, data, keeper.state.data);
    check();
    const again = request.clone();
    const response = await this.send(authorized(request, token));
    const next = await this.replacement(token, again, response);
    if (!next || next === token) return response;
    try {
      check();
    } catch {
      return response; // it is of a request of the user before
    }
    return this.send(authorized(again, next));
  }

  /** Returns the token after a refusal that another token may change. */
  private async replacement(token: string, request: Request, response: Response): Promise<string | undefined> {
    const { keeper, caller } = this;
    const code = await refusalCode(response, request.url.startsWith(`${this.base}/`));
    if (code === "token_expired") return keeper.access(token).catch(ignore);
    if (!code?.startsWith("session_") && code !== "invalid_request") return undefined;
    // The session may have ended, or the cookies may be of another one. Only the issuer can confirm that.
    const loaded = caller.load().catch(ignore);
    if (!caller.cookies) return undefined;
    await loaded;
    return keeper.token?.value;
  }
}

function authorized(request: Request, token: string): Request {
  request.headers.set("authorization", `Bearer ${token}`);
  return request;
}

/** Returns why an API or the issuer refused a token, from its problem document or else its challenge (RFC 6750 §3). */
async function refusalCode(response: Response, issuer: boolean): Promise<string | undefined> {
  if (response.status === 400 && issuer) return problemCode(response.clone());
  if (response.status !== 401) return undefined;
  const code = await problemCode(response.clone());
  if (code) return code;
  const challenge = response.headers.get("www-authenticate") ?? "";
  return /\binvalid_token\b/.test(challenge) && /expired/i.test(challenge) ? "token_expired" : undefined;
}
