import { calculateJwkThumbprint, type CryptoKey, importJWK, type JWK } from "jose";
import { canonical } from "./base64.js";
import { IssuerFault } from "./errors.js";
import { type JSONValue, strictObject } from "./json.js";

/** The algorithms of the issuer. Each key has exactly one. */
export type Algorithm = "ES256" | "EdDSA" | "RS256";

/** A public key of the issuer. */
export interface Key {
  id: string;
  algorithm: Algorithm;
  key: CryptoKey;
}

/** The largest key set that is read, in bytes. */
export const maxKeySet = 256 << 10;

const maxKeys = 64;
const kinds: Record<string, Algorithm> = { "EC P-256": "ES256", "OKP Ed25519": "EdDSA", "RSA ": "RS256" };
const secret = ["d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"];
const sizes: Record<string, number> = { x: 43, y: 43 };

/**
 * Parses a JWK Set (RFC 7517 §5). Keys of other types and uses are skipped; a malformed key of a supported type makes the
 * whole set invalid.
 */
export async function parseKeys(text: string): Promise<Map<string, Key>> {
  let list: JSONValue;
  try {
    list = JSON.parse(strictObject(text).get("keys") ?? "null");
  } catch {
    throw fault("it is not strict JSON");
  }
  if (!Array.isArray(list) || list.length > maxKeys) throw fault("it has no array of keys, or too many");
  const keys = new Map<string, Key>();
  for (const raw of list) {
    const key = await parseKey(raw);
    if (!key) continue;
    if (keys.has(key.id)) throw fault("two keys have one id");
    keys.set(key.id, key);
  }
  if (!keys.size) throw fault("it has no key that verifies");
  return keys;
}

function fault(what: string): IssuerFault {
  return new IssuerFault("keys", `The issuer's key set cannot be used: ${what}.`);
}

async function parseKey(raw: JSONValue): Promise<Key | undefined> {
  if (typeof raw !== "object" || raw === null || Array.isArray(raw)) throw fault("a key is not an object");
  const { kty, crv, alg, use, kid, key_ops } = raw;
  if (secret.some((name) => Object.hasOwn(raw, name))) throw fault("a key is private");
  const algorithm = Object.hasOwn(kinds, `${kty} ${crv ?? ""}`) ? kinds[`${kty} ${crv ?? ""}`] : undefined;
  const verifies = key_ops === undefined || (Array.isArray(key_ops) && key_ops.includes("verify"));
  if (!algorithm || (use !== undefined && use !== "sig") || !verifies) return undefined;
  if (alg !== undefined && alg !== algorithm) {
    if (Object.values(kinds).includes(alg as Algorithm)) throw fault("a key's alg is not one of its kty");
    return undefined;
  }
  if (kid !== undefined && (typeof kid !== "string" || !/^[\x21-\x7e]{1,128}$/.test(kid))) throw fault("a kid is malformed");
  const jwk = publicPart(raw, algorithm);
  try {
    const key = (await importJWK(jwk, algorithm)) as CryptoKey;
    return { id: kid ?? (await calculateJwkThumbprint(jwk)), algorithm, key };
  } catch {
    throw fault("a key is malformed");
  }
}

/** Returns the public members of the key, and checks the format and size of each. */
function publicPart(raw: { [name: string]: JSONValue }, algorithm: Algorithm): JWK {
  const names = { ES256: ["x", "y"], EdDSA: ["x"], RS256: ["n", "e"] }[algorithm];
  const jwk: JWK = { kty: raw["kty"] as string };
  if (algorithm !== "RS256") jwk.crv = raw["crv"] as string;
  for (const name of names) {
    const value = raw[name];
    const size = sizes[name];
    if (typeof value !== "string" || (size && value.length !== size) || !canonical(value))
      throw fault(`${name} of a key is malformed`);
    jwk[name as "x"] = value;
  }
  // The issuer's keys have 3,072 bits. Fewer than 2,048 are insecure, and many more are slow.
  if (algorithm === "RS256" && (jwk.n!.length < 342 || jwk.n!.length > 2732 || jwk.e!.length > 6))
    throw fault("a key has the wrong size");
  return jwk;
}
