import { Backoff } from "./backoff.js";
import type { Environment, PageEvent } from "./environment.js";
import { IssuerError, isEnd, type Reason } from "./errors.js";
import { exclusive } from "./lock.js";
import { type Message, Siblings } from "./siblings.js";
import { type Grant, type SessionData, type State, signedOut, unknown } from "./state.js";
import { left, margin, type Token, usable } from "./token.js";
import type { Call, Transport } from "./transport.js";

const ignore = () => {};

/** The longest delay that setTimeout supports, in milliseconds. */
const longestDelay = 2 ** 31 - 1;

/**
 * A token whose age is below this, in milliseconds, or below half its lifetime, is not renewed. So an API whose clock is wrong does
 * not cause a flood of refreshes, and a request that arrives late is not overtaken by two refreshes, which would look like theft.
 */
const newEnough = 5_000;

/** Keeps the tokens and the state of one tab, and renews them in time. */
export class Keeper {
  state: State;
  private token: Token | undefined;
  private refreshToken: string | undefined;
  /** Increases when a session starts or ends and when a token arrives. Work that started in an earlier epoch is discarded. */
  private epoch = 0;
  /** Tokens from other tabs that were issued before this time (monotonic clock) are ignored. */
  private floor = -Infinity;
  private begun = false;
  private closed = false;
  private pending: Promise<void> | undefined;
  private timer: unknown;
  private readonly listeners = new Set<() => void>();
  private readonly backoff: Backoff;
  private readonly siblings: Siblings;
  private readonly unlisten: () => void;

  constructor(
    private readonly env: Environment,
    private readonly cookies: boolean,
    private readonly name: string,
    private readonly send: Transport,
  ) {
    this.state = cookies ? unknown : signedOut();
    this.backoff = new Backoff(env);
    this.siblings = new Siblings(env, name, (message) => this.receive(message));
    this.unlisten = env.listen((event) => this.onPageEvent(event));
  }

  close(): void {
    this.closed = true;
    this.unlisten();
    this.siblings.close();
    this.env.clearTimeout(this.timer);
    this.listeners.clear();
  }

  subscribe(listener: () => void): () => void {
    const own = () => listener(); // so that the same function can subscribe twice
    this.listeners.add(own);
    return () => this.listeners.delete(own);
  }

