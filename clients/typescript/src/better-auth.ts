/**
 * A client plugin for better-auth. With it `authClient.revokeAllSessions()` is a POST, which no link or image can
 * make a browser send, and `useSession` asks again after it.
 */
export function issuer() {
  return {
    id: "issuer" as const,
    pathMethods: { "/revoke-all-sessions": "POST" as const },
    atomListeners: [{ matcher: (path: string) => path === "/revoke-all-sessions", signal: "$sessionSignal" as const }],
    $InferServerPlugin: {} as ServerPlugin,
  };
}

/** What the issuer answers to beyond better-auth's own routes; it exists for the types of the client only. */
interface ServerPlugin {
  id: "issuer";
  endpoints: {
    revokeAllSessions: {
      (context: { body?: Record<string, never> }): Promise<{ status: boolean }>;
      path: "/revoke-all-sessions";
      options: { method: "POST" };
    };
  };
}
