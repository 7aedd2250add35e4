import { checkURL } from "./address.js";
import { acceptClaims, type Claims, readClaims } from "./claims.js";
import { Discovery } from "./discovery.js";
import { isTemporary, VerifyError } from "./errors.js";
import { Feed, type FeedStats, noStats } from "./feed.js";
import { Http } from "./http.js";
import { Introspector } from "./introspect.js";
import { UnknownKey, verifyJWS } from "./jws.js";
import { coolDown, Keyring } from "./keyring.js";
import { Ledger } from "./ledger.js";
import { isSessionID } from "./messages.js";

/**
 * What happens to a valid token while it is not known whether its session was revoked. `fail_closed`: it is refused
 * as `stale`, which is a 503. `fail_open`: it is accepted, and counted. `introspect`: the issuer is asked about it;
 * the service key then needs the scope tokens:introspect. A session that is known to be revoked is always refused.
 */
export type Policy = "fail_closed" | "fail_open" | "introspect";

/** The configuration of a verifier. Times are in milliseconds. */
export interface VerifierOptions {
  /** The issuer's URL, exactly as in iss: https, or http on a loopback address. */
  issuer: string;
  /** The URL at which this service reaches the issuer, such as a cluster's internal one. The issuer's URL by default. */
  baseURL?: string;
  /** Whether http is allowed for private addresses, and for names that are not in the public DNS, such as `issuer.auth.svc`. */
  allowPrivateHTTP?: boolean;
  /** The service's audience: one of these must be a member of a token's aud, exactly. */
  audience: string | readonly string[];
  /** A service key with the scope revocations:read. Needed to follow revocations and to introspect. */
  serviceKey?: string;
  /** The name of this verifier in its reports: 1 to 64 characters of A-Za-z0-9._-. `node` by default. */
  name?: string;
  /** The leeway for clock skew when a token is checked, 5 s by default and at most 60 s. */
  leeway?: number;
  /** The longest accepted lifetime of a token, one hour by default. */
  maxLifetime?: number;
  /** How long the list counts as complete after the issuer confirmed it, 30 s by default and at least 15 s. */
  maxStaleness?: number;
  /** The policy after that time. `fail_closed` by default. */
  stale?: Policy;
  /** A replacement for the global fetch. */
  fetch?: typeof fetch;
  /** The clock, in milliseconds since 1970. */
  now?: () => number;
}

/** The state and the counters of a verifier. */
export interface VerifierStats extends FeedStats {
  /** The number of the newest revocation applied. */
  seq: number;
  /** How many entries the list has, marks included. */
  revocations: number;
  /** When the issuer last confirmed that the list is complete. */
  heard: Date | undefined;
  /** Whether that was more than maxStaleness ago. */
  stale: boolean;
  /** The ids of the keys in use. */
  keyIDs: string[];
  keyFetches: number;
  /** The fault of the last fetch of the keys. The last good key set is in use. */
  keysFault: Error | undefined;
  /** How many valid tokens arrived while the list was stale, by the result. */
  staleRefused: number;
  staleAccepted: number;
  introspected: number;
}

/** Verifies the access tokens of one issuer for one service. */
export interface Verifier {
  /**
   * Returns the claims of a token that the issuer signed for this service, that has not expired, and whose session is
   * not known to be revoked. Rejects with a VerifyError otherwise.
   */
  verify(token: string, options?: { stale?: Policy }): Promise<Claims>;
  /**
   * Follows the issuer's revocation feed from now on. Resolves when the list is complete, or when the issuer did not answer: the
   * list is then stale, and is fetched in the background. Rejects if the issuer refuses the service key. Without it, a token
   * of a revoked session is accepted until it expires.
   */
  followRevocations(): Promise<void>;
  stats(): VerifierStats;
  /** Ends the connection to the issuer. The list stays, and becomes stale. */
  close(): void;
}

interface Settings extends VerifierOptions {
  demands: { issuer: string; audience: readonly string[]; leeway: number; maxLifetime: number };
  maxStaleness: number;
  stale: Policy;
  now: () => number;
  name: string;
}

/**
 * Returns a verifier after it has fetched the issuer's metadata and keys. If the issuer does not answer, or something else answers,
 * they are fetched in the background, and tokens are refused as `stale` until then. Rejects if the metadata is of another issuer.
 */
export async function createVerifier(options: VerifierOptions): Promise<Verifier> {
  const settings = complete(options);
  const http = new Http(options.fetch ?? ((...args) => fetch(...args)), options.serviceKey);
  const discovery = new Discovery(http, { issuer: options.issuer, base: options.baseURL ?? options.issuer });
  const off = new AbortController();
  const keys = new Keyring(http, discovery, off.signal);
  await keys.start().catch(unlessTemporary);
  return new IssuerVerifier(settings, http, discovery, keys, off);
}

function unlessTemporary(error: unknown): void {
  if (!isTemporary(error)) throw error;
}

