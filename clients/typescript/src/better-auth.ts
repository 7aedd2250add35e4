/**
 * A client plugin for better-auth. With it `authClient.revokeAllSessions()` is a POST, which no link or image can
 * make a browser send, and `useSession` asks again after it. `revokeSession({ id })` and `current` in the list of
 * sessions have types.
 */
export function issuer() {
  return {
    id: "issuer" as const,
    pathMethods: { "/revoke-all-sessions": "POST" as const },
    atomListeners: [{ matcher: (path: string) => path === "/revoke-all-sessions", signal: "$sessionSignal" as const }],
    $InferServerPlugin: {} as ServerPlugin,
  };
}

/** A session in the list of those of the user. */
export interface ListedSession {
  id: string;
  /** The same as id: it opens nothing. */
  token: string;
  userId: string;
  createdAt: Date;
  updatedAt: Date;
  /** When it ends unless it is used. */
  expiresAt: Date;
  ipAddress: string | null;
  userAgent: string | null;
  /** Whether it is the one that asks. */
  current: boolean;
}

/** What the issuer answers otherwise than better-auth's own routes; it exists for the types of the client only. */
interface ServerPlugin {
  id: "issuer";
  endpoints: {
    listSessions: {
      (context?: { query?: Record<string, never> }): Promise<ListedSession[]>;
      path: "/list-sessions";
      options: { method: "GET" };
    };
    revokeSession: {
      (context: { body: { id: string } | { token: string } }): Promise<{ status: boolean }>;
      path: "/revoke-session";
      options: { method: "POST" };
    };
    revokeAllSessions: {
      (context: { body?: Record<string, never> }): Promise<{ status: boolean }>;
      path: "/revoke-all-sessions";
      options: { method: "POST" };
    };
  };
}
