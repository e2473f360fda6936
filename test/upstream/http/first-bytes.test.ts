import { describe, expect, test } from "bun:test";
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from "node:zlib";
import { type BodyKind, FirstBytes } from "../../../src/upstream/http/first-bytes.ts";
import type { ContentCoding } from "../../../src/upstream/http/playlist-handling.ts";

const bytes = (text: string) => Buffer.from(text, "latin1");
const LIST = "#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\nseg1.ts\n";

function look(body: Uint8Array, coding: ContentCoding = "identity", isChunked = false, pieceBytes = body.length) {
  const first = new FirstBytes({ kind: isChunked ? "chunked" : "until-close" }, coding);
  for (let at = 0; at < body.length && first.kind === undefined; at += pieceBytes) {
    first.take(body.subarray(at, at + pieceBytes));
  }
  expect(Buffer.from(first.raw)).toEqual(Buffer.from(body.subarray(0, first.rawBytes)));
  return first;
}

describe("a body", () => {
  test.each<[kind: BodyKind | undefined, text: string]>([
    ["playlist", LIST],
    ["playlist", "#EXTM3U"],
    ["playlist", "#extm3u x=1"],
    ["playlist", `\xef\xbb\xbf${LIST}`],
    ["playlist", `\r\n \t\n${LIST}`],
    ["playlist", `\n\xef\xbb\xbf\n${LIST}`],
    ["text", "http://h/a.ts\n"],
    ["text", "#EXTINF:4,\na.ts"],
    ["text", "G@ is no packet, and no playlist"],
    ["other", "G@\0\x10\0\0\xb0\r"],
    ["other", "<html>"],
    ["other", " <?xml version='1.0'?><MPD>"],
    ["other", '{"a":1}'],
    ["other", "\x1f\x8b\b\0"],
    ["other", "\0\0\0\x18ftyp"],
    [undefined, ""],
    [undefined, "#EXTM3"],
    [undefined, "\xef\xbb"],
    [undefined, " \r\n"],
    ["text", " ".repeat(4096)],
  ])("is %s: %j", (kind, text) => {
    // What is no text is seen in pieces as large as they come.
    for (const pieceBytes of kind === "other" ? [5000] : [1, 3, 5000]) {
      expect(look(bytes(text), "identity", false, pieceBytes).kind).toBe(kind!);
      const chunked = `${(text.length || 1).toString(16)} \r\n${text}`;
      expect(look(bytes(chunked), "identity", true, pieceBytes).kind).toBe(kind!);
    }
  });

  test.each([
    ["gzip", gzipSync(LIST)],
    ["deflate", deflateSync(LIST)],
    ["deflate", deflateRawSync(LIST)],
    ["br", brotliCompressSync(LIST)],
  ] as const)("is unpacked: %s", (coding, packed) => {
    for (const pieceBytes of [1, 7, 1000]) expect(look(packed, coding, false, pieceBytes).kind).toBe("playlist");
  });

  test("that is not packed as it says is no playlist that is known", () => {
    expect(look(bytes("no gzip"), "gzip").kind).toBeUndefined();
    expect(look(new Uint8Array(5000).fill(0x61), "gzip").kind).toBe("text");
  });

  test("that ends, or stops, is what has come", () => {
    expect(look(bytes("#EXTM")).kindSoFar).toBe("text");
    expect(look(bytes("0\r\n\r\n"), "identity", true).kind).toBe("text");
  });

  test("of a bomb costs little", () => {
    expect(look(gzipSync(Buffer.alloc(64 * 1024 * 1024)), "gzip", false, 4096).kind).toBeDefined();
  });
});
