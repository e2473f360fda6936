/** Collects a playlist whole, undoes its codings (http-proxy.md section 6). */
import { allocate } from "../../system/memory.ts";
import { Slices } from "../../system/slices.ts";
import { ChunkedDecoder, type ChunkSink } from "../../wire/http/chunked.ts";
import type { BodyFraming } from "../../wire/http/response-framing.ts";
import type { ByteSource } from "./body.ts";
import { HttpUpstreamError } from "./errors.ts";
import { type ContentCoding, MAX_PLAYLIST_BYTES } from "./playlist-handling.ts";

/** How long a server may send nothing in the middle of a playlist. */
const IDLE_TIMEOUT_MS = 10_000;
const POLL_MS = 5;
const READ_BYTES = 64 * 1024;
/** With the sizes of its chunks: each of them may hold a single byte. */
const MAX_CHUNKED_BYTES = 8 * MAX_PLAYLIST_BYTES;

/**
 * The text as a byte string. A body without chunks that ends early is taken as far as it came, one of chunks up to the last whole one.
 * @throws HttpUpstreamError when it is too large, malformed or stalled; whatever `signal` is aborted with
 */
export async function collectPlaylist(
  source: ByteSource,
  framing: BodyFraming,
  coding: ContentCoding,
  signal: AbortSignal,
  idleTimeoutMs = IDLE_TIMEOUT_MS,
): Promise<string> {
  const raw = await collect(source, framing, signal, idleTimeoutMs);
  return decode(raw, coding).toString("latin1");
}

async function collect(
  source: ByteSource,
  framing: BodyFraming,
  signal: AbortSignal,
  idleTimeoutMs: number,
): Promise<Buffer> {
  // Copies: chunks may be as small as a byte, and an object for each would take a hundred times the playlist's memory.
  const collected = new Bun.ArrayBufferSink();
  const area = allocate(READ_BYTES);
  const chunks = framing.kind === "chunked" ? new ChunkedDecoder() : undefined;
  const length = framing.kind === "length" ? framing.length : Number.POSITIVE_INFINITY;
  const slices = new Slices();
  let size = 0;
  let rawSize = 0;
  let heardAt = performance.now();
  const take = (bytes: Uint8Array, start: number, count: number) => {
    size += count;
    if (size > MAX_PLAYLIST_BYTES) throw new HttpUpstreamError("bad-playlist", "more than 2 MiB");
    collected.write(bytes.subarray(start, start + count));
  };
  while (size < length && chunks?.status !== "complete") {
    signal.throwIfAborted();
    if (slices.isOver) await slices.next();
    const count = source.read(area, 0, Math.min(READ_BYTES, length - size));
    if (count < 0) {
      if (chunks?.isBetweenChunks === false) throw new HttpUpstreamError("bad-playlist", "ended within its chunks");
      break;
    }
    if (count === 0) {
      if (performance.now() - heardAt > idleTimeoutMs) throw new HttpUpstreamError("timeout", "stalled");
      await Bun.sleep(POLL_MS);
      continue;
    }
    heardAt = performance.now();
    rawSize += count;
    if (rawSize > MAX_CHUNKED_BYTES) throw new HttpUpstreamError("bad-playlist", "more than 16 MiB of chunks");
    if (chunks) readChunks(area.bytes.subarray(0, count), chunks, take);
    else take(area.bytes, 0, count);
  }
  return Buffer.from(collected.end() as ArrayBuffer);
}

function readChunks(piece: Uint8Array, chunks: ChunkedDecoder, chunkData: ChunkSink["chunkData"]): void {
  chunks.push(piece, { chunkData });
  if (chunks.status === "failed") throw new HttpUpstreamError("bad-playlist", "malformed chunks");
}

/** @throws HttpUpstreamError */
function decode(raw: Buffer, coding: ContentCoding): Buffer {
  if (coding === "identity") return raw;
  const options = { maxOutputLength: MAX_PLAYLIST_BYTES };
  // Loaded now, because most programs never meet a compressed playlist.
  const { brotliDecompressSync, gunzipSync, inflateRawSync, inflateSync } = process.getBuiltinModule("node:zlib");
  try {
    switch (coding) {
      case "gzip":
        return gunzipSync(raw, options);
      case "br":
        return brotliDecompressSync(raw, options);
      case "deflate":
        // Some servers leave the zlib wrapper out.
        return (raw[0]! & 0x0f) === 8 ? inflateSync(raw, options) : inflateRawSync(raw, options);
    }
  } catch (error) {
    throw new HttpUpstreamError("bad-playlist", `${coding} cannot be undone: ${(error as Error).message}`);
  }
}
