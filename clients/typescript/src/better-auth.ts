/**
 * Returns a client plugin for better-auth. With it `authClient.revokeAllSessions()` is a POST, which a link or an image
 * cannot trigger, and `useSession` fetches the session again afterwards. `revokeSession({ id })` and `current` in the
 * list of sessions have types.
 */
export function issuer() {
  return {
    id: "issuer" as const,
    pathMethods: { "/revoke-all-sessions": "POST" as const },
    atomListeners: [{ matcher: (path: string) => path === "/revoke-all-sessions", signal: "$sessionSignal" as const }],
    $InferServerPlugin: {} as ServerPlugin,
  };
}

/** A session in the list of the user's sessions. */
export interface ListedSession {
  id: string;
  /** The same as id. It is not a credential. */
  token: string;
  userId: string;
  createdAt: Date;
  updatedAt: Date;
  /** When it ends if it is not used. */
  expiresAt: Date;
  ipAddress: string | null;
  userAgent: string | null;
  /** Whether it is the session of the caller. */
  current: boolean;
}

/** The routes whose responses differ from better-auth's own. It exists only for the types of the client. */
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
