/**
 * Why a token was refused. `revoked` and `stale` concern the session; all others concern the token.
 */
export type Cause =
  | "size"
  | "encoding"
  | "header-not-allowed"
  | "crit"
  | "cty"
  | "alg"
  | "alg-key-mismatch"
  | "kid"
  | "typ"
  | "sig"
  | "duplicate"
  | "payload"
  | "iss"
  | "aud"
  | "exp"
  | "nbf"
  | "iat"
  | "lifetime"
  | "claims"
  | "revoked"
  | "stale";

/** A refused token. The error contains no part of the token. */
export class VerifyError extends Error {
  override readonly name = "VerifyError";

  constructor(
    /** The cause. */
    readonly reason: Cause,
    message: string,
    options?: ErrorOptions & { expired?: boolean },
  ) {
    super(message, options);
    this.expired = options?.expired ?? false;
  }

  /** Whether the token has expired. A new token of the same session may be valid. */
  readonly expired: boolean;

  /** The HTTP status to respond with: 401, or 503 if it is not known whether the session is live. */
  get status(): 401 | 503 {
    return this.reason === "stale" ? 503 : 401;
  }

  /** The code for a problem document (RFC 9457), one of those that the issuer uses and the browser client understands. */
  get code(): "token_expired" | "token_invalid" | "session_revoked" | "unavailable" {
    if (this.expired) return "token_expired";
    if (this.reason === "revoked") return "session_revoked";
    return this.reason === "stale" ? "unavailable" : "token_invalid";
  }

  /** The value of WWW-Authenticate for a 401 (RFC 6750 §3). */
  get challenge(): string {
    const titles = {
      token_expired: "The access token has expired",
      token_invalid: "The access token is not valid",
      session_revoked: "The session has been revoked",
      unavailable: "",
    };
    return `Bearer error="invalid_token", error_description="${titles[this.code]} [${this.reason}]"`;
  }
}

/** A missing, refused or unusable response of the issuer. */
export class IssuerFault extends Error {
  override readonly name = "IssuerFault";

  constructor(
    /** The kind of fault. `lost` is a failed connection; the others are faults of a response. */
    readonly kind: "lost" | "status" | "discovery" | "keys" | "message" | "gap" | "backwards" | "forked" | "clock" | "gone",
    message: string,
    /** The HTTP status, if that is the reason; 0 otherwise. */
    readonly status = 0,
    /** How long the issuer asks to wait, in milliseconds. */
    readonly retryAfter = 0,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/**
 * Reports whether a fault may pass without a change of the configuration. In front of an issuer that is down a proxy may answer with
 * any other status, a redirect, or a page.
 */
export function isTemporary(error: unknown): boolean {
  return error instanceof IssuerFault && !isMisconfiguration(error);
}

/** Reports whether a fault means that the configuration is wrong: another issuer is there, or it refuses the service key. */
export function isMisconfiguration(error: unknown): boolean {
  return error instanceof IssuerFault && (error.kind === "discovery" || isRefusedKey(error));
}

const isRefusedKey = ({ status }: IssuerFault) => status === 401 || status === 403;
