import type { Discovery } from "./discovery.js";
import { IssuerFault } from "./errors.js";
import { type Http, jitter, pause } from "./http.js";

const every = 1_000;
const repeatEvery = 60_000;

/** What the issuer is told. */
export interface Report {
  verifier: string;
  /** The number of the newest entry applied. */
  seq: number;
  delay_ms: number;
}

/** Reports to the issuer what was applied, at most once a second and at least once a minute. */
export class Reporter {
  private wake = () => {};

  constructor(
    private readonly http: Http,
    private readonly discovery: Discovery,
    private readonly signal: AbortSignal,
    private readonly present: () => Report,
  ) {}

  /** Something was applied. */
  note(): void {
    this.wake();
  }

  /** Sends reports until the signal aborts. */
  async run(): Promise<void> {
    while (!this.signal.aborted) {
      const report = this.present();
      // After a refused report the next one waits longer than a second.
      await pause((await this.send(report)) ? every : jitter(repeatEvery / 2), this.signal);
      if (this.present().seq !== report.seq) continue;
      await pause(repeatEvery, this.signal, (end) => {
        this.wake = end;
      });
    }
  }

  /** Returns false if the issuer refuses the report. A lost connection is the feed's matter. */
  private async send(report: Report): Promise<boolean> {
    try {
      const { feed } = await this.discovery.endpoints();
      if (!feed) return false;
      const headers = { "content-type": "application/json" };
      const call = { method: "POST", headers, body: JSON.stringify(report), want: [204], signal: this.signal } as const;
      await this.http.fetch(feed.applied, call, 4 << 10);
      return true;
    } catch (error) {
      return error instanceof IssuerFault && error.kind === "lost";
    }
  }
}
