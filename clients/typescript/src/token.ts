import type { Environment } from "./environment.js";

/** An access token and how long it lives, by clocks that need not be right. */
export interface Token {
  readonly value: string;
  /** Its life in milliseconds from when it was asked for, as the issuer said. */
  readonly life: number;
  /** The monotonic clock when it was asked for. */
  readonly born: number;
  /** The wall clock then. */
  readonly at: number;
}

/** What is left of a token's life, in milliseconds. */
export function left(token: Token, env: Environment): number {
  // The monotonic clock stands still while the machine sleeps, on some systems; the wall clock goes on.
  // Neither is compared with a time of the issuer.
  return token.life - Math.max(env.now() - token.born, env.wall() - token.at);
}

/** Reports whether a token will still be good when it arrives. */
export function usable(token: Token | undefined, env: Environment): token is Token {
  return token !== undefined && left(token, env) > Math.min(2_000, token.life / 10);
}

/** How long before its end a token is renewed, in milliseconds. */
export function margin(token: Token): number {
  return Math.min(30_000, token.life / 5);
}