/** Fills in the defaults, and throws if an option is invalid. */
function complete(options: VerifierOptions): Settings {
  const { issuer, leeway = 5_000, maxLifetime = 3_600_000, maxStaleness = 30_000, name = "node", stale = "fail_closed" } = options;
  checkURL("issuer", issuer, options.allowPrivateHTTP ?? false);
  if (options.baseURL !== undefined) checkURL("baseURL", options.baseURL, options.allowPrivateHTTP ?? false);
  const audience = typeof options.audience === "string" ? [options.audience] : [...options.audience];
  if (!audience.length || audience.includes("")) throw new TypeError("audience must name the service");
  if (!(leeway >= 0 && leeway <= 60_000)) throw new TypeError("leeway must be from 0 to 60 s");
  if (!(maxLifetime > 0)) throw new TypeError("maxLifetime must be positive");
  // The issuer sends an alive every 10 s, and a late one must not make the list stale.
  if (!(maxStaleness >= 15_000)) throw new TypeError("maxStaleness must be 15 s or more");
  if (!["fail_closed", "fail_open", "introspect"].includes(stale)) throw new TypeError("stale is no policy");
  if (stale === "introspect" && !options.serviceKey) throw new TypeError("serviceKey is needed to introspect");
  if (!/^[\w.-]{1,64}$/.test(name)) throw new TypeError("name must be 1 to 64 characters of A-Za-z0-9._-");
  const demands = { issuer, audience, leeway: leeway / 1000, maxLifetime: maxLifetime / 1000 };
  return { ...options, demands, maxStaleness, stale, name, now: options.now ?? Date.now };
}

class IssuerVerifier implements Verifier {
  private readonly ledger: Ledger;
  private readonly introspector: Introspector;
  private feed: Feed | undefined;
  private following: Promise<void> | undefined;
  private readonly counts = { staleRefused: 0, staleAccepted: 0, introspected: 0 };

  constructor(
    private readonly settings: Settings,
    private readonly http: Http,
    private readonly discovery: Discovery,
    private readonly keys: Keyring,
    private readonly off: AbortController,
  ) {
    this.ledger = new Ledger(settings.issuer, settings.maxStaleness, settings.now);
    this.introspector = new Introspector(http, discovery);
  }

  async verify(token: string, options: { stale?: Policy } = {}): Promise<Claims> {
    if (this.keys.overdue) await this.keys.renew(coolDown);
    const once = () => verifyJWS(token, "at+jwt", this.keys.find);
    const policy = options.stale ?? this.settings.stale;
    const payload = await this.keys.withKeys(once, (error) => error instanceof UnknownKey).catch((error: unknown) => {
      if (error instanceof UnknownKey && this.lacksKeys(policy))
        throw new VerifyError("stale", "The issuer may have published the key, and does not answer.", { cause: this.keys.fault });
      throw error;
    });
    const claims = acceptClaims(readClaims(payload), this.settings.demands, this.settings.now() / 1000);
    if (this.feed) await this.checkLive(token, claims, policy);
    return claims;
  }

  /** Reports whether an unknown key may be one that the issuer has published meanwhile. */
  private lacksKeys(policy: Policy): boolean {
    return !this.keys.ids.length || (this.feed !== undefined && !this.ledger.fresh && policy !== "fail_open");
  }

  /** Rejects if the session of a valid token is revoked or, depending on the policy, may be revoked. */
  private async checkLive(token: string, { sid, sub, client_id }: Claims, policy: Policy): Promise<void> {
    if (!sid || !isSessionID(sid)) throw new VerifyError("claims", "sid is missing, or none.");
    if (this.ledger.list.revoked(sid, sub, client_id)) throw new VerifyError("revoked", "The session has been revoked.");
    if (this.ledger.fresh) return;
    if (policy === "fail_open") {
      this.counts.staleAccepted++;
      return;
    }
    if (policy === "introspect") {
      this.counts.introspected++;
      return this.introspector.ask(token, sid);
    }
    this.counts.staleRefused++;
    throw new VerifyError("stale", "Nothing was heard from the issuer for too long.");
  }

  followRevocations(): Promise<void> {
    this.following ??= this.follow().catch((error: unknown) => {
      this.following = undefined; // so that the caller can retry
      throw error;
    });
    return this.following;
  }

  private async follow(): Promise<void> {
    if (!this.settings.serviceKey) throw new TypeError("serviceKey is needed to follow revocations");
    const { name, maxStaleness, now } = this.settings;
    const feed = new Feed(this.http, this.discovery, this.keys, this.ledger, { name, maxStaleness, now, signal: this.off.signal });
    await this.keys.idle();
    this.keys.source = "feed";
    try {
      await this.keys.start().catch(unlessTemporary);
      await feed.start();
    } catch (error) {
      this.keys.source = "jwks";
      throw error;
    }
    await this.keys.idle(); // the snapshot may have caused a fetch of the keys
    this.feed = feed;
  }

  stats(): VerifierStats {
    const { confirmedAt } = this.ledger;
    return {
      ...(this.feed?.stats ?? noStats()),
      ...this.counts,
      seq: this.ledger.seq,
      revocations: this.ledger.list.size,
      heard: confirmedAt === undefined ? undefined : new Date(confirmedAt),
      stale: this.feed !== undefined && !this.ledger.fresh,
      keyIDs: this.keys.ids,
      keyFetches: this.keys.fetches,
      keysFault: this.keys.fault,
    };
  }

  close(): void {
    this.off.abort();
  }
}
