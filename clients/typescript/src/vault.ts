import type { Environment } from "./environment.js";
import { IssuerError } from "./errors.js";
import { exclusive, inTurn } from "./lock.js";
import type { Grant } from "./state.js";

/**
 * Storage that survives a restart of the application, such as the keychain of the device. One small value is stored (about 130
 * bytes), under a key of letters, digits, ".", "-" and "_". Client objects that share a session must share this object, too.
 */
export interface TokenStorage {
  /** Returns the value of the key, or null or undefined if there is none. */
  get(key: string): Promise<string | null | undefined>;
  /** Stores a value. The promise must not resolve before the value would survive a crash. */
  set(key: string, value: string): Promise<unknown>;
  /** Removes the value of the key, if there is one. */
  remove(key: string): Promise<unknown>;
}

/** Is called with each grant of a refresh, and awaited before its refresh token is used. */
export type OnGrant = (grant: Grant) => unknown;

/** A refresh token and its session, as they are stored. */
interface Held {
  readonly sid: string;
  readonly refresh_token: string;
}

/** How long an operation of the storage may take, in milliseconds. */
const timeout = 8_000;

const ignore = () => {};

/**
 * Keeps the refresh token of bearer mode: in memory or, with a storage, there.
 *
 * Only a token that is in the storage is redeemed. A crash between a redeem and the storing of its successor loses at most
 * the answer, and then the issuer accepts the same token once more. A successor that had been redeemed without being stored would
 * make the stored token look like a stolen one after a restart.
 */
export class Vault {
  /** The token as this client knows it. Another client may have stored a newer one. */
  held: Held | undefined;
  private unsaved: { grant: Grant; after: Held } | undefined;
  private readonly key: string;
  /** The last write to the storage. Writes run one after the other, so that a slow one does not undo a later one, and reads wait for them. */
  private last: Promise<unknown> = Promise.resolve();
  private abandon = ignore;

  constructor(
    private readonly env: Environment,
    private readonly name: string,
    private readonly storage: TokenStorage | undefined,
    private readonly onGrant: OnGrant | undefined,
  ) {
    this.key = name.replace(/[^\w.-]+/g, "_");
  }

  get persistent(): boolean {
    return this.storage !== undefined;
  }

  /** Runs work while no other client that shares the storage does. */
  exclusive<T>(work: () => Promise<T>): Promise<T> {
    if (!this.storage) return work();
    return this.env.locks ? exclusive(this.env, this.name, work) : inTurn(this.storage, work);
  }

  /** Stores the refresh token of a sign-in. If one of the same session is stored, it is at least as new, and stays. */
  start(grant: Grant): Promise<void> {
    const { refresh_token, session } = grant;
    return this.exclusive(async () => {
      this.held = undefined; // whatever is stored
      const stored = await this.read();
      if (stored?.sid === session.id || !refresh_token) this.held = stored;
      else await this.write({ sid: session.id, refresh_token });
      this.unsaved = undefined;
    });
  }

  /** Returns the token to redeem, after it was stored, or undefined if there is none. */
  async current(): Promise<Held | undefined> {
    await this.save();
    this.held = await this.read();
    return this.held;
  }

  /** Stores the refresh token of a grant, which replaces the one that was redeemed for it. */
  keep(grant: Grant, after: Held): Promise<void> {
    this.unsaved = { grant, after };
    return this.save();
  }

  private async save(): Promise<void> {
    const { unsaved } = this;
    if (!unsaved) return;
    const { grant, after } = unsaved;
    const next = { sid: grant.session.id, refresh_token: grant.refresh_token ?? after.refresh_token };
    const token = (await this.read())?.refresh_token;
    // Otherwise another client has stored a newer token, or the user has signed out.
    if (token === after.refresh_token || token === next.refresh_token) {
      if (token !== next.refresh_token) await this.write(next);
      if (this.onGrant) await this.operate(() => this.onGrant?.(grant));
    }
    if (this.unsaved === unsaved) this.unsaved = undefined;
  }

  /** Removes the token of the session that has ended. A token of another session stays. */
  async drop(): Promise<void> {
    const { held, storage, key } = this;
    this.held = this.unsaved = undefined;
    if (!held || !storage) return;
    await this.exclusive(async () => {
      if ((await this.read())?.sid === held.sid) await this.operate(() => storage.remove(key));
    }).catch(ignore); // the session has ended, and the token is of no use
  }

  private async write(held: Held): Promise<void> {
    const { storage, key } = this;
    if (storage) await this.operate(() => storage.set(key, JSON.stringify(held)));
    this.held = held;
  }

  private async read(): Promise<Held | undefined> {
    const { storage, key } = this;
    if (!storage) return this.held;
    const text = await this.operate(() => storage.get(key), false);
    const stored = text === null || text === undefined ? undefined : parse(text);
    // What is not ours is no token. It is no sign-out in another client either, if there was a token.
    if (!stored && text && this.held) throw failure(new Error("the storage has returned another value than was stored"));
    return stored;
  }

  private operate<T>(f: () => T | Promise<T>, writes = true): Promise<T> {
    const own = this.last.then(f);
    if (writes) this.last = own.catch(ignore);
    return new Promise((resolve, reject) => {
      const fail = (cause: unknown) => reject(failure(cause));
      const timer = this.env.setTimeout(() => fail(new Error("timeout")), timeout);
      this.abandon = () => fail(new Error("closed"));
      own.then(resolve, fail).finally(() => this.env.clearTimeout(timer));
    });
  }

  /** Waits no longer for an operation of the storage that hangs, so that the next client can have its turn. */
  close(): void {
    this.abandon();
  }
}

function parse(text: string): Held | undefined {
  try {
    const { sid, refresh_token } = JSON.parse(text);
    return typeof sid === "string" && typeof refresh_token === "string" ? { sid, refresh_token } : undefined;
  } catch {
    return undefined;
  }
}

function failure(cause: unknown): IssuerError {
  return new IssuerError("storage", "The refresh token cannot be stored or read.", 0, 0, { cause });
}
