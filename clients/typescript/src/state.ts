import type { IssuerError, Reason } from "./errors.js";
import type { components } from "./openapi.js";

/** A session as the issuer describes it. It contains no token. */
export type Session = components["schemas"]["Session"];

/** The user of a session, as the backend described them at sign-in. */
export type User = components["schemas"]["User"];

/** The current session and its user. */
export interface SessionData {
  session: Session;
  user: User;
}

/** The response to a mint or a refresh. */
export type Grant = components["schemas"]["Refreshed"];

/** The state of the client. A state object is never modified, only replaced. */
export interface State {
  /** `unknown` until the first response of the issuer. */
  readonly status: "unknown" | "signed-in" | "signed-out";
  /** The session, while signed in. */
  readonly data: SessionData | null;
  /** Why the session ended; absent if there was none. */
  readonly reason?: Reason;
  /** Why the last refresh failed, until the next attempt. The session may still be live. */
  readonly error?: IssuerError;
}

/** The state of a client that has sent no request yet. */
export const unknown: State = { status: "unknown", data: null };

/** The state of a client without a session. */
export function signedOut(reason?: Reason): State {
  return { status: "signed-out", data: null, ...(reason && { reason }) };
}
