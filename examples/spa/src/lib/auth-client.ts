import { createAuthClient } from "better-auth/react";
import { issuer } from "issuer-client/better-auth";
import { authURL } from "@/lib/settings";

export const authClient = createAuthClient({
  baseURL: authURL,
  plugins: [issuer()],
});

export const { useSession, signOut } = authClient;
