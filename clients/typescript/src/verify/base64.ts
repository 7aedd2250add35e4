import { base64url } from "jose";

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/** Reports whether a text is unpadded base64url, and the only way to write its bytes: no spare bit is set. */
export function canonical(text: string): boolean {
  if (!/^[\w-]+$/.test(text) || text.length % 4 === 1) return false;
  const spare = [0, 0, 0b1111, 0b11][text.length % 4] as number;
  return (alphabet.indexOf(text.slice(-1)) & spare) === 0;
}

/** Decodes a text that is canonical. */
export const decode = (text: string): Uint8Array => base64url.decode(text);
