import { useEffect, useSyncExternalStore } from "react";
import type { Client } from "./client.js";
import type { IssuerError, Reason } from "./errors.js";
import { type SessionData, unknown } from "./state.js";

/** What a component gets to know of the session. */
export interface UseSession {
  /** The session and its user, or null. */
  data: SessionData | null;
  /** True until it is known whether someone is signed in. */
  isPending: boolean;
  /** Why the last attempt to refresh failed. The user stays signed in meanwhile. */
  error: IssuerError | null;
  /** Why nobody is signed in, if there is more to it than that nobody was. */
  reason: Reason | null;
  /** Asks the issuer again. */
  refetch: () => Promise<SessionData | null>;
}

/** Follows the session of a client. It needs no provider. On a server it is pending. */
export function useSession(client: Pick<Client, "getState" | "getSession" | "onChange">): UseSession {
  const state = useSyncExternalStore(client.onChange, client.getState, () => unknown);
  useEffect(() => {
    // A failure is in the state.
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
