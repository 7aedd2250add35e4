import type { components } from "./openapi.js";

/** The stable codes of the issuer, one for each kind of refusal. */
export type IssuerCode = components["schemas"]["Code"];

/**
 * Why a call failed: a code of the issuer, or one of three codes of this client. `network`: there was no
 * response. `invalid_response`: the response is not the issuer's, for example the page of a captive portal.
 * `signed_out`: there is no session, so no request was sent.
 */
export type Code = IssuerCode | "network" | "invalid_response" | "signed_out";

/** Why nobody is signed in: a code of the issuer, or `sign_out` if the user signed out in this browser. */
export type Reason = IssuerCode | "sign_out";

/** A call to the issuer that failed. It never contains a token. */
export class IssuerError extends Error {
  override readonly name = "IssuerError";

  constructor(
    readonly code: Code,
    message: string,
    /** The HTTP status, 0 if there was no response. */
    readonly status = 0,
    /** How long the issuer asks to wait, in milliseconds; 0 if it does not say. */
    readonly retryAfter = 0,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

// Only these codes end a session, and only if the issuer itself sends them: a 401 of a proxy does not.
const endings = new Set<string>([
  "session_revoked",
  "session_expired",
  "session_idle",
  "refresh_token_invalid",
  "refresh_token_reused",
  "binding_mismatch",
]);

/** Reports whether an error means that the session has ended. */
export function isEnd(error: unknown): error is IssuerError & { code: IssuerCode } {
  return error instanceof IssuerError && error.status === 401 && endings.has(error.code);
}
