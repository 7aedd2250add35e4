/**
 * Why a token was refused, in one word. Those from `revoked` on are about the session or the caller's demands; the
 * others are about the token.
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

/** A token that was refused. It holds nothing of the token. */
export class VerifyError extends Error {
  override readonly name = "VerifyError";

  constructor(
    /** Why, in one word. */
    readonly reason: Cause,
    message: string,
    options?: ErrorOptions & { expired?: boolean },
  ) {
    super(message, options);
    this.expired = options?.expired ?? false;
  }

  /** Whether the token has expired. Another one of the same session may be good. */
  readonly expired: boolean;

  /** The status to answer with: 401 or, when it is not known whether the session goes on, 503. */
  get status(): 401 | 503 {
    return this.reason === "stale" ? 503 : 401;
  }

  /** The code for a problem document (RFC 9457), as the issuer uses it. The browser client understands it. */
  get code(): "token_expired" | "token_invalid" | "session_revoked" | "unavailable" {
    if (this.expired) return "token_expired";
    if (this.reason === "revoked") return "session_revoked";
    return this.reason === "stale" ? "unavailable" : "token_invalid";
  }

  /** The value of WWW-Authenticate to a 401 (RFC 6750 §3). */
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

/** Something that the issuer sent, or did not send, and that cannot be used. */
export class IssuerFault extends Error {
  override readonly name = "IssuerFault";

  constructor(
    /** What: the connection was lost, or something was wrong with an answer. */
    readonly kind: "lost" | "status" | "discovery" | "keys" | "message" | "gap" | "backwards" | "forked" | "clock" | "gone",
    message: string,
    /** The HTTP status, if that is the reason. */
    readonly status = 0,
    /** How many milliseconds the issuer asks to wait. */
    readonly retryAfter = 0,
  ) {
    super(message);
  }
}
