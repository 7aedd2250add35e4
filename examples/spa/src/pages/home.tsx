import { ActiveSessions } from "@/components/active-sessions";
import { RevokeAllSessionsButton } from "@/components/revoke-all-sessions-button";
import { SessionRefresh } from "@/components/session-refresh";
import { SignOutButton } from "@/components/sign-out-button";
import { UserMenu } from "@/components/user-menu";
import { useSession } from "@/lib/auth-client";
import { authURL } from "@/lib/settings";

export function HomePage() {
  const { data: session } = useSession();
  const devices = `${authURL}/account/sessions?${new URLSearchParams({ return_to: `${location.origin}/` })}`;

  return (
    <>
      <header>
        <strong>Example</strong>
        <UserMenu />
      </header>
      <main>
        {session ? (
          <>
            <h1>Welcome, {session.user.name}</h1>
            <div className="actions">
              <SessionRefresh />
              <SignOutButton />
              <RevokeAllSessionsButton />
            </div>
            <ActiveSessions key={session.session.id} />
            <p>
              <a href={devices}>The same as a page of the issuer</a>
            </p>
          </>
        ) : (
          <>
            <h1>Example</h1>
            <p>
              <a href="/login">Sign in</a> to see your sessions.
            </p>
          </>
        )}
      </main>
    </>
  );
}
