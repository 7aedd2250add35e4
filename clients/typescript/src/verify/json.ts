// Strict JSON that all parsers interpret in the same way: no names that are equal or differ only in case, no unpaired
// surrogates, bounded depth and numbers. The result of JSON.parse is safe to use after this check.

/** A text that is not strict JSON. */
export class JSONFault extends Error {
  constructor(
    message: string,
    /** The duplicate member name, if that is the fault. */
    readonly duplicate?: string,
  ) {
    super(message);
  }
}

/** A value as JSON.parse returns it. */
export type JSONValue = null | boolean | number | string | JSONValue[] | { [name: string]: JSONValue };

const maxDepth = 16;
const maxNumber = 64;
const number = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const literal = /true|false|null/y;
const escape = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;

/** Returns the members of an object in strict JSON, each value as its source text. */
export function strictObject(text: string, levels = maxDepth): Map<string, string> {
  const scanner = new Scanner(text, levels);
  scanner.space();
  if (text[scanner.at] !== "{") scanner.fail("not an object");
  const members = new Map<string, string>();
  scanner.object(members);
  scanner.end();
  return members;
}

/** Decodes UTF-8, and keeps a byte order mark so that the parser refuses it. */
export function utf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new JSONFault("not UTF-8");
  }
}

/** Returns a form that is equal for all names that differ only in case. */
export function fold(name: string): string {
  if (/^[\x20-\x7e]*$/.test(name)) return name.toLowerCase();
  return Array.from(name, foldCharacter).join("");
}

/** Folds one character with Unicode's simple case folding: a long s becomes s, a Kelvin sign k. */
function foldCharacter(c: string): string {
  if (c === "\u0131") return c; // simple case folding maps a dotless i to itself
  const upper = c.toUpperCase();
  const lower = ([...upper].length === 1 ? upper : c).toLowerCase();
  return [...lower].length === 1 ? lower : c;
}

class Scanner {
  at = 0;

  constructor(
    readonly text: string,
    private levels: number,
  ) {}

  fail(what: string): never {
    throw new JSONFault(`${what} at ${this.at}`);
  }

  space(): void {
    for (;;) {
      const c = this.text.charCodeAt(this.at);
      if (c !== 0x20 && c !== 0x09 && c !== 0x0a && c !== 0x0d) return;
      this.at++;
    }
  }

  end(): void {
    this.space();
    if (this.at < this.text.length) this.fail("more than one value");
  }

  private value(): void {
    const c = this.text[this.at];
    if (c === '"') this.quoted();
    else if (c === "{") this.object();
    else if (c === "[") this.array();
    else if (c === "-" || (c !== undefined && c >= "0" && c <= "9")) this.number();
    else if (!this.skip(literal)) this.fail("not a value");
  }

  private skip(what: RegExp): string | undefined {
    what.lastIndex = this.at;
    const found = what.exec(this.text)?.[0];
    if (found !== undefined) this.at += found.length;
    return found;
  }

  private number(): void {
    const found = this.skip(number);
    if (found === undefined) return this.fail("bad number");
    if (found.length > maxNumber) this.fail("number too long");
    if (/[eE]/.test(found) && !Number.isFinite(Number(found))) this.fail("number out of range");
  }

  /** Scans a string and returns its value. */
  private quoted(): string {
    const start = this.at++;
    for (;;) {
      const c = this.text.charCodeAt(this.at);
      if (c === 0x22) break;
      if (c === 0x5c) {
        if (!this.skip(escape)) this.fail("bad escape");
      } else if (c >= 0x20) this.at++;
      else this.fail("control character or no end"); // past the end c is NaN
    }
    const meant: string = JSON.parse(this.text.slice(start, ++this.at));
    if (/\p{Surrogate}/u.test(meant)) this.fail("unpaired surrogate");
    return meant;
  }

  private open(): void {
    if (this.levels-- <= 0) this.fail("too deep");
    this.at++;
    this.space();
  }

  /** Skips the separator or the end after an element, and reports whether another element follows. */
  private more(end: string): boolean {
    this.space();
    const c = this.text[this.at];
    if (c !== "," && c !== end) this.fail("no comma and no end");
    this.at++;
    this.space();
    if (c === ",") return true;
    this.levels++;
    return false;
  }

  private empty(end: string): boolean {
    if (this.text[this.at] !== end) return false;
    this.at++;
    this.levels++;
    return true;
  }

  private array(): void {
    this.open();
    if (this.empty("]")) return;
    do this.value();
    while (this.more("]"));
  }

  /** Scans an object, and collects its members if members is given. */
  object(members?: Map<string, string>): void {
    this.open();
    if (this.empty("}")) return;
    const names = new Set<string>();
    do {
      if (this.text[this.at] !== '"') this.fail("no name");
      const name = this.quoted();
      const folded = fold(name);
      if (names.has(folded)) throw new JSONFault(`a name twice at ${this.at}`, name);
      names.add(folded);
      this.space();
      if (this.text[this.at++] !== ":") this.fail("no colon");
      this.space();
      const start = this.at;
      this.value();
      members?.set(name, this.text.slice(start, this.at));
    } while (this.more("}"));
  }
}
