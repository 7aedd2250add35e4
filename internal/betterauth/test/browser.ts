// A browser as far as the issuer can tell: its cookies, and the headers that it adds to a page's requests.
import { Jar, type Program } from "../../../clients/typescript/test/program.js";

export class Browser {
  readonly jar = new Jar();
  /** What the page has asked for, as "GET /get-session". */
  readonly requests: string[] = [];

  constructor(private readonly program: Program) {}

  async signIn(id: string, user: object = {}): Promise<void> {
    this.jar.take(await this.program.service("POST", "/v1/sessions?transport=cookie", { user: { id, email: `${id}@x.example`, name: id, ...user } }));
  }

  get cookies(): string {
    return [...this.jar.cookies].map(([name, value]) => `${name}=${value}`).join("; ");
  }

  /** Waits, by the issuer's real clock, until it asks for a renewal. */
  async renewalIsDue(): Promise<void> {
    for (const end = Date.now() + 20_000; Date.now() < end; await new Promise((resolve) => setTimeout(resolve, 50))) {
      const response = await fetch(`${this.program.url}/api/auth/get-session`, { headers: { cookie: this.cookies } });
      if (((await response.json()) as { needsRefresh?: boolean } | null)?.needsRefresh) return;
    }
    throw new Error("no renewal is ever due");
  }

  /** Is fetch in a page of the issuer's own origin. */
  readonly fetch: typeof fetch = async (input, init) => {
    const request = new Request(input, init);
    if (request.method !== "GET") request.headers.set("origin", this.program.url);
    request.headers.set("sec-fetch-site", "same-origin"); // Node adds sec-fetch-mode: cors
    request.headers.set("sec-fetch-dest", "empty");
    if (this.cookies) request.headers.set("cookie", this.cookies);
    this.requests.push(`${request.method} ${new URL(request.url).pathname.replace("/api/auth", "")}`);
    const response = await fetch(request);
    this.jar.take(response);
    return response;
  };
}

/** Waits until a condition holds. */
export async function eventually(holds: () => boolean, what: string): Promise<void> {
  for (const end = Date.now() + 10_000; !holds(); await new Promise((resolve) => setTimeout(resolve, 10))) {
    if (Date.now() > end) throw new Error(`it never happened: ${what}`);
  }
}
