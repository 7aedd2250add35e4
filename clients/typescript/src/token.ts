import type { Environment } from "./environment.js";

/** An access token and its lifetime, measured with clocks that may be wrong. */
export interface Token {
  readonly value: string;
  /** Its lifetime in milliseconds from the time of the request, as the issuer stated it. */
  readonly life: number;
  /** The monotonic clock at the time of the request. */
  readonly born: number;
  /** The wall clock at the time of the request. */
  readonly at: number;
}

/** Returns the remaining lifetime of a token, in milliseconds. */
export function left(token: Token, env: Environment): number {
  // On some systems the monotonic clock stops while the machine sleeps, and the wall clock does not.
  // Neither is compared with a time of the issuer.
  return token.life - Math.max(env.now() - token.born, env.wall() - token.at);
}

/** Reports whether a token will still be valid when it arrives. */
export function usable(token: Token | undefined, env: Environment): token is Token {
  return token !== undefined && left(token, env) > Math.min(2_000, token.life / 10);
}

/** Returns how long before its expiry a token is renewed, in milliseconds. */
export function margin(token: Token): number {
  return Math.min(30_000, token.life / 5);
}