  private set(state: State): void {
    if (this.closed) return;
    this.state = state;
    for (const listener of this.listeners) {
      try {
        listener();
      } catch (error) {
        // An exception in a listener is reported, and does not prevent the calls of the others.
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }

  /**
   * Returns a token that is still valid when it arrives, renewed if necessary, or undefined if nobody is signed in.
   * It does not return the token that was refused as expired.
   */
  async access(refused?: string): Promise<string | undefined> {
    if (this.state.status === "signed-out") return undefined;
    if (!usable(this.token, this.env) || this.token.value === refused) await this.renew();
    return this.token?.value;
  }

  /** Calls the issuer with the token. If the token has expired in transit, renews it and retries once. */
  async call<T>(call: Call): Promise<T> {
    let bearer = await this.access();
    const sid = this.state.data?.session.id;
    for (let retried = false; bearer; retried = true) {
      try {
        return await this.send<T>({ ...call, bearer });
      } catch (error) {
        if (isEnd(error) && this.state.data?.session.id === sid) this.end(error.code);
        if (retried || !(error instanceof IssuerError) || error.code !== "token_expired") throw error;
        bearer = await this.access(bearer);
      }
    }
    throw new IssuerError("signed_out", "Nobody is signed in.");
  }

  /** Fetches the current session from the issuer, or returns null. */
  async load(): Promise<SessionData | null> {
    if (!usable(this.token, this.env)) {
      await this.renew(true);
      return this.state.data;
    }
    try {
      const data = await this.call<SessionData>({ method: "GET", path: "/session" });
      if (this.state.data?.session.id === data.session.id) this.set({ ...this.state, data });
    } catch (error) {
      if (this.state.status !== "signed-out") throw error;
    }
    return this.state.data;
  }

  /** Starts a new session: that of the grant or, without a grant, that of the cookies. */
  async begin(grant?: Grant): Promise<void> {
    this.epoch++;
    this.floor = this.env.now();
    this.token = this.pending = undefined; // a refresh in progress is for an earlier session
    this.backoff.succeeded();
    if (grant) this.accept(grant, this.env.now(), this.env.wall());
    else await this.renew(true);
  }

  /** Ends the session in this tab and in the tabs that share it; with everywhere, in all tabs of its user. */
  end(reason: Reason, everywhere = false): void {
    const { data } = this.state;
    this.forget(reason);
    // A tab that never had a session cannot tell others that it ended.
    if (data) this.announceEnd(data.session.id, reason, everywhere ? data.user.id : undefined);
  }

  /** Tells other tabs that a session has ended. */
  announceEnd(sid: string, reason: Reason, user?: string): void {
    this.siblings.post({ kind: "out", reason, sid, user });
  }

  /** Signs out at the issuer, then here. */
  async signOut(): Promise<void> {
    const bearer = this.cookies ? undefined : this.refreshToken;
    if (this.cookies || bearer) {
      const call: Call = { method: "DELETE", path: "/session", bearer, keepalive: true };
      await this.send(call).catch((error: IssuerError) => {
        if (error.status !== 401) throw error; // with a 401 there is no session to end
      });
    }
    this.end("sign_out");
  }

  /** Renews the token, once for all concurrent callers. */
  renew(asked = false): Promise<void> {
    if (asked) this.backoff.asked();
    this.begun = true;
    if (this.pending) return this.pending;
    const own = this.renewNow().finally(() => {
      if (this.pending !== own) return;
      this.pending = undefined;
      this.schedule();
    });
    this.pending = own;
    return own;
  }

  private async renewNow(): Promise<void> {
    const { token } = this;
    if (usable(token, this.env) && token.life - left(token, this.env) < Math.min(newEnough, token.life / 2)) return;
    if (this.backoff.error && this.backoff.blocked) throw this.backoff.error;
    if (!this.cookies) return this.redeem();
    const { epoch } = this;
    const done = () =>
      this.epoch !== epoch && (!this.token || left(this.token, this.env) > margin(this.token));
    await exclusive(this.env, this.name, async () => {
      // Another tab may have a newer token, especially the one that had the lock before.
      if (!done()) await this.siblings.ask();
      if (!done()) await this.redeem();
    });
  }

  private async redeem(): Promise<void> {
    const { epoch } = this;
    try {
      // The response may be lost, so the same token is sent once more: the issuer accepts the retry.
      await this.redeemOnce(epoch).catch((error: IssuerError) => {
        if (error.code !== "network" || this.epoch !== epoch) throw error;
        return this.redeemOnce(epoch);
      });
    } catch (error) {
      if (this.epoch !== epoch) return;
      if (isEnd(error)) return this.end(error.code);
      this.backoff.failed(error as IssuerError);
      this.set({ ...this.state, error: error as IssuerError });
      throw error;
    }
  }

  private async redeemOnce(epoch: number): Promise<void> {
    if (!this.cookies && !this.refreshToken) return;
    const born = this.env.now();
    const at = this.env.wall();
    const body = this.cookies ? {} : { refresh_token: this.refreshToken };
    // Without keepalive: after the page is gone nothing would abort the request, and its response could come too late.
    const grant = await this.send<Grant>({ method: "POST", path: "/session/refresh", body });
    if (typeof grant?.access_token !== "string" || !(grant.expires_in >= 0) || !grant.session?.id)
      throw new IssuerError("invalid_response", "The answer is not the issuer's.", 200);
    if (this.epoch === epoch) this.accept(grant, born, at);
  }

  /** Stores the tokens of a grant, and shares the access token with the tabs that share the cookies. */
  private accept(grant: Grant, born: number, at: number): void {
    const { access_token: value, expires_in, refresh_token, session, user } = grant;
    if (!this.cookies) this.refreshToken = refresh_token ?? this.refreshToken;
    this.adopt({ value, life: expires_in * 1000, born, at }, { session, user });
    this.share();
  }

  private adopt(token: Token, data: SessionData): void {
    this.epoch++;
    this.begun = true;
    this.token = token;
    this.backoff.succeeded();
    this.siblings.answered();
    this.set({ status: "signed-in", data });
    this.schedule();
  }

  private forget(reason: Reason): void {
    const known = this.state.status === "signed-in" || reason !== "refresh_token_invalid";
    this.epoch++;
    this.floor = this.env.now();
    this.token = this.refreshToken = undefined;
    this.backoff.succeeded();
    this.siblings.answered();
    this.set(signedOut(known ? reason : undefined));
    this.schedule();
  }

  private share(): void {
    const { data } = this.state;
    if (!this.cookies || !data || !usable(this.token, this.env)) return;
    const { value, life } = this.token;
    const age = life - left(this.token, this.env);
    this.siblings.post({ kind: "token", value, life, age, sent: this.env.wall(), data });
  }

  private receive(message: Message): void {
    if (message.kind === "ask") return this.share();
    const { data } = this.state;
    if (message.kind === "token" && this.cookies) {
      const { value, life } = message;
      const wall = this.env.wall();
      const age = message.age + Math.max(0, wall - message.sent); // a suspended tab receives the message late
      const token: Token = { value, life, born: this.env.now() - age, at: wall - age };
      const newer = !this.token || left(token, this.env) > left(this.token, this.env);
      if (newer && value !== this.token?.value && token.born >= this.floor && usable(token, this.env))
        this.adopt(token, message.data);
    } else if (message.kind === "out" && data) {
      if (message.sid === data.session.id || message.user === data.user.id) this.forget(message.reason as Reason);
    }
  }

  private onPageEvent(event: PageEvent): void {
    if (event === "hide") return this.siblings.close();
    if (event === "online") this.backoff.online();
    if (event !== "restore") return this.schedule();
    this.siblings.open();
    if (this.begun) this.load().catch(ignore); // messages that were sent in the meantime are lost
  }

  /** Sets the timer for the next renewal. A hidden page has no timer, so its session can become idle. */
  private schedule(): void {
    this.env.clearTimeout(this.timer);
    if (this.closed || !this.begun || this.pending || this.state.status === "signed-out" || !this.env.visible()) return;
    // With jitter, so that most tabs find that another tab has renewed the token.
    const due = this.token ? left(this.token, this.env) - margin(this.token) * (1 - this.env.random() / 3) : 0;
    const wait = Math.ceil(Math.max(due, this.backoff.timerWait, 0));
    if (wait === Infinity) return;
    const work = () => (wait > longestDelay ? this.schedule() : this.renew().catch(ignore));
    this.timer = this.env.setTimeout(work, Math.min(wait, longestDelay));
  }
}
