import { Backoff } from "./backoff.js";
import type { Environment, PageEvent } from "./environment.js";
import { IssuerError, isEnd, type Reason } from "./errors.js";
import { exclusive } from "./lock.js";
import { type Message, offer, offered, Siblings } from "./siblings.js";
import { type Grant, type SessionData, type State, signedOut, unknown } from "./state.js";
import { left, margin, type Token, usable } from "./token.js";
import type { Transport } from "./transport.js";
import type { Vault } from "./vault.js";

const ignore = () => {};

/** The longest delay that setTimeout supports, in milliseconds. */
const longestDelay = 2 ** 31 - 1;

/**
 * A token whose age is below this, in milliseconds, or below half its lifetime, is not renewed. So an API whose clock is wrong does
 * not cause a flood of refreshes, and a request that arrives late is not overtaken by two refreshes, which would look like theft.
 */
const newEnough = 5_000;

/**
 * Keeps the tokens and the state of one tab, and renews them in time.
 *
 * In cookie mode the session of a tab is that of the cookies, which a sign-in can change without telling any tab. Only the issuer
 * knows whose cookies there are, so a tab accepts a token from another tab only if it is of the session that the issuer named last,
 * and asks the issuer otherwise; and only a refresh by cookie ends the session.
 */
export class Keeper {
  state: State;
  token: Token | undefined;
  /** The last token of the session that the state shows. It may be old, and can still end the session. */
  last: Token | undefined;
  /** Increases when a session starts or ends and when a token arrives. Work that started in an earlier epoch is discarded. */
  private epoch = 0;
  /** Tokens from other tabs that were issued before this time (monotonic clock) are ignored. */
  private floor = -Infinity;
  /** Tokens of other sessions than this tab's that other tabs have offered, by the id of the session. The issuer has not confirmed them. */
  private readonly offers = new Map<string, Token>();
  /** The sessions of offers that the issuer has not confirmed when it was asked. */
  private readonly refuted = new Set<string>();
  /** Why the issuer has refused the token; the cookies may be of another session. */
  private doubt: Reason | undefined;
  private begun = false;
  private closed = false;
  private pending: Promise<void> | undefined;
  private checking = false;
  private timer: unknown;
  private readonly listeners = new Set<() => void>();
  private readonly backoff: Backoff;
  private readonly siblings: Siblings;
  private readonly unlisten: () => void;

  constructor(
    private readonly env: Environment,
    private readonly name: string,
    private readonly send: Transport,
    /** The refresh token of bearer mode; undefined in cookie mode. */
    private readonly vault: Vault | undefined,
    /** Is called when the page was restored: messages that were sent in the meantime are lost. */
    private readonly restored: () => void,
  ) {
    this.state = !vault || vault.persistent ? unknown : signedOut();
    this.backoff = new Backoff(env);
    this.siblings = new Siblings(env, name, (message) => this.receive(message));
    this.unlisten = env.listen((event) => this.onPageEvent(event));
  }

