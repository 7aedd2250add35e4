import assert from "node:assert/strict";
import test from "node:test";
import { fold, JSONFault, strictObject } from "../src/verify/json.js";
import { type Frame, FrameReader } from "../src/verify/sse.js";
import { randomness } from "./random.js";

const bytes = (text: string) => new TextEncoder().encode(text);

/** Reads a stream that comes in portions of the given size. */
function frames(stream: Uint8Array, size = stream.length || 1): Frame[] {
  const reader = new FrameReader();
  const all: Frame[] = [];
  for (let at = 0; at < stream.length; at += size) all.push(...reader.push(stream.subarray(at, at + size)));
  return all;
}

test("frames of Server-Sent Events", () => {
  const message = (id: string, data: string): Frame => ({ id, event: "message", data });
  const table: [string, string, Frame[]][] = [
    ["one", "id: 7\nevent: revoked\ndata: x\n\n", [{ id: "7", event: "revoked", data: "x" }]],
    ["the id stays", "id: 7\ndata: x\n\ndata: y\n\n", [message("7", "x"), message("7", "y")]],
    ["the event does not", "event: a\ndata: x\n\ndata: y\n\n", [{ id: "", event: "a", data: "x" }, message("", "y")]],
    ["CR", "data: x\rdata: y\r\r", [message("", "x\ny")]],
    ["CRLF", "data: x\r\ndata: y\r\n\r\n", [message("", "x\ny")]],
    ["byte order mark", "\ufeffdata: x\n\n", [message("", "x")]],
    ["a comment", ": alive\n\ndata: x\n\n", [message("", "x")]],
    ["one space is taken off", "data:  x\n\ndata:y\n\n", [message("", " x"), message("", "y")]],
    ["empty data", "data\n\n", [message("", "")]],
    ["no data", "event: a\n\n", []],
    ["NUL in an id", "id: 7\n\nid: a\0b\ndata: x\n\n", [message("7", "x")]],
    ["unknown fields", "retry: 1\nfoo: bar\ndata: x\n\n", [message("", "x")]],
    ["cut", "data: x\n", []],
    ["not UTF-8 is replaced", "data: \ufffd\n\n", [message("", "\ufffd")]],
  ];
  for (const [what, stream, want] of table)
    for (const size of [1, 2, 3, 1000]) assert.deepEqual(frames(bytes(stream), size), want, `${what}, ${size} at a time`);
});

test("a stream is read in the same way in whatever portions it comes, and held to its bounds", () => {
  const random = randomness(3);
  const parts = ["data", "id", "event", ":", " ", "\n", "\r", "\r\n", "\n\n", "x", "\0", "é", "\ufeff", "7", "revoked"];
  for (let n = 0; n < 2_000; n++) {
    const stream = bytes(Array.from({ length: Math.floor(random() * 40) }, () => parts[Math.floor(random() * parts.length)]).join(""));
    assert.deepEqual(frames(stream, 1 + Math.floor(random() * 5)), frames(stream));
  }
  assert.throws(() => frames(new Uint8Array((64 << 10) + 1).fill(0x78)), { name: "IssuerFault" });
  assert.equal(frames(bytes(`data:${"x".repeat((64 << 10) - 5)}\n\n`)).length, 1);
  assert.throws(() => frames(bytes("data: xxxxxxxx\n".repeat(10_000))), { name: "IssuerFault" });
});

test("strict JSON is what every reader understands in the same way", () => {
  for (const good of ['{"a":1}', ' {"a":[{"b":null}],"c":"\\ud83d\\ude00"}\n', '{"":0,"a":-0.5e+3}', '{"a":{"x":1},"b":{"x":1}}', "{}"])
    assert.deepEqual([...strictObject(good).keys()], Object.keys(JSON.parse(good)), good);
  const bad = [
    "", " ", "[]", "null", '"x"', "1", "{", '{"a"}', '{"a":}', '{"a":1,}', "{'a':1}", '{"a":1}{}', '{"a":1}x', '\ufeff{"a":1}', '{"a":01}', '{"a":+1}',
    '{"a":.5}', '{"a":1.}', '{"a":NaN}', '{"a":1e999}', '{"a":"\n"}', '{"a":"\\x"}', '{"a":"\\u12"}', '{"a":"\\ud800"}', '{"a":"\\ud800x"}',
    '{"a":1/**/}', `{"a":${"1".repeat(65)}}`, `{"a":${"[".repeat(16)}${"]".repeat(16)}}`, '{"a":tru}', '{"a":"x}', '{"a":[1 2]}', "{a:1}",
  ];
  for (const text of bad) assert.throws(() => strictObject(text), JSONFault, text);
  for (const text of ['{"a":1,"a":1}', '{"a":1,"A":1}', '{"a":1,"\\u0061":1}', '{"x":[{"k":1,"\u212a":1}]}', '{"s":1,"\u017f":1}', '{"σ":1,"ς":1}'])
    assert.throws(() => strictObject(text), (error: JSONFault) => error.duplicate !== undefined, text);
});

test("what is accepted as strict JSON, JSON.parse reads", () => {
  const random = randomness(5);
  const parts = ['{"a":', "{", "}", "[", "]", ",", '"b":', '"x"', "1", "-", "0.5", "e9", "true", "null", " ", '"\\n"', '"\\ud83d\\ude00"'];
  let accepted = 0;
  for (let n = 0; n < 50_000; n++) {
    const text = `{"a":${Array.from({ length: Math.floor(random() * 8) }, () => parts[Math.floor(random() * parts.length)]).join("")}}`;
    try {
      const members = strictObject(text);
      accepted++;
      assert.deepEqual([...members.values()].map((value) => JSON.parse(value)), Object.values(JSON.parse(text)));
    } catch (error) {
      if (!(error instanceof JSONFault)) throw error;
    }
  }
  assert.ok(accepted > 500, `${accepted} accepted`);
});

test("names that differ in case are folded to one", () => {
  for (const [a, b] of [["Kid", "\u212aid"], ["SUB", "ſub"], ["ÀÉ", "àé"], ["ß", "ẞ"], ["µ", "μ"]] as const) assert.equal(fold(a), fold(b));
  for (const [a, b] of [["ss", "ß"], ["i", "ı"], ["a", "à"]] as const) assert.notEqual(fold(a), fold(b));
});
