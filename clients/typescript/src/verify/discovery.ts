import { type Address, isAddress } from "./address.js";
import { IssuerFault } from "./errors.js";
import type { Http } from "./http.js";
import { strictObject } from "./json.js";

const maxMetadata = 64 << 10;

/** The endpoints of the issuer. */
export interface Endpoints {
  jwks: string;
  feed: { snapshot: string; stream: string; keys: string; applied: string } | undefined;
  introspection: string | undefined;
}

/** Fetches the issuer's metadata (RFC 8414), once. */
export class Discovery {
  private found: Endpoints | undefined;

  constructor(
    private readonly http: Http,
    private readonly address: Address,
  ) {}

  /** Returns the endpoints. Rejects with an IssuerFault if the metadata cannot be fetched or used. */
  async endpoints(): Promise<Endpoints> {
    this.found ??= await this.fetch();
    return this.found;
  }

  /** Every endpoint must have the issuer's own origin, because the service key is sent there. */
  private async fetch(): Promise<Endpoints> {
    const { issuer, base } = this.address;
    const url = `${base}/.well-known/openid-configuration`;
    const { text } = await this.http.fetch(url, { open: true, headers: { accept: "application/json" } }, maxMetadata);
    let members: Map<string, string>;
    try {
      members = strictObject(text);
    } catch {
      throw page();
    }
    const member = (name: string): string | undefined => {
      const value: unknown = JSON.parse(members.get(name) ?? "null");
      return typeof value === "string" ? value : undefined;
    };
    if (!member("issuer")) throw page();
    if (member("issuer") !== issuer) throw fault("is that of another issuer");
    const endpoint = (name: string): string | undefined => {
      const url = member(name);
      if (url === undefined) return undefined;
      if (base === issuer ? sameOrigin(url, issuer) : url.startsWith(`${issuer}/`) && isAddress(url)) return url.replace(issuer, () => base);
      throw fault(`names a ${name} that is not the issuer's`);
    };
    const jwks = endpoint("jwks_uri");
    if (!jwks) throw fault("has no jwks_uri");
    const [snapshot, stream] = [endpoint("revocations_endpoint"), endpoint("revocations_stream_endpoint")];
    const feed = snapshot && stream ? { snapshot, stream, keys: `${snapshot}/keys`, applied: `${snapshot}/applied` } : undefined;
    return { jwks, feed, introspection: endpoint("introspection_endpoint") };
  }
}

/** The answer is no metadata document: it may be the page of a proxy, before an issuer that is down. */
function page(): IssuerFault {
  return new IssuerFault("message", "The answer is not the issuer's metadata.");
}

function fault(what: string): IssuerFault {
  return new IssuerFault("discovery", `The issuer's metadata ${what}.`);
}

function sameOrigin(url: string, issuer: string): boolean {
  return isAddress(url) && new URL(url).origin === new URL(issuer).origin;
}
