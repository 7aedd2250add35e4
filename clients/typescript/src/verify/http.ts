import { uncached } from "../runtime.js";
import { IssuerFault } from "./errors.js";

/** How long a complete answer may take, and the headers of a stream, in milliseconds. */
export const timeout = 10_000;

/** Hints for refusals of requests with a service key, by status. */
const refusalHints: Record<number, string> = {
  401: " It does not know the service key.",
  403: " The service key lacks a scope: revocations:read to follow revocations, tokens:introspect to introspect.",
};

/** A request to the issuer. */
export interface Call {
  method?: "GET" | "POST";
  headers?: Record<string, string>;
  body?: string;
  /** Whether to omit the service key. */
  open?: boolean;
  /** The statuses that count as success, besides 200. */
  want?: readonly number[];
  /** How long the whole answer may take, in milliseconds. 10 s by default, which is the most. */
  within?: number;
  signal?: AbortSignal;
}

/** A complete response. */
export interface Answer {
  status: number;
  headers: Headers;
  text: string;
}

/** Sends requests to the issuer. It follows no redirects and bounds the size of responses. */
export class Http {
  constructor(
    private readonly send: typeof fetch,
    private readonly serviceKey: string | undefined,
  ) {}

  /** Returns a response with an expected status. The caller reads its body. */
  async open(url: string, call: Call): Promise<Response> {
    const headers = new Headers(call.headers);
    headers.set("accept-encoding", "identity"); // so that the limit counts the bytes that are read
    if (!call.open && this.serviceKey) headers.set("authorization", `Bearer ${this.serviceKey}`);
    const { send } = this; // some runtimes refuse their fetch as a method of another object
    let response: Response;
    try {
      response = await send(url, {
        method: call.method ?? "GET",
        headers,
        body: call.body ?? null,
        redirect: "manual",
        signal: call.signal ?? null,
        ...uncached(),
      });
    } catch (cause) {
      throw new IssuerFault("lost", "The issuer does not answer.", 0, 0, { cause });
    }
    if (response.status === 200 || call.want?.includes(response.status)) return response;
    await response.body?.cancel().catch(() => {});
    const why = headers.has("authorization") ? (refusalHints[response.status] ?? "") : "";
    const wait = retryAfter(response.headers.get("retry-after") ?? "");
    throw new IssuerFault("status", `The issuer answers with status ${response.status}.${why}`, response.status, wait);
  }

  /** Reads a complete response of at most limit bytes. */
  async fetch(url: string, call: Call, limit: number): Promise<Answer> {
    const linked = new Linked(call.signal);
    linked.within(Math.min(call.within ?? timeout, timeout));
    const chunks: Uint8Array[] = [];
    let size = 0;
    let response: Response;
    try {
      response = await this.open(url, { ...call, signal: linked.signal });
      for await (const chunk of chunksOf(response)) {
        size += chunk.length;
        if (size > limit) throw new IssuerFault("message", `The issuer's answer has more than ${limit} bytes.`);
        chunks.push(chunk);
      }
    } catch (cause) {
      throw cause instanceof IssuerFault ? cause : new IssuerFault("lost", "The issuer's answer broke off.", 0, 0, { cause });
    } finally {
      linked.release();
    }
    const bytes = new Uint8Array(size);
    let at = 0;
    for (const chunk of chunks) {
      bytes.set(chunk, at);
      at += chunk.length;
    }
    // Invalid UTF-8 is replaced by characters that no parser here accepts.
    return { status: response.status, headers: response.headers, text: new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes) };
  }
}

/** Returns the time that a Retry-After asks for (RFC 9110 §10.2.3), in milliseconds; 0 if it is absent or malformed. */
function retryAfter(value: string): number {
  const wait = /^\d{1,9}$/.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.now();
  return Math.max(wait, 0) || 0;
}

/** Completes a query so that the URL has not been requested before: not even a cache that ignores Cache-Control has an answer for it. */
export function unique(query: string): string {
  return `${query}nonce=${crypto.randomUUID()}`;
}

/** Yields the chunks of a response body. Leaving the loop early closes the connection. */
export async function* chunksOf(response: Response): AsyncGenerator<Uint8Array> {
  const reader = response.body?.getReader();
  if (!reader) return;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    await reader.cancel().catch(() => {});
  }
}

/** Waits until the time has passed, the signal aborts, or the function given to early is called. Does not keep the process alive. */
export function pause(ms: number, signal: AbortSignal, early?: (end: () => void) => void): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const end = () => {
      stop();
      signal.removeEventListener("abort", end);
      resolve();
    };
    const stop = after(ms, end);
    signal.addEventListener("abort", end);
    early?.(end);
  });
}

/** Sets a timer that does not keep the process alive, and returns a function that clears it. */
export function after(ms: number, f: () => void): () => void {
  const timer: ReturnType<typeof setTimeout> = setTimeout(f, ms);
  (timer as unknown as { unref?: () => void }).unref?.();
  return () => clearTimeout(timer);
}

/** A signal that another signal or a timer aborts. The owner must release it, because the other signal may live longer. */
export class Linked {
  private readonly own = new AbortController();
  /** Aborts now. */
  readonly abort = () => this.own.abort();
  private stop = () => {};

  constructor(private readonly other: AbortSignal | undefined) {
    if (other?.aborted) this.abort();
    other?.addEventListener("abort", this.abort);
  }

  get signal(): AbortSignal {
    return this.own.signal;
  }

  /** Aborts after ms milliseconds from now, and replaces the earlier timer. */
  within(ms: number): void {
    this.stop();
    this.stop = after(ms, this.abort);
  }

  release(): void {
    this.stop();
    this.other?.removeEventListener("abort", this.abort);
  }
}

/** Returns a random time between ms/2 and ms. */
export function jitter(ms: number): number {
  return ms * (0.5 + Math.random() / 2);
}