  close(): void {
    this.closed = true;
    this.unlisten();
    this.siblings.close();
    this.vault?.close();
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

  /** Stores session data that the issuer has sent again. */
  update(data: SessionData): void {
    if (this.state.data?.session.id === data.session.id) this.set({ ...this.state, data });
  }

  /** Makes the session of the cookies that of this tab, or in bearer mode that of the stored refresh token, whatever it was before. */
  relearn(doubt?: Reason): Promise<void> {
    this.restart();
    this.doubt = doubt;
    return this.renew(true);
  }

  private restart(): void {
    this.epoch++;
    this.floor = this.env.now();
    this.token = this.pending = undefined; // a refresh in progress is for an earlier session
    this.backoff.succeeded();
  }

  /** Starts the session of a grant. */
  async begin(grant: Grant): Promise<void> {
    await this.vault?.start(grant);
    this.restart();
    // It is not known how old a grant of the application is. If its token is refused, it is renewed at once.
    const age = this.vault ? Math.min(newEnough, grant.expires_in * 500) : 0;
    this.accept(grant, this.env.now() - age, this.env.wall() - age);
  }

  /** Ends the session in this tab and in the tabs that share it; with everywhere, in all tabs of its user. */
  async end(reason: Reason, everywhere = false): Promise<void> {
    const { data } = this.state;
    const forgotten = this.forget(reason);
    // A tab that never had a session cannot tell others that it ended.
    if (data) this.announceEnd(data.session.id, reason, everywhere ? data.user.id : undefined);
    await forgotten;
  }

  /** Tells other tabs that a session has ended. */
  announceEnd(sid: string, reason: Reason, user?: string): void {
    this.siblings.post({ kind: "out", reason, sid, user });
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
      this.check();
    });
    this.pending = own;
    return own;
  }

  private async renewNow(): Promise<void> {
    const { token, epoch, vault } = this;
    if (usable(token, this.env) && token.life - left(token, this.env) < Math.min(newEnough, token.life / 2)) return;
    if (this.backoff.error && this.backoff.blocked) throw this.backoff.error;
    const done = () =>
      this.epoch !== epoch && (!this.token || left(this.token, this.env) > margin(this.token));
    if (vault) return vault.exclusive(async () => (done() ? undefined : this.redeem()));
    await exclusive(this.env, this.name, async () => {
      // Another tab may have a newer token, especially the one that had the lock before.
      if (!done()) await this.siblings.ask();
      if (!done() && this.offers.size) await this.confirm().catch(ignore);
      if (!done()) await this.redeem();
    });
  }

  private async redeem(): Promise<void> {
    const { epoch } = this;
    try {
      const held = await this.vault?.current();
      if (this.vault && !held) {
        if (this.epoch !== epoch || this.state.status === "signed-out") return;
        return void this.forget(this.state.status === "signed-in" ? "sign_out" : "refresh_token_invalid");
      }
      // The response may be lost, so the same token is sent once more: the issuer accepts the retry.
      await this.redeemOnce(epoch, held).catch((error: IssuerError) => {
        if (error.code !== "network" || this.epoch !== epoch) throw error;
        return this.redeemOnce(epoch, held);
      });
    } catch (error) {
      if (this.epoch !== epoch) return;
      if (isEnd(error)) return void this.end((error.code === "refresh_token_invalid" && this.doubt) || error.code);
      this.backoff.failed(error as IssuerError);
      this.set({ ...this.state, error: error as IssuerError });
      throw error;
    }
  }

  private async redeemOnce(epoch: number, held: Vault["held"]): Promise<void> {
    const born = this.env.now();
    const at = this.env.wall();
    const body = held ? { refresh_token: held.refresh_token } : {};
    // Without keepalive: after the page is gone nothing would abort the request, and its response could come too late.
    const grant = await this.send<Grant>({ method: "POST", path: "/session/refresh", body });
    if (typeof grant?.access_token !== "string" || !(grant.expires_in >= 0) || !grant.session?.id)
      throw new IssuerError("invalid_response", "The answer is not the issuer's.", 200);
    // The access token can be used though its refresh token was not stored. That is tried again before the next refresh.
    const failure = held && (await this.vault?.keep(grant, held).then(ignore, (error: IssuerError) => error));
    if (this.epoch !== epoch) return;
    this.accept(grant, born, at);
    if (failure) this.set({ ...this.state, error: failure });
  }

  /** Stores the tokens of a grant, and shares the access token with the tabs that share the cookies. */
  private accept(grant: Grant, born: number, at: number): void {
    const { access_token: value, expires_in, session, user } = grant;
    this.adopt({ value, life: expires_in * 1000, born, at }, { session, user });
    this.share();
  }

  private adopt(token: Token, data: SessionData): void {
    this.epoch++;
    this.begun = true;
    this.token = this.last = token;
    this.doubt = undefined;
    this.backoff.succeeded();
    this.siblings.answered();
    this.set({ status: "signed-in", data });
    this.schedule();
  }

  private async forget(reason: Reason): Promise<void> {
    const known = this.state.status === "signed-in" || reason !== "refresh_token_invalid";
    this.epoch++;
    this.floor = this.env.now();
    this.token = this.last = this.doubt = undefined;
    this.backoff.succeeded();
    this.siblings.answered();
    const dropped = this.vault?.drop();
    this.set(signedOut(known ? reason : undefined));
    this.schedule();
    await dropped;
  }

  /** The id of the session that the issuer named when it gave out the token. */
  private get sid(): string | undefined {
    return this.token && this.state.data?.session.id;
  }

  private share(): void {
    const { data } = this.state;
    if (this.vault || !data || !usable(this.token, this.env)) return;
    this.siblings.post(offer(this.token, data, this.env));
  }

  private receive(message: Message): void {
    const { data } = this.state;
    if (message.kind === "ask") this.share();
    else if (message.kind === "token") {
      if (!this.vault) this.consider(offered(message, this.env), message.data);
    } else if (data && (message.sid === data.session.id || message.user === data.user.id)) {
      void this.forget(message.reason as Reason);
    }
  }

  /** Adopts a newer token of this tab's session. A token of another session may mean that the cookies have changed. */
  private consider(token: Token, data: SessionData): void {
    const sid = data.session.id;
    if (!this.begun || token.born < this.floor || !usable(token, this.env)) return;
    if (sid !== this.sid) {
      if (this.refuted.has(sid)) return;
      this.offers.set(sid, token);
      this.siblings.answered();
      this.check();
    } else if (this.token && token.value !== this.token.value && left(token, this.env) > left(this.token, this.env)) {
      this.adopt(token, data);
    }
  }

  /** Asks the issuer whose the cookies are, if another tab has offered a token of another session. */
  private check(): void {
    if (this.checking || this.pending || !this.offers.size || this.closed) return;
    this.checking = true;
    this.confirm()
      .then((same) => (same ? undefined : this.relearn()))
      .catch(ignore)
      .finally(() => {
        this.checking = false;
        this.check();
      });
  }

  /** Adopts the offered token of the session that the cookies are of. Reports whether that is this tab's session now. */
  private async confirm(): Promise<boolean> {
    const { epoch, offers } = this;
    try {
      const data = await this.cookieSession();
      if (this.epoch !== epoch) return true;
      const sid = data?.session.id;
      for (const other of offers.keys()) if (sid && sid !== other) this.refuted.add(other);
      const token = sid && offers.get(sid);
      if (token) this.adopt(token, data);
      return sid !== undefined && sid === this.sid;
    } finally {
      offers.clear();
    }
  }

  /** Returns the session of the cookies, or undefined if only a refresh can tell it. It rejects if the issuer cannot be reached. */
  async cookieSession(): Promise<SessionData | undefined> {
    const data = await this.send<SessionData>({ method: "GET", path: "/session" }).catch((error: IssuerError) => {
      if (error.status !== 401) throw error;
      return undefined;
    });
    return data?.session?.id ? data : undefined;
  }

  private onPageEvent(event: PageEvent): void {
    if (event === "hide") return this.siblings.close();
    if (event === "online") this.backoff.online();
    if (event !== "restore") return this.schedule();
    this.siblings.open();
    if (this.begun) this.restored();
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
