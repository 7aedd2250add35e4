import assert from "node:assert/strict";
import test from "node:test";
import { Window } from "happy-dom";
import { renderToString } from "react-dom/server";
import { useSession } from "../src/react.js";
import { World } from "./world.js";

// React looks for a document when it is loaded.
const window = new Window();
Object.assign(globalThis, { window, document: window.document, IS_REACT_ACT_ENVIRONMENT: true });
Object.defineProperty(globalThis, "navigator", { value: window.navigator, configurable: true });
const { act, StrictMode } = await import("react");
const { createRoot, hydrateRoot } = await import("react-dom/client");

function menu(world: World) {
  const { client } = world.tab();
  function UserMenu() {
    const { data: session, isPending, error, reason, refetch } = useSession(client);
    if (isPending) return <div>Loading...</div>;
    if (error) return <div>Trouble: {error.code}</div>;
    if (!session) return <div>Not logged in {reason}</div>;
    return <button onClick={() => void refetch()}>{session.user.id}</button>;
  }
  return { client, UserMenu };
}

function place() {
  const host = document.createElement("div");
  return { host, text: () => host.textContent };
}

test("useSession loads, shows the user, and follows a sign-out", async () => {
  const world = new World();
  world.signIn("alice");
  const { client, UserMenu } = menu(world);
  const { host, text } = place();
  const root = createRoot(host);
  // StrictMode runs effects twice.
  await act(async () =>
    root.render(
      <StrictMode>
        <UserMenu />
      </StrictMode>,
    ),
  );
  assert.equal(text(), "Loading...");
  await act(() => world.pass(1_000));
  assert.equal(text(), "alice");
  assert.equal(world.issuer.count("advanced"), 1);
  await act(async () => {
    host.querySelector("button")?.click();
    await world.pass(1_000);
  });
  assert.equal(text(), "alice");
  await act(() => world.until(client.signOut()));
  assert.equal(text(), "Not logged in sign_out");
  await act(async () => root.unmount());
});

test("useSession shows trouble at the start, and recovers", async () => {
  const world = new World();
  world.signIn("alice");
  const { UserMenu } = menu(world);
  world.fate = () => ({});
  const { host, text } = place();
  const root = createRoot(host);
  await act(async () => root.render(<UserMenu />));
  await act(() => world.pass(20_000));
  assert.equal(text(), "Trouble: network");
  world.fate = () => ({ request: 10, reply: 10 });
  await act(() => world.pass(60_000));
  assert.equal(text(), "alice");
  await act(async () => root.unmount());
});

test("a page that was rendered on a server is taken over without a mismatch", async () => {
  const world = new World();
  world.signIn("alice");
  const { UserMenu } = menu(world);
  const { host, text } = place();
  host.innerHTML = renderToString(<UserMenu />);
  assert.equal(text(), "Loading...");
  const mismatches: unknown[] = [];
  const root = await act(async () => hydrateRoot(host, <UserMenu />, { onRecoverableError: (error) => mismatches.push(error) }));
  await act(() => world.pass(1_000));
  assert.equal(text(), "alice");
  assert.deepEqual(mismatches, []);
  await act(async () => root.unmount());
});
