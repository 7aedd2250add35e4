// What a JavaScript runtime must do with the entries for servers. The same checks run in every runtime, so they use nothing
// but web APIs.
import { createAuth } from "issuer-client/server";
import { createVerifier, type IssuerFault, type Verifier } from "issuer-client/verify";

/** Where the checks find what they need. */
export interface Target {
  /** The real issuer. */
  issuer: string;
  serviceKey: string;
  /** The headers of a browser that is signed in, of one whose session was revoked, and of a client with a token. */
  signedIn: Record<string, string>;
  ended: Record<string, string>;
  bearer: Record<string, string>;
  /** A server that redirects every request to the issuer. */
  redirecting: string;
  /** An address on which nobody listens. */
  closed: string;
  /** An issuer that a check controls: POST /control/rotate and /control/revoke. */
  feed: { issuer: string; audience: string; serviceKey: string };
}

function equal(actual: unknown, expected: unknown): void {
  const [a, b] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (a !== b) throw new Error(`${a}, want ${b}`);
}

/** Returns what a promise rejects with. */
async function rejection(promise: Promise<unknown>): Promise<Record<string, unknown>> {
  try {
    await promise;
  } catch (error) {
    return error as Record<string, unknown>;
  }
  throw new Error("it was not refused");
}

/** Asks the controlled issuer for something. */
async function control<T>({ feed }: Target, what: string): Promise<T> {
  const response = await fetch(`${feed.issuer}/control/${what}`, { method: "POST" });
  return (await response.json()) as T;
}

/** Runs with a monotonic clock that is ahead, in milliseconds. */
async function ahead<T>(ms: number, run: () => Promise<T>): Promise<T> {
  const real = performance.now.bind(performance);
  performance.now = () => real() + ms;
  try {
    return await run();
  } finally {
    performance.now = real;
  }
}

/** The verifier of the first of its checks. The later ones use it too, in a Worker from other requests. */
let shared: Verifier;

/** A verifier that all requests share from the first one on, as the README has it for Workers. */
let pending: Promise<Verifier> | undefined;

/** The name of the check that is run several times at once, where there are requests. */
export const concurrent = "requests share a verifier";

export const checks: Record<string, (target: Target) => Promise<void>> = {
  "a session is read by cookie and by bearer token": async ({ issuer, signedIn, bearer }) => {
    const auth = createAuth({ baseURL: issuer });
    for (const headers of [signedIn, bearer]) equal((await auth.api.getSession({ headers }))?.user.id, "runtime");
  },
  "a session is read with the runtime's fetch as an option": async ({ issuer, signedIn }) => {
    const auth = createAuth({ baseURL: issuer, fetch });
    equal((await auth.api.getSession({ headers: signedIn }))?.user.id, "runtime");
  },
  "an ended session is null": async ({ issuer, ended }) => {
    equal(await createAuth({ baseURL: issuer }).api.getSession({ headers: ended }), null);
  },
  "a session is not read through a redirect": async ({ redirecting, signedIn }) => {
    const error = await rejection(createAuth({ baseURL: redirecting }).api.getSession({ headers: signedIn }));
    equal([error["name"], error["code"], error["status"]], ["IssuerError", "invalid_response", 302]);
  },
  "an issuer that does not answer is an error with its cause": async ({ closed, signedIn }) => {
    const error = await rejection(createAuth({ baseURL: closed }).api.getSession({ headers: signedIn }));
    equal([error["name"], error["code"], error["cause"] instanceof Error], ["IssuerError", "network", true]);
  },
  [concurrent]: async ({ feed, ...target }) => {
    const { token } = await control<{ token: string }>({ feed, ...target }, "mint");
    pending ??= createVerifier({ issuer: feed.issuer, audience: feed.audience });
    equal((await (await pending).verify(token)).sub, "u1");
  },
  "a token is verified": async ({ feed, ...target }) => {
    shared = await createVerifier({ issuer: feed.issuer, audience: feed.audience, fetch });
    const { token } = await control<{ token: string }>({ feed, ...target }, "mint");
    equal((await shared.verify(token)).sub, "u1");
    equal((await rejection(shared.verify(token.slice(0, -8) + "AAAAAAAA")))["reason"], "sig");
  },
  "the verifier fetches a key that is new": async (target) => {
    const { token } = await control<{ token: string }>(target, "rotate");
    await ahead(60_000, async () => equal((await shared.verify(token)).sub, "u1"));
  },
  "the verifier forgets a key that is gone, when the keys are old": async (target) => {
    const { withdrawn } = await control<{ withdrawn: string }>(target, "withdraw");
    equal((await shared.verify(withdrawn)).sub, "u1");
    await ahead(86_400_000, async () => equal((await rejection(shared.verify(withdrawn)))["reason"], "kid"));
    shared.close();
  },
  "keys are not fetched through a redirect": async (target) => {
    const verifier = await createVerifier({ issuer: target.redirecting, audience: target.feed.audience });
    const { token } = await control<{ token: string }>(target, "mint");
    const error = await rejection(verifier.verify(token));
    equal([error["reason"], error["status"]], ["stale", 503]);
    const fault = error["cause"] as IssuerFault & { status?: number };
    equal([fault.name, fault.kind, fault.status], ["IssuerFault", "status", 302]);
    verifier.close();
  },
  "keys that cannot be fetched are a 503 with its cause": async (target) => {
    const verifier = await createVerifier({ issuer: target.closed, audience: target.feed.audience });
    const { token } = await control<{ token: string }>(target, "mint");
    const error = await rejection(verifier.verify(token));
    equal([error["reason"], error["status"]], ["stale", 503]);
    const fault = error["cause"] as IssuerFault;
    equal([fault.name, fault.kind, fault.cause instanceof Error], ["IssuerFault", "lost", true]);
    verifier.close();
  },
  "a revocation is learned within a second": async (target) => {
    const { issuer, audience, serviceKey } = target.feed;
    const verifier = await createVerifier({ issuer, audience, serviceKey });
    await verifier.followRevocations();
    const { token, sid } = await control<{ token: string; sid: string }>(target, "mint");
    equal((await verifier.verify(token)).sid, sid);
    await control(target, `revoke?sid=${sid}`);
    for (let waited = 0; waited < 1_000; waited += 20) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      const reason = await verifier.verify(token).then(
        () => "",
        (error) => error.reason,
      );
      if (reason === "") continue;
      verifier.close();
      return equal(reason, "revoked");
    }
    throw new Error("the token is still accepted");
  },
};

/** Runs one check, and returns its fault, or "". */
export async function run(name: string, target: Target): Promise<string> {
  try {
    await checks[name]!(target);
    return "";
  } catch (error) {
    const { message, cause } = error as Error;
    return `${name}: ${message}${cause ? ` (${String(cause)})` : ""}`;
  }
}
