import type { IssuerError, Reason } from "./errors.js";
import type { components } from "./openapi.js";

/** A session, as the issuer describes it. It holds no token. */
export type Session = components["schemas"]["Session"];

/** The user of a session, as the backend described them at sign-in. */
export type User = components["schemas"]["User"];

/** The current session and its user. */
export interface SessionData {
  session: Session;
  user: User;
}

/** What a mint or a refresh answers with. */
export type Grant = components["schemas"]["Refreshed"];

/** What the client knows. A state is never changed, only replaced. */
export interface State {
  /** `unknown` until the issuer was asked for the first time. */
  readonly status: "unknown" | "signed-in" | "signed-out";
  /** The session, while signed in. */
  readonly data: SessionData | null;
  /** Why nobody is signed in, if there is more to it than that nobody was. */
  readonly reason?: Reason;
  /** Why the last attempt to refresh failed, while a further one is due. It says nothing about the session. */
  readonly error?: IssuerError;
}

/** The state of a client that has asked nothing yet. */
export const unknown: State = { status: "unknown", data: null };

/** The state of a client without a session. */
export function signedOut(reason?: Reason): State {
  return { status: "signed-out", data: null, ...(reason && { reason }) };
}
