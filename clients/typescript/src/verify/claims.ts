import { type Cause, VerifyError } from "./errors.js";
import { fold, JSONFault, type JSONValue, strictObject, utf8 } from "./json.js";

/** The claims of an access token (RFC 9068 §2.2). Times are seconds since 1970. */
export interface Claims {
  iss: string;
  /** The user's id. */
  sub: string;
  aud: string[];
  exp: number;
  iat: number;
  nbf?: number;
  /** Identifies the token. */
  jti: string;
  /** Identifies the session. It is not a credential. */
  sid?: string;
  /** The client that minted the session. */
  client_id?: string;
  /** When the user last authenticated. */
  auth_time?: number;
  acr?: string;
  amr?: string[];
  /** The additional claims from the mint. */
  [name: string]: JSONValue | undefined;
}

/** What a verifier requires of claims. Times are in seconds. */
export interface Demands {
  issuer: string;
  audience: readonly string[];
  leeway: number;
  maxLifetime: number;
}

const maxTime = 253402300799; // the end of the year 9999
const maxText = 255; // bytes
const maxList = 16;

type Read = (written: string, name: string, reason: Cause) => void;

const refuse = (reason: Cause, message: string, expired = false) => new VerifyError(reason, message, { expired });

/** A control character, or a character that changes the text direction. */
const unsafe = /[\p{Cc}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/u;

const text: Read = (written, name, reason) => {
  const value = parse(written);
  if (typeof value !== "string" || value === "") throw refuse(reason, `${name} is not a text.`);
};

const safeText: Read = (written, name, reason) => {
  text(written, name, reason);
  checkSafe(parse(written) as string, name);
};

function checkSafe(value: string, name: string): void {
  if (!isName(value)) throw refuse("claims", `${name} is too long, or has control characters.`);
}

/** Reports whether a text is a valid id of a user or a client: 1 to 255 bytes without control characters. */
export function isName(value: string): boolean {
  return value !== "" && new TextEncoder().encode(value).length <= maxText && !unsafe.test(value);
}

const time: Read = (written, name, reason) => {
  if (!/^[0-9]{1,12}$/.test(written) || Number(written) < 1 || Number(written) > maxTime)
    throw refuse(reason, `${name} is not a whole number of seconds.`);
};

const list: Read = (written, name, reason) => {
  const value = parse(written);
  const good = Array.isArray(value) && value.length >= 1 && value.length <= maxList;
  if (!good || value.some((entry) => typeof entry !== "string" || entry === ""))
    throw refuse(reason, `${name} is not a list of 1 to ${maxList} texts.`);
};

const audience: Read = (written, name, reason) => (written.startsWith('"') ? text : list)(written, name, reason);

const safeList: Read = (written, name, reason) => {
  list(written, name, reason);
  for (const entry of parse(written) as string[]) checkSafe(entry, name);
};

/** The known claims: how each is checked, and the cause if it is malformed. */
const known: Record<string, [Read, Cause]> = {
  iss: [text, "iss"],
  sub: [safeText, "claims"],
  aud: [audience, "aud"],
  exp: [time, "exp"],
  nbf: [time, "claims"],
  iat: [time, "iat"],
  auth_time: [time, "claims"],
  jti: [safeText, "claims"],
  sid: [safeText, "claims"],
  client_id: [safeText, "claims"],
  acr: [safeText, "claims"],
  amr: [safeList, "claims"],
};

function parse(written: string): JSONValue {
  return JSON.parse(written);
}

/** Reads the claims of a payload whose signature has been verified. Every known claim that is present is well-formed. */
export function readClaims(payload: Uint8Array): Partial<Claims> {
  let members: Map<string, string>;
  try {
    members = strictObject(utf8(payload));
  } catch (error) {
    if ((error as JSONFault).duplicate !== undefined) throw refuse("duplicate", "A claim is there twice.");
    throw refuse("payload", "The payload is not an object in strict JSON.");
  }
  const claims: { [name: string]: JSONValue } = {};
  for (const [name, written] of members) {
    const rule = Object.hasOwn(known, name) ? known[name] : undefined;
    if (rule) rule[0](written, name, rule[1]);
    else if (Object.hasOwn(known, fold(name))) throw refuse("duplicate", "A claim has a name in another case.");
    // Not an assignment, because a claim may be named "__proto__".
    Object.defineProperty(claims, name, { value: parse(written), enumerable: true, writable: true, configurable: true });
  }
  if (typeof claims["aud"] === "string") claims["aud"] = [claims["aud"]];
  return claims;
}

/** Checks claims against the requirements at a time, in seconds. */
export function acceptClaims(c: Partial<Claims>, demands: Demands, now: number): Claims {
  for (const name of ["iss", "aud", "exp", "iat", "sub", "jti"])
    if (c[name] === undefined) throw refuse(known[name]![1], `${name} is missing.`);
  const claims = c as Claims;
  const { issuer, leeway, maxLifetime } = demands;
  if (claims.iss !== issuer) throw refuse("iss", "It is of another issuer.");
  if (!claims.aud.some((name) => demands.audience.includes(name))) throw refuse("aud", "It is for another service.");
  // Expiry is checked first, because the holder can fix it with a refresh.
  if (now >= claims.exp + leeway) throw refuse("exp", "It has expired.", true);
  if (claims.nbf !== undefined && claims.nbf > now + leeway) throw refuse("nbf", "It is not valid yet.");
  const lifetime = claims.exp - claims.iat;
  if (lifetime <= 0 || lifetime > maxLifetime) throw refuse("lifetime", "Its lifetime is not allowed.");
  if (claims.iat > now + leeway) throw refuse("iat", "It was issued in the future.");
  return claims;
}
