// The components of a front end that was written for better-auth, as such a team has them.
import assert from "node:assert/strict";
import test, { after, before } from "node:test";
import { Window } from "happy-dom";
import { Program } from "../../../clients/typescript/test/program.js";
import { Browser, eventually } from "./browser.js";

let program: Program;
before(async () => {
  // Renewals are due once in an access token's lifetime.
  program = await Program.start({ ISSUER_ACCESS_TOKEN_LIFETIME: "2s", ISSUER_REFRESH_CONCURRENCY_WINDOW: "1s" });
});
after(() => program.stop());

// React and the client look for a browser when they are loaded.
const window = new Window({ url: "http://localhost/" });
Object.assign(globalThis, { window, document: window.document });
Object.defineProperty(globalThis, "navigator", { value: window.navigator, configurable: true });
const { createRoot } = await import("react-dom/client");
const { useEffect, useState } = await import("react");
const { createAuthClient } = await import("better-auth/react");
const { createAuthClient: createOldClient } = await import("better-auth-1.4/react");

interface Listed {
  id: string;
  current: boolean;
  userAgent: string | null;
}

function app(browser: Browser, create: typeof createAuthClient) {
  const authClient = create({ baseURL: program.url, fetchOptions: { customFetchImpl: browser.fetch } });
  const { useSession, signOut } = authClient;
  const visited: string[] = [];

  function UserMenu() {
    const { data: session, isPending, refetch } = useSession();
    if (isPending) return <div>Loading...</div>;
    if (!session) return <div>Not logged in</div>;
    return (
      <div>
        <span>{session.user.email}</span>
        <button onClick={() => void refetch()}>Refresh</button>
      </div>
    );
  }

  function SignOutButton() {
    const handleSignOut = () => signOut({ fetchOptions: { onSuccess: () => void visited.push("/login") } });
    return <button onClick={() => void handleSignOut()}>Sign Out</button>;
  }

  function ActiveSessions() {
    const [sessions, setSessions] = useState<Listed[]>([]);
    const loadSessions = async () => {
      const { data } = await authClient.listSessions();
      setSessions((data as unknown as Listed[]) || []);
    };
    const revokeSession = async (sessionId: string) => {
      await authClient.revokeSession({ id: sessionId } as never);
      void loadSessions();
    };
    useEffect(() => void loadSessions(), []);
    return (
      <ul>
        {sessions.map((session) => (
          <li key={session.id}>
            {session.current ? "Current Session" : "Other Session"}
            {!session.current && <button onClick={() => void revokeSession(session.id)}>Revoke</button>}
          </li>
        ))}
      </ul>
    );
  }

  const host = document.createElement("div");
  const root = createRoot(host);
  root.render(
    <>
      <UserMenu />
      <SignOutButton />
      <ActiveSessions />
    </>,
  );
  const shows = (text: string) => eventually(() => (host.textContent ?? "").includes(text), `"${text}" in "${host.textContent}"`);
  const click = (label: string) => {
    const button = [...host.querySelectorAll("button")].find((b) => b.textContent === label);
    assert.ok(button, `no button ${label} in ${host.textContent}`);
    button.click();
  };
  return { host, root, visited, shows, click };
}

const versions = { "1.7": createAuthClient, "1.4": createOldClient as unknown as typeof createAuthClient };

for (const [version, create] of Object.entries(versions)) {
  test(`${version}: the components show the user, list and end sessions, and sign out`, async () => {
    const [here, elsewhere] = [new Browser(program), new Browser(program)];
    const id = `react-${version}`;
    await elsewhere.signIn(id);
    await here.signIn(id);
    const { host, root, visited, shows, click } = app(here, create);
    await shows(`${id}@x.example`);
    await shows("Other Session");
    click("Revoke");
    await eventually(() => !host.textContent?.includes("Other Session"), "the other session is gone");
    await shows("Current Session");

    const first = here.jar.cookies.get("better-auth.session_token");
    await here.renewalIsDue();
    click("Refresh");
    if (version === "1.7") {
      await eventually(() => here.requests.includes("POST /get-session"), "the client renews by itself");
      await eventually(() => here.jar.cookies.get("better-auth.session_token") !== first, "the token was rotated");
    } else {
      await eventually(() => here.requests.filter((r) => r === "GET /get-session").length >= 2, "the client asks again");
    }
    await shows(`${id}@x.example`);
    assert.equal(here.requests.includes("POST /get-session"), version === "1.7");

    click("Sign Out");
    await shows("Not logged in");
    assert.deepEqual(visited, ["/login"]);
    assert.equal(here.jar.cookies.size, 0);
    root.unmount();
  });
}
