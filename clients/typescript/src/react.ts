import { useEffect, useSyncExternalStore } from "react";
import type { Client } from "./client.js";
import type { IssuerError, Reason } from "./errors.js";
import { type SessionData, unknown } from "./state.js";

/** The session as a component sees it. */
export interface UseSession {
  /** The session and its user, or null. */
  data: SessionData | null;
  /** True until it is known whether a user is signed in. */
  isPending: boolean;
  /** Why the last refresh failed. The user stays signed in. */
  error: IssuerError | null;
  /** Why the session ended; null if there was none. */
  reason: Reason | null;
  /** Fetches the session from the issuer again. */
  refetch: () => Promise<SessionData | null>;
}

/** Returns the session of a client and renders again when it changes. It needs no provider. On a server it is pending. */
export function useSession(client: Pick<Client, "getState" | "getSession" | "onChange">): UseSession {
  const state = useSyncExternalStore(client.onChange, client.getState, () => unknown);
  useEffect(() => {
    // The state has the error.
    if (client.getState().status === "unknown") client.getSession().catch(() => {});
  }, [client]);
  return {
    data: state.data,
    isPending: state.status === "unknown" && !state.error,
    error: state.error ?? null,
    reason: state.reason ?? null,
    refetch: client.getSession,
  };
}
