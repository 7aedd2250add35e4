import { compactVerify } from "jose";
import { canonical, decode } from "./base64.js";
import { type Cause, VerifyError } from "./errors.js";
import { fold, JSONFault, strictObject, utf8 } from "./json.js";
import type { Key } from "./keys.js";

/** The largest token that is parsed, in bytes. */
export const maxToken = 8 << 10;

/** Finds a key by its id. */
export type FindKey = (kid: string) => Key | undefined;

/** A token with an unknown kid. The key may have been published a moment ago. */
export class UnknownKey extends VerifyError {
  constructor() {
    super("kid", "The key of the token is not known.");
  }
}

const refuse = (reason: Cause, message: string) => new VerifyError(reason, message);
const malformed = () => refuse("encoding", "It is not a compact JWS in canonical base64url.");

/**
 * Returns the payload of a compact JWS with this typ (RFC 7515 §7.1). Before the library verifies the signature, strict
 * checks allow only canonical base64url, only alg, typ and kid in the header, and one algorithm for each key.
 */
export async function verifyJWS(text: string, typ: string, find: FindKey, limit = maxToken): Promise<Uint8Array> {
  if (text.length > limit) throw refuse("size", `It has more than ${limit} bytes.`);
  const dot = text.indexOf(".");
  const header = readHeader(decodePart(dot > maxToken ? "" : text.slice(0, Math.max(dot, 0))));
  const second = text.indexOf(".", dot + 1);
  if (second < 0) throw malformed();
  const payload = decodePart(text.slice(dot + 1, second));
  const signature = text.slice(second + 1);
  if (signature && !canonical(signature)) throw malformed();
  if (trimType(header.typ ?? "") !== typ) throw refuse("typ", "It is of another type.");
  if (header.kid === undefined) throw refuse("kid", "It names no key.");
  const key = find(header.kid);
  if (!key) throw new UnknownKey();
  if (key.algorithm !== header.alg) throw refuse("alg-key-mismatch", "The algorithm is not that of the key.");
  try {
    await compactVerify(text, key.key, { algorithms: [key.algorithm] });
  } catch {
    throw refuse("sig", "The signature does not verify."); // without the library's message, which may contain parts of the token
  }
  return payload;
}

function decodePart(part: string): Uint8Array {
  if (!canonical(part)) throw malformed();
  return decode(part);
}

interface Header {
  alg: string;
  typ?: string;
  kid?: string;
}

function readHeader(raw: Uint8Array): Header {
  let members: Map<string, string>;
  try {
    members = strictObject(utf8(raw));
  } catch (error) {
    const twice = (error as JSONFault).duplicate;
    if (twice === undefined) throw refuse("header-not-allowed", "The header is not strict JSON.");
    throw refuse(fold(twice) === "kid" ? "kid" : "duplicate", "The header has a member twice.");
  }
  onlyAllowed([...members.keys()]);
  const text = (name: string): string | undefined => {
    const value = members.get(name);
    return value?.startsWith('"') ? JSON.parse(value) : value === undefined ? undefined : "";
  };
  const alg = text("alg");
  if (!alg || !registered.test(alg))
    throw refuse("alg", "The algorithm is not allowed.");
  const header: Header = { alg };
  for (const name of ["kid", "typ"] as const) {
    const value = text(name);
    if (value === undefined) continue;
    if (!/^[\x21-\x7e]{1,128}$/.test(value)) throw refuse(name, `${name} is malformed.`);
    header[name] = value;
  }
  return header;
}

const dangerous = new Set(["jwk", "jku", "x5u", "x5c", "x5t", "x5t#S256", "b64", "zip", "enc", "epk", "p2c", "p2s"]);

/** Refuses any member except alg, kid and typ. Members that carry a key or change what is signed are reported first. */
function onlyAllowed(names: string[]): void {
  if (names.some((name) => dangerous.has(name))) throw refuse("header-not-allowed", "The header has a dangerous member.");
  if (names.includes("crit")) throw refuse("crit", "Critical extensions are not supported.");
  if (names.includes("cty")) throw refuse("cty", "Nested content is not accepted.");
  if (names.some((name) => !["alg", "kid", "typ"].includes(name)))
    throw refuse("header-not-allowed", "The header has a member beyond alg, kid and typ.");
}

/**
 * The registered asymmetric algorithms. Those that no key of the issuer has pass this check, so that the refusal states
 * the actual fault: the algorithm does not match the key.
 */
const registered = /^(ES256K?|ES384|ES512|RS(256|384|512)|PS(256|384|512)|EdDSA|Ed25519|Ed448)$/;

/** Normalizes a typ: lower case, without the prefix that RFC 7515 §4.1.9 allows to omit. */
function trimType(typ: string): string {
  return typ.toLowerCase().replace(/^application\/(?=.)/, "");
}
