import { Caller } from "./caller.js";
import { type Environment, here } from "./environment.js";
import { Fetcher } from "./fetch.js";
import { Keeper } from "./keeper.js";
import type { Grant, Session, SessionData, State } from "./state.js";
import { transport } from "./transport.js";
import { type OnGrant, type TokenStorage, Vault } from "./vault.js";

/** The configuration of a client. */
export interface Options {
  /** The issuer's URL, such as `https://auth.example.com`. */
  baseURL: string;
  /**
   * Where the refresh token is kept. `cookie` (the default): in a cookie that scripts cannot read; all tabs share the
   * session. `bearer`: in the memory of this tab; the session starts with `signedIn(grant)` and ends with the tab or, with a
   * `storage`, survives a restart.
   */
  mode?: "cookie" | "bearer";
  /** Where bearer mode keeps the refresh token between runs, such as the keychain of the device. */
  storage?: TokenStorage;
  /**
   * Is called in bearer mode with each grant of a refresh, which has the rotated refresh token. A promise that it returns is awaited
   * before that token is used.
   */
  onGrant?: OnGrant;
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

/** The session of the user in this browser or, in bearer mode, in this tab or application. The functions need no `this`. */
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
   * backend's mint at the issuer, or with the last grant. Rejects if the storage fails.
   */
  signedIn(grant?: Grant): Promise<SessionData | null>;
  /**
   * Ends this session. Rejects, and leaves the user signed in, if the issuer cannot be reached. If somebody else has signed in in this
   * browser, their session stays, and becomes that of this tab.
   */
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
  const vault = cookies ? undefined : new Vault(env, name, options.storage, options.onGrant);
  const issuer = transport(base, cookies, send, env);
  const keeper: Keeper = new Keeper(env, name, issuer, vault, () => caller.load().catch(() => {}));
  const caller = new Caller(env, keeper, issuer, vault);
  const fetcher = new Fetcher(keeper, caller, send, base, apis);

  const end = async (path: string): Promise<number> =>
    (await caller.call<{ revoked: number }>({ method: "POST", path })).revoked;

  return {
    getState: () => keeper.state,
    onChange: (listener) => keeper.subscribe(() => listener(keeper.state)),
    getSession: () => caller.load(),
    async refresh() {
      await keeper.renew(true);
      return keeper.state.data;
    },
    getAccessToken: () => keeper.access(),
    async signedIn(grant) {
      await (grant ? keeper.begin(grant) : keeper.relearn());
      return keeper.state.data;
    },
    signOut: () => caller.signOut(),
    listSessions: async () => (await caller.call<{ sessions: Session[] }>({ method: "GET", path: "/sessions" })).sessions,
    async revokeSession(id) {
      await caller.call({ method: "DELETE", path: `/sessions/${encodeURIComponent(id)}` });
      if (keeper.state.data?.session.id === id) await keeper.end("sign_out");
      else keeper.announceEnd(id, "session_revoked");
    },
    revokeOtherSessions: () => end("/sessions/revoke-others"),
    async revokeAllSessions() {
      const count = await end("/sessions/revoke-all");
      await keeper.end("sign_out", true);
      return count;
    },
    fetch: (input, init) => fetcher.fetch(input, init),
    close: () => keeper.close(),
  };
}
