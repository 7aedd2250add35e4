/** Where the issuer is. */
export interface Address {
  /** The issuer's URL, exactly as in iss. */
  issuer: string;
  /** The URL that takes its place in requests. */
  base: string;
}

/** Reports whether a text is a URL without user, password and fragment. */
export function isAddress(text: string): boolean {
  try {
    const { username, password, hash } = new URL(text);
    return !username && !password && !hash;
  } catch {
    return false;
  }
}

/** Throws a TypeError if a URL, which the option of this name has, is not safe to fetch keys from. */
export function checkURL(name: string, url: string, allowPrivateHTTP: boolean): void {
  if (!isAddress(url) || /[?#]|\/$/.test(url)) throw new TypeError(`${name} must be a URL without user, query, fragment and last slash`);
  const { protocol, hostname } = new URL(url);
  if (protocol === "https:") return;
  if (protocol === "http:" && (loopback.test(hostname) || (allowPrivateHTTP && isPrivate(hostname)))) return;
  throw new TypeError(
    `${name} must be https, or http on a loopback address. allowPrivateHTTP allows http also for private addresses and names`,
  );
}

const loopback = /^(localhost|127(\.\d+){3}|\[::1\])$/;

/** The private addresses of RFC 1918 and RFC 4193, and the link-local ones, as URL writes them. */
const privateAddress = new RegExp(
  [
    "^(10|192\\.168|172\\.(1[6-9]|2\\d|3[01])|169\\.254)(\\.\\d+)+$",
    "^\\[f(?:[cd][0-9a-f]{2}|e[89ab][0-9a-f]):",
    "^\\[::ffff:(a[0-9a-f]{2}|c0a8|ac1[0-9a-f]|a9fe):", // the same of IPv4
  ].join("|"),
);

/** Names that cannot be registered in the public DNS. */
const privateName = /^[^.[]+$|\.(localhost|local|internal|svc|cluster\.local|home\.arpa)$/;

function isPrivate(hostname: string): boolean {
  return privateAddress.test(hostname) || privateName.test(hostname.replace(/\.$/, ""));
}
