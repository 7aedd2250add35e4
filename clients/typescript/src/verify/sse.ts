import { IssuerFault } from "./errors.js";

/** The largest line, and the largest data of one frame, in bytes. */
export const maxFrame = 64 << 10;

/** One event of a Server-Sent Events stream (WHATWG HTML §9.2.6). */
export interface Frame {
  /** The last id of the stream, from this frame or an earlier one. */
  id: string;
  event: string;
  data: string;
}

/** Reads frames from chunks of any size. It buffers at most one frame. */
export class FrameReader {
  private line = new Uint8Array(1 << 10);
  private length = 0;
  private skipLF = false;
  private first = true;
  private id = "";
  private event = "message";
  private data: string | undefined;

  /** Returns the frames that these bytes complete. */
  *push(bytes: Uint8Array): Generator<Frame> {
    for (const byte of bytes) {
      const lf = byte === 0x0a;
      if (this.skipLF && lf) {
        this.skipLF = false;
        continue;
      }
      this.skipLF = byte === 0x0d;
      if (!lf && !this.skipLF) {
        this.add(byte);
        continue;
      }
      const frame = this.ended();
      if (frame) yield frame;
    }
  }

  private add(byte: number): void {
    if (this.length >= maxFrame) throw tooLarge();
    if (this.length === this.line.length) {
      const longer = new Uint8Array(2 * this.length);
      longer.set(this.line);
      this.line = longer;
    }
    this.line[this.length++] = byte;
  }

  /** Processes a complete line, and returns a frame if the line ends one. */
  private ended(): Frame | undefined {
    let line = new TextDecoder("utf-8", { ignoreBOM: true }).decode(this.line.subarray(0, this.length));
    this.length = 0;
    if (this.first && line.startsWith("\ufeff")) line = line.slice(1);
    this.first = false;
    if (line === "") {
      const { id, event, data } = this;
      this.event = "message";
      this.data = undefined;
      return data === undefined ? undefined : { id, event, data };
    }
    const [, name, value = ""] = /^([^:]*)(?:: ?([^]*))?$/.exec(line) as RegExpExecArray;
    if (name === "event") this.event = value || "message";
    else if (name === "id" && !value.includes("\0")) this.id = value;
    else if (name === "data") {
      this.data = this.data === undefined ? value : `${this.data}\n${value}`;
      if (this.data.length > maxFrame) throw tooLarge();
    }
    return undefined;
  }
}

function tooLarge(): IssuerFault {
  return new IssuerFault("message", `The stream has a line or a frame of more than ${maxFrame} bytes.`);
}
