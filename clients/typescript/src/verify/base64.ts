import { base64url } from "jose";

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/** Reports whether a text is canonical unpadded base64url: no unused bit is set, so no other text has the same bytes. */
export function canonical(text: string): boolean {
  if (!/^[\w-]+$/.test(text) || text.length % 4 === 1) return false;
  const spare = [0, 0, 0b1111, 0b11][text.length % 4] as number;
  return (alphabet.indexOf(text.slice(-1)) & spare) === 0;
}

/** Decodes a canonical text. */
export const decode = (text: string): Uint8Array => base64url.decode(text);
