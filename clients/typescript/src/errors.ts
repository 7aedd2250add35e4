import type { components } from "./openapi.js";

/** The codes by which the issuer tells one refusal from another. */
export type IssuerCode = components["schemas"]["Code"];

/**
 * Why a call failed: a code of the issuer, or one of three of our own. `network`: there was no
 * answer. `invalid_response`: what answered is not the issuer, such as the page of a captive portal.
 * `signed_out`: there is no session, so nothing was asked.
 */
export type Code = IssuerCode | "network" | "invalid_response" | "signed_out";

/** Why nobody is signed in: a code of the issuer, or that the user signed out in this browser. */
export type Reason = IssuerCode | "sign_out";

/** A call to the issuer that did not succeed. It never holds a token. */
export class IssuerError extends Error {
  override readonly name = "IssuerError";

  constructor(
    readonly code: Code,
    message: string,
    /** The HTTP status, 0 when there was no answer. */
    readonly status = 0,
    /** How many milliseconds the issuer asks to wait; 0 when it does not say. */
    readonly retryAfter = 0,
  ) {
    super(message);
  }
}

// Only these end a session, and only when the issuer says them: a 401 of a proxy does not.
const endings = new Set<string>([
  "session_revoked",
  "session_expired",
  "session_idle",
  "refresh_token_invalid",
  "refresh_token_reused",
  "binding_mismatch",
]);

/** Reports whether an error says that the session is over for good. */
export function isEnd(error: unknown): error is IssuerError & { code: IssuerCode } {
  return error instanceof IssuerError && error.status === 401 && endings.has(error.code);
}
