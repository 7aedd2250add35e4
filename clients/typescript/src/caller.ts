import type { Environment } from "./environment.js";
import { IssuerError, isEnd } from "./errors.js";
import type { Keeper } from "./keeper.js";
import type { SessionData } from "./state.js";
import { usable } from "./token.js";
import type { Call, Transport } from "./transport.js";
import type { Vault } from "./vault.js";

/** Calls the issuer for the session of this tab. */
export class Caller {
  constructor(
    private readonly env: Environment,
    private readonly keeper: Keeper,
    private readonly send: Transport,
    private readonly vault: Vault | undefined,
  ) {}

  get cookies(): boolean {
    return !this.vault;
  }

  /**
   * Calls the issuer with the token. If the token has expired in transit, or the cookies are of another session now, it retries once
   * with a new token. A change is not made for another user than the page showed.
   */
  async call<T>(call: Call): Promise<T> {
    const { keeper } = this;
    const before = keeper.state.data;
    for (let bearer = await keeper.access(), retried = false; bearer; retried = true) {
      requireUser(call.method, before, keeper.state.data);
      const sid = keeper.state.data?.session.id;
      try {
        return await this.send<T>({ ...call, bearer });
      } catch (error) {
        if (this.vault && isEnd(error) && keeper.state.data?.session.id === sid) await keeper.end(error.code);
        const next = retried || !(error instanceof IssuerError) ? undefined : await this.another(error, bearer, sid);
        if (!next) throw error;
        bearer = next;
      }
    }
    throw new IssuerError("signed_out", "Nobody is signed in.");
  }

  /** Returns the token with which to retry a call that was refused, or undefined if the refusal stands. */
  private async another(error: IssuerError, bearer: string, sid: string | undefined): Promise<string | undefined> {
    const { keeper } = this;
    if (error.code === "token_expired") return keeper.access(bearer);
    if (this.vault || !(isEnd(error) || (await this.otherCookies(error, sid)))) return undefined;
    if (keeper.token?.value === bearer) await keeper.relearn(isEnd(error) ? error.code : undefined);
    const next = await keeper.access();
    return next === bearer ? undefined : next;
  }

  /** Reports whether a call was refused because the cookies are of another session than that of its token. */
  private async otherCookies(error: IssuerError, sid: string | undefined): Promise<boolean> {
    if (error.code !== "invalid_request" || error.status !== 400) return false;
    const data = await this.keeper.cookieSession();
    return data !== undefined && data.session.id !== sid;
  }

  /** Fetches the current session from the issuer, or returns null. */
  async load(): Promise<SessionData | null> {
    const { keeper } = this;
    if (!usable(keeper.token, this.env)) {
      await keeper.renew(true);
      return keeper.state.data;
    }
    try {
      keeper.update(await this.call<SessionData>({ method: "GET", path: "/session" }));
    } catch (error) {
      if (keeper.state.status !== "signed-out") throw error;
    }
    return keeper.state.data;
  }

  /** Signs out at the issuer, then here. It ends the session that this tab shows, and no other user's. */
  async signOut(): Promise<void> {
    const { keeper, vault } = this;
    if (vault) {
      const held = keeper.state.data ? vault.held : await vault.current();
      if (held) await this.endSession({ bearer: held.refresh_token });
      return keeper.end("sign_out");
    }
    const { data } = keeper.state;
    const { token, last } = keeper;
    // The issuer refuses this if the cookies are of another session.
    if (data && usable(token, this.env) && (await this.endOwn(data.session.id, token.value))) return keeper.end("sign_out");
    if (data) await keeper.relearn();
    const now = keeper.state.data;
    if (data && last && now && now.session.id !== data.session.id) {
      await this.endSession({ bearer: last.value, anonymous: true });
      keeper.announceEnd(data.session.id, "sign_out");
    }
    if (data && now && now.user.id !== data.user.id) return; // somebody else has signed in
    if (now || !data) await this.endSession({});
    await keeper.end("sign_out");
  }

  /** Ends the session of the token and of the cookies. Returns false if that is refused. */
  private async endOwn(sid: string, bearer: string): Promise<boolean> {
    try {
      await this.send({ method: "DELETE", path: `/sessions/${sid}`, bearer, keepalive: true });
      return true;
    } catch (error) {
      const { status } = error as IssuerError;
      if (status < 400 || status >= 500 || status === 429) throw error;
      return false;
    }
  }

  /** Ends the session of a token or of the cookies, however old they are. */
  private async endSession(credential: Pick<Call, "bearer" | "anonymous">): Promise<void> {
    await this.send({ method: "DELETE", path: "/session", keepalive: true, ...credential }).catch((error: IssuerError) => {
      if (error.status !== 401) throw error; // with a 401 there is no session to end
    });
  }
}

/** Rejects a request that changes something and was meant for the user before. */
export function requireUser(method: string, before: SessionData | null, now: SessionData | null): void {
  if (before && now && before.user.id !== now.user.id && !/^(GET|HEAD|OPTIONS)$/.test(method))
    throw new IssuerError("session_changed", "Another user is signed in now.");
}
