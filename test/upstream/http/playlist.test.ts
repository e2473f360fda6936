import { describe, expect, test } from "bun:test";
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from "node:zlib";
import type { Memory } from "../../../src/system/memory.ts";
import type { ByteSource } from "../../../src/upstream/http/body.ts";
import { collectPlaylist } from "../../../src/upstream/http/playlist.ts";
import { MAX_PLAYLIST_BYTES } from "../../../src/upstream/http/playlist-handling.ts";
import type { BodyFraming } from "../../../src/wire/http/response-framing.ts";

const TEXT = "#EXTM3U\nhttp://a/\xe4\n";
const NEVER = new AbortController().signal;
const UNTIL_CLOSE: BodyFraming = { kind: "until-close" };
const CHUNKED: BodyFraming = { kind: "chunked" };

/** Gives its bytes in pieces of a size, with a pause before each, and then ends or stalls. */
class FakeSource implements ByteSource {
  readonly window = Number.POSITIVE_INFINITY;
  readonly #bytes: Uint8Array;
  readonly #pieceBytes: number;
  readonly #atEnd: -1 | 0;
  #at = 0;
  #hasPaused = false;

  constructor(data: string | Uint8Array, pieceBytes = Number.POSITIVE_INFINITY, atEnd: -1 | 0 = -1) {
    this.#bytes = typeof data === "string" ? Buffer.from(data, "latin1") : data;
    this.#pieceBytes = pieceBytes;
    this.#atEnd = atEnd;
  }

  read(into: Memory, offset: number, length: number): number {
    const piece = this.#bytes.subarray(this.#at, this.#at + Math.min(length, this.#pieceBytes));
    if (piece.length === 0) return this.#atEnd;
    this.#hasPaused = !this.#hasPaused;
    if (this.#hasPaused) return 0;
    into.bytes.set(piece, offset);
    this.#at += piece.length;
    return piece.length;
  }

  waitReadable(): void {
    throw new Error("who collects asks by himself");
  }
}

function chunked(data: Uint8Array, chunkBytes: number): Buffer {
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < data.length; at += chunkBytes) {
    const chunk = data.subarray(at, at + chunkBytes);
    pieces.push(Buffer.from(`${chunk.length.toString(16)}\r\n`), chunk, Buffer.from("\r\n"));
  }
  return Buffer.concat([...pieces, Buffer.from("0\r\n\r\n")]);
}

describe("a playlist", () => {
  const raw = Buffer.from(TEXT, "latin1");

  test.each<[what: string, data: Uint8Array, framing: BodyFraming]>([
    ["until the close", raw, UNTIL_CLOSE],
    ["of a length", Buffer.concat([raw, raw]), { kind: "length", length: raw.length }],
    ["that ends early", raw, { kind: "length", length: 1000 }],
    ["in chunks", chunked(raw, 3), CHUNKED],
    ["in chunks, with junk behind the last", Buffer.concat([chunked(raw, 3), Buffer.from("\r\n<!-- -->")]), CHUNKED],
    ["in chunks, of which the last is missing", chunked(raw, 3).subarray(0, -5), CHUNKED],
    ["in chunks, without the empty line behind the last", chunked(raw, 3).subarray(0, -2), CHUNKED],
    ["in chunks with bare LFs", Buffer.from(`${(raw.length).toString(16)} \n${TEXT}\n0\n\n`, "latin1"), CHUNKED],
  ])("%s", async (_, data, framing) => {
    for (const size of [5, 1000]) {
      expect(await collectPlaylist(new FakeSource(data, size), framing, "identity", NEVER)).toBe(TEXT);
    }
  });

  test.each([
    ["gzip", gzipSync(raw)],
    ["deflate", deflateSync(raw)],
    ["deflate", deflateRawSync(raw)],
    ["br", brotliCompressSync(raw)],
  ] as const)("in %s", async (coding, data) => {
    expect(await collectPlaylist(new FakeSource(data), UNTIL_CLOSE, coding, NEVER)).toBe(TEXT);
  });

  test("may have 2 MiB, in chunks of few bytes too", async () => {
    const most = new Uint8Array(MAX_PLAYLIST_BYTES).fill(0x61);
    const text = await collectPlaylist(new FakeSource(chunked(most, 64)), CHUNKED, "identity", NEVER);
    expect(text.length).toBe(MAX_PLAYLIST_BYTES);
    expect(await collectPlaylist(new FakeSource(gzipSync(most)), UNTIL_CLOSE, "gzip", NEVER)).toBe(text);
  });
});

describe("is refused:", () => {
  const large = new Uint8Array(MAX_PLAYLIST_BYTES + 1);

  test.each<
    [what: string, data: string | Uint8Array, framing: BodyFraming, coding: "identity" | "gzip" | "deflate" | "br"]
  >([
    ["more than 2 MiB", large, UNTIL_CLOSE, "identity"],
    ["more than 2 MiB in chunks", chunked(large, 65_536), CHUNKED, "identity"],
    ["a gzip bomb", gzipSync(large), UNTIL_CLOSE, "gzip"],
    ["a deflate bomb", deflateSync(large), UNTIL_CLOSE, "deflate"],
    ["a br bomb", brotliCompressSync(large), UNTIL_CLOSE, "br"],
    ["what is no gzip", TEXT, UNTIL_CLOSE, "gzip"],
    ["half a gzip", gzipSync(TEXT).subarray(0, 20), UNTIL_CLOSE, "gzip"],
    ["the end within its chunks", "5\r\nab", CHUNKED, "identity"],
    ["wrong chunks", "x\r\n", CHUNKED, "identity"],
  ])("%s", async (_, data, framing, coding) => {
    const collecting = collectPlaylist(new FakeSource(data), framing, coding, NEVER);
    await expect(collecting).rejects.toMatchObject({ code: "bad-playlist" });
  });

  test("a server that stops in the middle", async () => {
    const collecting = collectPlaylist(new FakeSource(TEXT, 5, 0), UNTIL_CLOSE, "identity", NEVER, 50);
    await expect(collecting).rejects.toMatchObject({ code: "timeout" });
  });

  test("a client that goes away", async () => {
    const abort = new AbortController();
    const collecting = collectPlaylist(new FakeSource(TEXT, 5, 0), UNTIL_CLOSE, "identity", abort.signal);
    abort.abort(new Error("gone"));
    await expect(collecting).rejects.toThrow("gone");
  });
});
