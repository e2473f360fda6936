/** Bytes that come in chunks: through a codec, up to a limit, and looked at before they are read. */
import type { Transform } from "node:stream";
import { PlaylistError } from "./errors.ts";

export type Chunks = AsyncIterable<Uint8Array>;

/** A fourth of this, the default, costs twice the CPU. */
const UNPACKED_CHUNK_BYTES = 64 * 1024;

const COLLECT_BYTES = 4 * 1024 * 1024;

/** Codes of zlib, zstd and Brotli. */
const CODEC_ERROR = /^(?:Z_|ZSTD_|ERR__ERROR_)/;

const GZIP_MAGIC = [0x1f, 0x8b] as const;

/** @param level 1, fast, to 9 */
export function gzip(chunks: Chunks, level?: number): Chunks {
  return through(chunks, process.getBuiltinModule("node:zlib").createGzip(level === undefined ? {} : { level }));
}

/** Throws `bad-content` where it is none. */
export function gunzip(chunks: Chunks): Chunks {
  return through(chunks, process.getBuiltinModule("node:zlib").createGunzip({ chunkSize: UNPACKED_CHUNK_BYTES }));
}

/** Throws `bad-content` where it is none. */
export function inflateRaw(chunks: Chunks): Chunks {
  const { createInflateRaw } = process.getBuiltinModule("node:zlib");
  return through(chunks, createInflateRaw({ chunkSize: UNPACKED_CHUNK_BYTES }), "zip");
}

/** Throws `bad-content` where it is none. */
export function unpackStream(chunks: Chunks, packing: "zstd" | "zlib" | "brotli"): Chunks {
  const zlib = process.getBuiltinModule("node:zlib");
  const options = { chunkSize: UNPACKED_CHUNK_BYTES };
  if (packing === "zlib") return through(chunks, zlib.createInflate(options), "deflate");
  return through(
    chunks,
    packing === "zstd" ? zlib.createZstdDecompress(options) : zlib.createBrotliDecompress(options),
    packing,
  );
}

/**
 * Only a few chunks wait in memory, however much a codec makes of them. Whoever stops reading early closes the source. Codecs and
 * streams are loaded at the first use: most relays have no guide.
 */
async function* through(chunks: Chunks, codec: Transform, name = "gzip"): Chunks {
  const { pipeline } = process.getBuiltinModule("node:stream/promises");
  // What fails here also fails the codec, and so the loop over it.
  pipeline(chunks, codec).catch(() => {});
  try {
    yield* codec;
  } catch (error) {
    if (error instanceof Error && "code" in error && CODEC_ERROR.test(String(error.code))) {
      throw new PlaylistError("bad-content", `Broken ${name} data: ${error.message}`);
    }
    throw error;
  }
}

/** Lets the collector run now and then: it knows little of what chunks hold, and would let too many lie about for a small router. */
export async function* collecting(chunks: Chunks): Chunks {
  let bytes = 0;
  for await (const chunk of chunks) {
    yield chunk;
    bytes += chunk.length;
    if (bytes < COLLECT_BYTES) continue;
    bytes = 0;
    Bun.gc(true);
  }
}

/** Throws `too-large` behind `maxBytes`. */
export async function* limited(chunks: Chunks, maxBytes: number): Chunks {
  let bytes = 0;
  for await (const chunk of chunks) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw new PlaylistError("too-large", `More than ${maxBytes} bytes`);
    yield chunk;
  }
}

/**
 * Gives back the memory of each chunk when the next one is asked for; the collector would let many of them lie about. Only for a
 * reader that has no use of a chunk any more by then, and no codec that may still be at work on it.
 */
export async function* releasing(chunks: Chunks): Chunks {
  for await (const chunk of chunks) {
    yield chunk;
    const { buffer, byteOffset, byteLength } = chunk;
    // Whoever made it may still fill what is left of its buffer.
    const isFull = byteOffset + byteLength === buffer.byteLength;
    if (isFull && buffer instanceof ArrayBuffer) buffer.transfer(0);
  }
}

/** The first `count` bytes, fewer of a short stream, and all of it as if they had not been read. */
export async function peek(chunks: Chunks, count: number): Promise<{ readonly head: Buffer; readonly chunks: Chunks }> {
  const iterator = chunks[Symbol.asyncIterator]();
  let head: Buffer = Buffer.alloc(0);
  while (head.length < count) {
    const { done, value } = await iterator.next();
    if (done) break;
    head = Buffer.concat([head, value]);
  }
  const all = async function* () {
    try {
      yield head;
      yield* { [Symbol.asyncIterator]: () => iterator };
    } finally {
      await iterator.return?.();
    }
  };
  return { head: head.subarray(0, count), chunks: all() };
}

export function isGzip(head: Uint8Array): boolean {
  return head[0] === GZIP_MAGIC[0] && head[1] === GZIP_MAGIC[1];
}

/** All of it, or the first `maxBytes`: the rest is not read. */
export async function collect(chunks: Chunks, maxBytes = Number.POSITIVE_INFINITY): Promise<Buffer> {
  const all: Uint8Array[] = [];
  let room = maxBytes;
  for await (const chunk of chunks) {
    all.push(chunk.length > room ? chunk.subarray(0, room) : chunk);
    room -= chunk.length;
    if (room <= 0) break;
  }
  return Buffer.concat(all);
}
