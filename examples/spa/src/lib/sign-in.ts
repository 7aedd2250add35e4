import { authURL } from "@/lib/settings";

/** Signs in at this application's own backend. Rejects with an error whose message is shown to the user. */
export async function signIn(email: string, password: string): Promise<void> {
  const answer = await post("/login", { email, password });
  if (!answer.ok) throw new Error(answer.status === 401 ? "Wrong email or password." : "Please try again later.");
  const { handoff_code } = (await answer.json()) as { handoff_code?: string };
  if (!handoff_code) return; // the cookies are set
  // The issuer is on another site: it sets its cookies itself, in exchange for this code.
  const claim = await post(`${authURL}/v1/session/claim`, { handoff_code });
  if (!claim.ok) throw new Error("Please try again later.");
}

function post(url: string, body: object): Promise<Response> {
  return fetch(url, {
    method: "POST",
    credentials: "include",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
}
