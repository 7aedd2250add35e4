import { type Environment, here } from "./environment.js";
import { Keeper } from "./keeper.js";
import type { Grant, Session, SessionData, State } from "./state.js";
import { problemCode, transport } from "./transport.js";

/** The configuration of a client. */
export interface Options {
  /** The issuer's URL, such as `https://auth.example.com`. */
  baseURL: string;
  /**
   * Where the refresh token is kept. `cookie` (the default): in a cookie that scripts cannot read; all tabs share the
   * session. `bearer`: in the memory of this tab; the session starts with `signedIn(grant)` and ends with the tab.
   */
  mode?: "cookie" | "bearer";
  /** The path of the issuer's API, `/v1` by default. */
  basePath?: string;
  /**
   * Origins that `fetch` sends the access token to, besides the issuer's and the page's own. Requests to other
   * origins are sent without it.
   */
  apis?: readonly string[];
  /** A replacement for the global fetch. */
  fetch?: typeof fetch;
  /** Replacements for clocks, timers, locks and channels. */
  environment?: Partial<Environment>;
}

/** The session of the user in this browser or, in bearer mode, in this tab. The functions need no `this`. */
export interface Client {
  /** Returns the current state without a request. It is the same object until the state changes. */
  getState(): State;
  /** Calls listener after each change of the state, until the returned function is called. */
  onChange(listener: (state: State) => void): () => void;
  /** Fetches the session from the issuer. Null if nobody is signed in; rejects if that cannot be determined. */
  getSession(): Promise<SessionData | null>;
  /** Renews the access token now, in one tab for all tabs. */
  refresh(): Promise<SessionData | null>;
  /** Returns a valid access token, or undefined if nobody is signed in. */
  getAccessToken(): Promise<string | undefined>;
  /**
   * Starts a new session: in cookie mode after the cookies were set, in bearer mode with the response to the
   * backend's mint at the issuer.
   */
  signedIn(grant?: Grant): Promise<SessionData | null>;
  /** Ends this session. Rejects, and leaves the user signed in, if the issuer cannot be reached. */
  signOut(): Promise<void>;
  /** Lists the user's live sessions, newest first. */
  listSessions(): Promise<Session[]>;
  /** Ends one of the user's sessions. */
  revokeSession(id: string): Promise<void>;
  /** Ends all of the user's sessions except this one, and returns how many. */
  revokeOtherSessions(): Promise<number>;
  /** Ends all of the user's sessions, and returns how many. */
  revokeAllSessions(): Promise<number>;
  /**
   * fetch with the access token, which is renewed first if necessary. If the API responds that the token has
   * expired, it renews the token and retries once. Every other response is returned unchanged.
   */
  fetch: typeof fetch;
  /** Stops timers and event listeners. */
  close(): void;
}

/** Returns a client. It sends no request to the issuer until one of its functions is called. */
export function createClient(options: Options): Client {
  const env: Environment = { ...here(), ...options.environment };
  const send: typeof fetch = options.fetch ?? ((...args) => fetch(...args));
  const cookies = options.mode !== "bearer";
  const url = new URL(options.baseURL);
  const base = url.href.replace(/\/+$/, "") + (options.basePath ?? "/v1");
  const apis = new Set([url.origin, env.origin, ...(options.apis ?? []).map((api) => new URL(api).origin)]);
  const name = `issuer ${cookies ? "cookie" : "bearer"} ${base}`;
  const keeper = new Keeper(env, cookies, name, transport(base, cookies, send, env));

  const end = async (path: string): Promise<number> =>
    (await keeper.call<{ revoked: number }>({ method: "POST", path })).revoked;

  return {
    getState: () => keeper.state,
    onChange: (listener) => keeper.subscribe(() => listener(keeper.state)),
    getSession: () => keeper.load(),
    async refresh() {
      await keeper.renew(true);
      return keeper.state.data;
    },
    getAccessToken: () => keeper.access(),
    async signedIn(grant) {
      await keeper.begin(grant);
      return keeper.state.data;
    },
    signOut: () => keeper.signOut(),
    listSessions: async () => (await keeper.call<{ sessions: Session[] }>({ method: "GET", path: "/sessions" })).sessions,
    async revokeSession(id) {
      await keeper.call({ method: "DELETE", path: `/sessions/${encodeURIComponent(id)}` });
      if (keeper.state.data?.session.id === id) keeper.end("sign_out");
      else keeper.announceEnd(id, "session_revoked");
    },
    revokeOtherSessions: () => end("/sessions/revoke-others"),
    async revokeAllSessions() {
      const count = await end("/sessions/revoke-all");
      keeper.end("sign_out", true);
      return count;
    },
    async fetch(input, init) {
      const request = new Request(input, init);
      const bearer = apis.has(new URL(request.url).origin) && !request.headers.has("authorization");
      const token = bearer ? await keeper.access() : undefined;
      if (!token) return send(request);
      const again = request.clone();
      const response = await send(authorized(request, token));
      if (response.status !== 401) return response;
      const code = await refusalCode(response);
      if (code === "token_expired") {
        const next = await keeper.access(token).catch(() => undefined);
        return next && next !== token ? send(authorized(again, next)) : response;
      }
      // The API says that the session has ended. Only the issuer can confirm that.
      if (code?.startsWith("session_")) keeper.load().catch(() => {});
      return response;
    },
    close: () => keeper.close(),
  };
}

function authorized(request: Request, token: string): Request {
  request.headers.set("authorization", `Bearer ${token}`);
  return request;
}

/** Returns why an API refused a token, from its problem document or else its challenge (RFC 6750 §3). */
async function refusalCode(response: Response): Promise<string | undefined> {
  const code = await problemCode(response.clone());
  if (code) return code;
  const challenge = response.headers.get("www-authenticate") ?? "";
  return /\binvalid_token\b/.test(challenge) && /expired/i.test(challenge) ? "token_expired" : undefined;
}
