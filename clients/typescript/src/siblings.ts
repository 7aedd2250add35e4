import type { Channel, Environment } from "./environment.js";
import type { SessionData } from "./state.js";
import { left, type Token } from "./token.js";

/** How long to wait for an answer from another tab, in milliseconds. */
const answerTimeout = 50;

/** A message between tabs of one origin. It never contains a refresh token. */
export type Message =
  | { kind: "ask" }
  /** An access token, its lifetime and its age in milliseconds, and the wall clock at the time of sending. */
  | { kind: "token"; value: string; life: number; age: number; sent: number; data: SessionData }
  | { kind: "out"; reason: string; sid: string; user?: string | undefined };

type TokenMessage = Message & { kind: "token" };

/** Returns the message that sends a token to other tabs. */
export function offer(token: Token, data: SessionData, env: Environment): TokenMessage {
  const { value, life } = token;
  return { kind: "token", value, life, age: life - left(token, env), sent: env.wall(), data };
}

/** Returns the token of a message. A suspended tab receives the message late. */
export function offered({ value, life, age, sent }: TokenMessage, env: Environment): Token {
  const wall = env.wall();
  const now = age + Math.max(0, wall - sent);
  return { value, life, born: env.now() - now, at: wall - now };
}

/** The other tabs of this origin. */
export class Siblings {
  private channel: Channel | undefined;
  private readonly waiting = new Set<() => void>();

  constructor(
    private readonly env: Environment,
    private readonly name: string,
    private readonly receive: (message: Message) => void,
  ) {
    this.open();
  }

  open(): void {
    if (this.channel) return;
    try {
      this.channel = this.env.channel(this.name);
    } catch {
      return; // a browser that blocks the page's storage may refuse channels, too
    }
    if (!this.channel) return;
    this.channel.onmessage = ({ data }) => {
      if (typeof (data as Message | null)?.kind === "string") this.receive(data as Message);
    };
  }

  /** An open channel keeps a page out of the back-forward cache. */
  close(): void {
    this.channel?.close();
    this.channel = undefined;
  }

  post(message: Message): void {
    try {
      this.channel?.postMessage(message);
    } catch {
      this.close(); // the browser has closed it
    }
  }

  /** Asks the other tabs for a newer token, and waits until one arrives, which calls answered, or the timeout passes. */
  async ask(): Promise<void> {
    if (!this.channel) return;
    await new Promise<void>((resolve) => {
      const timer = this.env.setTimeout(resolve, answerTimeout);
      this.waiting.add(() => {
        this.env.clearTimeout(timer);
        resolve();
      });
      this.post({ kind: "ask" });
    });
    this.waiting.clear();
  }

  /** Ends the wait of ask: the answer has arrived. */
  answered(): void {
    for (const done of this.waiting) done();
  }
}
