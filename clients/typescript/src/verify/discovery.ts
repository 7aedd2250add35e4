import { IssuerFault } from "./errors.js";
import type { Http } from "./http.js";
import { strictObject } from "./json.js";

const maxMetadata = 64 << 10;

/** The endpoints of the issuer. */
export interface Endpoints {
  jwks: string;
  snapshot: string | undefined;
  stream: string | undefined;
  introspection: string | undefined;
}

/**
 * Fetches the issuer's metadata (RFC 8414). Every endpoint must have the issuer's own origin, because the service key is
 * sent there.
 */
export async function discover(http: Http, issuer: string): Promise<Endpoints> {
  const url = `${issuer}/.well-known/openid-configuration`;
  const { text } = await http.fetch(url, { open: true, headers: { accept: "application/json" } }, maxMetadata);
  let members: Map<string, string>;
  try {
    members = strictObject(text);
  } catch {
    throw fault("is not strict JSON");
  }
  const member = (name: string): string | undefined => {
    const value: unknown = JSON.parse(members.get(name) ?? "null");
    return typeof value === "string" ? value : undefined;
  };
  if (member("issuer") !== issuer) throw fault("is that of another issuer");
  const endpoint = (name: string): string | undefined => {
    const url = member(name);
    if (url === undefined || sameOrigin(url, issuer)) return url;
    throw fault(`names a ${name} that is not of its origin`);
  };
  const jwks = endpoint("jwks_uri");
  if (!jwks) throw fault("has no jwks_uri");
  return {
    jwks,
    snapshot: endpoint("revocations_endpoint"),
    stream: endpoint("revocations_stream_endpoint"),
    introspection: endpoint("introspection_endpoint"),
  };
}

/** Throws if an issuer URL is not safe to fetch keys from. */
export function checkIssuer(issuer: string): void {
  const url = URL.canParse(issuer) ? new URL(issuer) : undefined;
  const plain = url && !url.username && !url.password && !/[?#]|\/$/.test(issuer);
  const loopback = url && /^(localhost|127(\.\d+){3}|\[::1\])$/.test(url.hostname);
  if (!plain) throw new TypeError("issuer must be a URL without user, query, fragment and last slash");
  if (url.protocol !== "https:" && !(url.protocol === "http:" && loopback))
    throw new TypeError("issuer must be https, or http on a loopback address");
}

function fault(what: string): IssuerFault {
  return new IssuerFault("discovery", `The issuer's metadata ${what}.`);
}

function sameOrigin(url: string, issuer: string): boolean {
  if (!URL.canParse(url)) return false;
  const { origin, username, password, hash } = new URL(url);
  return origin === new URL(issuer).origin && !username && !password && !hash;
}
